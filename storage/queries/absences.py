"""Queries on days away: days on which a person isn't nudged."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import bindparam
from sqlalchemy import select as select_rows
from sqlmodel import col, select

from storage.engine import connection_of
from storage.queries.streams import columns
from storage.query_cache import cached
from storage.tables import Away
from storage.work import UnitOfWork


class DaysAway(NamedTuple):
    """Days on which a person isn't nudged; see `Away`."""

    member: str
    first_day: date
    last_day: date
    set_at: datetime
    ended_at: datetime | None


Range = TypeVar("Range", Away, DaysAway)


def away_between(
    uow: UnitOfWork,
    *,
    first: date,
    last: date,
    member_ids: Iterable[str],
    as_of: datetime | None = None,
) -> list[DaysAway]:
    """Days away of some people that overlap a range and are valid now, or were at an instant."""
    since = min(first, uow.recent) if uow.recent else first
    rows = _away_since(uow, member_ids=frozenset(member_ids), since=since)

    def stands(row: DaysAway) -> bool:
        if as_of is None:
            return row.ended_at is None
        return row.set_at <= as_of and (row.ended_at is None or row.ended_at > as_of)

    return [row for row in rows if row.first_day <= last and row.last_day >= first and stands(row)]


@cached(Away)
def _away_since(uow: UnitOfWork, *, member_ids: frozenset[str], since: date) -> list[DaysAway]:
    """Days away of some people that end on or after a day, including revoked ones."""
    found: list[DaysAway] = []
    wanted = sorted(member_ids)
    for start in range(0, len(wanted), 500):
        asked = {"workspace": uow.workspace_id, "since": since, "members": wanted[start : start + 500]}
        found += [DaysAway(*row) for row in connection_of(uow.session).execute(_AWAY_SINCE, asked)]
    return found


_AWAY_SINCE: Final[Any] = select_rows(*columns(Away, DaysAway._fields)).where(
    col(Away.workspace_id) == bindparam("workspace"),
    col(Away.last_day) >= bindparam("since"),
    col(Away.member).in_(bindparam("members", expanding=True)),
)


def away_rows(uow: UnitOfWork, *, first: date, last: date, member_ids: Iterable[str]) -> list[Away]:
    """The rows of days away that overlap a range and aren't revoked, to change them."""
    found: list[Away] = []
    wanted = sorted(set(member_ids))
    for start in range(0, len(wanted), 500):
        query = select(Away).where(
            Away.workspace_id == uow.workspace_id,
            Away.first_day <= last,
            Away.last_day >= first,
            col(Away.ended_at).is_(None),
            col(Away.member).in_(wanted[start : start + 500]),
        )
        found += uow.session.exec(query.order_by(col(Away.id)))
    return found


def away_taken_back(uow: UnitOfWork, *, set_by: str, member_ids: Iterable[str]) -> list[Away]:
    """Revoked days away of those whose setter's name begins so and goes on."""
    query = select(Away).where(
        Away.workspace_id == uow.workspace_id,
        col(Away.ended_at).is_not(None),
        col(Away.set_by).startswith(f"{set_by} "),
        col(Away.member).in_(sorted(set(member_ids))),
    )
    return list(uow.session.exec(query))


def _absence_of(today: date, rows: Iterable[Range]) -> list[Range]:
    """The ranges of one absence: those that cover a day, and those that go on from them without a gap."""
    found: list[Range] = []
    until = today
    for row in sorted(rows, key=lambda row: row.first_day):
        if row.first_day > until + (timedelta(days=1) if found else timedelta()):
            break
        found.append(row)
        until = max(until, row.last_day)
    return found


def away_until(uow: UnitOfWork, *, member_id: str, today: date) -> date | None:
    """The last day of a person's current absence; None if they aren't away today."""
    rows = away_between(uow, first=today, last=date.max, member_ids=[member_id])
    return max((row.last_day for row in _absence_of(today, rows)), default=None)


def end_away(uow: UnitOfWork, *, member_id: str, today: date, back: date) -> list[Away]:
    """End a person's days away from the day on which they are back; returns the ranges that ended.

    Later ranges stay, unless they follow without a gap. If the person isn't away today, all upcoming ranges end. The
    days before they are back stay as a separate range, so that the history stays readable.
    """
    rows = away_rows(uow, first=today, last=date.max, member_ids=[member_id])
    absence = _absence_of(today, rows)
    for row in absence or rows:
        shorten(uow, row, until=(back if absence else today) - timedelta(days=1))
    uow.session.flush()
    return absence or rows


def shorten(uow: UnitOfWork, row: Away, *, until: date) -> None:
    """End a range; its days up to a last one stay as a separate range. One that is over by then stays."""
    if row.last_day <= until:
        return
    row.ended_at = uow.now
    uow.session.add(row)
    if row.first_day <= until:
        uow.session.add(
            Away(
                workspace_id=uow.workspace_id,
                member=row.member,
                first_day=row.first_day,
                last_day=until,
                set_by=uow.actor.member,
                set_at=uow.now,
            )
        )
