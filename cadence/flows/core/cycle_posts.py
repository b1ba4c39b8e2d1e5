"""The posts about a cycle, once something they ask for was done."""

from datetime import date, time

from cadence.flows.core.adoptions import TeamRun
from cadence.rules.calendar import WEEKS, instant, monday_of, week_monday
from storage.outbox import ledger
from storage.outbox.ledger import Owed
from storage.queries import playbooks
from storage.tables import Cycle, CycleState, OwedMessage
from storage.work import UnitOfWork


def rewrite_cycle_posts(uow: UnitOfWork, run: TeamRun, cycle: Cycle, *, mark: str) -> None:
    """Owe a rewrite of the cycle's opening posts and gate messages, this week's, and of its closing post.

    What an earlier week's gate lacked may have come since. `mark` tells one change from the next: each rewrites a
    post once.
    """
    ledger.owe_rewrites(
        uow,
        messages=[
            *_of_weeks(uow, run, {*_weeks(cycle), str(monday_of(run.today))}),
            *_closing(uow, run, cycle),
        ],
        mark=mark,
    )


def close_cycle_posts(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> None:
    """Owe a rewrite of every gate message and opening post of a cycle that closed: their buttons go."""
    ledger.owe_rewrites(uow, messages=_of_weeks(uow, run, _weeks(cycle)), mark=f"closed:{cycle.id}")


def _weeks(cycle: Cycle) -> set[str]:
    return {str(week_monday(cycle.starts_on, week)) for week in range(1, WEEKS + 1)}


def _of_weeks(uow: UnitOfWork, run: TeamRun, weeks: set[str]) -> list[OwedMessage]:
    where = run.workspace.id
    return [
        row
        for kind in ("week-opens", "gate-due")
        for row in ledger.by_prefix(uow, prefix=f"{kind}:{where}:{run.id}")
        if row.subject["week"] in weeks
    ]


def _closing(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> list[OwedMessage]:
    where = run.workspace.id
    return ledger.by_prefix(uow, prefix=f"cycle-closed:{where}:{cycle.id}")


def rewrite_missing(uow: UnitOfWork, run: TeamRun, *, week: date, mark: str) -> None:
    """Owe the owner's message on who is missing a rewrite, now that somebody answered for its week."""
    where = run.workspace.id
    sent = ledger.by_prefix(uow, prefix=f"who-is-missing:{where}:{run.id}")
    ledger.owe_rewrites(uow, messages=[row for row in sent if row.subject["week"] == str(week)], mark=mark)


def rewrite_as_next_begins(uow: UnitOfWork, run: TeamRun) -> None:
    """Owe the newest closing post a rewrite for when the cycle after it begins: it can't be paused then."""
    closed = _last_closed(uow, run)
    later = [
        row
        for row in playbooks.cycles_of(uow, adoption_id=run.id)
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
        for one in _closing(uow, run, closed)
    ]
    ledger.owe(uow, owed=owed)


def _last_closed(uow: UnitOfWork, run: TeamRun) -> Cycle | None:
    rows = playbooks.cycles_of(uow, adoption_id=run.id)
    return next((row for row in reversed(rows) if row.state is CycleState.CLOSED), None)


def rewrite_last_closing(uow: UnitOfWork, run: TeamRun, *, mark: str) -> None:
    """Owe a rewrite of the newest closing post, which says what follows: when that has changed."""
    closed = _last_closed(uow, run)
    if closed is not None:
        rewrite_cycle_posts(uow, run, closed, mark=mark)
