"""Which slots are due between two instants (SPEC §4).

Pure: plain values in, slots out. A slot is a person's or a team's local date and hour. Its key is
always the same, so that planning twice queues once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cadence.nudges.persons import Person, is_working, next_open
from cadence.nudges.rollout import ActiveAdoption, Rollout
from cadence.nudges.table import NUDGES, REMINDER, SPOT_AUDIT, Audience, Hour, Nudge, Unless
from cadence.rules.calendar import instant, local_day, monday_of, working_day_from

ZONES_APART = timedelta(days=2)
"""People can be up to 26 hours ahead of their workspace's zone or behind it."""
SUNDAY = 6
_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)


class Slot(NamedTuple):
    """One nudge that is due.

    Args:
        recipient: a member, or the curators' channel.
        subject: the ids from which the message is composed.
        at: the instant, UTC.
        skipped: why it can't be sent at all, if that is already known.
    """

    key: str
    kind: str
    recipient: str
    subject: Mapping[str, object]
    at: datetime
    useful_until: datetime
    zone: ZoneInfo
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class _Window:
    """The interval in question, which hours can be in it, and their instants for most people."""

    since: datetime
    until: datetime
    known: dict[tuple[date, Hour, ZoneInfo], bool] = field(default_factory=dict)
    moments: dict[tuple[date, Hour, ZoneInfo, int], tuple[datetime, str]] = field(default_factory=dict)

    def holds(self, at: datetime) -> bool:
        return self.since < at <= self.until

    def may_hold(self, week: date, hour: Hour, zone: ZoneInfo) -> bool:
        """Whether a slot of the week can be due now: on its day, or on a later one of the week."""
        found = self.known.get((week, hour, zone))
        if found is None:
            first = instant(week + hour.weekday * _DAY, hour.at, zone)
            last = instant(week + SUNDAY * _DAY, hour.at, zone)
            late = hour.since is not None and abs(local_day(hour.since, zone) - week) <= _WEEK
            found = late or (first <= self.until and last > self.since)
            self.known[week, hour, zone] = found
        return found


def due(since: datetime, until: datetime, rollout: Rollout) -> Iterator[Slot]:
    """Every slot after `since` and up to `until`, in no particular order."""
    window = _Window(since, until)
    week = monday_of(local_day(since - ZONES_APART, rollout.zone)) - _WEEK
    last = monday_of(local_day(until + ZONES_APART, rollout.zone))
    while week <= last:
        for nudge in NUDGES:
            for slot in _slots(nudge, week, rollout, window):
                if window.holds(slot.at):
                    yield slot
        week += _WEEK


def _slots(nudge: Nudge, week: date, rollout: Rollout, window: _Window) -> Iterable[Slot]:
    """The slots of one nudge in the week that starts on `week`."""
    about = week - _WEEK if nudge.about_last_week else week
    if nudge.audience is Audience.MEMBER:
        return _member_slots(nudge, week, rollout, window)
    if nudge.audience is Audience.CURATORS:
        return _digest_slots(nudge, week, about, rollout, window)
    return _run_slots(nudge, week, about, rollout, window)


def _member_slots(nudge: Nudge, week: date, rollout: Rollout, window: _Window) -> Iterator[Slot]:
    """One slot per member, however many playbooks they run, at the earliest of their hours."""
    subject_week = week.isoformat()
    for member, times in _asked(nudge, week, rollout).items():
        person = rollout.people[member]
        if person.muted and nudge is REMINDER:
            continue
        if not any(window.may_hold(week, one.hour, person.zone) for one in times):
            continue
        chosen = _earliest(week, person, rollout, window, times)
        if chosen is not None:
            subject = {"member": member, "week": subject_week}
            slot = _personal(nudge, week, chosen, person, rollout, window, subject=subject)
            yield _unless_paused(slot, [one.run for one in times])


class _Asked(NamedTuple):
    """A run that asks a member: its hour, when its cycle began, and since when the member is asked there."""

    run: ActiveAdoption
    hour: Hour
    begun: datetime
    joined: datetime


def _asked(nudge: Nudge, week: date, rollout: Rollout) -> dict[str, list[_Asked]]:
    """The runs that ask each member."""
    asked: dict[str, list[_Asked]] = {}
    for run in rollout.runs:
        begun = run.begun(week)
        if begun is None:
            continue
        hour = rollout.hour(nudge, run)
        for member in run.members:
            asked.setdefault(member, []).append(_Asked(run, hour, begun, run.joined.get(member, begun)))
    return asked


def member_hours(nudge: Nudge, week: date, rollout: Rollout) -> dict[str, Hour]:
    """The hour at which each member is asked in a week, as in `due`."""
    return {member: hour for member, (hour, _) in _member_times(nudge, week, rollout).items()}


def member_instants(nudge: Nudge, week: date, rollout: Rollout) -> dict[str, datetime]:
    """The instant at which each member is asked in a week, as in `due`: moved past days off and days away."""
    return {member: at for member, (_, at) in _member_times(nudge, week, rollout).items()}


