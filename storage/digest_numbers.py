"""Queries of the digest on numbers and runs: what was reported for a week and the weeks before it."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    and_,
    func,
    select,
)
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from storage.streams import cycles_of, stream
from storage.tables import (
    Attestation,
    CheckIn,
    Cycle,
    Reading,
)


def readings(session: Session, *, workspace_id: str, week_start: date) -> Iterator[tuple[int, str, float]]:
    """(adoption, guardrail, value) of the current readings of a week; the KPI's own have no guardrail."""
    query = select(col(Reading.adoption_id), col(Reading.guardrail), col(Reading.value)).where(
        col(Reading.workspace_id) == workspace_id,
        col(Reading.week_start) == week_start,
        col(Reading.replaced_at).is_(None),
    )
    return stream(session, query)


def latest_readings(
    session: Session, *, workspace_id: str, week_start: date, many: int
) -> Iterator[tuple[Any, ...]]:
    """(adoption, value, the value before, …) of the KPIs that were reported for a week; None where there is none."""
    before = aliased(Reading)
    older = (
        select(col(before.value))
        .where(
            col(before.adoption_id) == col(Reading.adoption_id),
            col(before.week_start) < week_start,
            col(before.guardrail) == "",
            col(before.replaced_at).is_(None),
        )
        .order_by(col(before.week_start).desc())
        .limit(1)
    )
    values = [older.offset(at).scalar_subquery() for at in range(many - 1)]
    query = select(col(Reading.adoption_id), col(Reading.value), *values).where(
        col(Reading.workspace_id) == workspace_id,
        col(Reading.week_start) == week_start,
        col(Reading.guardrail) == "",
        col(Reading.replaced_at).is_(None),
    )
    return stream(session, query)


def weeks_of_readings(
    session: Session, *, workspace_id: str, adoption_ids: Sequence[int], until: date, many: int
) -> Iterator[tuple[int, date, float]]:
    """(adoption, week, value) of the newest readings of some KPIs up to a week, oldest first."""
    place = func.row_number().over(
        partition_by=col(Reading.adoption_id), order_by=col(Reading.week_start).desc()
    )
    newest = (
        select(
            col(Reading.adoption_id).label("adoption_id"),
            col(Reading.week_start).label("week_start"),
            col(Reading.value).label("value"),
            place.label("place"),
        )
        .where(
            col(Reading.workspace_id) == workspace_id,
            col(Reading.adoption_id).in_(adoption_ids),
            col(Reading.week_start) <= until,
            col(Reading.guardrail) == "",
            col(Reading.replaced_at).is_(None),
        )
        .subquery()
    )
    query = (
        select(newest.c.adoption_id, newest.c.week_start, newest.c.value)
        .where(newest.c.place <= many)
        .order_by(newest.c.adoption_id, newest.c.week_start)
    )
    return stream(session, query)


def attestations(
    session: Session, *, workspace_id: str, adoption_ids: Sequence[int], since: date, until: date
) -> Iterator[tuple[int, date, Attestation, int]]:
    """(adoption, week, kind, count) of the current answers of some weeks, both ends included."""
    query = (
        select(col(CheckIn.adoption_id), col(CheckIn.week_start), col(CheckIn.attestation), func.count())
        .where(
            col(CheckIn.workspace_id) == workspace_id,
            col(CheckIn.adoption_id).in_(adoption_ids),
            col(CheckIn.week_start) >= since,
            col(CheckIn.week_start) <= until,
            col(CheckIn.replaced_at).is_(None),
        )
        .group_by(col(CheckIn.adoption_id), col(CheckIn.week_start), col(CheckIn.attestation))
    )
    return stream(session, query)


def most_runs(
    session: Session, *, workspace_id: str, week_start: date, begun_by: date, above: float
) -> Iterator[tuple[int, int]]:
    """(adoption, cycle) of a week's cycles that began by a Monday, and of whose runs one member has such a share."""
    cycles = cycles_of(workspace_id, week_start)
    by_member = (
        select(
            col(Cycle.adoption_id).label("adoption_id"),
            col(Cycle.id).label("cycle_id"),
            func.sum(col(CheckIn.runs)).label("runs"),
        )
        .join(
            cycles,
            and_(cycles.c.adoption_id == col(Cycle.adoption_id), cycles.c.number == col(Cycle.number)),
        )
        .join(CheckIn, col(CheckIn.cycle_id) == col(Cycle.id))
        .where(
            col(Cycle.workspace_id) == workspace_id,
            col(Cycle.starts_on) <= begun_by,
            col(CheckIn.replaced_at).is_(None),
        )
        .group_by(col(Cycle.adoption_id), col(Cycle.id), col(CheckIn.member))
        .subquery()
    )
    query = (
        select(by_member.c.adoption_id, by_member.c.cycle_id)
        .group_by(by_member.c.adoption_id, by_member.c.cycle_id)
        .having(func.max(by_member.c.runs) > above * func.sum(by_member.c.runs))
    )
    return stream(session, query)
