"""The posts about a cycle, once something they ask for was done."""

from datetime import date, datetime, time

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.runs import TeamRun
from cadence.rules.calendar import WEEKS, instant, monday_of, week_monday
from storage import ledger, playbooks
from storage.ledger import Owed
from storage.tables import Cycle, CycleState, OwedMessage


def rewrite_cycle_posts(
    session: Session, caller: Caller, run: TeamRun, cycle: Cycle, *, mark: str, now: datetime
) -> None:
    """Owe a rewrite of the cycle's opening posts and gate messages, this week's, and of its closing post.

    What an earlier week's gate lacked may have come since. `mark` tells one change from the next: each rewrites a
    post once.
    """
    ledger.owe_rewrites(
        session,
        workspace_id=run.workspace.id,
        messages=[
            *_of_weeks(session, run, {*_weeks(cycle), str(monday_of(run.today))}),
            *_closing(session, run, cycle),
        ],
        mark=mark,
        now=now,
        correlation_id=caller.request,
    )


def close_cycle_posts(session: Session, run: TeamRun, cycle: Cycle, *, now: datetime) -> None:
    """Owe a rewrite of every gate message and opening post of a cycle that closed: their buttons go."""
    ledger.owe_rewrites(
        session,
        workspace_id=run.workspace.id,
        messages=_of_weeks(session, run, _weeks(cycle)),
        mark=f"closed:{cycle.id}",
        now=now,
    )


def _weeks(cycle: Cycle) -> set[str]:
    return {str(week_monday(cycle.starts_on, week)) for week in range(1, WEEKS + 1)}


def _of_weeks(session: Session, run: TeamRun, weeks: set[str]) -> list[OwedMessage]:
    where = run.workspace.id
    return [
        row
        for kind in ("week-opens", "gate-due")
        for row in ledger.by_prefix(session, workspace_id=where, prefix=f"{kind}:{where}:{run.id}")
        if row.subject["week"] in weeks
    ]


def _closing(session: Session, run: TeamRun, cycle: Cycle) -> list[OwedMessage]:
    where = run.workspace.id
    return ledger.by_prefix(session, workspace_id=where, prefix=f"cycle-closed:{where}:{cycle.id}")


def rewrite_missing(
    session: Session, caller: Caller, run: TeamRun, *, week: date, mark: str, now: datetime
) -> None:
    """Owe the owner's message on who is missing a rewrite, now that somebody answered for its week."""
    where = run.workspace.id
    sent = ledger.by_prefix(session, workspace_id=where, prefix=f"who-is-missing:{where}:{run.id}")
    ledger.owe_rewrites(
        session,
        workspace_id=where,
        messages=[row for row in sent if row.subject["week"] == str(week)],
        mark=mark,
        now=now,
        correlation_id=caller.request,
    )


def rewrite_as_next_begins(session: Session, run: TeamRun, *, now: datetime) -> None:
    """Owe the newest closing post a rewrite for when the cycle after it begins: it can't be paused then."""
    closed = _last_closed(session, run)
    later = [
        row
        for row in playbooks.cycles_of(session, workspace_id=run.workspace.id, adoption_id=run.id)
        if closed is not None and row.number > closed.number
    ]
    if closed is None or not later:
        return
    owed = [
        Owed(
            key=f"rewrite:{one.id}:begun:{later[0].id}",
            kind="rewrite",
            recipient=one.recipient,
            subject={"kind": one.kind} | one.subject,
            due_at=instant(later[0].starts_on, time.min, run.zone),
            replaces_id=one.id,
        )
        for one in _closing(session, run, closed)
    ]
    ledger.owe(session, workspace_id=run.workspace.id, owed=owed, now=now)


def _last_closed(session: Session, run: TeamRun) -> Cycle | None:
    rows = playbooks.cycles_of(session, workspace_id=run.workspace.id, adoption_id=run.id)
    return next((row for row in reversed(rows) if row.state is CycleState.CLOSED), None)


def rewrite_last_closing(session: Session, caller: Caller, run: TeamRun, *, mark: str, now: datetime) -> None:
    """Owe a rewrite of the newest closing post, which says what follows: when that has changed."""
    closed = _last_closed(session, run)
    if closed is not None:
        rewrite_cycle_posts(session, caller, run, closed, mark=mark, now=now)
