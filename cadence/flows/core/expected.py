"""Who is asked about a week: in the team, not gone, not away, and the run isn't paused."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cadence.flows.core.adoptions import TeamRun
from cadence.flows.core.nudge_hours import adoption_hours, workspace_hours
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.nudges import CHECKIN
from cadence.rules.calendar import WEEKS, instant, local_day, week_monday
from storage.queries import pauses, people, reports
from storage.queries.pauses import Pause
from storage.tables import Cycle, Workspace
from storage.work import UnitOfWork

FIRST_ASKED, LAST_ASKED = timedelta(days=3), timedelta(days=4)
"""A week is asked about from its Thursday, when the check-in comes, to its Friday, when the reminder does."""


@dataclass(frozen=True, slots=True)
class AsOf:
    """A moment of the past, to see the rows as they were then.

    Args:
        moment: who was in the team and who was away then.
        through: the newest check-in there was.
    """

    moment: datetime
    through: int


def expected_members(
    uow: UnitOfWork, run: TeamRun, *, week_start: date, as_of: AsOf | None = None
) -> list[str]:
    """Who is asked about a week: in the team by its Friday, not gone before its end, not away when it is asked.

    Who was away and answered all the same is one of them. Nobody is asked while the run is paused.
    """
    if _is_paused(uow, run, week_start=week_start, as_of=as_of):
        return []
    present = _present(uow, run, week_start=week_start, as_of=as_of)
    return sorted(present - _away(uow, run, week_start=week_start, present=present, as_of=as_of))


def members_at_work(
    uow: UnitOfWork, run: TeamRun, *, week_start: date, as_of: AsOf | None = None
) -> list[str]:
    """Whose runs of a week are estimated until they answer: who is in the team, and not away all of it.

    Who was away only when it was asked about worked on the other days. A paused week has no estimate.
    """
    if _is_paused(uow, run, week_start=week_start, as_of=as_of):
        return []
    present = _present(uow, run, week_start=week_start, as_of=as_of)
    rows = people.away_between(
        uow,
        first=week_start,
        last=week_start + LAST_ASKED,
        member_ids=present,
        as_of=as_of.moment if as_of else None,
    )
    ranges = ((row.member, row.first_day, row.last_day) for row in rows)
    return sorted(present - away_throughout(ranges, first=week_start, last=week_start + LAST_ASKED))


def away_members(uow: UnitOfWork, run: TeamRun, *, week_start: date) -> list[str]:
    """Who is in the team, was away when the week's check-in and its reminder came, and hasn't answered."""
    present = _present(uow, run, week_start=week_start)
    return sorted(_away(uow, run, week_start=week_start, present=present))


def _is_paused(uow: UnitOfWork, run: TeamRun, *, week_start: date, as_of: AsOf | None) -> bool:
    rows = pauses.pauses(uow, adoption_ids=[run.id])
    if as_of is not None:  # what lasted then lasted, whenever it ended since
        rows = [
            row._replace(until=None) if row.until and row.until > as_of.moment else row
            for row in rows
            if row.since <= as_of.moment
        ]
    return any(leaves_out(row, run.workspace, week_start) for row in rows)


def leaves_out(pause: Pause, workspace: Workspace, week_start: date) -> bool:
    """Whether a pause began before the week's check-in and went on until its Friday was over, in the team's zone."""
    of_workspace = workspace_hours(workspace)
    hour = adoption_hours(pause.hours or {}, of_workspace).get(CHECKIN.kind) or of_workspace.get(CHECKIN.kind)
    hour, zone = hour or CHECKIN.hour, ZoneInfo(pause.timezone)
    assert hour is not None  # noqa: S101 - a check-in has one
    comes = instant(week_start + timedelta(days=hour.weekday), hour.at, zone)
    over = instant(week_start + timedelta(days=5), time.min, zone)
    return pause.since < comes and (pause.until is None or pause.until >= over)


def _present(uow: UnitOfWork, run: TeamRun, *, week_start: date, as_of: AsOf | None = None) -> set[str]:
    rows = people.memberships(uow, team_ids=[run.team.id or 0], current=False)
    present = {
        row.member
        for row in rows
        if is_present(row.joined_at, row.left_at, zone=run.zone, week_start=week_start, as_of=as_of)
    }
    return present - people.without_part(uow, member_ids=present)


def is_present(
    joined_at: datetime,
    left_at: datetime | None,
    *,
    zone: ZoneInfo,
    week_start: date,
    as_of: AsOf | None = None,
) -> bool:
    """Whether a membership holds in a week: begun by its Friday, not ended before its Sunday is over."""
    sunday = week_start + timedelta(days=6)
    return (
        local_day(joined_at, zone) <= sunday - timedelta(days=2)
        and (as_of is None or joined_at <= as_of.moment)
        and (
            left_at is None
            or (as_of is not None and left_at > as_of.moment)
            or local_day(left_at, zone) > sunday
        )
    )


def _away(
    uow: UnitOfWork, run: TeamRun, *, week_start: date, present: set[str], as_of: AsOf | None = None
) -> set[str]:
    """Who is away while a week is asked about, and hasn't answered; days said one after the other count together."""
    rows = people.away_between(
        uow,
        first=week_start + FIRST_ASKED,
        last=week_start + LAST_ASKED,
        member_ids=present,
        as_of=as_of.moment if as_of else None,
    )
    away = away_throughout(
        ((row.member, row.first_day, row.last_day) for row in rows),
        first=week_start + FIRST_ASKED,
        last=week_start + LAST_ASKED,
    )
    if not away:
        return away
    return away - reports.answered_members(
        uow, adoption_id=run.id, week_start=week_start, through=as_of.through if as_of else None
    )


