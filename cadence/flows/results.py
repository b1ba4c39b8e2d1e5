"""What a cycle came to: judged at its close, and again when a number of it comes late."""

from datetime import datetime

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.cycle_rewrites import rewrite_cycle_posts
from cadence.flows.guardrails import judged
from cadence.flows.proposals import lapse_open
from cadence.flows.runs import TeamRun, of_cycle
from cadence.rules.kpi import Direction, Outcome, cycle_result, median_of
from storage import reports, trail
from storage.tables import Cycle, CycleState


def set_result(session: Session, run: TeamRun, cycle: Cycle) -> None:
    """Judge a cycle by its readings as they stand: its result, the KPI's value, the guardrails' values."""
    readings = reports.readings(session, workspace_id=run.workspace.id, cycle_id=cycle.id or 0)
    rails = judged(session, run, cycle)
    outcome = cycle_result(
        list(readings.values()), run.spec.kpi.target, Direction(run.spec.kpi.direction), rails
    )
    cycle.result, cycle.kpi_value = outcome.outcome, outcome.value
    cycle.guardrails = {rail.name: median_of(rail.readings) for rail in rails}
    session.add(cycle)


def judge_again(session: Session, caller: Caller, run: TeamRun, cycle: Cycle, *, now: datetime) -> None:
    """A number of a closed cycle came late, or was corrected: the result follows it, and its post says so.

    Steps and promotions stay as they were judged at the close; but a proposal that rested on a KPI that turns out
    not to be met lapses while nobody has decided it.
    """
    if cycle.state is not CycleState.CLOSED:
        return
    before = {"result": cycle.result, "kpi_value": cycle.kpi_value, "guardrails": cycle.guardrails}
    run = of_cycle(session, run, cycle)
    set_result(session, run, cycle)
    after = {"result": cycle.result, "kpi_value": cycle.kpi_value, "guardrails": cycle.guardrails}
    trail.record(
        session,
        workspace_id=caller.workspace_id,
        at=now,
        member=caller.member,
        action="cycle-judged-again",
        subject=f"cycle:{cycle.id}",
        surface=caller.surface,
        before=before,
        after=after,
        correlation_id=caller.request,
    )
    session.flush()
    if before["result"] == Outcome.MET != cycle.result:
        why = f"a corrected number made cycle {cycle.number} {cycle.result}"
        lapse_open(session, run, why=why, now=now)
    rewrite_cycle_posts(session, caller, run, cycle, mark=f"again:{now.timestamp()}", now=now)
