"""What ends an alert of a step over its cap, and the rewrite in which the alert says so."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlmodel import Session

from cadence.rules.verdicts import Decision
from storage import decisions, ledger, playbooks
from storage.tables import Adoption, CycleState, StepVerdict

MOST_VERDICTS = 50
"""How many verdicts of a step are looked at: more than come while one alert stands."""


@dataclass(frozen=True, slots=True)
class WatchEnd:
    """How a watch ended and when; `verdict` is the one that ended it, None when none did.

    `under` the cap again, `demoted`, `closed` with its cycle, `restarted` count (another mode, rubric or version),
    or the step is `gone` from the version the team is on.
    """

    how: Literal["under", "demoted", "closed", "restarted", "gone"]
    at: datetime | None
    verdict: StepVerdict | None = None


def watch_end(session: Session, row: StepVerdict, *, steps: frozenset[str]) -> WatchEnd | None:
    """How the watch of a verdict ended, None while it goes on. `steps` are the keys the team's version has."""
    newest = decisions.last_verdicts(
        session,
        workspace_id=row.workspace_id,
        adoption_id=row.adoption_id,
        step=row.step,
        limit=MOST_VERDICTS,
    )
    for later in reversed(newest):
        same_count = later.window_from == row.window_from and (later.id or 0) > (row.id or 0)
        if same_count and later.decision is not Decision.WATCH:
            how: Literal["under", "demoted"] = "demoted" if later.decision is Decision.DEMOTE else "under"
            return WatchEnd(how, later.judged_at, later)
    cycle = playbooks.cycle(session, workspace_id=row.workspace_id, cycle_id=row.cycle_id)
    closed = cycle.closed_at if cycle.state is CycleState.CLOSED else None
    if closed is not None and not row.closing and row.judged_at < closed:  # at its last weekend it may begin
        return WatchEnd("closed", closed)
    if row.step not in steps:
        return WatchEnd("gone", None)
    known = playbooks.steps(session, workspace_id=row.workspace_id, adoption_id=row.adoption_id)
    standing = known.get(row.step)
    if standing is not None and standing.since > row.judged_at:
        return WatchEnd("restarted", standing.since)
    return None


def close_alert(session: Session, adoption: Adoption, *, step: str, mark: str, now: datetime) -> None:
    """Owe the newest alert of a step a rewrite, in which it says how it ended; `mark` tells one end from the next."""
    watches = decisions.last_verdicts(
        session,
        workspace_id=adoption.workspace_id,
        adoption_id=adoption.id or 0,
        step=step,
        limit=MOST_VERDICTS,
        decision=Decision.WATCH,
    )
    for row in watches:
        copies = ledger.by_prefix(
            session, workspace_id=row.workspace_id, prefix=f"watch:{row.workspace_id}:{row.id}"
        )
        if not copies:
            continue
        ledger.owe_rewrites(session, workspace_id=row.workspace_id, messages=copies, mark=mark, now=now)
        return


def close_watch(session: Session, adoption: Adoption, *, step: str, mark: str, now: datetime) -> None:
    """The same, when the step was watched until now: its last verdict says so."""
    last = decisions.last_verdicts(
        session, workspace_id=adoption.workspace_id, adoption_id=adoption.id or 0, step=step, limit=1
    )
    if last and last[0].decision is Decision.WATCH:
        close_alert(session, adoption, step=step, mark=mark, now=now)
