"""Queries on what people reported: check-ins, readings, exceptions."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, or_
from sqlalchemy import select as select_rows
from sqlmodel import col, select

from storage.tables import (
    CheckIn,
    Cycle,
    CycleState,
    DriftedStep,
    LoggedException,
    Reading,
    RubricResult,
    SpotAudit,
)
from storage.work import UnitOfWork


def check_in(uow: UnitOfWork, *, adoption_id: int, week_start: date, member: str) -> CheckIn | None:
    """A member's current answer for a week."""
    query = select(CheckIn).where(
        CheckIn.workspace_id == uow.workspace_id,
        CheckIn.adoption_id == adoption_id,
        CheckIn.week_start == week_start,
        CheckIn.member == member,
        col(CheckIn.replaced_at).is_(None),
    )
    return uow.session.exec(query).first()


def drifted_steps(uow: UnitOfWork, *, check_in_id: int) -> list[DriftedStep]:
    """The steps that an answer says were run in another mode."""
    query = select(DriftedStep).where(
        DriftedStep.workspace_id == uow.workspace_id, DriftedStep.check_in_id == check_in_id
    )
    return list(uow.session.exec(query.order_by(col(DriftedStep.id))))


def answers(
    uow: UnitOfWork, *, adoption_id: int, first: date, last: date, latest: int = 0, through: int | None = None
) -> list[tuple[str, date, int]]:
    """(member, week, runs) of the current answers of some weeks, newest week first.

    Args:
        first, last: the Mondays of the first and the last week.
        latest: so many of each member's newest answers up to the last week as well, however old they are.
        through: the answers as they stood when the check-in of this id was the newest.
    """
    newest: Any = (
        func.row_number()
        .over(
            partition_by=(col(CheckIn.member), col(CheckIn.week_start)),
            order_by=col(CheckIn.id).desc(),
        )
        .label("newest")
    )
    found: Any = select_rows(
        col(CheckIn.id), col(CheckIn.member), col(CheckIn.week_start), col(CheckIn.runs), newest
    ).where(
        col(CheckIn.workspace_id) == uow.workspace_id,
        col(CheckIn.adoption_id) == adoption_id,
        col(CheckIn.week_start) <= last,
        col(CheckIn.replaced_at).is_(None) if through is None else col(CheckIn.id) <= through,
    )
    stood = found.subquery()
    place = func.row_number().over(partition_by=stood.c.member, order_by=stood.c.week_start.desc())
    current = select_rows(stood, place.label("place")).where(stood.c.newest == 1).subquery()
    query = (
        select_rows(current.c.member, current.c.week_start, current.c.runs)
        .where(or_(current.c.week_start >= first, current.c.place <= latest))
        .order_by(current.c.week_start.desc(), current.c.id.desc())
    )
    return [(member, week, runs) for member, week, runs in uow.session.execute(query)]


def answered_members(
    uow: UnitOfWork,
    *,
    adoption_id: int,
    week_start: date,
    through: int | None = None,
    before: datetime | None = None,
) -> set[str]:
    """Who has answered for a week; with `through`, by a check-in up to that id; with `before`, by an instant."""
    query = select(CheckIn.member).where(
        CheckIn.workspace_id == uow.workspace_id,
        CheckIn.adoption_id == adoption_id,
        CheckIn.week_start == week_start,
    )
    if through is not None:
        query = query.where(col(CheckIn.id) <= through)
    elif before is not None:
        query = query.where(col(CheckIn.answered_at) < before)
    else:
        query = query.where(col(CheckIn.replaced_at).is_(None))
    return set(uow.session.exec(query))


_READING = select(Reading).where(
    Reading.workspace_id == bindparam("workspace"),
    Reading.adoption_id == bindparam("adoption"),
    Reading.week_start == bindparam("week"),
    Reading.guardrail == bindparam("rail"),
    col(Reading.replaced_at).is_(None),
)


def reading(uow: UnitOfWork, *, adoption_id: int, week_start: date, guardrail: str = "") -> Reading | None:
    """The KPI's current reading of a week, or a guardrail's."""
    asked = {"workspace": uow.workspace_id, "adoption": adoption_id, "week": week_start, "rail": guardrail}
    return uow.session.exec(_READING, params=asked).first()


def readings(uow: UnitOfWork, *, cycle_id: int, guardrail: str = "") -> dict[int, float]:
    """The KPI's current readings of a cycle, by week, or a guardrail's."""
    query = select(Reading.week, Reading.value).where(
        Reading.workspace_id == uow.workspace_id,
        Reading.cycle_id == cycle_id,
        Reading.guardrail == guardrail,
        col(Reading.replaced_at).is_(None),
    )
    return dict(uow.session.exec(query.order_by(col(Reading.week))).all())


def latest_reading(uow: UnitOfWork, *, adoption_id: int, until: date) -> Reading | None:
    """The newest current reading up to a week."""
    query = (
        select(Reading)
        .where(
            Reading.workspace_id == uow.workspace_id,
            Reading.adoption_id == adoption_id,
            Reading.week_start <= until,
            Reading.guardrail == "",
            col(Reading.replaced_at).is_(None),
        )
        .order_by(col(Reading.week_start).desc())
        .limit(1)
    )
    return uow.session.exec(query).first()


