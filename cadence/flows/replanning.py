"""Whether planning could find anything new: then it looks, and else it costs next to nothing.

A process remembers, for each database and workspace, when it looked last, how far the trail went then, and when the
next hour strikes at which anybody is nudged. It looks again when that hour comes, when something was changed that
slots hang on, when the clock was set back, and now and then anyway: what two processes committed in another order
than they began is found then. Nothing is lost for it, because every look goes back `planning.LOOK_BACK`.
"""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from time import perf_counter
from typing import Final
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from cadence.nudges import NUDGES, Rollout
from cadence.rules.calendar import instant, local_day
from storage import plans
from storage.engine import Database
from storage.tables import Workspace

LOOK_ANYWAY: Final = timedelta(minutes=5)
SLOW: Final = 1.0
"""Seconds: a look that took longer is that of a large workspace, where somebody changes something all the time."""
SHARE: Final = 20
"""There, changes wait until so many times as long as the last look took have gone by."""
NEXT_MORNING: Final = time(9)
"""An hour that was set late may come on a morning."""
_NO_MATTER: Final = frozenset(
    {
        "audit-drawn",
        "check-in",
        "check-in-corrected",
        "exception",
        "lesson-learned",
        "nudged-again",
        "promotion-judged",
        "reading",
        "reading-corrected",
        "rubric-result",
        "snoozed",
        "verdict",
        "watch-answered",
        "window-opened",
    }
)
"""What people report all week long changes no slot; whatever else the trail tells of may."""


@dataclass(slots=True)
class _Memory:
    """What a process knows of a workspace since it looked last."""

    looked_at: datetime
    took: float
    strikes_at: datetime
    trail: int


_MEMORIES: WeakKeyDictionary[Database, dict[str, _Memory]] = WeakKeyDictionary()


def forget(db: Database) -> None:
    """Forget what was remembered, as a process that starts would."""
    _MEMORIES.pop(db, None)


@dataclass(slots=True)
class Look:
    """A look at a workspace under way. What it says of the workspace is remembered when it is `done`."""

    db: Database
    workspace_id: str
    now: datetime
    trail: int
    began: float = field(default_factory=perf_counter)
    zones: set[ZoneInfo] = field(default_factory=set)
    times: set[time] = field(default_factory=lambda: {NEXT_MORNING})

    def saw(self, part: Rollout) -> None:
        """Note the zones and hours of a part of the workspace."""
        self.zones.add(part.zone)
        self.zones |= {person.zone for person in part.people.values()}
        self.zones |= {run.team.zone for run in part.runs if run.team}
        self.times |= {part.hour(nudge).at for nudge in NUDGES}
        self.times |= {hour.at for run in part.runs for hour in run.hours.values()}

    def done(self) -> None:
        """Remember that everything due up to now is queued."""
        _MEMORIES.setdefault(self.db, {})[self.workspace_id] = _Memory(
            self.now, perf_counter() - self.began, self._next_strike(), self.trail
        )

    def _next_strike(self) -> datetime:
        """The next instant at which the clock shows one of the hours, anywhere."""
        day = timedelta(days=1)
        strikes = (
            instant(local_day(self.now, zone) + number * day, at, zone)
            for zone in self.zones
            for at in self.times
            for number in (0, 1)
        )
        return min(at for at in strikes if at > self.now)


def look(db: Database, workspace: Workspace, *, now: datetime) -> Look | None:
    """Begin a look at a workspace; None when there can't be anything new."""
    known = _MEMORIES.get(db, {}).get(workspace.id)
    with db.read() as session:
        if known is None:
            return Look(db, workspace.id, now, plans.last_change(session, workspace_id=workspace.id))
        trail, actions = plans.changes(session, workspace_id=workspace.id, after=known.trail)
    waited = now - known.looked_at
    changed = bool(actions - _NO_MATTER)
    may_look = known.took < SLOW or waited >= timedelta(seconds=SHARE * known.took)
    if waited < timedelta() or waited >= LOOK_ANYWAY or now >= known.strikes_at or (changed and may_look):
        return Look(db, workspace.id, now, trail)
    if not changed:
        known.trail = trail
    return None
