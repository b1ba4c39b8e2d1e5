"""Queries of the digest: one row of numbers an adoption at most, streamed, never the rows behind them.

What is local to a team (its today, the ends of its week) comes in by time zone, worked out once for each zone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Date,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlmodel import Session, col
from sqlmodel.sql.sqltypes import UTCDateTime

from cadence.rules.calendar import WEEKS
from cadence.rules.drift import DriftEvent
from cadence.rules.kpi import Outcome
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision, Line
from storage.tables import (
    Adoption,
    AdoptionState,
    AdoptionStep,
    Attestation,
    Away,
    CheckIn,
    Cycle,
    CycleState,
    LoggedException,
    Member,
    ModeChange,
    Playbook,
    PlaybookState,
    Promotion,
    PromotionState,
    Reading,
    RubricRevision,
    Setup,
    StepDrift,
    StepVerdict,
    Team,
    TeamMember,
    TrailEntry,
)

BATCH = 1000
"""Rows that are held at a time."""
WORKING_DAYS = 5

_Value = TypeVar("_Value", date, datetime)


@dataclass(frozen=True, slots=True)
class Asking:
    """Who is asked about a week: in the team before its Friday is over, and not gone before its Sunday is.

    Args:
        joined_before: midnight after the Friday, by time zone.
        left_from: midnight after the Sunday, by time zone.
    """

    monday: date
    joined_before: Mapping[str, datetime]
    left_from: Mapping[str, datetime]


def _stream(session: Session, query: Any) -> Iterator[Any]:
    """Rows, a batch at a time; what they hold is said by the query's own function."""
    return iter(session.execute(query.execution_options(yield_per=BATCH)))


def _by_zone(values: Mapping[str, _Value]) -> Any:
    """A team's value by its time zone; zones are few, and those with the same value are one case."""
    zones: dict[_Value, list[str]] = {}
    for zone, value in values.items():
        zones.setdefault(value, []).append(zone)
    kind = UTCDateTime() if isinstance(next(iter(zones)), datetime) else Date()
    whens = [(col(Team.timezone).in_(sorted(names)), literal(value, kind)) for value, names in zones.items()]
    return case(*whens[1:], else_=whens[0][1]) if len(whens) > 1 else whens[0][1]


def zones(session: Session, *, workspace_id: str) -> list[str]:
    """The time zones of the workspace's teams."""
    query = select(col(Team.timezone)).where(col(Team.workspace_id) == workspace_id).distinct()
    return sorted(session.scalars(query))


def places(
    session: Session, *, workspace_id: str, today: Mapping[str, date]
) -> Iterator[tuple[int, int, int, CycleState | None, bool]]:
    """(adoption, playbook, version, state of its cycle, nobody reports its number) of what isn't ended.

    By playbook and team. The cycle and its version are those of `playbooks.runs`, on each team's own day.
    """
    found = aliased(Cycle)
    own = col(found.adoption_id) == col(Adoption.id)
    begun = select(col(found.id)).where(own, col(found.starts_on) <= _by_zone(today))
    query = (
        select(
            col(Adoption.id),
            col(Adoption.playbook_id),
            func.coalesce(col(Cycle.version_id), col(Adoption.version_id)),
            col(Cycle.state),
            col(Team.reporter).is_(None),
        )
        .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .outerjoin(
            Cycle,
            col(Cycle.id)
            == func.coalesce(
                begun.order_by(col(found.number).desc()).limit(1).scalar_subquery(),
                select(col(found.id)).where(own).order_by(col(found.number)).limit(1).scalar_subquery(),
            ),
        )
        .where(col(Adoption.workspace_id) == workspace_id, col(Adoption.state) != AdoptionState.ENDED)
        .order_by(col(Playbook.slug), col(Team.slug))
    )
    return _stream(session, query)


def _covers(day: date) -> ColumnElement[bool]:
    """Whether a cycle's four weeks, Monday to Sunday, hold a date."""
    return and_(col(Cycle.starts_on) <= day, col(Cycle.starts_on) > day - timedelta(weeks=WEEKS))


