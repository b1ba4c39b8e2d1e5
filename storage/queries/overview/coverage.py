"""Queries of who was asked for a week's check-in, and who answered: they count over all adoptions at once."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Date, String, and_, bindparam, exists, func, or_, select, union_all
from sqlmodel import col
from sqlmodel.sql.sqltypes import UTCDateTime

from cadence.rules.calendar import WEEKS
from storage.engine import connection_of
from storage.queries.streams import (
    COVERS,
    DAY,
    SHAPES,
    WORKSPACE,
    Zones,
    by_zone,
    on_day,
    stream,
    takes_no_part,
    zoned,
)
from storage.tables import (
    Adoption,
    AdoptionState,
    Away,
    CheckIn,
    Cycle,
    CycleState,
    Member,
    MessageState,
    OutboxMessage,
    Reading,
    Team,
    TeamMember,
)
from storage.work import UnitOfWork

ASKED_ON = (3, 4)
"""Weekdays (0 is Monday) on which members are asked about a week."""
_CHECKINS = ("checkin", "checkin-snoozed")


@dataclass(frozen=True, slots=True)
class Asking:
    """The members expected for a week: in the team before the end of its Friday, and not gone before the end
    of its Sunday.

    Args:
        joined_before: midnight after the Friday, by time zone.
        left_from: midnight after the Sunday, by time zone.
        unasked: adoptions that were paused when the week's check-in was due.
    """

    monday: date
    joined_before: Mapping[str, datetime]
    left_from: Mapping[str, datetime]
    unasked: Collection[int] = ()


IN_CYCLE: Final = (
    col(Adoption.workspace_id) == WORKSPACE,
    col(Adoption.state) != AdoptionState.ENDED,
    exists().where(col(Cycle.adoption_id) == col(Adoption.id), COVERS),
)
"""Adoptions that haven't ended and had a cycle on a date, `on_day`'s."""

_ASKED_DAYS: Final[Any] = tuple(bindparam(f"asked{at}", type_=Date()) for at in range(len(ASKED_ON)))


def _away() -> Any:
    """Members who are away on every day on which a week is asked about; adjacent ranges count together."""
    days = union_all(*(select(day.label("day")) for day in _ASKED_DAYS)).cte("days")
    return (
        select(col(Away.member))
        .join(days, and_(days.c.day >= col(Away.first_day), days.c.day <= col(Away.last_day)))
        .where(
            col(Away.workspace_id) == WORKSPACE,
            col(Away.ended_at).is_(None),
            col(Away.first_day) <= _ASKED_DAYS[-1],
            col(Away.last_day) >= _ASKED_DAYS[0],
        )
        .group_by(col(Away.member))
        .having(func.count(days.c.day.distinct()) == len(ASKED_ON))
    )


def _asked(joined: Zones, left: Zones) -> Any:
    """(team, member, away) of everybody expected for a week; members who are away only if they answered."""
    gone = select(col(Member.id)).where(col(Member.workspace_id) == WORKSPACE, takes_no_part(WORKSPACE))
    left_from = by_zone("left", left, UTCDateTime)
    query: Any = (
        select(
            col(TeamMember.team_id).label("team_id"),
            col(TeamMember.member).label("member"),
            col(TeamMember.member).in_(_away()).label("away"),
        )
        .join(Team, col(Team.id) == col(TeamMember.team_id))
        .where(
            col(TeamMember.workspace_id) == WORKSPACE,
            col(TeamMember.joined_at) < by_zone("joined", joined, UTCDateTime),
            or_(col(TeamMember.left_at).is_(None), col(TeamMember.left_at) >= left_from),
            col(TeamMember.member).not_in(gone),
        )
        .distinct()
    )
    return query.cte("asked")


def coverage(uow: UnitOfWork, *, asking: Asking) -> tuple[int, int]:
    """How many members were expected for a week, and how many of them answered, over all adoptions."""
    joined, left, given = _given(uow, asking)
    asked, answered = connection_of(uow.session).execute(_coverage(joined, left), given).one()
    return int(asked or 0), int(answered or 0)


@lru_cache(maxsize=SHAPES)
def _coverage(joined: Zones, left: Zones) -> Any:
    each = _answering(_asked(joined, left)).subquery()
    return select(func.sum(each.c.asked), func.sum(each.c.answered))


def answering(
    uow: UnitOfWork, *, asking: Asking, sent: bool = False
) -> Iterator[tuple[int, int, int, bool, bool]]:
    """(adoption, expected, answered, has a number, is its cycle's last) of a week with expected members.

    With `sent`, only members who got their check-in by now, or answered without it.
    """
    joined, left, given = _given(uow, asking)
    given["last_began"] = asking.monday - timedelta(weeks=WEEKS - 1)
    if sent:
        given |= {f"{kind}_key": f"{kind}:{uow.workspace_id}:" for kind in _CHECKINS}
        given["key_end"] = f":{asking.monday}"
    return stream(uow.session, _answering_with_number(joined, left, sent=sent), given)


def _given(uow: UnitOfWork, asking: Asking) -> tuple[Zones, Zones, dict[str, Any]]:
    """How the zones are grouped, and the parameters of `_answering`."""
    joined, joined_before = zoned("joined", asking.joined_before)
    left, left_from = zoned("left", asking.left_from)
    days = {f"asked{at}": asking.monday + timedelta(days=day) for at, day in enumerate(ASKED_ON)}
    given = {"workspace": uow.workspace_id, "unasked": list(asking.unasked)} | on_day(asking.monday)
    return joined, left, given | days | joined_before | left_from


@lru_cache(maxsize=SHAPES)
def _answering_with_number(joined: Zones, left: Zones, *, sent: bool) -> Any:
    number = exists().where(
        col(Reading.adoption_id) == col(Adoption.id),
        col(Reading.week_start) == DAY,
        col(Reading.guardrail) == "",
        col(Reading.replaced_at).is_(None),
    )
    last = exists().where(
        col(Cycle.adoption_id) == col(Adoption.id),
        col(Cycle.starts_on) == bindparam("last_began", type_=Date()),
        col(Cycle.state) == CycleState.CLOSED,
    )
    return _answering(_asked(joined, left), sent=sent).add_columns(number, last)


def _answering(asked: Any, *, sent: bool = False) -> Any:
    """(adoption, expected, answered) of a week; `asked` is `_asked`'s."""
    counted = [_was_sent(asked.c.member)] if sent else []
    return (
        select(col(Adoption.id), func.count().label("asked"), func.count(col(CheckIn.id)).label("answered"))
        .select_from(asked)  # SQLite finds an adoption by its team, but not by a list of teams made here
        .join(Adoption, col(Adoption.team_id) == asked.c.team_id)
        .outerjoin(
            CheckIn,
            and_(
                col(CheckIn.adoption_id) == col(Adoption.id),
                col(CheckIn.week_start) == DAY,
                col(CheckIn.member) == asked.c.member,
                col(CheckIn.replaced_at).is_(None),
            ),
        )
        .where(
            *IN_CYCLE,
            *counted,
            or_(~asked.c.away, col(CheckIn.id).is_not(None)),
            col(Adoption.id).not_in(bindparam("unasked", expanding=True)),
        )
        .group_by(col(Adoption.id))
    )


def _was_sent(member: ColumnElement[str]) -> ColumnElement[bool]:
    """Condition: a member's check-in of a week was sent, or answered without being sent."""
    end = bindparam("key_end", type_=String())
    keys = [bindparam(f"{kind}_key", type_=String()) + member + end for kind in _CHECKINS]
    was_sent = exists().where(
        col(OutboxMessage.workspace_id) == WORKSPACE,
        col(OutboxMessage.key).in_(keys),
        col(OutboxMessage.state) == MessageState.SENT,
    )
    return or_(col(CheckIn.id).is_not(None), was_sent)
