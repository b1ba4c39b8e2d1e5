"""Whether planning could find anything new: then it looks, and else it costs next to nothing.

A process remembers, for each database and workspace, when it looked last, how far the trail went then, and when the
next hour strikes at which anybody is nudged. It looks again when that hour comes, when something was changed that
slots hang on, when the clock was set back, and now and then anyway: what two processes committed in another order
than they began is found then. Nothing is lost for it, because every look goes back `planning.LOOK_BACK`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from time import perf_counter
from typing import Final
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from cadence.actor import Actor
from cadence.flows.core import forget_old, team_runs
from cadence.flows.cycles import close_due_cycles, closing_instants
from cadence.flows.nudging.week_turns import judge_turned_weeks, week_turns
from cadence.flows.rubrics import draw_due_audits
from cadence.flows.schedule import Scope, parts, rollout
from cadence.nudges import BY_KIND, CYCLE_CLOSES, NUDGES, ActiveRun, Nudge, Rollout, Slot, Unless, due
from cadence.rules.calendar import WEEKS, instant, local_day, week_number
from storage.engine import Database
from storage.outbox import leases
from storage.outbox import slots as queueing
from storage.outbox.slots import Nudged
from storage.queries import people, plans
from storage.tables import Workspace
from storage.work import UnitOfWork

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


def look(uow: UnitOfWork, workspace: Workspace) -> Look | None:
    """Begin a look at a workspace; None when there can't be anything new."""
    known = _MEMORIES.get(uow.db, {}).get(workspace.id)
    with uow.read():
        if known is None:
            return Look(uow.db, workspace.id, uow.now, plans.last_change(uow))
        trail, actions = plans.changes(uow, after=known.trail)
    waited = uow.now - known.looked_at
    changed = bool(actions - _NO_MATTER)
    may_look = known.took < SLOW or waited >= timedelta(seconds=SHARE * known.took)
    if waited < timedelta() or waited >= LOOK_ANYWAY or uow.now >= known.strikes_at or (changed and may_look):
        return Look(uow.db, workspace.id, uow.now, trail)
    if not changed:
        known.trail = trail
    return None


LOOK_BACK = timedelta(hours=26)
"""How far planning looks back past the last time: then no slot is lost to a row committed late, a clock set
back, somebody who joins after it, or somebody who flies east across it. Zones are 26 hours apart at most."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A slot to come, for people to read: who gets what, when, in which zone.

    Args:
        recipient: the member's name, or the title of the channel's team; the Slack ID while neither is known.
        about: the playbook and the team it is about; empty when it is about all of somebody's.
    """

    workspace_id: str
    slot: Slot
    recipient: str
    about: str


def plan(db: Database, *, now: datetime) -> int:
    """Close the cycles whose hour has come and queue every nudge due up to now; returns how many are new.

    Steps that are watched are judged again when a week has turned.

    A slot that is no longer useful, because the bot was down, is recorded as skipped. Planning again, from
    any number of processes, queues nothing twice. While no hour has struck and nothing has changed since this
    process planned last, there is nothing to compute.
    """
    close_due_cycles(db, now=now)
    judge_turned_weeks(db, now=now)
    with db.read() as session:
        workspaces = people.workspaces(session)
    return sum(
        _plan_workspace(UnitOfWork(db, Actor.system(workspace.id), now), workspace)
        for workspace in workspaces
    )


def _plan_workspace(uow: UnitOfWork, workspace: Workspace) -> int:
    found = look(uow, workspace)
    if found is None:
        return 0
    since = min(workspace.planned_until or workspace.created_at, uow.now) - LOOK_BACK
    new = 0
    for part in parts(uow, Scope.between(workspace, since, uow.now, now=uow.now)):
        found.saw(part)
        new += _plan_part(uow, part, since=since)
    with uow.write():
        row = people.workspace(uow)
        if row is not None:
            row.planned_until = uow.now
        forget_old(uow)
    found.done()
    return new


def _plan_part(uow: UnitOfWork, part: Rollout, *, since: datetime) -> int:
    """Queue what is due in one part of a workspace, in a transaction of its own."""
    slots = list(due(since, uow.now, part))
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
    """After downtime one of each kind goes to a recipient, the newest; an older one is recorded as skipped."""
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