def _cycles(workspace_id: str, day: date) -> Any:
    """(adoption, number) of the cycle a date lies in; of two, the later."""
    query: Any = (
        select(col(Cycle.adoption_id).label("adoption_id"), func.max(col(Cycle.number)).label("number"))
        .where(col(Cycle.workspace_id) == workspace_id, _covers(day))
        .group_by(col(Cycle.adoption_id))
    )
    return query.cte("cycles")


def _away(workspace_id: str, monday: date) -> Any:
    """Who is away on all five days of a week; ranges said one after the other count together."""
    days = union_all(
        *(select(literal(monday + timedelta(days=day), Date).label("day")) for day in range(WORKING_DAYS))
    ).cte("days")
    return (
        select(col(Away.member))
        .join(days, and_(days.c.day >= col(Away.first_day), days.c.day <= col(Away.last_day)))
        .where(
            col(Away.workspace_id) == workspace_id,
            col(Away.ended_at).is_(None),
            col(Away.first_day) <= monday + timedelta(days=WORKING_DAYS - 1),
            col(Away.last_day) >= monday,
        )
        .group_by(col(Away.member))
        .having(func.count(days.c.day.distinct()) == WORKING_DAYS)
    )


def _asked(workspace_id: str, asking: Asking) -> Any:
    """(team, member) of everybody who is asked about a week."""
    gone = select(col(Member.id)).where(
        col(Member.workspace_id) == workspace_id, or_(col(Member.deleted), col(Member.is_bot))
    )
    query: Any = (
        select(col(TeamMember.team_id).label("team_id"), col(TeamMember.member).label("member"))
        .join(Team, col(Team.id) == col(TeamMember.team_id))
        .where(
            col(TeamMember.workspace_id) == workspace_id,
            col(TeamMember.joined_at) < _by_zone(asking.joined_before),
            or_(col(TeamMember.left_at).is_(None), col(TeamMember.left_at) >= _by_zone(asking.left_from)),
            col(TeamMember.member).not_in(gone),
            col(TeamMember.member).not_in(_away(workspace_id, asking.monday)),
        )
        .distinct()
    )
    return query.cte("asked")


def answering(session: Session, *, workspace_id: str, asking: Asking) -> Iterator[tuple[int, int, int, bool]]:
    """(adoption, asked, answered of them, has a number) of a week; only with a cycle and somebody to ask."""
    asked, monday = _asked(workspace_id, asking), asking.monday
    number = exists().where(
        col(Reading.adoption_id) == col(Adoption.id),
        col(Reading.week_start) == monday,
        col(Reading.guardrail) == "",
        col(Reading.replaced_at).is_(None),
    )
    query = (
        select(col(Adoption.id), func.count(), func.count(col(CheckIn.id)), number)
        .select_from(
            asked
        )  # first, because SQLite finds an adoption by its team, and no team in a list made here
        .join(Adoption, col(Adoption.team_id) == asked.c.team_id)
        .outerjoin(
            CheckIn,
            and_(
                col(CheckIn.adoption_id) == col(Adoption.id),
                col(CheckIn.week_start) == monday,
                col(CheckIn.member) == asked.c.member,
                col(CheckIn.replaced_at).is_(None),
            ),
        )
        .where(*_in_cycle(workspace_id, monday))
        .group_by(col(Adoption.id))
    )
    return _stream(session, query)


def _in_cycle(workspace_id: str, day: date) -> list[ColumnElement[bool]]:
    """Adoptions that aren't ended and had a cycle on a date."""
    return [
        col(Adoption.workspace_id) == workspace_id,
        col(Adoption.state) != AdoptionState.ENDED,
        exists().where(col(Cycle.adoption_id) == col(Adoption.id), _covers(day)),
    ]


def in_cycle(session: Session, *, workspace_id: str, day: date) -> int:
    """How many adoptions had a cycle on a date."""
    query = select(func.count(col(Adoption.id))).where(*_in_cycle(workspace_id, day))
    return int(session.execute(query).scalar_one())