def _member_times(nudge: Nudge, week: date, rollout: Rollout) -> dict[str, tuple[Hour, datetime]]:
    window = _Window(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    found = {}
    for member, times in _asked(nudge, week, rollout).items():
        person = rollout.people.get(member)
        hour = _earliest(week, person, rollout, window, times) if person else None
        if person is not None and hour is not None:
            found[member] = hour, _moment(week, hour, person, rollout, window)[0]
    return found


def _earliest(
    week: date,
    person: Person,
    rollout: Rollout,
    window: _Window,
    times: list[_Asked],
) -> Hour | None:
    """The hour at which a member of several runs is asked; None if every hour had passed before its cycle
    began.

    An hour that had passed before they joined, or while the run was paused, counts only if there is no other.
    """
    best: tuple[bool, datetime, Hour] | None = None
    for _, hour, begun, joined in times:
        at, _ = _moment(week, hour, person, rollout, window)
        if at >= begun and (best is None or (at < joined, at) < best[:2]):
            best = (at < joined, at, hour)
    return best[2] if best else None


def _run_slots(nudge: Nudge, week: date, about: date, rollout: Rollout, window: _Window) -> Iterator[Slot]:
    for run in rollout.runs:
        person = _recipient(nudge, run, rollout) if run.own else None
        begun = run.begun(about)
        if begun is None or person is None or (nudge.kind == SPOT_AUDIT and not run.audited):
            continue
        if Unless.WATCHED in nudge.unless and run.is_watched(about):
            continue
        hour = rollout.hour(nudge, run)
        if not window.may_hold(week, hour, person.zone):
            continue
        slot = _personal(
            nudge,
            week,
            hour,
            person,
            rollout,
            window,
            subject={"adoption": run.adoption_id, "week": about.isoformat()},
            about=f"{run.adoption_id}:",
        )
        if slot.at >= begun:
            yield _unless_paused(slot, [run])


def _unless_paused(slot: Slot, runs: Sequence[ActiveAdoption]) -> Slot:
    """The slot, skipped if it fell into the pauses of all the runs it is about."""
    return slot._replace(skipped=Unless.PAUSED) if all(run.was_paused(slot.at) for run in runs) else slot


def _recipient(nudge: Nudge, run: ActiveAdoption, rollout: Rollout) -> Person | None:
    """The recipient of a nudge about one run; None if there is nobody."""
    if nudge.audience is Audience.TEAM:
        return run.team
    member = run.owner if nudge.audience is Audience.OWNER else run.reporter
    return rollout.people.get(member) if member is not None else None


def _digest_slots(nudge: Nudge, week: date, about: date, rollout: Rollout, window: _Window) -> Iterator[Slot]:
    begun = [at for run in rollout.runs for at in [run.begun(about)] if at is not None]
    if not begun:
        return
    for recipient in rollout.curators:
        curators = Person(recipient, rollout.zone, rollout.days_off)
        slot = _personal(
            nudge, week, rollout.hour(nudge), curators, rollout, window, subject={"week": about.isoformat()}
        )
        if slot.at >= min(begun):
            reader = rollout.people.get(recipient)
            yield slot if reader is None or slot.skipped else _in_their_day(slot, reader, rollout)


def _in_their_day(slot: Slot, reader: Person, rollout: Rollout) -> Slot:
    """The slot at its reader's next working hour; skipped if it isn't useful any more by then.

    A digest is due at the workspace's hour, when the week it covers is over for every team.
    """
    opens = next_open(slot.at, reader, rollout.working_days)
    if opens > slot.useful_until:
        away = reader.is_away(local_day(slot.at, reader.zone))
        return slot._replace(zone=reader.zone, skipped=Unless.AWAY if away else Unless.NO_HOURS)
    return slot._replace(at=opens, zone=reader.zone)


def _personal(
    nudge: Nudge,
    week: date,
    hour: Hour,
    person: Person,
    rollout: Rollout,
    window: _Window,
    *,
    subject: Mapping[str, object],
    about: str = "",
) -> Slot:
    """A person's slot: moved to their next working day of the week, or dropped if no working day is left."""
    at, skipped = _moment(week, hour, person, rollout, window)
    return Slot(
        key=f"{nudge.kind}:{rollout.workspace_id}:{about}{person.member}:{week}",
        kind=nudge.kind,
        recipient=person.member,
        subject=subject,
        at=at,
        useful_until=at + nudge.useful,
        zone=person.zone,
        skipped=skipped,
    )


def _moment(
    week: date, hour: Hour, person: Person, rollout: Rollout, window: _Window
) -> tuple[datetime, str]:
    """The instant of a week's hour for a person, and why it can't be used, if so.

    It is the same for everybody in a zone and a country who isn't away.
    """
    if person.away:
        return _moment_of(week, hour, person, rollout)
    same = (week, hour, person.zone, id(person.days_off))
    found = window.moments.get(same)
    if found is None:
        found = window.moments[same] = _moment_of(week, hour, person, rollout)
    return found


def _moment_of(week: date, hour: Hour, person: Person, rollout: Rollout) -> tuple[datetime, str]:
    """An hour that had passed when it was set is due when it was set, so that a nudge moved earlier isn't
    lost."""
    planned = week + hour.weekday * _DAY
    day = working_day_from(planned, is_working=lambda day: is_working(person, day, rollout.working_days))
    at = instant(day or planned, hour.at, person.zone)
    if day is not None and hour.since is not None and at < hour.since:
        late = next_open(hour.since, person, rollout.working_days)
        if monday_of(local_day(late, person.zone)) == week:
            return late, ""
    return at, "" if day else _why_not(person, planned)


def _why_not(person: Person, day: date) -> str:
    if person.is_away(day):
        return Unless.AWAY
    return Unless.HOLIDAY if day in person.days_off else Unless.NO_DAY