def away_throughout(ranges: Iterable[tuple[str, date, date]], *, first: date, last: date) -> set[str]:
    """Who is away on every day from one to another, by (member, first day, last day)."""
    days: dict[str, set[date]] = defaultdict(set)
    for member, first_day, last_day in ranges:
        begin, end = max(first_day, first), min(last_day, last)
        days[member] |= {begin + timedelta(days=n) for n in range((end - begin).days + 1)}
    return {member for member, away in days.items() if len(away) == (last - first).days + 1}


def coverage(uow: UnitOfWork, run: TeamRun, cycle: Cycle, *, until: date) -> tuple[int, int]:
    """Weekly answers that came while the cycle took them, and those expected, in its weeks up to a date."""
    over = instant(week_monday(cycle.starts_on, WEEKS + 1), time.min, run.zone)
    attested = expected = 0
    for week in range(1, WEEKS + 1):
        start = week_monday(cycle.starts_on, week)
        if start > until:
            break
        asked = set(expected_members(uow, run, week_start=start))
        answered = reports.answered_members(uow, adoption_id=run.id, week_start=start, before=over)
        attested += len(asked & answered)
        expected += len(asked)
    return attested, expected


def champion_left(uow: UnitOfWork, run: TeamRun) -> bool:
    """Whether the champion named isn't in the team any more. An owner may be champion from outside."""
    champion = run.adoption.champion
    if champion is None or champion == run.playbook.owner:
        return False
    members = people.memberships(uow, team_ids=[run.team.id or 0])
    return champion not in {row.member for row in members}


def champion_here(uow: UnitOfWork, run: TeamRun) -> str | None:
    """The champion, as long as they are in the team."""
    return None if champion_left(uow, run) else run.adoption.champion


def champion_line(uow: UnitOfWork, run: TeamRun) -> tuple[Mrkdwn, ...]:
    """A sentence when the champion has left: who they were, and who names another."""
    if not champion_left(uow, run):
        return ()
    return (
        say(
            "Its champion, {champion}, isn't in the team any more: {owner} or a curator names another",
            champion=mention(run.adoption.champion or ""),
            owner=mention(run.playbook.owner),
        ),
    )
