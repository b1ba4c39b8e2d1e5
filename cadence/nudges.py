"""What is due between two instants: the week's nudges as data, and the slots they fall on (SPEC §4).

Pure: plain values in, slots out. A slot is a person's or a team's local date and hour, named by a key that
is the same however often it is computed, so that planning twice queues once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from cadence.rules.calendar import instant, local_day, monday_of, week_number, working_day_from

DAY_OPENS, DAY_CLOSES = time(8, 0), time(18, 0)
"""Nobody is nudged before or after, local time."""
ZONES_APART = timedelta(days=2)
"""People may be up to 26 hours ahead of their workspace's zone or behind it."""
LONGEST_WAIT = timedelta(days=371)
"""How far ahead the next working day is looked for: longer than anyone can be away."""
WEEKDAYS = frozenset(range(5))
"""Monday to Friday."""


class Audience(StrEnum):
    """Whom a nudge goes to."""

    MEMBER = "member"
    REPORTER = "reporter"
    OWNER = "owner"
    TEAM = "team"
    CURATORS = "curators"


@dataclass(frozen=True, slots=True)
class Nudge:
    """One row of the week's table.

    Args:
        kind: its name in the ledger.
        audience: who gets it.
        weekday: 0 is Monday.
        at: the local hour.
        useful: how long after its slot it is still worth sending.
        about_last_week: whether it asks about the week before the one it is sent in.
        title: its name for people.
    """

    kind: str
    audience: Audience
    weekday: int
    at: time
    useful: timedelta
    about_last_week: bool = False
    title: str = ""


