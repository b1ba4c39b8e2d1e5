"""Expected members of a week: in the team, not away, and the adoption isn't paused."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cadence.flows.core.adoptions import AdoptionView
from cadence.flows.core.nudge_hours import adoption_hours, workspace_hours
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.nudges import BY_KIND, CHECKIN
from cadence.nudges.table import CYCLE_CLOSES
from cadence.rules.calendar import WEEKS, instant, local_day, week_monday
from storage.queries import absences, checkins, cycles, people
from storage.queries.cycles import Pause
from storage.tables import AdoptionState, Cycle, Workspace
from storage.work import UnitOfWork

FIRST_ASKED, LAST_ASKED = timedelta(days=3), timedelta(days=4)
"""A week is asked about from its Thursday (check-in) to its Friday (reminder)."""


@dataclass(frozen=True, slots=True)
class AsOf:
    """A moment of the past, to read rows as of then.

    Args:
        moment: for team membership and days away.
        through: the newest check-in at that moment.
        measured: the newest row of runs that a tool had counted.
    """

    moment: datetime
    through: int
    measured: int = 0


def expected_members(
    uow: UnitOfWork, view: AdoptionView, *, week_start: date, as_of: AsOf | None = None
) -> list[str]:
    """The expected members of a week: in the team by its Friday, not gone before its end, not away when
    asked.

    Includes members who were away and answered anyway. Nobody is expected while the adoption is paused.
    """
    if _is_paused(uow, view, week_start=week_start, as_of=as_of):
        return []
    present = _present(uow, view, week_start=week_start, as_of=as_of)
    return sorted(present - _away(uow, view, week_start=week_start, present=present, as_of=as_of))


def members_at_work(
    uow: UnitOfWork, view: AdoptionView, *, week_start: date, as_of: AsOf | None = None
) -> list[str]:
    """The members whose runs of a week are estimated until they answer: in the team, and not away all week.

    Members who were away only when asked worked on the other days. A paused week has no estimate.
    """
    if _is_paused(uow, view, week_start=week_start, as_of=as_of):
        return []
    return sharing_the_work(uow, view, week_start=week_start, as_of=as_of)


def sharing_the_work(
    uow: UnitOfWork, view: AdoptionView, *, week_start: date, as_of: AsOf | None = None
) -> list[str]:
    """The members who share a week's usual runs, also in a paused week: in the team, and not away all week."""
    present = _present(uow, view, week_start=week_start, as_of=as_of)
    rows = absences.away_between(
        uow,
        first=week_start,
        last=week_start + LAST_ASKED,
        member_ids=present,
        as_of=as_of.moment if as_of else None,
    )
    ranges = ((row.member, row.first_day, row.last_day) for row in rows)
    return sorted(present - away_throughout(ranges, first=week_start, last=week_start + LAST_ASKED))


def away_members(uow: UnitOfWork, view: AdoptionView, *, week_start: date) -> list[str]:
    """Members who were away when the week's check-in and its reminder were sent, and haven't answered."""
    present = _present(uow, view, week_start=week_start)
    return sorted(_away(uow, view, week_start=week_start, present=present))


def _is_paused(uow: UnitOfWork, view: AdoptionView, *, week_start: date, as_of: AsOf | None) -> bool:
    if not view.was_paused and view.adoption.state is not AdoptionState.PAUSED:
        return False
    rows = cycles.pauses(uow, adoption_ids=[view.id])
    if as_of is not None:  # ranges that were valid at that moment, even if revoked since
        rows = [
            row._replace(until=None) if row.until and row.until > as_of.moment else row
            for row in rows
            if row.since <= as_of.moment
        ]
    return any(leaves_out(row, view.workspace, week_start) for row in rows)


