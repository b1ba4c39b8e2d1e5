"""A cycle as it stands: its weeks, gates and readings, each step against its cap, the check-ins that came."""

from datetime import date, datetime, time

from sqlmodel import Session

from cadence.flows.asked_members import expected_members
from cadence.flows.callers import Caller
from cadence.flows.champions import champion_left
from cadence.flows.finding import find_run
from cadence.flows.gates import gate_lines
from cadence.flows.gathering import gather
from cadence.flows.judging import policy_for
from cadence.flows.kpis import kpi_context, latest_value
from cadence.flows.runs import TeamRun, of_cycle
from cadence.mrkdwn import code, mention, say
from cadence.refusals import Refusal
from cadence.rules.calendar import WEEKS, instant, week_monday
from storage import decisions, playbooks, reports
from storage.engine import Database
from storage.tables import Cycle, CycleState
from templates.contexts.base import Evidence, StepEvidence
from templates.contexts.playbooks import CycleShown


def show_cycle(
    db: Database,
    caller: Caller,
    *,
    playbook: str | None,
    team: str | None,
    day: date | None = None,
    now: datetime,
) -> CycleShown:
    """The running cycle of a run, or the one a day lies in.

    Raises:
        Refusal: nothing fits, several fit, or no cycle has started.
    """
    with db.read() as session:
        run = find_run(session, caller, now=now, playbook=playbook, team=team)
        if day is not None:
            then = playbooks.cycle_on(session, workspace_id=run.workspace.id, adoption_id=run.id, day=day)
            if then is None:
                raise Refusal(say("No cycle of {title} covers that day.", title=run.playbook.title))
            run = of_cycle(session, run, then)
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
        readings = reports.readings(session, workspace_id=run.workspace.id, cycle_id=cycle.id or 0)
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
                value=cycle.kpi_value if cycle.result is not None else latest_value(session, run),
            ),
            readings=tuple(readings.get(week) for week in range(1, WEEKS + 1)),
            steps=(
                steps_at_close(session, run, cycle)
                if cycle.state is CycleState.CLOSED
                else step_evidence(session, run, cycle)
            ),
            gates=gate_lines(session, run, cycle),
            champion=run.adoption.champion,
            champion_left=champion_left(session, run),
            result=cycle.result,
        )


def step_evidence(session: Session, run: TeamRun, cycle: Cycle) -> tuple[StepEvidence, ...]:
    """Each step's mode and exceptions against its cap, as they count now."""
    shown = []
    for step in run.spec.steps:
        found = gather(session, run, cycle, step)
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


def steps_at_close(session: Session, run: TeamRun, cycle: Cycle) -> tuple[StepEvidence, ...]:
    """Each step as it was last judged for a closed cycle: at the close, or for what came until Sunday night."""
    shown = []
    for step in run.spec.steps:
        verdicts = decisions.closing_verdicts(
            session, workspace_id=run.workspace.id, cycle_ids=[cycle.id or 0], step=step.key
        )
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


def coverage(session: Session, run: TeamRun, cycle: Cycle, *, until: date) -> tuple[int, int]:
    """Weekly answers that came while the cycle took them, and those expected, in its weeks up to a date."""
    over = instant(week_monday(cycle.starts_on, WEEKS + 1), time.min, run.zone)
    attested = expected = 0
    for week in range(1, WEEKS + 1):
        start = week_monday(cycle.starts_on, week)
        if start > until:
            break
        asked = set(expected_members(session, run, week_start=start))
        answered = reports.answered_members(
            session, workspace_id=run.workspace.id, adoption_id=run.id, week_start=start, before=over
        )
        attested += len(asked & answered)
        expected += len(asked)
    return attested, expected
