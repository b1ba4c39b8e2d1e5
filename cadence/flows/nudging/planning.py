"""Queue the due nudges. If there can't be anything new, planning costs next to nothing.

For each database and workspace, a process remembers when it checked last, how long the trail was then, and
the next slot. It checks again at that slot, when a week begins, when something relevant to slots changed, when the
clock was set back, and every five minutes: that finds rows that two processes committed in another order than they
began. Their slots are late then, but none is lost, because every check goes back by `LOOK_BACK`.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from time import monotonic, perf_counter
from typing import Final
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from cadence.actor import Actor
from cadence.flows.core import forget_old
from cadence.flows.cycles import close_due_cycles, due_cycles
from cadence.flows.nudging.contradictions import ask_about_ended_weeks
from cadence.flows.nudging.week_turns import judge_turned_weeks, turned_weeks
from cadence.flows.rubrics import draw_due_audits
from cadence.flows.schedule import Scope, parts
from cadence.flows.trends import judge_due_courses
from cadence.nudges import Rollout, Slot, Unless, due
from cadence.rules.calendar import instant, local_day, monday_of
from storage.engine import Database
from storage.outbox import slots as queueing
from storage.outbox.slots import Nudged
from storage.queries import schedule
from storage.queries import workspaces as workspace_rows
from storage.tables import Workspace
from storage.work import UnitOfWork

LOOK_ANYWAY: Final = 300.0
"""Seconds by a real clock after which a process checks again even if nothing has changed."""
SLOW: Final = 1.0
"""Seconds: a check that took longer is that of a large workspace, where changes are frequent."""
SHARE: Final = 20
"""There, a check waits until this many times the duration of the last one has passed."""
_NO_MATTER: Final = frozenset(
    {
        "audit-drawn",
        "check-in",
        "check-in-corrected",
        "check-result",
        "exception",
        "lesson-learned",
        "nudged-again",
        "promotion-judged",
        "reading",
        "reading-corrected",
        "rubric-result",
        "runs-measured",
        "snoozed",
        "verdict",
        "watch-answered",
        "window-opened",
    }
)
"""Frequent reports that change no slot; any other entry of the trail may."""


def may_change_slots(actions: Set[str]) -> bool:
    """Whether any of these entries of the trail may change who is nudged, or when."""
    return bool(actions - _NO_MATTER)


@dataclass(slots=True)
class _Memory:
    """What a process remembers about a workspace since its last check."""

    looked_at: datetime
    looked: float
    took: float
    next_slot: datetime | None
    again_at: datetime
    trail: int


_MEMORIES: WeakKeyDictionary[Database, dict[str, _Memory]] = WeakKeyDictionary()


def forget(db: Database) -> None:
    """Clear the memory, as in a new process."""
    _MEMORIES.pop(db, None)


@dataclass(slots=True)
class PlanCheck:
    """A check of a workspace in progress. Its findings are remembered when it is `done`."""

    db: Database
    workspace_id: str
    now: datetime
    trail: int
    began: float = field(default_factory=perf_counter)
    zones: set[ZoneInfo] = field(default_factory=set)
    next_slot: datetime | None = None

    def saw(self, part: Rollout, slots: Iterable[Slot]) -> None:
        """Note the zones of a part of the workspace, and the first of its slots to come."""
        self.zones |= {part.zone, *(view.team.zone for view in part.runs if view.team)}
        coming = min((slot.at for slot in slots if slot.at > self.now), default=None)
        self.next_slot = min((at for at in (self.next_slot, coming) if at), default=None)

    def done(self) -> None:
        """Remember that everything due up to now is queued."""
        weeks = (instant(_next_monday(self.now, zone), time.min, zone) for zone in self.zones)
        again_at = min([self.now + AHEAD, *weeks])
        if self.next_slot is not None:
            again_at = min(again_at, self.next_slot)
        _MEMORIES.setdefault(self.db, {})[self.workspace_id] = _Memory(
            self.now, monotonic(), perf_counter() - self.began, self.next_slot, again_at, self.trail
        )


def _next_monday(now: datetime, zone: ZoneInfo) -> date:
    return monday_of(local_day(now, zone)) + timedelta(weeks=1)


def next_slot(db: Database, uow: UnitOfWork) -> datetime | None:
    """The workspace's next slot, as found by the last check; None if that is out of date or there was none ahead."""
    known = _MEMORIES.get(db, {}).get(uow.workspace_id)
    if known is None or known.next_slot is None or not known.looked_at <= uow.now < known.again_at:
        return None
    _, actions = schedule.changes(uow, after=known.trail)
    return None if may_change_slots(actions) else known.next_slot


