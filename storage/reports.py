"""Queries on what people reported: check-ins, readings, exceptions."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import bindparam, func
from sqlmodel import Session, col, select

from storage.tables import CheckIn, DriftedStep, LoggedException, Reading


def check_in(
    session: Session, *, workspace_id: str, adoption_id: int, week_start: date, member: str
) -> CheckIn | None:
    """A member's current answer for a week."""
    query = select(CheckIn).where(
        CheckIn.workspace_id == workspace_id,
        CheckIn.adoption_id == adoption_id,
        CheckIn.week_start == week_start,
        CheckIn.member == member,
        col(CheckIn.replaced_at).is_(None),
    )
    return session.exec(query).first()


def drifted_steps(session: Session, *, workspace_id: str, check_in_id: int) -> list[DriftedStep]:
    """The steps that an answer says were run in another mode."""
    query = select(DriftedStep).where(
        DriftedStep.workspace_id == workspace_id, DriftedStep.check_in_id == check_in_id
    )
    return list(session.exec(query.order_by(col(DriftedStep.id))))


def answers(
    session: Session, *, workspace_id: str, adoption_id: int, since: date, through: int | None = None
) -> list[tuple[str, date, int]]:
    """(member, week, runs) of every current answer from a week on, newest week first.

    With `through`, the answers as they stood when the check-in of that id was the newest.
    """
    query = (
        select(col(CheckIn.member), col(CheckIn.week_start), col(CheckIn.runs))
        .where(
            CheckIn.workspace_id == workspace_id,
            CheckIn.adoption_id == adoption_id,
            CheckIn.week_start >= since,
        )
        .order_by(col(CheckIn.week_start).desc(), col(CheckIn.id).desc())
    )
    if through is None:
        return list(session.exec(query.where(col(CheckIn.replaced_at).is_(None))))
    newest: dict[tuple[str, date], int] = {}
    for member, week, runs in session.exec(query.where(col(CheckIn.id) <= through)):
        newest.setdefault((member, week), runs)
    return [(member, week, runs) for (member, week), runs in newest.items()]


def answered_by(
    session: Session,
    *,
    workspace_id: str,
    adoption_id: int,
    week_start: date,
    moment: datetime,
    through: int | None = None,
) -> set[str]:
    """Who had answered for a week at some moment; an answer corrected since counts too.

    With `through`, only check-ins up to that id are looked at.
    """
    query = select(CheckIn.member).where(
        CheckIn.workspace_id == workspace_id,
        CheckIn.adoption_id == adoption_id,
        CheckIn.week_start == week_start,
        CheckIn.answered_at <= moment,
    )
    if through is not None:
        query = query.where(col(CheckIn.id) <= through)
    return set(session.exec(query))


def answered_members(
    session: Session,
    *,
    workspace_id: str,
    adoption_id: int,
    week_start: date,
    through: int | None = None,
) -> set[str]:
    """Who has answered for a week; with `through`, by a check-in up to that id."""
    query = select(CheckIn.member).where(
        CheckIn.workspace_id == workspace_id,
        CheckIn.adoption_id == adoption_id,
        CheckIn.week_start == week_start,
    )
    if through is None:
        query = query.where(col(CheckIn.replaced_at).is_(None))
    else:
        query = query.where(col(CheckIn.id) <= through)
    return set(session.exec(query))


_READING = select(Reading).where(
    Reading.workspace_id == bindparam("workspace"),
    Reading.adoption_id == bindparam("adoption"),
    Reading.week_start == bindparam("week"),
    Reading.guardrail == bindparam("rail"),
    col(Reading.replaced_at).is_(None),
)


def reading(
    session: Session, *, workspace_id: str, adoption_id: int, week_start: date, guardrail: str = ""
) -> Reading | None:
    """The KPI's current reading of a week, or a guardrail's."""
    asked = {"workspace": workspace_id, "adoption": adoption_id, "week": week_start, "rail": guardrail}
    return session.exec(_READING, params=asked).first()


def readings(session: Session, *, workspace_id: str, cycle_id: int, guardrail: str = "") -> dict[int, float]:
    """The KPI's current readings of a cycle, by week, or a guardrail's."""
    query = select(Reading.week, Reading.value).where(
        Reading.workspace_id == workspace_id,
        Reading.cycle_id == cycle_id,
        Reading.guardrail == guardrail,
        col(Reading.replaced_at).is_(None),
    )
    return dict(session.exec(query.order_by(col(Reading.week))).all())


def latest_reading(session: Session, *, workspace_id: str, adoption_id: int, until: date) -> Reading | None:
    """The newest current reading up to a week."""
    query = (
        select(Reading)
        .where(
            Reading.workspace_id == workspace_id,
            Reading.adoption_id == adoption_id,
            Reading.week_start <= until,
            Reading.guardrail == "",
            col(Reading.replaced_at).is_(None),
        )
        .order_by(col(Reading.week_start).desc())
        .limit(1)
    )
    return session.exec(query).first()


def exceptions_by_link(
    session: Session, *, workspace_id: str, adoption_id: int, step: str, link: str
) -> list[LoggedException]:
    """What was logged on a step with this link as its evidence, oldest first."""
    query = select(LoggedException).where(
        LoggedException.workspace_id == workspace_id,
        LoggedException.adoption_id == adoption_id,
        LoggedException.step == step,
        LoggedException.link == link,
    )
    return list(session.exec(query.order_by(col(LoggedException.id))))


def exceptions(
    session: Session,
    *,
    workspace_id: str,
    adoption_id: int,
    step: str,
    since: datetime,
    after_id: int,
    until: datetime | None = None,
) -> list[LoggedException]:
    """The exceptions of a step that count as evidence, oldest first."""
    query = select(LoggedException).where(
        LoggedException.workspace_id == workspace_id,
        LoggedException.adoption_id == adoption_id,
        LoggedException.step == step,
        LoggedException.logged_at >= since,
        col(LoggedException.id) > after_id,
    )
    if until is not None:
        query = query.where(LoggedException.logged_at < until)
    return list(session.exec(query.order_by(col(LoggedException.id))))


def last_exception_id(session: Session, *, workspace_id: str, adoption_id: int) -> int:
    """The newest exception of an adoption, 0 when there is none."""
    query = select(func.max(LoggedException.id)).where(
        LoggedException.workspace_id == workspace_id, LoggedException.adoption_id == adoption_id
    )
    return session.exec(query).one() or 0


def last_check_in_id(
    session: Session, *, workspace_id: str, adoption_id: int, until: datetime | None = None
) -> int:
    """The newest check-in of an adoption, corrections included, up to an instant; 0 when there is none."""
    query = select(func.max(CheckIn.id)).where(
        CheckIn.workspace_id == workspace_id, CheckIn.adoption_id == adoption_id
    )
    if until is not None:
        query = query.where(CheckIn.answered_at <= until)
    return session.exec(query).one() or 0


def exception_counts(
    session: Session, *, workspace_id: str, adoption_ids: Sequence[int], since: datetime, until: datetime
) -> dict[int, int]:
    """Exceptions logged in an interval, by adoption."""
    counts: dict[int, int] = defaultdict(int)
    query = (
        select(LoggedException.adoption_id, func.count())
        .where(
            LoggedException.workspace_id == workspace_id,
            col(LoggedException.adoption_id).in_(adoption_ids),
            LoggedException.logged_at >= since,
            LoggedException.logged_at < until,
        )
        .group_by(col(LoggedException.adoption_id))
    )
    counts.update(dict(session.exec(query).all()))
    return counts
