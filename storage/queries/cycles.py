"""Queries on the cycles of an adoption: which there are, which close, when they were paused."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import and_, bindparam, exists
from sqlalchemy import select as select_rows
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage.engine import connection_of
from storage.queries.streams import columns, stream
from storage.query_cache import cached
from storage.tables import (
    Adoption,
    AdoptionState,
    AdoptionStep,
    Cycle,
    CycleState,
    StepVerdict,
    Team,
    TrailEntry,
    Workspace,
)
from storage.work import UnitOfWork


class ClosingRow(NamedTuple):
    """A running cycle, and what determines when it closes."""

    workspace_id: str
    adoption_id: int
    cycle_id: int
    closes_on: date
    timezone: str
    hours: dict[str, Any]


def closings(session: Session, *, closing_by: date | None = None) -> list[ClosingRow]:
    """Running cycles of all workspaces that have the bot installed, oldest first.

    Args:
        closing_by: only those whose fourth Friday is not after this date.
    """
    query = _CLOSINGS if closing_by is None else _CLOSINGS_BY
    given = {} if closing_by is None else {"by": closing_by}
    return [ClosingRow(*row) for row in connection_of(session).execute(query, given)]


_CLOSINGS = (
    select_rows(
        col(Cycle.workspace_id),
        col(Cycle.adoption_id),
        col(Cycle.id),
        col(Cycle.closes_on),
        col(Team.timezone),
        col(Adoption.hours),
    )
    .join(Adoption, col(Adoption.id) == col(Cycle.adoption_id))
    .join(Team, col(Team.id) == col(Adoption.team_id))
    .join(Workspace, col(Workspace.id) == col(Cycle.workspace_id))
    .where(
        col(Cycle.state) == CycleState.RUNNING,
        col(Adoption.state) != AdoptionState.ENDED,
        col(Workspace.uninstalled_at).is_(None),
    )
    .order_by(col(Cycle.id))
)
_CLOSINGS_BY = _CLOSINGS.where(col(Cycle.closes_on) <= bindparam("by"))


@cache
def _with_exceptions() -> Any:
    later = aliased(StepVerdict)
    return (
        select_rows(
            col(StepVerdict.workspace_id),
            col(StepVerdict.adoption_id),
            col(StepVerdict.cycle_id),
            col(StepVerdict.step),
            col(StepVerdict.id),
            col(StepVerdict.judged_at),
            col(Cycle.closes_on),
            col(Team.timezone),
        )
        .join(Cycle, col(Cycle.id) == col(StepVerdict.cycle_id))
        .join(Adoption, col(Adoption.id) == col(StepVerdict.adoption_id))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .join(Workspace, col(Workspace.id) == col(StepVerdict.workspace_id))
        .join(
            AdoptionStep,
            and_(
                col(AdoptionStep.adoption_id) == col(StepVerdict.adoption_id),
                col(AdoptionStep.step) == col(StepVerdict.step),
                col(AdoptionStep.after_exception) == col(StepVerdict.after_exception),
            ),
        )
        .where(
            col(StepVerdict.exceptions) > 0,
            col(Cycle.state) == CycleState.RUNNING,
            col(Adoption.state) != AdoptionState.ENDED,
            col(Workspace.uninstalled_at).is_(None),
            ~exists().where(
                col(later.adoption_id) == col(StepVerdict.adoption_id),
                col(later.step) == col(StepVerdict.step),
                col(later.id) > col(StepVerdict.id),
            ),
        )
        .order_by(col(StepVerdict.id))
    )


def take_away(uow: UnitOfWork, *, cycle_id: int) -> bool:
    """Delete a cycle that nothing refers to yet; False if something does, or if it doesn't exist."""
    query = select(Cycle).where(Cycle.workspace_id == uow.workspace_id, Cycle.id == cycle_id)
    row = uow.session.exec(query).first()
    if row is None:
        return False
    try:
        with uow.session.begin_nested():
            uow.session.delete(row)
            uow.session.flush()
    except IntegrityError:
        return False
    return True


WEEKEND = timedelta(days=2)
"""A cycle's last week ends two days after its last Friday."""


def refresh(uow: UnitOfWork, *, cycle: Cycle) -> None:
    """Read a cycle again after waiting for a lock; on SQLite a write transaction waits when it begins, so
    nothing to do."""
    if uow.session.get_bind().dialect.name != "sqlite":
        uow.session.refresh(cycle)


@cached(Cycle)
def cycle(uow: UnitOfWork, *, cycle_id: int) -> Cycle:
    """One cycle."""
    return uow.session.exec(_ONE, params={"workspace": uow.workspace_id, "cycle": cycle_id}).one()


_ONE = select(Cycle).where(Cycle.workspace_id == bindparam("workspace"), Cycle.id == bindparam("cycle"))


@cached(Cycle)
def cycles_of(uow: UnitOfWork, *, adoption_id: int) -> list[Cycle]:
    """The cycles of an adoption, oldest first."""
    asked = {"workspace": uow.workspace_id, "adoption": adoption_id}
    return list(uow.session.exec(_CYCLES, params=asked))


