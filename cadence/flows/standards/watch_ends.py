"""An alert of a step over its cap: how it ends, and its rewrites."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from cadence.flows.core import AdoptionView
from cadence.rules.calendar import instant, monday_of
from cadence.rules.verdicts import Decision
from storage.queries import adoptions, cycles, standards
from storage.tables import Adoption, CycleState, OutboxMessage, StepVerdict
from storage.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class WatchEnd:
    """How a watch ended and when; `verdict` is the one that ended it, None if none did.

    `under` the cap again, `demoted`, `closed` with its cycle, `restarted` evidence (another mode, rubric or
    version, or a reversed demotion), or the step is `gone` from the team's version. `replaced`: the watch goes on,
    and after a critical exception a newer alert says so.
    """

    how: Literal["under", "demoted", "closed", "restarted", "gone", "replaced"]
    at: datetime | None
    verdict: StepVerdict | None = None


def weekend_over(view: AdoptionView, row: StepVerdict) -> datetime:
    """The end of a cycle's last Sunday in the team's zone: until then it is judged again on late reports."""
    return instant(monday_of(row.closes_on) + timedelta(weeks=1), time.min, view.zone)


def watch_end(uow: UnitOfWork, view: AdoptionView, row: StepVerdict) -> WatchEnd | None:
    """How the watch of a verdict ended, None while it is open.

    It ends with its cycle: at the close if it began before, and on Sunday night if it began at the close or
    on the weekend after it.
    """
    later = standards.end_of_watch(uow, row=row)
    newer = _newer_alert(uow, row, before=later)
    if newer is not None:
        return WatchEnd("replaced", newer.judged_at)
    if later is not None:
        how: Literal["under", "demoted"] = "demoted" if later.decision is Decision.DEMOTE else "under"
        return WatchEnd(how, later.judged_at, later)
    cycle = cycles.cycle(uow, cycle_id=row.cycle_id)
    closed = cycle.closed_at if cycle.state is CycleState.CLOSED else None
    if closed is not None and (not row.closing or uow.now >= weekend_over(view, row)):
        return WatchEnd("closed", weekend_over(view, row) if row.closing else max(closed, row.judged_at))
    if view.spec.step(row.step) is None:
        return WatchEnd("gone", None)
    standing = adoptions.steps(uow, adoption_id=row.adoption_id).get(row.step)
    if standing is None or standing.after_exception == row.after_exception:
        return None
    if standing.after_exception > row.after_exception:
        return WatchEnd("restarted", standing.since)
    history = standards.mode_history(uow, adoption_id=row.adoption_id, step=row.step)
    undone = (one.changed_at for one in history if one.takes_back and one.changed_at >= row.judged_at)
    return WatchEnd("restarted", next(undone, None))


def _newer_alert(uow: UnitOfWork, row: StepVerdict, *, before: StepVerdict | None) -> StepVerdict | None:
    """The verdict that alerted about the same watch once more; one that ended with its close is another."""
    for one in standards.alerting(uow, row=row):
        if (one.id or 0) > (row.id or 0) and one.closing == row.closing:
            return one if before is None or (one.id or 0) < (before.id or 0) else None
    return None


def first_alert(uow: UnitOfWork, row: StepVerdict) -> StepVerdict:
    """The verdict that began the watch which a verdict alerts about: an earlier one that a newer alert replaced."""
    first = row
    for one in reversed(standards.alerting(uow, row=row)):
        if (one.id or 0) >= (row.id or 0):
            continue
        newer = _newer_alert(uow, one, before=standards.end_of_watch(uow, row=one))
        if newer is None or newer.id != first.id:
            break
        first = one
    return first


def alert_copies(uow: UnitOfWork, row: StepVerdict) -> list[OutboxMessage]:
    """Every copy of every alert of a verdict's window."""
    return [copy for one in standards.alerting(uow, row=row) for copy in uow.messages("watch", one.id)]


def rewrite_alerts(uow: UnitOfWork, row: StepVerdict, *, mark: str) -> None:
    """Rewrite the alerts of a verdict's window with their current state.

    `mark` identifies the occasion.
    """
    for one in standards.alerting(uow, row=row):
        uow.rewrite("watch", one.id, mark=mark)


def end_with_weekend(uow: UnitOfWork, view: AdoptionView, row: StepVerdict) -> None:
    """Queue the last rewrite of the alerts of a closed cycle's step, for the end of the weekend after it.

    Alerts that aren't sent yet get one too, because they will be by then.
    """
    at = weekend_over(view, row)
    uow.rewrite_messages(alert_copies(uow, row), mark=f"weekend:{row.cycle_id}", at=at)


def close_watch(uow: UnitOfWork, adoption: Adoption, *, step: str, mark: str) -> None:
    """Rewrite the alerts of a step that was watched until now, according to its last verdict."""
    last = standards.last_verdicts(uow, adoption_id=adoption.id or 0, step=step, limit=1)
    if last and last[0].decision is Decision.WATCH:
        rewrite_alerts(uow, last[0], mark=mark)