def look(uow: UnitOfWork, workspace: Workspace) -> PlanCheck | None:
    """Begin a check of a workspace; None if there can't be anything new."""
    known = _MEMORIES.get(uow.db, {}).get(workspace.id)
    with uow.read():
        if known is None:
            return PlanCheck(uow.db, workspace.id, uow.now, schedule.last_change(uow))
        trail, actions = schedule.changes(uow, after=known.trail)
    waited = uow.now - known.looked_at
    changed = may_change_slots(actions)
    may_look = known.took < SLOW or waited >= timedelta(seconds=SHARE * known.took)
    is_old = waited < timedelta() or monotonic() - known.looked >= LOOK_ANYWAY
    if is_old or uow.now >= known.again_at or (changed and may_look):
        return PlanCheck(uow.db, workspace.id, uow.now, trail)
    if not changed:
        known.trail = trail
    return None


AHEAD: Final = timedelta(days=1)
"""How far each check looks for the next slot; without one in this time, it is repeated then."""
LOOK_BACK: Final = timedelta(hours=26)
"""How far planning goes back before the last check, so that no slot is lost to a row committed late, a
clock set back, somebody who joins after it, or somebody who flies east across it. Zones are 26 hours apart
at most."""


def plan(db: Database, *, now: datetime) -> int:
    """Close the due cycles and queue every nudge due up to now; returns how many are new.

    Watched steps, and the courses of watched adoptions, are judged again when a week has begun; then owners
    are also asked about check-ins that contradict what tools counted.

    A slot that is no longer useful, because the bot was down, is recorded as skipped. Planning again, from
    any number of processes, queues nothing twice. Unless a slot has come, a week has begun,
    something has changed or five minutes have passed, no slots are computed.
    """
    with db.read() as session:
        workspaces = workspace_rows.workspaces(session)
        ending = due_cycles(session, now=now, known=workspaces)
        turned = turned_weeks(session, now=now)
    close_due_cycles(db, ending, now=now)
    judge_turned_weeks(db, turned, now=now)
    return sum(
        _plan_workspace(UnitOfWork(db, Actor.system(workspace.id), now), workspace)
        for workspace in workspaces
    )


def _plan_workspace(uow: UnitOfWork, workspace: Workspace) -> int:
    found = look(uow, workspace)
    if found is None:
        return 0
    planned_until = min(workspace.planned_until or workspace.created_at, uow.now)
    judge_due_courses(uow, since=planned_until)
    asked = ask_about_ended_weeks(uow)
    since, until = planned_until - LOOK_BACK, uow.now + AHEAD
    new = asked
    for part in parts(uow, Scope.between(workspace, since, until, now=uow.now)):
        slots = list(due(since, until, part))
        found.saw(part, slots)
        new += _plan_part(uow, [slot for slot in slots if slot.at <= uow.now])
    with uow.write():
        workspace_rows.note_planned(uow)
        forget_old(uow)
    found.done()
    return new


def _plan_part(uow: UnitOfWork, slots: Sequence[Slot]) -> int:
    """Queue what is due in one part of a workspace, in its own transaction."""
    if not slots:
        return 0
    with uow.read():
        known = queueing.known_keys(uow, keys=[slot.key for slot in slots])
    nudges = _newest([_nudged(slot, uow.now) for slot in slots if slot.key not in known])
    if not nudges:
        return 0
    with uow.write():
        new = queueing.queue(uow, nudges=nudges)
        draw_due_audits(uow, nudges)
        return new


def _nudged(slot: Slot, now: datetime) -> Nudged:
    reason = slot.skipped or (Unless.DOWNTIME if slot.useful_until < now else "")
    return Nudged(slot.key, slot.kind, slot.recipient, slot.subject, slot.at, slot.useful_until, reason)


def _newest(nudges: list[Nudged]) -> list[Nudged]:
    """After downtime only the newest of each kind is sent to a recipient; older ones are recorded as
    skipped."""
    newest: dict[tuple[str, str, object], datetime] = {}
    waiting = [one for one in nudges if not one.reason]
    for one in waiting:
        about = one.kind, one.recipient, one.subject.get("adoption")
        newest[about] = max(one.due_at, newest.get(about, one.due_at))
    if len(newest) == len(waiting):  # each is the only one of its kind
        return nudges
    return [
        one._replace(reason=Unless.NEWER_DUE.value)
        if not one.reason and one.due_at < newest[one.kind, one.recipient, one.subject.get("adoption")]
        else one
        for one in nudges
    ]
