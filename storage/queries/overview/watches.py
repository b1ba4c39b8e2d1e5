"""Queries of the digest on watched steps: their newest verdicts, and whether their owners answered."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.sql.sqltypes import UTCDateTime

from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision, Line
from storage.queries.streams import SHAPES, WORKSPACE, Zones, by_zone, cycles_of_day, on_day, stream, zoned
from storage.tables import Adoption, AdoptionState, AdoptionStep, Cycle, StepVerdict, Team, TrailEntry
from storage.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class WatchFound:
    """A step whose newest verdict of a week is a watch, in a window that is still open.

    `judged_after` is the exception after which the window opened. `stands` is false if the step was judged
    again since and isn't watched any more.
    """

    verdict: int
    adoption: int
    step: str
    mode: Mode
    line: Line
    exceptions: int
    measured: int
    attested: int
    assumed: int
    cap: float
    cycle: int
    starts_on: date
    timezone: str
    judged_after: int
    stands: bool


def _newest(*, until: ColumnElement[datetime] | None = None) -> Select[int, str, int | None]:
    """The id of the newest verdict of each step: its `adoption_id`, `step` and `id`.

    Args:
        until: only verdicts before this instant, which can depend on the team's time zone.
    """
    of_step = col(StepVerdict.adoption_id), col(StepVerdict.step)
    query = (
        select(*of_step, func.max(col(StepVerdict.id)).label("id"))
        .where(col(StepVerdict.workspace_id) == WORKSPACE)
        .group_by(*of_step)
    )
    if until is None:
        return query
    return (
        query.join(Adoption, col(Adoption.id) == col(StepVerdict.adoption_id))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .where(col(StepVerdict.judged_at) < until)
    )


def _settled_late() -> ColumnElement[bool]:
    """Whether a late check-in, or an undone exception, ended the watch of a verdict."""
    late = aliased(StepVerdict)
    return exists().where(
        col(late.adoption_id) == col(StepVerdict.adoption_id),
        col(late.step) == col(StepVerdict.step),
        col(late.id) > col(StepVerdict.id),
        col(late.decision) != Decision.WATCH,
        or_(*(col(late.cause).startswith(f"{cause}:") for cause in ("check-in", "undo"))),
    )


def watches(uow: UnitOfWork, *, week_start: date, ended: Mapping[str, datetime]) -> Iterator[WatchFound]:
    """The steps that were watched when a week ended, in that week's cycle, by adoption.

    Excludes those that a late report on the week settled since. Includes those that are under their cap only
    because the next week has begun, with its estimated runs.

    Args:
        ended: the end of the week, by time zone.
    """
    zones, midnights = zoned("ended", ended)
    given = {"workspace": uow.workspace_id} | on_day(week_start) | midnights
    return (WatchFound(*row) for row in stream(uow.session, _watches(zones), given))


@lru_cache(maxsize=SHAPES)
def _watches(zones: Zones) -> Any:
    over = by_zone("ended", zones, UTCDateTime)
    cycles = cycles_of_day()
    newest = _newest().subquery()
    last = _newest(until=over).subquery()
    now = aliased(StepVerdict)
    since = col(AdoptionStep.since)
    return (
        select(
            col(StepVerdict.id),
            col(StepVerdict.adoption_id),
            col(StepVerdict.step),
            col(StepVerdict.mode),
            col(StepVerdict.line),
            col(StepVerdict.exceptions),
            col(StepVerdict.measured),
            col(StepVerdict.attested),
            col(StepVerdict.assumed),
            col(StepVerdict.cap),
            col(Cycle.id),
            col(Cycle.starts_on),
            col(Team.timezone),
            col(StepVerdict.after_exception),
            col(now.decision) == Decision.WATCH,
        )
        .join(last, last.c.id == col(StepVerdict.id))
        .join(
            newest,
            and_(
                newest.c.adoption_id == col(StepVerdict.adoption_id), newest.c.step == col(StepVerdict.step)
            ),
        )
        .join(now, col(now.id) == newest.c.id)
        .join(Cycle, col(Cycle.id) == col(StepVerdict.cycle_id))
        .join(
            cycles,
            and_(cycles.c.adoption_id == col(Cycle.adoption_id), cycles.c.number == col(Cycle.number)),
        )
        .join(Adoption, col(Adoption.id) == col(StepVerdict.adoption_id))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .outerjoin(
            AdoptionStep,
            and_(
                col(AdoptionStep.adoption_id) == col(StepVerdict.adoption_id),
                col(AdoptionStep.step) == col(StepVerdict.step),
            ),
        )
        .where(
            col(StepVerdict.decision) == Decision.WATCH,
            col(Adoption.state) != AdoptionState.ENDED,
            func.coalesce(col(AdoptionStep.after_exception), 0) == col(StepVerdict.after_exception),
            or_(since.is_(None), since < over),
            ~_settled_late(),
        )
        .order_by(col(StepVerdict.adoption_id))
    )


def begun(uow: UnitOfWork, *, adoption_ids: Collection[int]) -> Iterator[tuple[int, str, int, int, int]]:
    """(adoption, step, cycle, exception before the window, first verdict) of some adoptions' watches."""
    window = (
        col(StepVerdict.adoption_id),
        col(StepVerdict.step),
        col(StepVerdict.cycle_id),
        col(StepVerdict.after_exception),
    )
    query = (
        select(*window, func.min(col(StepVerdict.id)))
        .where(
            col(StepVerdict.workspace_id) == uow.workspace_id,
            col(StepVerdict.adoption_id).in_(adoption_ids),
            col(StepVerdict.decision) == Decision.WATCH,
        )
        .group_by(*window)
    )
    return stream(uow.session, query)


def places(uow: UnitOfWork, *, subjects: Collection[str]) -> dict[str, int]:
    """The newest trail entry about each of some subjects."""
    uow.flush_trail()
    query = (
        select(col(TrailEntry.subject), func.max(col(TrailEntry.id)))
        .where(col(TrailEntry.workspace_id) == uow.workspace_id, col(TrailEntry.subject).in_(subjects))
        .group_by(col(TrailEntry.subject))
    )
    return dict(stream(uow.session, query))


def answered_watches(uow: UnitOfWork, *, subjects: Collection[str]) -> dict[str, int]:
    """The trail entry in which somebody last answered a watch, by subject."""
    uow.flush_trail()
    query = (
        select(col(TrailEntry.subject), func.max(col(TrailEntry.id)))
        .where(
            col(TrailEntry.workspace_id) == uow.workspace_id,
            col(TrailEntry.action) == "watch-answered",
            col(TrailEntry.subject).in_(subjects),
        )
        .group_by(col(TrailEntry.subject))
    )
    return dict(stream(uow.session, query))
