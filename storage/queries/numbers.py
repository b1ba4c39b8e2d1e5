"""Queries on the readings of KPIs and guardrails: a correction is a new row, and the one it corrects stays."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, or_, update
from sqlalchemy import select as select_rows
from sqlmodel import col, select

from storage.engine import connection_of
from storage.inserts import insert_rows
from storage.queries import adoptions
from storage.queries.streams import columns
from storage.query_cache import cached
from storage.tables import Cycle, CycleState, Reading
from storage.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Number:
    """A number to save.

    Args:
        cycle_state: the state when the week was chosen; if the cycle was closed since, the number isn't
            saved.
        guardrail: its name; "" for the KPI itself.
    """

    adoption_id: int
    cycle_id: int
    cycle_state: CycleState
    week: int
    week_start: date
    guardrail: str
    value: float
    typed: str
    note: str
    measured: "Measured | None" = None


class Measured(NamedTuple):
    """Who measured a number: the token of a tool, and when."""

    token_id: int
    at: datetime


class Kept(NamedTuple):
    """The value that a number corrects, if any, and the new reading's id; None if nothing changed.

    `member` gave the corrected value; "" if a tool did, or if there was none.
    """

    before: float | None
    reading_id: int | None
    member: str = ""

    def by_other(self, uow: UnitOfWork) -> str:
        """Who gave the corrected value, if that's another person than the actor."""
        return self.member if self.member != uow.actor.member else ""


def keep(uow: UnitOfWork, *, number: Number) -> Kept:
    """Save a number as the current one of its week; the same number with the same note changes nothing.

    Raises:
        Stale: the cycle was closed or paused meanwhile; a retry chooses the week again.
    """
    adoptions.hold_cycle(
        uow, adoption_id=number.adoption_id, cycle_id=number.cycle_id, state=number.cycle_state
    )
    known = reading(
        uow, adoption_id=number.adoption_id, week_start=number.week_start, guardrail=number.guardrail
    )
    if known is not None:
        if (known.value, known.note) == (number.value, number.note):
            return Kept(None, None)
        replaced = {"workspace": uow.workspace_id, "reading": known.id, "at": uow.now}
        connection_of(uow.session).execute(_REPLACE, replaced)
    row = Reading(
        workspace_id=uow.workspace_id,
        adoption_id=number.adoption_id,
        cycle_id=number.cycle_id,
        week=number.week,
        week_start=number.week_start,
        guardrail=number.guardrail,
        value=number.value,
        typed=number.typed[:200],
        note=number.note,
        member=uow.actor.member,
        surface=uow.actor.surface,
        token_id=number.measured.token_id if number.measured else None,
        happened_at=number.measured.at if number.measured else None,
        reported_at=uow.now,
    )
    insert_rows(uow.session, [row])
    if known is None:
        return Kept(None, row.id)
    return Kept(known.value, row.id, known.member if known.happened_at is None else "")


_REPLACE: Final = (
    update(Reading)
    .where(col(Reading.workspace_id) == bindparam("workspace"), col(Reading.id) == bindparam("reading"))
    .values(replaced_at=bindparam("at"))
)


class CurrentReading(NamedTuple):
    """A reading that wasn't corrected; see `Reading`."""

    id: int
    cycle_id: int
    week: int
    week_start: date
    guardrail: str
    value: float
    typed: str
    note: str
    member: str
    happened_at: datetime | None
    reported_at: datetime


@cached(Reading)
def _readings(uow: UnitOfWork, *, adoption_id: int, since: date) -> list[CurrentReading]:
    """The current readings of an adoption from a week on, oldest week first."""
    asked = {"workspace": uow.workspace_id, "adoption": adoption_id, "since": since}
    return [CurrentReading(*row) for row in connection_of(uow.session).execute(_READINGS, asked)]


_READINGS: Final[Any] = (
    select_rows(*columns(Reading, CurrentReading._fields))
    .where(
        col(Reading.workspace_id) == bindparam("workspace"),
        col(Reading.adoption_id) == bindparam("adoption"),
        col(Reading.replaced_at).is_(None),
        col(Reading.week_start) >= bindparam("since"),
    )
    .order_by(col(Reading.week_start))
)


def reading(
    uow: UnitOfWork, *, adoption_id: int, week_start: date, guardrail: str = ""
) -> CurrentReading | None:
    """The KPI's current reading of a week, or a guardrail's."""
    since = min(week_start, uow.recent) if uow.recent else week_start
    rows = _readings(uow, adoption_id=adoption_id, since=since)
    return next((row for row in rows if row.week_start == week_start and row.guardrail == guardrail), None)


def readings(uow: UnitOfWork, *, cycle: Cycle, guardrail: str = "") -> dict[int, float]:
    """The KPI's current readings of a cycle, by week, or a guardrail's."""
    since = min(cycle.starts_on, uow.recent) if uow.recent else cycle.starts_on
    rows = _readings(uow, adoption_id=cycle.adoption_id, since=since)
    return {row.week: row.value for row in rows if row.cycle_id == cycle.id and row.guardrail == guardrail}


def value_before(uow: UnitOfWork, *, cycle: Cycle, week: int, since: int, until: datetime) -> float | None:
    """The KPI's value of a week as it was known just before an instant, at the earliest with the reading `since`."""
    query = (
        select(Reading.value)
        .where(
            Reading.workspace_id == uow.workspace_id,
            Reading.cycle_id == cycle.id,
            Reading.week == week,
            Reading.guardrail == "",
            or_(col(Reading.id) == since, col(Reading.reported_at) < until),
        )
        .order_by(col(Reading.id).desc())
        .limit(1)
    )
    return uow.session.exec(query).first()


def latest_reading(uow: UnitOfWork, *, cycle: Cycle, until: date) -> CurrentReading | None:
    """The KPI's newest current reading of a cycle up to a week."""
    since = min(cycle.starts_on, uow.recent) if uow.recent else cycle.starts_on
    rows = _readings(uow, adoption_id=cycle.adoption_id, since=since)
    found = [
        one for one in rows if one.cycle_id == cycle.id and not one.guardrail and one.week_start <= until
    ]
    return found[-1] if found else None
