"""Who is asked about a week: in the team, not gone, not away."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.flows.runs import TeamRun
from cadence.rules.calendar import local_day
from storage import people


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
    session: Session, run: TeamRun, *, week_start: date, as_of: AsOf | None = None
) -> list[str]:
    """Who is asked about a week: in the team by its Friday, not gone before its end, not away all of it."""
    present = _present(session, run, week_start=week_start, as_of=as_of)
    away = _away(session, run, first=week_start, week_start=week_start, present=present, as_of=as_of)
    return sorted(present - away)


def away_members(session: Session, run: TeamRun, *, week_start: date) -> list[str]:
    """Who is in the team and was away when the week's check-in and its reminder came, Thursday to Friday."""
    thursday = week_start + timedelta(days=3)
    present = _present(session, run, week_start=week_start)
    return sorted(_away(session, run, first=thursday, week_start=week_start, present=present))


def _present(session: Session, run: TeamRun, *, week_start: date, as_of: AsOf | None = None) -> set[str]:
    rows = people.memberships(
        session, workspace_id=run.workspace.id, team_ids=[run.team.id or 0], current=False
    )
    present = {
        row.member
        for row in rows
        if is_present(row.joined_at, row.left_at, zone=run.zone, week_start=week_start, as_of=as_of)
    }
    return present - people.without_part(session, workspace_id=run.workspace.id, member_ids=present)


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
    session: Session,
    run: TeamRun,
    *,
    first: date,
    week_start: date,
    present: set[str],
    as_of: AsOf | None = None,
) -> set[str]:
    """Who is away from a day of the week to its Friday; days said one after the other count together."""
    friday = week_start + timedelta(days=4)
    rows = people.away_between(
        session,
        workspace_id=run.workspace.id,
        first=first,
        last=friday,
        member_ids=present,
        as_of=as_of.moment if as_of else None,
    )
    return away_throughout(
        ((row.member, row.first_day, row.last_day) for row in rows), first=first, friday=friday
    )


def away_throughout(ranges: Iterable[tuple[str, date, date]], *, first: date, friday: date) -> set[str]:
    """Who is away on every day from one to a Friday, by (member, first day, last day)."""
    days: dict[str, set[date]] = defaultdict(set)
    for member, first_day, last_day in ranges:
        begin, end = max(first_day, first), min(last_day, friday)
        days[member] |= {begin + timedelta(days=n) for n in range((end - begin).days + 1)}
    return {member for member, away in days.items() if len(away) == (friday - first).days + 1}