def exceptions_by_link(uow: UnitOfWork, *, adoption_id: int, step: str, link: str) -> list[LoggedException]:
    """What counts of a step with this link as its evidence, oldest first."""
    query = select(LoggedException).where(
        LoggedException.workspace_id == uow.workspace_id,
        LoggedException.adoption_id == adoption_id,
        LoggedException.step == step,
        LoggedException.link == link,
        col(LoggedException.withdrawn_after).is_(None),
    )
    return list(uow.session.exec(query.order_by(col(LoggedException.id))))


def exception(uow: UnitOfWork, *, exception_id: int) -> LoggedException | None:
    """One logged exception, taken back or not."""
    query = select(LoggedException).where(
        LoggedException.workspace_id == uow.workspace_id, LoggedException.id == exception_id
    )
    return uow.session.exec(query).first()


def last_exception_by(uow: UnitOfWork, *, member: str) -> LoggedException | None:
    """The newest exception that a member logged and hasn't taken back."""
    query = select(LoggedException).where(
        LoggedException.workspace_id == uow.workspace_id,
        LoggedException.member == member,
        col(LoggedException.withdrawn_after).is_(None),
    )
    return uow.session.exec(query.order_by(col(LoggedException.id).desc()).limit(1)).first()


def exceptions_by(
    uow: UnitOfWork, *, member: str, adoption_id: int, step: str, since: datetime
) -> list[LoggedException]:
    """What a member logged on a step after an instant and hasn't taken back."""
    query = select(LoggedException).where(
        LoggedException.workspace_id == uow.workspace_id,
        LoggedException.member == member,
        LoggedException.adoption_id == adoption_id,
        LoggedException.step == step,
        LoggedException.logged_at > since,
        col(LoggedException.withdrawn_after).is_(None),
    )
    return list(uow.session.exec(query))


def exceptions(
    uow: UnitOfWork,
    *,
    adoption_id: int,
    step: str,
    cycle_id: int,
    after_id: int = 0,
    through_id: int | None = None,
    for_verdict: int | None = None,
) -> list[LoggedException]:
    """The exceptions of a step in a cycle that count, after one and up to another, oldest first.

    One that was taken back doesn't, except in the verdicts that were given before: with `for_verdict`, those that
    the verdict of that id counted.
    """
    taken_back = col(LoggedException.withdrawn_after)
    counts = taken_back.is_(None)
    query = select(LoggedException).where(
        LoggedException.workspace_id == uow.workspace_id,
        LoggedException.adoption_id == adoption_id,
        LoggedException.step == step,
        LoggedException.cycle_id == cycle_id,
        col(LoggedException.id) > after_id,
        counts if for_verdict is None else or_(counts, taken_back >= for_verdict),
    )
    if through_id is not None:
        query = query.where(col(LoggedException.id) <= through_id)
    return list(uow.session.exec(query.order_by(col(LoggedException.id))))


class Marks(NamedTuple):
    """The newest rows of an adoption: what is there before whatever comes next. 0 where there is none.

    `cycle` is the number of the newest closed cycle, the others are ids.
    """

    exception: int
    check_in: int
    result: int
    audit: int
    cycle: int


def marks(uow: UnitOfWork, *, adoption_id: int) -> Marks:
    """What was reported on an adoption so far."""

    def newest(column: Any, model: Any, *more: Any) -> Any:
        found = select(func.max(column)).where(
            model.workspace_id == uow.workspace_id, model.adoption_id == adoption_id, *more
        )
        return func.coalesce(found.scalar_subquery(), 0)

    query = select_rows(
        newest(LoggedException.id, LoggedException),
        newest(CheckIn.id, CheckIn),
        newest(RubricResult.id, RubricResult),
        newest(SpotAudit.id, SpotAudit),
        newest(Cycle.number, Cycle, Cycle.state == CycleState.CLOSED),
    )
    return Marks(*uow.session.execute(query).one())


def last_check_in_id(uow: UnitOfWork, *, adoption_id: int, until: datetime | None = None) -> int:
    """The newest check-in of an adoption, corrections included, up to an instant; 0 when there is none."""
    query = select(func.max(CheckIn.id)).where(
        CheckIn.workspace_id == uow.workspace_id, CheckIn.adoption_id == adoption_id
    )
    if until is not None:
        query = query.where(CheckIn.answered_at <= until)
    return uow.session.exec(query).one() or 0


def exception_counts(
    uow: UnitOfWork, *, adoption_ids: Sequence[int], since: datetime, until: datetime
) -> dict[int, int]:
    """Exceptions logged in an interval that count, by adoption."""
    counts: dict[int, int] = defaultdict(int)
    query = (
        select(LoggedException.adoption_id, func.count())
        .where(
            LoggedException.workspace_id == uow.workspace_id,
            col(LoggedException.adoption_id).in_(adoption_ids),
            LoggedException.logged_at >= since,
            LoggedException.logged_at < until,
            col(LoggedException.withdrawn_after).is_(None),
        )
        .group_by(col(LoggedException.adoption_id))
    )
    counts.update(dict(uow.session.exec(query).all()))
    return counts
