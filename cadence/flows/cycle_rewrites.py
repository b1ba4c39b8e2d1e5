"""The posts about a cycle, once something they ask for was done."""

from datetime import datetime

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.runs import TeamRun
from cadence.rules.calendar import WEEKS, monday_of, week_monday
from storage import ledger, playbooks
from storage.tables import Cycle, CycleState


def rewrite_cycle_posts(
    session: Session, caller: Caller, run: TeamRun, cycle: Cycle, *, mark: str, now: datetime
) -> None:
    """Owe a rewrite of the week's opening post, the owner's gate message and the cycle's closing post.

    `mark` tells one change from the next: each rewrites a post once.
    """
    about, week = f"{run.workspace.id}:{run.id}", monday_of(run.today)
    prefixes = (
        f"week-opens:{about}:{run.team.channel}:{week}",
        f"gate-due:{about}:{run.playbook.owner}:{week}",
        f"cycle-closed:{run.workspace.id}:{cycle.id}",
    )
    ledger.owe_rewrites(
        session,
        workspace_id=run.workspace.id,
        messages=[
            sent
            for prefix in prefixes
            for sent in ledger.by_prefix(session, workspace_id=run.workspace.id, prefix=prefix)
        ],
        mark=mark,
        now=now,
        correlation_id=caller.request,
    )


def close_cycle_posts(session: Session, run: TeamRun, cycle: Cycle, *, now: datetime) -> None:
    """Owe a rewrite of every gate message and opening post of a cycle that closed: their buttons go."""
    ids = {"workspace_id": run.workspace.id}
    weeks = {str(week_monday(cycle.starts_on, week)) for week in range(1, WEEKS + 1)}
    sent = [
        row
        for kind in ("week-opens", "gate-due")
        for row in ledger.by_prefix(session, **ids, prefix=f"{kind}:{run.workspace.id}:{run.id}")
        if row.subject["week"] in weeks
    ]
    ledger.owe_rewrites(session, **ids, messages=sent, mark=f"closed:{cycle.id}", now=now)


def rewrite_last_closing(session: Session, caller: Caller, run: TeamRun, *, mark: str, now: datetime) -> None:
    """Owe a rewrite of the newest closing post, which says what follows: when that has changed."""
    closed = [
        row
        for row in playbooks.cycles_of(session, workspace_id=run.workspace.id, adoption_id=run.id)
        if row.state is CycleState.CLOSED
    ]
    if closed:
        rewrite_cycle_posts(session, caller, run, closed[-1], mark=mark, now=now)