def demoted(session: Session, *, workspace_id: str, until: datetime) -> Iterator[tuple[int, str, datetime]]:
    """(adoption, step, when) of steps whose last change is a demotion, and whose rubric wasn't revised since."""
    later = aliased(ModeChange)
    since = exists().where(
        col(later.adoption_id) == col(ModeChange.adoption_id),
        col(later.step) == col(ModeChange.step),
        col(later.id) > col(ModeChange.id),
    )
    revised = exists().where(
        col(RubricRevision.adoption_id) == col(ModeChange.adoption_id),
        col(RubricRevision.step) == col(ModeChange.step),
        col(RubricRevision.revised_at) >= col(ModeChange.changed_at),
    )
    query = select(col(ModeChange.adoption_id), col(ModeChange.step), col(ModeChange.changed_at)).where(
        col(ModeChange.workspace_id) == workspace_id,
        col(ModeChange.kind) == "demotion",
        col(ModeChange.changed_at) < until,
        ~since,
        ~revised,
    )
    return _stream(session, query)


def missed(
    session: Session, *, workspace_id: str, since: datetime, until: datetime
) -> Iterator[tuple[int, int, str | None]]:
    """(adoption, number, result) of the cycles that closed in an interval without meeting their target."""
    query = select(col(Cycle.adoption_id), col(Cycle.number), col(Cycle.result)).where(
        col(Cycle.workspace_id) == workspace_id,
        col(Cycle.closed_at) >= since,
        col(Cycle.closed_at) < until,
        col(Cycle.result).is_distinct_from(Outcome.MET.value),
    )
    return _stream(session, query)


def promotions_open(session: Session, *, workspace_id: str) -> Iterator[tuple[int, int]]:
    """(promotion, adoption) of those that wait for a decision."""
    query = select(col(Promotion.id), col(Promotion.adoption_id)).where(
        col(Promotion.workspace_id) == workspace_id, col(Promotion.state) == PromotionState.OPEN
    )
    return _stream(session, query)


def promotions_declined(
    session: Session, *, workspace_id: str, since: datetime, until: datetime
) -> Iterator[tuple[int, int]]:
    """(promotion, adoption) of those that were declined in an interval."""
    moment = func.coalesce(col(Promotion.decided_at), col(Promotion.judged_at))
    query = select(col(Promotion.id), col(Promotion.adoption_id)).where(
        col(Promotion.workspace_id) == workspace_id,
        col(Promotion.state) == PromotionState.DECLINED,
        moment >= since,
        moment < until,
    )
    return _stream(session, query)


def drifts_open(session: Session, *, workspace_id: str) -> Iterator[tuple[int, int, str, dict[str, Any]]]:
    """(drift, adoption, step, its numbers) of the drifts that nobody has settled."""
    later = aliased(StepDrift)
    since = exists().where(
        col(later.adoption_id) == col(StepDrift.adoption_id),
        col(later.step) == col(StepDrift.step),
        col(later.id) > col(StepDrift.id),
    )
    query = select(
        col(StepDrift.id), col(StepDrift.adoption_id), col(StepDrift.step), col(StepDrift.evidence)
    ).where(col(StepDrift.workspace_id) == workspace_id, col(StepDrift.event) == DriftEvent.FOUND, ~since)
    return _stream(session, query)


def changes(
    session: Session, *, workspace_id: str, since: datetime, until: datetime, kind: str
) -> Iterator[tuple[int, int]]:
    """(mode change, adoption) of one kind in an interval; a declaration that only set a step up isn't one."""
    query = select(col(ModeChange.id), col(ModeChange.adoption_id)).where(
        col(ModeChange.workspace_id) == workspace_id,
        col(ModeChange.changed_at) >= since,
        col(ModeChange.changed_at) < until,
        col(ModeChange.before).is_not(None),
        col(ModeChange.kind) == kind,
    )
    return _stream(session, query)


