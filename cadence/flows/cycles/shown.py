"""A cycle's current state: its weeks, gates and readings, each step against its cap, the check-ins."""

from datetime import date

from cadence.flows.core import AdoptionView, champion_left, find_adoption, of_cycle
from cadence.flows.gates import gate_lines
from cadence.flows.numbers import kpi_context, latest_value
from cadence.flows.standards import gather, policy_for
from cadence.mrkdwn import code, mention, say
from cadence.refusals import Refusal
from cadence.rules.calendar import WEEKS
from storage.queries import cycles, numbers, standards
from storage.tables import Cycle, CycleState
from storage.work import UnitOfWork
from templates.contexts.base import Evidence, StepEvidence
from templates.contexts.cycles import CycleShown


def show_cycle(
    uow: UnitOfWork, *, playbook: str | None, team: str | None, day: date | None = None
) -> CycleShown:
    """The running cycle of an adoption, or the one that contains a day.

    Raises:
        Refusal: nothing matches, several do, or no cycle has started.
    """
    with uow.read():
        view = find_adoption(uow, playbook=playbook, team=team)
        if day is not None:
            then = cycles.cycle_on(uow, adoption_id=view.id, day=day)
            if then is None:
                raise Refusal(say("No cycle of {title} covers that day.", title=view.playbook.title))
            view = of_cycle(uow, view, then)
        cycle = view.cycle
        if cycle is None:
            raise Refusal(
                say(
                    "{title} has no cycle in {team} yet. {owner} starts one with {command}.",
                    title=view.playbook.title,
                    team=view.team.title,
                    owner=mention(view.playbook.owner),
                    command=code(f"/cadence cycle start {view.playbook.slug}"),
                )
            )
        readings = numbers.readings(uow, cycle=cycle)
        return CycleShown(
            slug=view.playbook.slug,
            playbook=view.playbook.title,
            team=view.team.title,
            number=cycle.number,
            week=view.week,
            starts=cycle.starts_on,
            closes=cycle.closes_on,
            kpi=kpi_context(
                view,
                value=cycle.kpi_value if cycle.result is not None else latest_value(uow, view),
            ),
            readings=tuple(readings.get(week) for week in range(1, WEEKS + 1)),
            steps=(
                steps_at_close(uow, view, cycle)
                if cycle.state is CycleState.CLOSED
                else step_evidence(uow, view, cycle)
            ),
            gates=gate_lines(uow, view, cycle),
            champion=view.adoption.champion,
            champion_left=champion_left(uow, view),
            result=cycle.result,
        )


def step_evidence(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> tuple[StepEvidence, ...]:
    """Each step's mode and exceptions against its cap, as of now."""
    shown = []
    for step in view.spec.steps:
        found = gather(uow, view, cycle, step)
        shown.append(
            StepEvidence(
                title=step.title,
                mode=found.mode,
                evidence=Evidence(
                    exceptions=found.evidence.exceptions,
                    runs=found.evidence.runs,
                    attested=found.evidence.attested,
                    assumed=found.evidence.assumed,
                    cap=policy_for(view, step).cap,
                ),
            )
        )
    return tuple(shown)


def steps_at_close(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> tuple[StepEvidence, ...]:
    """Each step as last judged for a closed cycle: at the close, or for reports until Sunday night."""
    shown = []
    for step in view.spec.steps:
        verdicts = standards.closing_verdicts(uow, cycle_ids=[cycle.id or 0], step=step.key)
        if verdicts:
            final = verdicts[-1]
            shown.append(
                StepEvidence(
                    title=step.title,
                    mode=final.lands_on or final.mode,
                    evidence=Evidence(
                        exceptions=final.exceptions,
                        runs=max(final.attested + final.assumed, final.exceptions),
                        attested=final.attested,
                        assumed=final.assumed,
                        cap=final.cap,
                    ),
                )
            )
    return tuple(shown)
