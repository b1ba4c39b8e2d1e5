"""Queries of the digest on watched steps: their windows, what was logged and answered since, and by whom."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import (
    and_,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import aliased
from sqlmodel import col

from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision, Line
from storage.queries.streams import cycles_of, stream, takes_no_part
from storage.tables import (
    Adoption,
    AdoptionState,
    AdoptionStep,
    Away,
    CheckIn,
    Cycle,
    LoggedException,
    Member,
    StepVerdict,
    Team,
    TeamMember,
    TrailEntry,
)
from storage.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class WatchFound:
    """The last watch of a step, in the cycle of the week asked about, and its window by now.

    `judged_after` is the exception after which the verdict's window opened, `after_exception` that of the window now.
    `stands` is false when the step was judged again since and isn't watched any more.
    """

    verdict: int
    adoption: int
    step: str
    mode: Mode
    cap: float
    cycle: int
    starts_on: date
    team: int
    timezone: str
    since: datetime | None
    judged_after: int
    after_exception: int
    after_check_in: int
    line: Line
    stands: bool


def watches(uow: UnitOfWork, *, week_start: date) -> Iterator[WatchFound]:
    """The steps that were last watched in the cycle of a week, by adoption."""
    cycles = cycles_of(uow.workspace_id, week_start)
    last = (
        select(func.max(col(StepVerdict.id)).label("id"))
        .where(col(StepVerdict.workspace_id) == uow.workspace_id, col(StepVerdict.decision) == Decision.WATCH)
        .group_by(col(StepVerdict.adoption_id), col(StepVerdict.step))
        .subquery()
    )
    later = aliased(StepVerdict)
    newer = exists().where(
        col(later.adoption_id) == col(StepVerdict.adoption_id),
        col(later.step) == col(StepVerdict.step),
        col(later.id) > col(StepVerdict.id),
    )
    query = (
        select(
            col(StepVerdict.id),
            col(StepVerdict.adoption_id),
            col(StepVerdict.step),
            col(StepVerdict.mode),
            col(StepVerdict.cap),
            col(Cycle.id),
            col(Cycle.starts_on),
            col(Team.id),
            col(Team.timezone),
            col(AdoptionStep.since),
            col(StepVerdict.after_exception),
            func.coalesce(col(AdoptionStep.after_exception), 0),
            func.coalesce(col(AdoptionStep.after_check_in), 0),
            col(StepVerdict.line),
            ~newer,
        )
        .join(last, last.c.id == col(StepVerdict.id))
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
        .where(col(Adoption.state) != AdoptionState.ENDED)
        .order_by(col(StepVerdict.adoption_id))
    )
    return (WatchFound(*row) for row in stream(uow.session, query))


def logged(
    uow: UnitOfWork, *, adoption_ids: Collection[int], cycle_ids: Collection[int]
) -> Iterator[tuple[int, str, int, datetime]]:
    """(adoption, step, exception, when) of everything logged on some adoptions in some cycles of theirs."""
    query = select(
        col(LoggedException.adoption_id),
        col(LoggedException.step),
        col(LoggedException.id),
        col(LoggedException.logged_at),
    ).where(
        col(LoggedException.workspace_id) == uow.workspace_id,
        col(LoggedException.adoption_id).in_(adoption_ids),
        col(LoggedException.cycle_id).in_(cycle_ids),
        col(LoggedException.withdrawn_after).is_(None),
    )
    return stream(uow.session, query)


def answers(
    uow: UnitOfWork, *, adoption_ids: Collection[int], first: date, last: date, latest: int
) -> Iterator[tuple[int, str, date, int]]:
    """(adoption, member, week, runs) of the current answers of some weeks, newest week first.

    So many of each member's newest answers up to the last week come as well, however old they are.
    """
    place = func.row_number().over(
        partition_by=(col(CheckIn.adoption_id), col(CheckIn.member)), order_by=col(CheckIn.week_start).desc()
    )
    found = (
        select(
            col(CheckIn.id).label("id"),
            col(CheckIn.adoption_id).label("adoption_id"),
            col(CheckIn.member).label("member"),
            col(CheckIn.week_start).label("week_start"),
            col(CheckIn.runs).label("runs"),
            place.label("place"),
        )
        .where(
            col(CheckIn.workspace_id) == uow.workspace_id,
            col(CheckIn.adoption_id).in_(adoption_ids),
            col(CheckIn.week_start) <= last,
            col(CheckIn.replaced_at).is_(None),
        )
        .subquery()
    )
    query = (
        select(found.c.adoption_id, found.c.member, found.c.week_start, found.c.runs)
        .where(or_(found.c.week_start >= first, found.c.place <= latest))
        .order_by(found.c.week_start.desc(), found.c.id.desc())
    )
    return stream(uow.session, query)


def answer_ids(
    uow: UnitOfWork, *, adoption_ids: Collection[int], since: date
) -> Iterator[tuple[int, str, date, int]]:
    """(adoption, member, week, check-in) of the answers from a week on; one that was corrected since counts too."""
    query = select(
        col(CheckIn.adoption_id), col(CheckIn.member), col(CheckIn.week_start), col(CheckIn.id)
    ).where(
        col(CheckIn.workspace_id) == uow.workspace_id,
        col(CheckIn.adoption_id).in_(adoption_ids),
        col(CheckIn.week_start) >= since,
    )
    return stream(uow.session, query)


def presences(
    uow: UnitOfWork, *, team_ids: Collection[int]
) -> Iterator[tuple[int, str, datetime, datetime | None]]:
    """(team, member, joined, left) of some teams; without bots and those who were deleted."""
    query = (
        select(
            col(TeamMember.team_id),
            col(TeamMember.member),
            col(TeamMember.joined_at),
            col(TeamMember.left_at),
        )
        .outerjoin(
            Member,
            and_(
                col(Member.workspace_id) == col(TeamMember.workspace_id),
                col(Member.id) == col(TeamMember.member),
            ),
        )
        .where(
            col(TeamMember.workspace_id) == uow.workspace_id,
            col(TeamMember.team_id).in_(team_ids),
            ~takes_no_part(uow.workspace_id),
        )
    )
    return stream(uow.session, query)


def days_away(
    uow: UnitOfWork, *, members: Collection[str], first: date, last: date
) -> Iterator[tuple[str, date, date]]:
    """(member, first day, last day) of the days away that overlap a range and still stand."""
    query = select(col(Away.member), col(Away.first_day), col(Away.last_day)).where(
        col(Away.workspace_id) == uow.workspace_id,
        col(Away.member).in_(members),
        col(Away.first_day) <= last,
        col(Away.last_day) >= first,
        col(Away.ended_at).is_(None),
    )
    return stream(uow.session, query)


def begun(uow: UnitOfWork, *, adoption_ids: Collection[int]) -> Iterator[tuple[int, str, int, int, int]]:
    """(adoption, step, cycle, exception the window opened after, first verdict) of some adoptions' watches."""
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
    """Where what is about some subjects stands in the trail: the newest entry of each."""
    query = (
        select(col(TrailEntry.subject), func.max(col(TrailEntry.id)))
        .where(col(TrailEntry.workspace_id) == uow.workspace_id, col(TrailEntry.subject).in_(subjects))
        .group_by(col(TrailEntry.subject))
    )
    return dict(stream(uow.session, query))


def answered_watches(uow: UnitOfWork, *, subjects: Collection[str]) -> dict[str, int]:
    """Where it stands in the trail that somebody last said what changes, by subject."""
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