_CYCLES = (
    select(Cycle)
    .where(Cycle.workspace_id == bindparam("workspace"), Cycle.adoption_id == bindparam("adoption"))
    .order_by(col(Cycle.number))
)


class CycleValue(NamedTuple):
    """The KPI's value at the close of a cycle, and the revision that the cycle ran on."""

    kpi_value: float
    version_id: int


@cached(Cycle)
def latest_value(uow: UnitOfWork, *, adoption_id: int) -> CycleValue | None:
    """The KPI's value of the newest cycle of an adoption that has one."""
    asked = {"workspace": uow.workspace_id, "adoption": adoption_id}
    row = connection_of(uow.session).execute(_LATEST_VALUE, asked).first()
    return None if row is None else CycleValue(*row)


_LATEST_VALUE: Final[Any] = (
    select_rows(*columns(Cycle, CycleValue._fields))
    .where(
        col(Cycle.workspace_id) == bindparam("workspace"),
        col(Cycle.adoption_id) == bindparam("adoption"),
        col(Cycle.kpi_value).is_not(None),
    )
    .order_by(col(Cycle.number).desc())
    .limit(1)
)


def cycle_on(uow: UnitOfWork, *, adoption_id: int, day: date) -> Cycle | None:
    """The cycle whose weeks, Monday to Sunday, contain a date."""
    rows = cycles_of(uow, adoption_id=adoption_id)
    return next((row for row in reversed(rows) if row.starts_on <= day <= row.closes_on + WEEKEND), None)


def cycles(uow: UnitOfWork, *, adoption_ids: Sequence[int]) -> list[Cycle]:
    """The cycles of some adoptions, by adoption, the newest first."""
    query = (
        select(Cycle)
        .where(Cycle.workspace_id == uow.workspace_id, col(Cycle.adoption_id).in_(adoption_ids))
        .order_by(col(Cycle.adoption_id), col(Cycle.number).desc())
    )
    return list(uow.session.exec(query))


class Pause(NamedTuple):
    """A period in which a run sent no check-ins; `until` is None while it lasts."""

    adoption: int
    hours: dict[str, Any]
    timezone: str
    since: datetime
    until: datetime | None


@cached(Adoption, Team, Cycle, besides=[TrailEntry])
def pauses(uow: UnitOfWork, *, adoption_ids: Collection[int] | None = None) -> list[Pause]:
    """Every pause of some runs, or of all; it ends when the run resumes or its next cycle starts.

    That can be the instant at which it began.
    """
    stretches: dict[int, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    for subject, action, at in _marks(uow, adoption_ids):
        found = stretches[int(subject.partition(":")[2])]
        if action == "paused":
            found.append((at, None))
        elif found and found[-1][1] is None:
            found[-1] = (found[-1][0], at)
    paused = sorted(adoption for adoption, found in stretches.items() if found)
    if not paused:
        return []
    cycles = (
        select_rows(
            col(Adoption.id),
            col(Adoption.state),
            col(Adoption.hours),
            col(Team.timezone),
            col(Cycle.started_at),
        )
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .join(Cycle, col(Cycle.adoption_id) == col(Adoption.id))
        .where(col(Adoption.workspace_id) == uow.workspace_id, col(Adoption.id).in_(paused))
    )
    about: dict[int, tuple[dict[str, Any], str]] = {}
    lasting: set[int] = set()
    started: dict[int, list[datetime]] = defaultdict(list)
    for adoption, state, hours, zone, at in connection_of(uow.session).execute(cycles):
        about[adoption] = hours, zone
        if state is AdoptionState.PAUSED:
            lasting.add(adoption)
        started[adoption].append(at)

    def end(adoption: int, since: datetime, until: datetime | None) -> datetime | None:
        ends = [at for at in started[adoption] if at > since]
        return min([*ends, until] if until else ends, default=None if adoption in lasting else since)

    return [
        Pause(one, *about[one], since, end(one, since, until))
        for one in sorted(about)
        for since, until in stretches[one]
    ]


_MARKS = (
    select_rows(col(TrailEntry.subject), col(TrailEntry.action), col(TrailEntry.at))
    .where(
        col(TrailEntry.workspace_id) == bindparam("workspace"),
        col(TrailEntry.action).in_(("paused", "resumed")),
    )
    .order_by(col(TrailEntry.id))
)
_MARKS_OF_ONE = _MARKS.where(col(TrailEntry.subject) == bindparam("subject"))
_MARKS_OF_SOME = _MARKS.where(col(TrailEntry.subject).in_(bindparam("subjects", expanding=True)))


def _marks(uow: UnitOfWork, adoption_ids: Collection[int] | None) -> Iterable[Any]:
    """(subject, action, instant) of every pause and of its end, oldest first."""
    uow.flush_trail("paused", "resumed")
    if adoption_ids is None:
        return stream(uow.session, _MARKS.params(workspace=uow.workspace_id))
    subjects = [f"adoption:{one}" for one in adoption_ids]
    if len(subjects) == 1:
        asked = {"workspace": uow.workspace_id, "subject": subjects[0]}
        return connection_of(uow.session).execute(_MARKS_OF_ONE, asked)
    return connection_of(uow.session).execute(
        _MARKS_OF_SOME, {"workspace": uow.workspace_id, "subjects": subjects}
    )