def leaves_out(pause: Pause, workspace: Workspace, week_start: date) -> bool:
    """Whether a pause began before the week's check-in and lasted until the hour of its Friday at which cycles
    close, in the team's zone: then it's too late to ask."""
    of_workspace = workspace_hours(workspace)
    hours, zone = of_workspace | adoption_hours(pause.hours or {}, of_workspace), ZoneInfo(pause.timezone)
    checkin, closing = (hours.get(one.kind) or one.hour for one in (CHECKIN, BY_KIND[CYCLE_CLOSES]))
    assert checkin  # noqa: S101 - it has one
    assert closing  # noqa: S101 - too
    comes = instant(week_start + timedelta(days=checkin.weekday), checkin.at, zone)
    over = instant(week_start + LAST_ASKED, closing.at, zone)
    return pause.since < comes and (pause.until is None or pause.until >= over)


def _present(uow: UnitOfWork, view: AdoptionView, *, week_start: date, as_of: AsOf | None = None) -> set[str]:
    return {
        row.member
        for row in people.presences(uow, team_id=view.team.id or 0)
        if row.takes_part
        and is_present(row.joined_at, row.left_at, zone=view.zone, week_start=week_start, as_of=as_of)
    }


def is_in_team(uow: UnitOfWork, view: AdoptionView, member: str) -> bool:
    """Whether somebody is in the team now."""
    return any(
        row.member == member and row.left_at is None
        for row in people.presences(uow, team_id=view.team.id or 0)
    )


def is_present(
    joined_at: datetime,
    left_at: datetime | None,
    *,
    zone: ZoneInfo,
    week_start: date,
    as_of: AsOf | None = None,
) -> bool:
    """Whether a membership covers a week: begun by its Friday, not ended before its Sunday is over."""
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
    uow: UnitOfWork, view: AdoptionView, *, week_start: date, present: set[str], as_of: AsOf | None = None
) -> set[str]:
    """Members who are away while a week is asked about, and haven't answered; adjacent ranges count
    together."""
    rows = absences.away_between(
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
    return away - checkins.answered_members(
        uow, adoption_id=view.id, week_start=week_start, through=as_of.through if as_of else None
    )


def away_throughout(ranges: Iterable[tuple[str, date, date]], *, first: date, last: date) -> set[str]:
    """Members who are away on every day of an interval, from (member, first day, last day) ranges."""
    days: dict[str, set[date]] = defaultdict(set)
    for member, first_day, last_day in ranges:
        begin, end = max(first_day, first), min(last_day, last)
        days[member] |= {begin + timedelta(days=n) for n in range((end - begin).days + 1)}
    return {member for member, away in days.items() if len(away) == (last - first).days + 1}


def coverage(uow: UnitOfWork, view: AdoptionView, cycle: Cycle, *, until: date) -> tuple[int, int]:
    """Answers that came while the cycle accepted them, and answers expected, in its weeks up to a date."""
    over = instant(week_monday(cycle.starts_on, WEEKS + 1), time.min, view.zone)
    attested = expected = 0
    for week in range(1, WEEKS + 1):
        start = week_monday(cycle.starts_on, week)
        if start > until:
            break
        asked = set(expected_members(uow, view, week_start=start))
        answered = checkins.answered_members(uow, adoption_id=view.id, week_start=start, before=over)
        attested += len(asked & answered)
        expected += len(asked)
    return attested, expected


def champion_left(uow: UnitOfWork, view: AdoptionView) -> bool:
    """Whether the named champion isn't in the team any more. An owner may be champion from outside."""
    champion = view.adoption.champion
    if champion is None or champion == view.playbook.owner:
        return False
    members = people.memberships(uow, team_ids=[view.team.id or 0])
    return champion not in {row.member for row in members}


def champion_here(uow: UnitOfWork, view: AdoptionView) -> str | None:
    """The champion, if they are still in the team."""
    return None if champion_left(uow, view) else view.adoption.champion


def champion_line(uow: UnitOfWork, view: AdoptionView) -> tuple[Mrkdwn, ...]:
    """A sentence if the champion has left: who they were, and who names another."""
    if not champion_left(uow, view):
        return ()
    return (
        say(
            "Its champion, {champion}, has left the team. {owner} or a curator can name another",
            champion=mention(view.adoption.champion or ""),
            owner=mention(view.playbook.owner),
        ),
    )
