"""An alert of a step over its cap: what ends it, and the rewrites in which it says how things stand."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from cadence.flows.core import TeamRun
from cadence.rules.calendar import instant, monday_of
from cadence.rules.verdicts import Decision
from storage.outbox import ledger
from storage.outbox.ledger import Owed
from storage.queries import decisions, playbooks
from storage.tables import Adoption, CycleState, OwedMessage, StepVerdict
from storage.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class WatchEnd:
    """How a watch ended and when; `verdict` is the one that ended it, None when none did.

    `under` the cap again, `demoted`, `closed` with its cycle, `restarted` count (another mode, rubric or version,
    or a demotion that was taken back),
    or the step is `gone` from the version the team is on.
    """

    how: Literal["under", "demoted", "closed", "restarted", "gone"]
    at: datetime | None
    verdict: StepVerdict | None = None


def weekend_over(run: TeamRun, row: StepVerdict) -> datetime:
    """The end of a cycle's last Sunday in the team's zone: until then it is judged again for what comes late."""
    return instant(monday_of(row.closes_on) + timedelta(weeks=1), time.min, run.zone)


def watch_end(uow: UnitOfWork, run: TeamRun, row: StepVerdict) -> WatchEnd | None:
    """How the watch of a verdict ended, None while it goes on.

    It ends with its cycle: one that began before the close ends there, one that began at the close or on the
    weekend after it ends on Sunday night.
    """
    later = decisions.end_of_watch(uow, row=row)
    if later is not None:
        how: Literal["under", "demoted"] = "demoted" if later.decision is Decision.DEMOTE else "under"
        return WatchEnd(how, later.judged_at, later)
    cycle = playbooks.cycle(uow, cycle_id=row.cycle_id)
    closed = cycle.closed_at if cycle.state is CycleState.CLOSED else None
    if closed is not None and (not row.closing or uow.now >= weekend_over(run, row)):
        return WatchEnd("closed", weekend_over(run, row) if row.closing else max(closed, row.judged_at))
    if run.spec.step(row.step) is None:
        return WatchEnd("gone", None)
    standing = playbooks.steps(uow, adoption_id=row.adoption_id).get(row.step)
    if standing is None or standing.after_exception == row.after_exception:
        return None
    if standing.after_exception > row.after_exception:
        return WatchEnd("restarted", standing.since)
    history = decisions.mode_history(uow, adoption_id=row.adoption_id, step=row.step)
    undone = (one.changed_at for one in history if one.takes_back and one.changed_at >= row.judged_at)
    return WatchEnd("restarted", next(undone, None))


def alert_copies(uow: UnitOfWork, row: StepVerdict) -> list[OwedMessage]:
    """Every copy of every alert of a verdict's window."""
    return [
        copy
        for one in decisions.alerting(uow, row=row)
        for copy in ledger.by_prefix(uow, prefix=f"watch:{one.workspace_id}:{one.id}")
    ]


def rewrite_alerts(uow: UnitOfWork, row: StepVerdict, *, mark: str) -> None:
    """Owe the alerts of a verdict's window a rewrite, in which they say what is true by then.

    `mark` tells one occasion from the next.
    """
    ledger.owe_rewrites(uow, messages=alert_copies(uow, row), mark=mark)


def end_with_weekend(uow: UnitOfWork, run: TeamRun, row: StepVerdict) -> None:
    """Owe the alerts of a closed cycle's step their last rewrite, for when the weekend after it is over.

    An alert that is still to be sent has one too: by then it was.
    """
    last = [
        Owed(
            key=f"rewrite:{one.id}:weekend:{row.cycle_id}",
            kind="rewrite",
            recipient=one.recipient,
            subject={"kind": one.kind} | one.subject,
            due_at=weekend_over(run, row),
            replaces_id=one.id,
        )
        for one in alert_copies(uow, row)
    ]
    ledger.owe(uow, owed=last)


def close_watch(uow: UnitOfWork, adoption: Adoption, *, step: str, mark: str) -> None:
    """Rewrite a step's alerts when it was watched until now: its last verdict says so."""
    last = decisions.last_verdicts(uow, adoption_id=adoption.id or 0, step=step, limit=1)
    if last and last[0].decision is Decision.WATCH:
        rewrite_alerts(uow, last[0], mark=mark)