def readings(session: Session, *, workspace_id: str, week_start: date) -> Iterator[tuple[int, str, float]]:
    """(adoption, guardrail, value) of the current readings of a week; the KPI's own have no guardrail."""
    query = select(col(Reading.adoption_id), col(Reading.guardrail), col(Reading.value)).where(
        col(Reading.workspace_id) == workspace_id,
        col(Reading.week_start) == week_start,
        col(Reading.replaced_at).is_(None),
    )
    return _stream(session, query)


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
    return _stream(session, query)


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
    return _stream(session, query)


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
    return _stream(session, query)


def most_runs(
    session: Session, *, workspace_id: str, week_start: date, begun_by: date
) -> Iterator[tuple[int, int, int, int]]:
    """(adoption, cycle, the most runs of one member, all runs) of the cycles of a week that began by a Monday."""
    cycles = _cycles(workspace_id, week_start)
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
    query = select(
        by_member.c.adoption_id, by_member.c.cycle_id, func.max(by_member.c.runs), func.sum(by_member.c.runs)
    ).group_by(by_member.c.adoption_id, by_member.c.cycle_id)
    return _stream(session, query)


@dataclass(frozen=True, slots=True)
class WatchFound:
    """The last watch of a step, in the cycle of the week asked about, and its window by now."""

    verdict: int
    adoption: int
    step: str
    mode: Mode
    cap: float
    judged_at: datetime
    window_from: datetime
    starts_on: date
    team: int
    timezone: str
    since: datetime | None
    after_exception: int
    line: Line


