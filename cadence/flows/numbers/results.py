"""What a cycle came to: judged at its close, and again when a number of it comes late."""

from cadence.flows.core import TeamRun, lapse_open, of_cycle, rewrite_cycle_posts
from cadence.flows.numbers.guardrails import judged
from cadence.rules.kpi import Direction, Outcome, cycle_result, median_of
from storage import trail
from storage.queries import reports
from storage.tables import Cycle, CycleState
from storage.work import UnitOfWork


def set_result(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> None:
    """Judge a cycle by its readings as they stand: its result, the KPI's value, the guardrails' values."""
    readings = reports.readings(uow, cycle_id=cycle.id or 0)
    rails = judged(uow, run, cycle)
    outcome = cycle_result(
        list(readings.values()), run.spec.kpi.target, Direction(run.spec.kpi.direction), rails
    )
    cycle.result, cycle.kpi_value = outcome.outcome, outcome.value
    cycle.guardrails = {rail.name: median_of(rail.readings) for rail in rails}
    uow.session.add(cycle)


def judge_again(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> None:
    """A number of a closed cycle came late, or was corrected: the result follows it, and its post says so.

    Steps and promotions stay as they were judged at the close; but a proposal that rested on a KPI that turns out
    not to be met lapses while nobody has decided it.
    """
    if cycle.state is not CycleState.CLOSED:
        return
    before = {"result": cycle.result, "kpi_value": cycle.kpi_value, "guardrails": cycle.guardrails}
    run = of_cycle(uow, run, cycle)
    set_result(uow, run, cycle)
    after = {"result": cycle.result, "kpi_value": cycle.kpi_value, "guardrails": cycle.guardrails}
    trail.record(
        uow,
        at=uow.now,
        member=uow.actor.member,
        action="cycle-judged-again",
        subject=f"cycle:{cycle.id}",
        surface=uow.actor.surface,
        before=before,
        after=after,
    )
    uow.session.flush()
    if before["result"] == Outcome.MET != cycle.result:
        why = f"a corrected number made cycle {cycle.number} {cycle.result}"
        lapse_open(uow, run, why=why)
    rewrite_cycle_posts(uow, run, cycle, mark=f"again:{uow.now.timestamp()}")
