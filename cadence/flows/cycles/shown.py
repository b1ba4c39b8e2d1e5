"""A cycle as it stands: its weeks, gates and readings, each step against its cap, the check-ins that came."""

from datetime import date

from cadence.flows.core import TeamRun, champion_left, find_run, of_cycle
from cadence.flows.gates import gate_lines
from cadence.flows.numbers import kpi_context, latest_value
from cadence.flows.standards import gather, policy_for
from cadence.mrkdwn import code, mention, say
from cadence.refusals import Refusal
from cadence.rules.calendar import WEEKS
from storage.queries import decisions, playbooks, reports
from storage.tables import Cycle, CycleState
from storage.work import UnitOfWork
from templates.contexts.base import Evidence, StepEvidence
from templates.contexts.playbooks import CycleShown


def show_cycle(
    uow: UnitOfWork, *, playbook: str | None, team: str | None, day: date | None = None
) -> CycleShown:
    """The running cycle of a run, or the one a day lies in.

    Raises:
        Refusal: nothing fits, several fit, or no cycle has started.
    """
    with uow.read():
        run = find_run(uow, playbook=playbook, team=team)
        if day is not None:
            then = playbooks.cycle_on(uow, adoption_id=run.id, day=day)
            if then is None:
                raise Refusal(say("No cycle of {title} covers that day.", title=run.playbook.title))
            run = of_cycle(uow, run, then)
        cycle = run.cycle
        if cycle is None:
            raise Refusal(
                say(
                    "{title} has no cycle in {team} yet. {owner} starts one with {command}.",
                    title=run.playbook.title,
                    team=run.team.title,
                    owner=mention(run.playbook.owner),
                    command=code(f"/cadence cycle start {run.playbook.slug}"),
                )
            )
        readings = reports.readings(uow, cycle_id=cycle.id or 0)
        return CycleShown(
            slug=run.playbook.slug,
            playbook=run.playbook.title,
            team=run.team.title,
            number=cycle.number,
            week=run.week,
            starts=cycle.starts_on,
            closes=cycle.closes_on,
            kpi=kpi_context(
                run,
                value=cycle.kpi_value if cycle.result is not None else latest_value(uow, run),
            ),
            readings=tuple(readings.get(week) for week in range(1, WEEKS + 1)),
            steps=(
                steps_at_close(uow, run, cycle)
                if cycle.state is CycleState.CLOSED
                else step_evidence(uow, run, cycle)
            ),
            gates=gate_lines(uow, run, cycle),
            champion=run.adoption.champion,
            champion_left=champion_left(uow, run),
            result=cycle.result,
        )


def step_evidence(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> tuple[StepEvidence, ...]:
    """Each step's mode and exceptions against its cap, as they count now."""
    shown = []
    for step in run.spec.steps:
        found = gather(uow, run, cycle, step)
        shown.append(
            StepEvidence(
                title=step.title,
                mode=found.mode,
                evidence=Evidence(
                    exceptions=found.evidence.exceptions,
                    runs=found.evidence.runs,
                    attested=found.evidence.attested,
                    assumed=found.evidence.assumed,
                    cap=policy_for(run, step).cap,
                ),
            )
        )
    return tuple(shown)


def steps_at_close(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> tuple[StepEvidence, ...]:
    """Each step as it was last judged for a closed cycle: at the close, or for what came until Sunday night."""
    shown = []
    for step in run.spec.steps:
        verdicts = decisions.closing_verdicts(uow, cycle_ids=[cycle.id or 0], step=step.key)
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