CHECKIN = Nudge("checkin", Audience.MEMBER, 3, time(10), timedelta(hours=62), title="check-in")
WEEK_OPENS = Nudge("week-opens", Audience.TEAM, 0, time(9, 30), timedelta(hours=54), title="week opens")
SPOT_AUDIT = "spot-audit"
NUDGES: tuple[Nudge, ...] = (
    WEEK_OPENS,
    CHECKIN,
    Nudge("checkin-reminder", Audience.MEMBER, 4, time(10), timedelta(hours=30), title="check-in reminder"),
    Nudge(SPOT_AUDIT, Audience.OWNER, 4, time(11), timedelta(hours=30), title="spot audit"),
    Nudge("kpi-missing", Audience.REPORTER, 4, time(14), timedelta(hours=26), title="missing number"),
    Nudge("gate-due", Audience.OWNER, 4, time(15), timedelta(hours=26), title="gate due"),
    Nudge("who-is-missing", Audience.OWNER, 0, time(10), timedelta(hours=30), True, "who is missing"),
    Nudge("digest", Audience.CURATORS, 0, time(11), timedelta(hours=54), True, "digest"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who can be nudged, or a team's channel, and the days on which they can't be.

    Args:
        days_off: public holidays of their country.
        away: ranges of days away, both ends included.
    """

    member: str
    zone: ZoneInfo
    days_off: frozenset[date] = frozenset()
    away: tuple[tuple[date, date], ...] = ()
    muted: bool = False

    def is_away(self, day: date) -> bool:
        """Whether they said they are away."""
        return any(first <= day <= last for first, last in self.away)


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """A run with a cycle, reduced to what planning needs. `cycles` are (Monday of week 1, start instant).

    `team` stands for the team's channel: its zone, and the public holidays of the team's country. `audited` is
    whether runs of a step are drawn each week to be graded.
    """

    adoption_id: int
    cycles: tuple[tuple[date, datetime], ...]
    members: tuple[str, ...]
    owner: str
    reporter: str | None
    team: Person | None = None
    audited: bool = False

    def begun(self, week_start: date) -> datetime | None:
        """When the cycle that holds a week was started; None when no cycle holds it."""
        for starts_on, started_at in self.cycles:
            if week_number(starts_on, week_start):
                return started_at
        return None


@dataclass(frozen=True, slots=True)
class Rollout:
    """A workspace at one moment, as far as planning is concerned.

    Args:
        curators: where the digest goes: a channel, else members.
        working_days: weekdays on which people can be nudged, 0 is Monday.
        hours: other weekdays and hours by kind of nudge, as set for the workspace.
        days_off: public holidays of the workspace's country: the curators' digest waits for the next working day.
    """

    workspace_id: str
    zone: ZoneInfo
    curators: tuple[str, ...]
    people: Mapping[str, Person]
    runs: tuple[ActiveRun, ...]
    working_days: frozenset[int] = WEEKDAYS
    hours: Mapping[str, tuple[int, time]] = field(default_factory=dict)
    days_off: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Slot:
    """One nudge that is due.

    Args:
        recipient: a member, or the curators' channel.
        subject: the ids the message is made from.
        at: the instant, UTC.
        skipped: why it can't be sent at all, when that is known already.
    """

    key: str
    kind: str
    recipient: str
    subject: Mapping[str, object]
    at: datetime
    useful_until: datetime
    zone: ZoneInfo
    skipped: str = ""


def schedule(rollout: Rollout) -> tuple[Nudge, ...]:
    """The week's nudges with the workspace's own hours."""
    return tuple(
        replace(nudge, weekday=rollout.hours[nudge.kind][0], at=rollout.hours[nudge.kind][1])
        if nudge.kind in rollout.hours
        else nudge
        for nudge in NUDGES
    )


def due(since: datetime, until: datetime, rollout: Rollout) -> Iterator[Slot]:
    """Every slot after `since` and up to `until`, in no particular order."""
    first = monday_of(local_day(since - ZONES_APART, rollout.zone)) - timedelta(weeks=1)
    last = monday_of(local_day(until + ZONES_APART, rollout.zone))
    week = first
    while week <= last:
        for nudge in schedule(rollout):
            for slot in _slots(nudge, week, rollout):
                if since < slot.at <= until:
                    yield slot
        week += timedelta(weeks=1)


def _slots(nudge: Nudge, week: date, rollout: Rollout) -> Iterable[Slot]:
    """The slots of one nudge in the week that starts on `week`."""
    about = week - timedelta(weeks=1) if nudge.about_last_week else week
    if nudge.audience is Audience.MEMBER:
        return _member_slots(nudge, week, rollout)
    if nudge.audience is Audience.CURATORS:
        return _digest_slots(nudge, week, about, rollout)
    return _run_slots(nudge, week, about, rollout)


def _member_slots(nudge: Nudge, week: date, rollout: Rollout) -> Iterator[Slot]:
    """One slot a member, however many playbooks they run."""
    asked: dict[str, datetime] = {}
    for run in rollout.runs:
        begun = run.begun(week)
        if begun is None:
            continue
        for member in run.members:
            asked[member] = min(begun, asked.get(member, begun))
    for member, begun in asked.items():
        person = rollout.people[member]
        if person.muted and nudge.kind == "checkin-reminder":
            continue
        slot = _personal(nudge, week, person, rollout, subject={"member": member, "week": week.isoformat()})
        if slot.at >= begun:
            yield slot


def _run_slots(nudge: Nudge, week: date, about: date, rollout: Rollout) -> Iterator[Slot]:
    for run in rollout.runs:
        person = _recipient(nudge, run, rollout)
        begun = run.begun(about)
        if begun is None or person is None or (nudge.kind == SPOT_AUDIT and not run.audited):
            continue
        slot = _personal(
            nudge,
            week,
            person,
            rollout,
            subject={"adoption": run.adoption_id, "week": about.isoformat()},
            about=f"{run.adoption_id}:",
        )
        if slot.at >= begun:
            yield slot


def _recipient(nudge: Nudge, run: ActiveRun, rollout: Rollout) -> Person | None:
    """Whom a nudge about one run goes to; None when there is nobody."""
    if nudge.audience is Audience.TEAM:
        return run.team
    member = run.owner if nudge.audience is Audience.OWNER else run.reporter
    return rollout.people.get(member) if member is not None else None


def _digest_slots(nudge: Nudge, week: date, about: date, rollout: Rollout) -> Iterator[Slot]:
    begun = [at for run in rollout.runs for at in [run.begun(about)] if at is not None]
    if not begun:
        return
    for recipient in rollout.curators:
        curator = Person(recipient, rollout.zone, rollout.days_off)
        slot = _personal(nudge, week, curator, rollout, subject={"week": about.isoformat()})
        if slot.at >= min(begun):
            yield slot


def _personal(
    nudge: Nudge,
    week: date,
    person: Person,
    rollout: Rollout,
    *,
    subject: Mapping[str, object],
    about: str = "",
) -> Slot:
    """A person's slot: moved to their next working day of the week, or dropped when there is none."""
    planned = week + timedelta(days=nudge.weekday)
    day = working_day_from(planned, is_working=lambda day: is_working(person, day, rollout.working_days))
    at = instant(day or planned, nudge.at, person.zone)
    return Slot(
        key=f"{nudge.kind}:{rollout.workspace_id}:{about}{person.member}:{week}",
        kind=nudge.kind,
        recipient=person.member,
        subject=subject,
        at=at,
        useful_until=at + nudge.useful,
        zone=person.zone,
        skipped="" if day else _why_not(person, planned),
    )


def is_working(person: Person, day: date, working_days: frozenset[int]) -> bool:
    """Whether a person can be nudged on a date."""
    return day.weekday() in working_days and day not in person.days_off and not person.is_away(day)


def _why_not(person: Person, day: date) -> str:
    if person.is_away(day):
        return "away"
    return "public holiday" if day in person.days_off else "no working day left in the week"


def next_open(moment: datetime, person: Person, working_days: frozenset[int] = WEEKDAYS) -> datetime:
    """The moment itself inside the person's day, else the next morning (09:00) of one of their working days.

    Who has no working day for more than a year gets the morning after `LONGEST_WAIT`.
    """
    local = moment.astimezone(person.zone)
    if is_working(person, local.date(), working_days) and DAY_OPENS <= local.time() < DAY_CLOSES:
        return moment
    day = local.date() if local.time() < DAY_OPENS else local.date() + timedelta(days=1)
    for _ in range(LONGEST_WAIT.days):
        if is_working(person, day, working_days):
            break
        day += timedelta(days=1)
    return instant(day, time(9), person.zone)
