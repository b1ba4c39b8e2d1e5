"""Close a cycle on its fourth Friday: the result, the cap line for every step, the next cycle."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.documents import playbook_from_data
from cadence.flows.announcing import curators_read
from cadence.flows.callers import Caller
from cadence.flows.cycle_rewrites import close_cycle_posts, rewrite_as_next_begins
from cadence.flows.cycles import add_cycle, declare_modes
from cadence.flows.drifting import judge_drifts
from cadence.flows.gates import gates_of
from cadence.flows.judging import CLOSE, judge_all
from cadence.flows.moving import count_anew
from cadence.flows.nudge_hours import adoption_hours, hours_in, workspace_hours
from cadence.flows.promotions import judge_promotions
from cadence.flows.results import set_result
from cadence.flows.runs import TeamRun, of_cycle, run_by_id
from cadence.flows.versions import version_to_run
from cadence.nudges import CLOSING_HOUR, CYCLE_CLOSES
from cadence.rules.calendar import WEEKS, instant, local_day, monday_of, next_monday
from cadence.rules.modes import Mode
from storage import cycles, ledger, people, playbooks, reports, trail
from storage.engine import Database
from storage.ledger import Owed
from storage.tables import Adoption, AdoptionState, Cycle, CycleState, PlaybookState

CHART_USEFUL = timedelta(days=7)
"""As long as the closing post may have to wait for working hours, holidays included, and a little longer."""


def close_instant(run: TeamRun, cycle: Cycle) -> datetime:
    """When a cycle closes: on its fourth Friday at the adoption's hour, 16:00 by default, in the team's zone."""
    return instant_of_close(run, cycle.closes_on)


def instant_of_close(run: TeamRun, closes_on: date) -> datetime:
    """The instant at which a cycle of the run closes on a day."""
    return instant(closes_on, hours_in(run.workspace, run.adoption)[CYCLE_CLOSES].at, run.zone)


def close_due_cycles(db: Database, *, now: datetime) -> int:
    """Close every cycle whose fourth Friday, at the hour of its team, has come; returns how many.

    Each closes in a transaction of its own, so one that fails doesn't hold up the others.
    """
    with db.read() as session:
        due = [
            (row.workspace_id, row.adoption_id, row.cycle_id)
            for row, closes_at in closing_instants(session, closing_by=local_day_latest(now))
            if closes_at <= now
        ]
    return sum(close_cycle(db, *ids, now=now) for ids in due)


def closing_instants(
    session: Session, *, closing_by: date | None = None
) -> list[tuple[cycles.ClosingRow, datetime]]:
    """The running cycles of every workspace, each with the instant at which it closes."""
    hours = {row.id: workspace_hours(row) for row in people.workspaces(session)}
    found = []
    for row in cycles.closings(session, closing_by=closing_by):
        of_workspace = hours.get(row.workspace_id, {})
        own = adoption_hours(row.hours, of_workspace) if row.hours else {}
        at = (own.get(CYCLE_CLOSES) or of_workspace.get(CYCLE_CLOSES) or CLOSING_HOUR).at
        found.append((row, instant(row.closes_on, at, ZoneInfo(row.timezone))))
    return found


def local_day_latest(now: datetime) -> date:
    """The latest local date anywhere on earth."""
    return (now + timedelta(hours=14)).date()


def close_cycle(db: Database, workspace_id: str, adoption_id: int, cycle_id: int, *, now: datetime) -> bool:
    """Close one cycle if its hour has come: the result, the cap line for every step, the next cycle.

    Returns False when it was too early, or another process closed it first.
    """
    with db.write() as session:
        playbooks.lock_adoption(session, workspace_id=workspace_id, adoption_id=adoption_id)
        cycle = playbooks.cycle(session, workspace_id=workspace_id, cycle_id=cycle_id)
        session.refresh(cycle)
        run = _run_of_cycle(session, cycle, now=now)
        if cycle.state is CycleState.CLOSED or run is None or close_instant(run, cycle) > now:
            return False
        finish_cycle(session, run, cycle, by=None, now=now)
        return True


def finish_cycle(session: Session, run: TeamRun, cycle: Cycle, *, by: Caller | None, now: datetime) -> None:
    """Close a cycle now: judge every step, store the result, plan the next cycle, owe the posts.

    `run` is the run as it stood in the cycle, its adoption locked; `by` is None when the calendar closes it.
    """
    cycle.state, cycle.closed_at = CycleState.CLOSED, now
    session.add(cycle)
    session.flush()  # a window that this close restarts begins after the cycle
    judge_all(session, run, cycle, cause=f"{CLOSE}{cycle.id}", now=now)
    judge_drifts(session, run, cycle, cause=f"{CLOSE}{cycle.id}", now=now)
    set_result(session, run, cycle)
    trail.record(
        session,
        workspace_id=run.workspace.id,
        at=now,
        member=by.member if by else None,
        action="cycle-closed",
        subject=f"cycle:{cycle.id}",
        surface=by.surface if by else "clock",
        after=as_closed(session, run, cycle),
        correlation_id=by.request if by else "",
    )
    judge_promotions(session, run, cycle, now=now)
    if run.adoption.state is AdoptionState.ACTIVE and run.playbook.state is not PlaybookState.RETIRED:
        _start_next(session, run.adoption, cycle, run, now=now)
    close_cycle_posts(session, run, cycle, now=now)
    _owe_close(session, run, cycle, now=now)
    rewrite_as_next_begins(session, run, now=now)


def as_closed(session: Session, run: TeamRun, cycle: Cycle) -> dict[str, object]:
    """A closed cycle as the trail keeps it: the result, and everything it rests on."""
    readings = reports.readings(session, workspace_id=run.workspace.id, cycle_id=cycle.id or 0)
    return {
        "result": cycle.result,
        "kpi_value": cycle.kpi_value,
        "readings": readings,
        "guardrails": cycle.guardrails,
        "gates": {str(gate.week): gate.met for gate in gates_of(session, run, cycle)},
    }


def _run_of_cycle(session: Session, cycle: Cycle, *, now: datetime) -> TeamRun | None:
    """The run as it stood in the cycle, on its closing day should that be past."""
    run = run_by_id(session, workspace_id=cycle.workspace_id, adoption_id=cycle.adoption_id, now=now)
    return of_cycle(session, run, cycle)


def _start_next(session: Session, adoption: Adoption, cycle: Cycle, run: TeamRun, *, now: datetime) -> None:
    """The next cycle starts the following Monday, on the version its team is on; after downtime, the next to come."""
    starts_on = cycle.starts_on + timedelta(weeks=WEEKS)
    today = local_day(now, run.zone)
    if starts_on < monday_of(today):
        starts_on = next_monday(today)
    moved = adoption.version_id != cycle.version_id
    version = version_to_run(session, run.playbook, adoption)
    adoption.version_id = version.id or 0
    spec = playbook_from_data(version.spec)
    if version.id != cycle.version_id and (moved or version.number is not None):
        count_anew(session, run, spec, to=version, member=None, surface="clock", now=now)
    declare_modes(session, run, steps=[(s.key, Mode(s.mode)) for s in spec.steps], now=now)
    add_cycle(session, adoption, number=cycle.number + 1, starts_on=starts_on, by="the calendar", now=now)


def _owe_close(session: Session, run: TeamRun, cycle: Cycle, *, now: datetime) -> None:
    recipients = dict.fromkeys([run.team.channel, *curators_read(session, run.workspace)])
    ledger.owe(
        session,
        workspace_id=run.workspace.id,
        owed=[
            Owed(
                key=f"cycle-closed:{run.workspace.id}:{cycle.id}:{recipient}",
                kind="cycle-closed",
                recipient=recipient,
                subject={"adoption": run.id, "cycle": cycle.id},
                due_at=now,
            )
            for recipient in recipients
        ]
        + [_chart(run, cycle, recipient, now=now) for recipient in recipients],
        now=now,
    )


def _chart(run: TeamRun, cycle: Cycle, recipient: str, *, now: datetime) -> Owed:
    """The chart that goes with a closing post; a message of its own, so that the post never waits for it."""
    return Owed(
        key=f"cycle-chart:{run.workspace.id}:{cycle.id}:{recipient}",
        kind="cycle-chart",
        recipient=recipient,
        subject={"adoption": run.id, "cycle": cycle.id},
        due_at=now,
        useful_until=now + CHART_USEFUL,
    )