def watches(session: Session, *, workspace_id: str, week_start: date) -> Iterator[WatchFound]:
    """The steps that were last watched in the cycle of a week, by adoption."""
    cycles = _cycles(workspace_id, week_start)
    last = (
        select(func.max(col(StepVerdict.id)).label("id"))
        .where(col(StepVerdict.workspace_id) == workspace_id, col(StepVerdict.decision) == Decision.WATCH)
        .group_by(col(StepVerdict.adoption_id), col(StepVerdict.step))
        .subquery()
    )
    query = (
        select(
            col(StepVerdict.id),
            col(StepVerdict.adoption_id),
            col(StepVerdict.step),
            col(StepVerdict.mode),
            col(StepVerdict.cap),
            col(StepVerdict.judged_at),
            col(StepVerdict.window_from),
            col(Cycle.starts_on),
            col(Team.id),
            col(Team.timezone),
            col(AdoptionStep.since),
            func.coalesce(col(AdoptionStep.after_exception), 0),
            col(StepVerdict.line),
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
    return (WatchFound(*row) for row in _stream(session, query))


def logged(
    session: Session, *, workspace_id: str, adoption_ids: Collection[int]
) -> Iterator[tuple[int, str, int, datetime]]:
    """(adoption, step, exception, when) of everything logged on some adoptions."""
    query = select(
        col(LoggedException.adoption_id),
        col(LoggedException.step),
        col(LoggedException.id),
        col(LoggedException.logged_at),
    ).where(
        col(LoggedException.workspace_id) == workspace_id,
        col(LoggedException.adoption_id).in_(adoption_ids),
    )
    return _stream(session, query)


def answers(
    session: Session, *, workspace_id: str, adoption_ids: Collection[int], since: date
) -> Iterator[tuple[int, str, date, int]]:
    """(adoption, member, week, runs) of the current answers from a week on, newest week first."""
    query = (
        select(col(CheckIn.adoption_id), col(CheckIn.member), col(CheckIn.week_start), col(CheckIn.runs))
        .where(
            col(CheckIn.workspace_id) == workspace_id,
            col(CheckIn.adoption_id).in_(adoption_ids),
            col(CheckIn.week_start) >= since,
            col(CheckIn.replaced_at).is_(None),
        )
        .order_by(col(CheckIn.week_start).desc(), col(CheckIn.id).desc())
    )
    return _stream(session, query)


def answer_times(
    session: Session, *, workspace_id: str, adoption_ids: Collection[int], since: date
) -> Iterator[tuple[int, str, date, datetime]]:
    """(adoption, member, week, when) of the answers from a week on; one that was corrected since counts too."""
    query = select(
        col(CheckIn.adoption_id), col(CheckIn.member), col(CheckIn.week_start), col(CheckIn.answered_at)
    ).where(
        col(CheckIn.workspace_id) == workspace_id,
        col(CheckIn.adoption_id).in_(adoption_ids),
        col(CheckIn.week_start) >= since,
    )
    return _stream(session, query)


def presences(
    session: Session, *, workspace_id: str, team_ids: Collection[int]
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
            col(TeamMember.workspace_id) == workspace_id,
            col(TeamMember.team_id).in_(team_ids),
            ~func.coalesce(col(Member.deleted), False),
            ~func.coalesce(col(Member.is_bot), False),
        )
    )
    return _stream(session, query)


def days_away(
    session: Session, *, workspace_id: str, members: Collection[str], first: date, last: date
) -> Iterator[tuple[str, date, date]]:
    """(member, first day, last day) of the days away that overlap a range and still stand."""
    query = select(col(Away.member), col(Away.first_day), col(Away.last_day)).where(
        col(Away.workspace_id) == workspace_id,
        col(Away.member).in_(members),
        col(Away.first_day) <= last,
        col(Away.last_day) >= first,
        col(Away.ended_at).is_(None),
    )
    return _stream(session, query)


def answered_watches(
    session: Session, *, workspace_id: str, subjects: Collection[str]
) -> dict[str, datetime]:
    """When somebody last said what changes, by subject."""
    query = (
        select(col(TrailEntry.subject), func.max(col(TrailEntry.at)))
        .where(
            col(TrailEntry.workspace_id) == workspace_id,
            col(TrailEntry.action) == "watch-answered",
            col(TrailEntry.subject).in_(subjects),
        )
        .group_by(col(TrailEntry.subject))
    )
    return dict(_stream(session, query))


def not_retired(session: Session, *, workspace_id: str) -> Iterator[tuple[int, str, str]]:
    """(playbook, slug, title) of the playbooks that aren't retired, by slug."""
    query = (
        select(col(Playbook.id), col(Playbook.slug), col(Playbook.title))
        .where(col(Playbook.workspace_id) == workspace_id, col(Playbook.state) != PlaybookState.RETIRED)
        .order_by(col(Playbook.slug))
    )
    return _stream(session, query)


def teams_of_channels(session: Session, *, workspace_id: str, channels: Collection[str]) -> dict[str, str]:
    """The team that a channel belongs to, by title; only teams that run something."""
    query = (
        select(col(Team.channel), col(Team.title))
        .join(Adoption, col(Adoption.team_id) == col(Team.id))
        .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
        .where(
            col(Team.workspace_id) == workspace_id,
            col(Team.channel).in_(channels),
            col(Adoption.state) != AdoptionState.ENDED,
        )
        .order_by(col(Playbook.slug).desc(), col(Team.slug).desc())
    )
    return dict(_stream(session, query))


def adopted_before(session: Session, *, workspace_id: str, moment: datetime) -> int:
    """How many adoptions that aren't ended there were at an instant."""
    query = select(func.count()).where(
        col(Adoption.workspace_id) == workspace_id,
        col(Adoption.state) != AdoptionState.ENDED,
        col(Adoption.created_at) < moment,
    )
    return int(session.execute(query).scalar_one())


def closed_before(session: Session, *, workspace_id: str, moment: datetime) -> int:
    """How many cycles had closed at an instant, by the trail."""
    query = select(func.count()).where(
        col(TrailEntry.workspace_id) == workspace_id,
        col(TrailEntry.action) == "cycle-closed",
        col(TrailEntry.at) < moment,
    )
    return int(session.execute(query).scalar_one())


def setup_seconds(session: Session, *, workspace_id: str, since: datetime, until: datetime) -> list[float]:
    """How long the setups that ended in an interval took, in seconds."""
    query = select(col(Setup.started_at), col(Setup.done_at)).where(
        col(Setup.workspace_id) == workspace_id, col(Setup.done_at) >= since, col(Setup.done_at) < until
    )
    return [(done - started).total_seconds() for started, done in _stream(session, query) if done]
