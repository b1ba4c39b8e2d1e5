"""The forecast of nudges for people, and the next instant at which something is due."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from cadence.actor import Actor
from cadence.flows.core import adoption_views, recipient_names
from cadence.flows.cycles import closing_instants
from cadence.flows.nudging.contradictions import week_ends
from cadence.flows.nudging.planning import next_slot
from cadence.flows.nudging.week_turns import week_turns
from cadence.flows.schedule import rollout
from cadence.nudges import BY_KIND, CYCLE_CLOSES, ActiveAdoption, Nudge, Rollout, Slot, Unless, due
from cadence.rules.calendar import WEEKS, week_number
from storage.engine import Database
from storage.outbox import leases
from storage.queries import workspaces
from storage.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Planned:
    """An upcoming slot for display: who gets what, when, in which zone.

    Args:
        recipient: the member's name, or the title of the channel's team; the Slack ID if neither is known.
        about: its playbook and team; empty if it is about all of a person's.
    """

    workspace_id: str
    slot: Slot
    recipient: str
    about: str


def forecast(db: Database, *, now: datetime, until: datetime) -> list[Planned]:
    """What would be sent up to an instant if nothing else happened, in order. Queues and sends nothing."""
    planned = []
    with db.read() as session:
        for workspace in workspaces.workspaces(session):
            uow = UnitOfWork.around(session, Actor.system(workspace.id), now)
            state = _extended(rollout(uow, workspace, until=until), now=now, until=until)
            closed = _Closed(state)
            slots = list(due(now, until, state))
            names = recipient_names(uow, workspace, {slot.recipient for slot in slots})
            abouts = {view.id: f"{view.playbook.title}, {view.team.title}" for view in adoption_views(uow)}
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


class _Closed:
    """Which slots come after the close of their cycles, in the team's zone."""

    def __init__(self, state: Rollout) -> None:
        self._state = state
        self._runs: dict[object, list[ActiveAdoption]] = defaultdict(list)
        for view in state.runs:
            for who in (view.adoption_id, *view.members):
                self._runs[who].append(view)

    def before(self, slot: Slot) -> bool:
        """Whether every adoption of a slot is closed by then."""
        nudge = BY_KIND[slot.kind]
        if slot.skipped or Unless.CLOSED not in nudge.unless:
            return False
        week = date.fromisoformat(str(slot.subject["week"]))
        about = self._runs[slot.subject.get("adoption") or slot.subject.get("member")]
        asking = [view for view in about if view.begun(week) is not None]
        return bool(asking) and all(self._closes(view, nudge, week) for view in asking)

    def _closes(self, view: ActiveAdoption, nudge: Nudge, week: date) -> bool:
        """Whether an adoption's cycle ends in a week, no later than the nudge's hour."""
        closing, asked = self._state.hour(BY_KIND[CYCLE_CLOSES], view), self._state.hour(nudge, view)
        ends = any(week_number(starts_on, week) == WEEKS for starts_on, _ in view.cycles)
        return ends and (nudge.about_last_week or closing[:2] <= asked[:2])


def _extended(state: Rollout, *, now: datetime, until: datetime) -> Rollout:
    """The rollout with the cycles that will follow on schedule up to an instant; not of what has no id."""
    runs = []
    for view in state.runs:
        cycles, watched = list(view.cycles), set(view.watched)
        while view.adoption_id and cycles[-1:] and cycles[-1][0] + timedelta(weeks=4) <= until.date():
            cycles.append((cycles[-1][0] + timedelta(weeks=4), now))
            if view.ends:
                watched.add(cycles[-1][0])
        runs.append(replace(view, cycles=tuple(cycles), watched=frozenset(watched)))
    return replace(state, runs=tuple(runs))


def next_event(
    db: Database,
    *,
    now: datetime,
    serves: Callable[[str], bool] = lambda _workspace_id: True,
    horizon: timedelta = timedelta(days=35),
) -> datetime | None:
    """The next instant at which something is due: a slot, a closing cycle, a waiting message.

    Messages in a workspace that this process doesn't serve stay due, but nothing happens to them here.
    """
    moments: list[datetime] = []
    with db.read() as session:
        known = workspaces.workspaces(session)
        served = [workspace.id for workspace in known if serves(workspace.id)]
        waiting = leases.next_due(session, within=served)
        if waiting is not None:
            moments.append(max(waiting, now + timedelta(seconds=1)))
        for workspace in known:
            uow = UnitOfWork.around(session, Actor.system(workspace.id), now)
            moments += [end.at for end in week_ends(uow)]
            planned = next_slot(db, uow)
            moments += (
                [planned]
                if planned is not None
                else _slots_to_come(rollout(uow, workspace, until=now + horizon), now, horizon)
            )
        moments += [moment for _, moment in [*closing_instants(session, known=known), *week_turns(session)]]
    later = [moment for moment in moments if moment > now]
    return min(later) if later else None


def _slots_to_come(state: Rollout, now: datetime, horizon: timedelta) -> list[datetime]:
    """The earliest upcoming slot, searched week by week, because there usually is one soon."""
    week = timedelta(weeks=1)
    since = now
    while since < now + horizon:
        until = min(since + week, now + horizon)
        first = min((slot.at for slot in due(since, until, state)), default=None)
        if first is not None:
            return [first]
        since = until
    return []