def forecast(db: Database, *, now: datetime, until: datetime) -> list[Planned]:
    """What would be sent up to an instant if nothing else happened, in order. Queues and sends nothing."""
    planned = []
    with db.read() as session:
        for workspace in people.workspaces(session):
            state = _extended(
                rollout(UnitOfWork.around(session, Actor.system(workspace.id), now), workspace, until=until),
                now=now,
                until=until,
            )
            closed = _Closed(state)
            slots = list(due(now, until, state))
            names = _names(
                UnitOfWork.around(session, Actor.system(workspace.id)),
                workspace,
                {slot.recipient for slot in slots},
            )
            abouts = {
                run.id: f"{run.playbook.title}, {run.team.title}"
                for run in team_runs(
                    UnitOfWork.around(session, Actor.system(workspace.id), now), workspace=workspace
                )
            }
            planned += [
                Planned(
                    workspace.id,
                    slot._replace(skipped=Unless.CLOSED) if closed.before(slot) else slot,
                    recipient=names.get(slot.recipient) or slot.recipient,
                    about=abouts.get(int(str(slot.subject.get("adoption") or 0)), ""),
                )
                for slot in slots
            ]
    return sorted(planned, key=lambda one: (one.slot.at, one.slot.kind, one.slot.recipient))


def _names(uow: UnitOfWork, workspace: Workspace, recipients: Set[str]) -> dict[str, str]:
    """How people and channels are called, by Slack ID."""
    members = people.members(uow, member_ids=recipients)
    teams = people.teams(uow)
    names = {key: one.name for key, one in members.items()}
    names |= {team.channel: f"the channel of {team.title}" for team in teams}
    if workspace.curator_channel:
        names[workspace.curator_channel] = "the curators' channel"
    return names


class _Closed:
    """Which slots come after the close of the cycles they ask about, both by the team's clock."""

    def __init__(self, state: Rollout) -> None:
        self._state = state
        self._runs: dict[object, list[ActiveRun]] = defaultdict(list)
        for run in state.runs:
            for who in (run.adoption_id, *run.members):
                self._runs[who].append(run)

    def before(self, slot: Slot) -> bool:
        """Whether every run that a slot is about is closed by then."""
        nudge = BY_KIND[slot.kind]
        if slot.skipped or Unless.CLOSED not in nudge.unless:
            return False
        week = date.fromisoformat(str(slot.subject["week"]))
        about = self._runs[slot.subject.get("adoption") or slot.subject.get("member")]
        asking = [run for run in about if run.begun(week) is not None]
        return bool(asking) and all(self._closes(run, nudge, week) for run in asking)

    def _closes(self, run: ActiveRun, nudge: Nudge, week: date) -> bool:
        """Whether a run's cycle ends in a week, at an hour that isn't after the nudge's."""
        closing, asked = self._state.hour(BY_KIND[CYCLE_CLOSES], run), self._state.hour(nudge, run)
        ends = any(week_number(starts_on, week) == WEEKS for starts_on, _ in run.cycles)
        return ends and (nudge.about_last_week or closing[:2] <= asked[:2])


def _extended(state: Rollout, *, now: datetime, until: datetime) -> Rollout:
    """The same rollout with the cycles that will follow by themselves up to an instant; not of what has no id."""
    runs = []
    for run in state.runs:
        cycles = list(run.cycles)
        while run.adoption_id and cycles[-1:] and cycles[-1][0] + timedelta(weeks=4) <= until.date():
            cycles.append((cycles[-1][0] + timedelta(weeks=4), now))
        runs.append(replace(run, cycles=tuple(cycles)))
    return replace(state, runs=tuple(runs))


def next_event(
    db: Database,
    *,
    now: datetime,
    serves: Callable[[str], bool] = lambda _workspace_id: True,
    horizon: timedelta = timedelta(days=35),
) -> datetime | None:
    """The next instant after now at which something becomes due: a slot, a closing cycle, a waiting message.

    What waits in a workspace that this process doesn't serve is due for good, but nothing happens to it here.
    """
    moments: list[datetime] = []
    with db.read() as session:
        known = people.workspaces(session)
    served = [workspace.id for workspace in known if serves(workspace.id)]
    with db.read() as session:
        waiting = leases.next_due(session, within=served)
        if waiting is not None:
            moments.append(max(waiting, now + timedelta(seconds=1)))
        for workspace in known:
            moments += _slots_to_come(
                rollout(
                    UnitOfWork.around(session, Actor.system(workspace.id), now),
                    workspace,
                    until=now + horizon,
                ),
                now,
                horizon,
            )
        moments += [moment for _, moment in [*closing_instants(session), *week_turns(session)]]
    later = [moment for moment in moments if moment > now]
    return min(later) if later else None


def _slots_to_come(state: Rollout, now: datetime, horizon: timedelta) -> Iterable[datetime]:
    """The earliest slot to come: looked for week by week, since most of the time there is one soon."""
    week = timedelta(weeks=1)
    since = now
    while since < now + horizon:
        until = min(since + week, now + horizon)
        first = min((slot.at for slot in due(since, until, state)), default=None)
        if first is not None:
            return [first]
        since = until
    return []
