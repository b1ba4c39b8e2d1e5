"""Queries of the digest: they stream at most one row of numbers per adoption, never the rows behind them.

Values local to a team (its today, the end of its week) are passed in by time zone, computed once per zone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Date,
    Float,
    String,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.sql.sqltypes import UTCDateTime

from cadence.rules.calendar import WEEKS
from cadence.rules.drift import DriftEvent
from cadence.rules.kpi import Outcome
from cadence.rules.modes import Mode
from storage.engine import connection_of
from storage.queries import standards
from storage.queries.streams import (
    COVERS,
    SHAPES,
    WORKSPACE,
    Zones,
    by_zone,
    cycles_of_day,
    on_day,
    stream,
    takes_no_part,
    zoned,
)
from storage.tables import (
    Adoption,
    AdoptionState,
    Attestation,
    Away,
    CheckIn,
    Cycle,
    CycleKind,
    CycleState,
    Member,
    MessageState,
    ModeChange,
    OutboxMessage,
    Playbook,
    PlaybookState,
    Promotion,
    PromotionState,
    Reading,
    RubricRevision,
    Setup,
    StepDrift,
    Team,
    TeamMember,
    TrailEntry,
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


def zones(uow: UnitOfWork) -> list[str]:
    """The time zones of the workspace's teams."""
    query = select(col(Team.timezone)).where(col(Team.workspace_id) == uow.workspace_id).distinct()
    return sorted(uow.session.scalars(query))


def places(
    uow: UnitOfWork, *, today: Mapping[str, date], only: Sequence[int] | None = None
) -> Iterator[tuple[int, int, int, CycleState | None, bool, CycleKind | None]]:
    """(adoption, playbook, version, state of its cycle, nobody reports its number, the cycle's kind) of
    adoptions that haven't ended.

    Ordered by playbook and team. The cycle and its version are those of `runs.runs`, on each team's own day.
    With `only`, of these adoptions.
    """
    zones, days = zoned("today", today)
    given = {"workspace": uow.workspace_id} | days | ({} if only is None else {"only": list(only)})
    return stream(uow.session, _places(zones, few=only is not None), given)


@lru_cache(maxsize=SHAPES)
def _places(zones: Zones, *, few: bool) -> Any:
    found = aliased(Cycle)
    own = col(found.adoption_id) == col(Adoption.id)
    begun = select(col(found.id)).where(own, col(found.starts_on) <= by_zone("today", zones, Date))
    query: Any = (
        select(
            col(Adoption.id),
            col(Adoption.playbook_id),
            func.coalesce(col(Cycle.version_id), col(Adoption.version_id)),
            col(Cycle.state),
            col(Team.reporter).is_(None),
            col(Cycle.kind),
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
        .where(col(Adoption.workspace_id) == WORKSPACE, col(Adoption.state) != AdoptionState.ENDED)
        .order_by(col(Playbook.slug), col(Team.slug))
    )
    return query.where(col(Adoption.id).in_(bindparam("only", expanding=True))) if few else query


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
        col(Reading.week_start) == _DAY,
        col(Reading.guardrail) == "",
        col(Reading.replaced_at).is_(None),
    )
    last = exists().where(
        col(Cycle.adoption_id) == col(Adoption.id),
        col(Cycle.starts_on) == bindparam("last_began", type_=Date()),
        col(Cycle.state) == CycleState.CLOSED,
    )
    return _answering(_asked(joined, left), sent=sent).add_columns(number, last)


_DAY: Final[Any] = bindparam("day", type_=Date())


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
                col(CheckIn.week_start) == _DAY,
                col(CheckIn.member) == asked.c.member,
                col(CheckIn.replaced_at).is_(None),
            ),
        )
        .where(
            *_IN_CYCLE,
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


_IN_CYCLE: Final = (
    col(Adoption.workspace_id) == WORKSPACE,
    col(Adoption.state) != AdoptionState.ENDED,
    exists().where(col(Cycle.adoption_id) == col(Adoption.id), COVERS),
)
"""Adoptions that haven't ended and had a cycle on a date, `on_day`'s."""


def in_cycle(uow: UnitOfWork, *, day: date) -> int:
    """How many adoptions had a cycle on a date."""
    given = {"workspace": uow.workspace_id} | on_day(day)
    return int(connection_of(uow.session).execute(_COUNT_IN_CYCLE, given).scalar_one())


_COUNT_IN_CYCLE: Final = select(func.count(col(Adoption.id))).where(*_IN_CYCLE)


def not_retired(uow: UnitOfWork) -> Iterator[tuple[int, str, str, str]]:
    """(playbook, slug, title, owner) of the playbooks that aren't retired, by slug."""
    query = (
        select(col(Playbook.id), col(Playbook.slug), col(Playbook.title), col(Playbook.owner))
        .where(col(Playbook.workspace_id) == uow.workspace_id, col(Playbook.state) != PlaybookState.RETIRED)
        .order_by(col(Playbook.slug))
    )
    return stream(uow.session, query)


def idle_since(uow: UnitOfWork, *, playbook_ids: Collection[int]) -> dict[int, datetime]:
    """Since when playbooks that nobody runs have had no cycle: their last close, else their creation."""
    query = (
        select(col(Playbook.id), func.coalesce(func.max(col(Cycle.closed_at)), col(Playbook.created_at)))
        .select_from(Playbook)
        .outerjoin(Adoption, col(Adoption.playbook_id) == col(Playbook.id))
        .outerjoin(Cycle, col(Cycle.adoption_id) == col(Adoption.id))
        .where(col(Playbook.workspace_id) == uow.workspace_id, col(Playbook.id).in_(playbook_ids))
        .group_by(col(Playbook.id), col(Playbook.created_at))
    )
    return dict(stream(uow.session, query))


def is_first(uow: UnitOfWork, *, until: datetime) -> bool:
    """Whether no digest was due before an instant."""
    query = select(col(OutboxMessage.id)).where(
        col(OutboxMessage.workspace_id) == uow.workspace_id,
        col(OutboxMessage.kind) == "digest",
        col(OutboxMessage.due_at) < until,
    )
    return uow.session.execute(query.limit(1)).first() is None


def teams_of_channels(uow: UnitOfWork, *, channels: Collection[str]) -> dict[str, str]:
    """The team that a channel belongs to, by title; only teams that run something."""
    query = (
        select(col(Team.channel), col(Team.title))
        .join(Adoption, col(Adoption.team_id) == col(Team.id))
        .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
        .where(
            col(Team.workspace_id) == uow.workspace_id,
            col(Team.channel).in_(channels),
            col(Adoption.state) != AdoptionState.ENDED,
        )
        .order_by(col(Playbook.slug).desc(), col(Team.slug).desc())
    )
    return dict(stream(uow.session, query))


def adopted_before(uow: UnitOfWork, *, moment: datetime) -> int:
    """How many adoptions that haven't ended existed at an instant."""
    query = select(func.count()).where(
        col(Adoption.workspace_id) == uow.workspace_id,
        col(Adoption.state) != AdoptionState.ENDED,
        col(Adoption.created_at) < moment,
    )
    return int(uow.session.execute(query).scalar_one())


def closed_before(uow: UnitOfWork, *, moment: datetime) -> int:
    """How many cycles had closed at an instant, according to the trail."""
    uow.flush_trail()
    query = select(func.count()).where(
        col(TrailEntry.workspace_id) == uow.workspace_id,
        col(TrailEntry.action) == "cycle-closed",
        col(TrailEntry.at) < moment,
    )
    return int(uow.session.execute(query).scalar_one())


def setup_seconds(uow: UnitOfWork, *, since: datetime, until: datetime) -> list[float]:
    """Durations in seconds of the setups that ended in an interval."""
    query = select(col(Setup.started_at), col(Setup.done_at)).where(
        col(Setup.workspace_id) == uow.workspace_id, col(Setup.done_at) >= since, col(Setup.done_at) < until
    )
    return [(done - started).total_seconds() for started, done in stream(uow.session, query) if done]


def readings(uow: UnitOfWork, *, week_start: date) -> Iterator[tuple[int, str, float]]:
    """(adoption, guardrail, value) of the current readings of a week; the guardrail of a KPI reading is
    empty."""
    query = select(col(Reading.adoption_id), col(Reading.guardrail), col(Reading.value)).where(
        col(Reading.workspace_id) == uow.workspace_id,
        col(Reading.week_start) == week_start,
        col(Reading.replaced_at).is_(None),
    )
    return stream(uow.session, query)


def latest_readings(uow: UnitOfWork, *, week_start: date, many: int) -> Iterator[tuple[Any, ...]]:
    """(adoption, value, value before, …) of the KPIs reported for a week, or None."""
    given = {"workspace": uow.workspace_id, "day": week_start}
    return stream(uow.session, _latest_readings(many=many), given)


@cache
def _latest_readings(*, many: int) -> Any:
    before = aliased(Reading)
    older = (
        select(col(before.value))
        .where(
            col(before.adoption_id) == col(Reading.adoption_id),
            col(before.week_start) < _DAY,
            col(before.guardrail) == "",
            col(before.replaced_at).is_(None),
        )
        .order_by(col(before.week_start).desc())
        .limit(1)
    )
    values = [older.offset(at).scalar_subquery() for at in range(many - 1)]
    return select(col(Reading.adoption_id), col(Reading.value), *values).where(
        col(Reading.workspace_id) == WORKSPACE,
        col(Reading.week_start) == _DAY,
        col(Reading.guardrail) == "",
        col(Reading.replaced_at).is_(None),
    )


def weeks_of_readings(
    uow: UnitOfWork, *, adoption_ids: Sequence[int], until: date, many: int
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
            col(Reading.workspace_id) == uow.workspace_id,
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
    return stream(uow.session, query)


def attestations(
    uow: UnitOfWork, *, adoption_ids: Sequence[int], since: date, until: date
) -> Iterator[tuple[int, date, Attestation, int]]:
    """(adoption, week, kind, count) of the current answers of some weeks, both ends included."""
    query = (
        select(col(CheckIn.adoption_id), col(CheckIn.week_start), col(CheckIn.attestation), func.count())
        .where(
            col(CheckIn.workspace_id) == uow.workspace_id,
            col(CheckIn.adoption_id).in_(adoption_ids),
            col(CheckIn.week_start) >= since,
            col(CheckIn.week_start) <= until,
            col(CheckIn.replaced_at).is_(None),
        )
        .group_by(col(CheckIn.adoption_id), col(CheckIn.week_start), col(CheckIn.attestation))
    )
    return stream(uow.session, query)


def most_runs(
    uow: UnitOfWork, *, week_start: date, begun_by: date, above: float
) -> Iterator[tuple[int, int]]:
    """(adoption, cycle) of a week's cycles that began by a Monday and in which one member did such a share
    of the runs."""
    given = {"workspace": uow.workspace_id, "begun_by": begun_by, "above": above} | on_day(week_start)
    return stream(uow.session, _most_runs(), given)


@cache
def _most_runs() -> Any:
    cycles = cycles_of_day()
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
            col(Cycle.workspace_id) == WORKSPACE,
            col(Cycle.starts_on) <= bindparam("begun_by", type_=Date()),
            col(CheckIn.replaced_at).is_(None),
        )
        .group_by(col(Cycle.adoption_id), col(Cycle.id), col(CheckIn.member))
        .subquery()
    )
    return (
        select(by_member.c.adoption_id, by_member.c.cycle_id)
        .group_by(by_member.c.adoption_id, by_member.c.cycle_id)
        .having(func.max(by_member.c.runs) > bindparam("above", type_=Float()) * func.sum(by_member.c.runs))
    )


def demoted(uow: UnitOfWork, *, until: datetime) -> Iterator[tuple[int, str, datetime, int]]:
    """(adoption, step, when, mode change) of steps whose last change is a demotion, and whose rubric wasn't
    revised since."""
    given = {"workspace": uow.workspace_id, "until": until}
    return stream(uow.session, _demoted(), given)


@cache
def _demoted() -> Any:
    later = aliased(ModeChange)
    since = exists().where(
        col(later.adoption_id) == col(ModeChange.adoption_id),
        col(later.step) == col(ModeChange.step),
        col(later.id) > col(ModeChange.id),
        *standards.stands(later),
    )
    revised = exists().where(
        col(RubricRevision.adoption_id) == col(ModeChange.adoption_id),
        col(RubricRevision.step) == col(ModeChange.step),
        col(RubricRevision.number) > col(ModeChange.rubric),
    )
    return select(
        col(ModeChange.adoption_id), col(ModeChange.step), col(ModeChange.changed_at), col(ModeChange.id)
    ).where(
        col(ModeChange.workspace_id) == WORKSPACE,
        col(ModeChange.kind) == "demotion",
        col(ModeChange.changed_at) < bindparam("until", type_=UTCDateTime()),
        ~since,
        ~revised,
        *standards.stands(),
    )


def missed(uow: UnitOfWork, *, since: datetime, until: datetime) -> Iterator[tuple[int, int, str | None]]:
    """(adoption, number, result) of the cycles that closed in an interval without meeting their target."""
    query = select(col(Cycle.adoption_id), col(Cycle.number), col(Cycle.result)).where(
        col(Cycle.workspace_id) == uow.workspace_id,
        col(Cycle.closed_at) >= since,
        col(Cycle.closed_at) < until,
        col(Cycle.kind) == CycleKind.ROLLOUT,
        col(Cycle.result).is_distinct_from(Outcome.MET.value),
    )
    return stream(uow.session, query)


def promotions_open(uow: UnitOfWork) -> Iterator[tuple[int, int, Mode | None]]:
    """(promotion, adoption, the mode it leads to) of undecided promotions."""
    query = select(col(Promotion.id), col(Promotion.adoption_id), col(Promotion.leads_to)).where(
        col(Promotion.workspace_id) == uow.workspace_id, col(Promotion.state) == PromotionState.OPEN
    )
    return stream(uow.session, query)


def promotions_declined(uow: UnitOfWork, *, since: datetime, until: datetime) -> Iterator[tuple[int, int]]:
    """(promotion, adoption) of promotions declined in an interval."""
    moment = func.coalesce(col(Promotion.decided_at), col(Promotion.judged_at))
    query = select(col(Promotion.id), col(Promotion.adoption_id)).where(
        col(Promotion.workspace_id) == uow.workspace_id,
        col(Promotion.state) == PromotionState.DECLINED,
        moment >= since,
        moment < until,
    )
    return stream(uow.session, query)


def drifts_open(uow: UnitOfWork) -> Iterator[tuple[int, int, str, dict[str, Any]]]:
    """(drift, adoption, step, its numbers) of unsettled drifts."""
    given = {"workspace": uow.workspace_id}
    return stream(uow.session, _drifts_open(), given)


@cache
def _drifts_open() -> Any:
    later = aliased(StepDrift)
    since = exists().where(
        col(later.adoption_id) == col(StepDrift.adoption_id),
        col(later.step) == col(StepDrift.step),
        col(later.id) > col(StepDrift.id),
    )
    return select(
        col(StepDrift.id), col(StepDrift.adoption_id), col(StepDrift.step), col(StepDrift.evidence)
    ).where(col(StepDrift.workspace_id) == WORKSPACE, col(StepDrift.event) == DriftEvent.FOUND, ~since)


def changes(uow: UnitOfWork, *, since: datetime, until: datetime, kind: str) -> Iterator[tuple[int, int]]:
    """(mode change, adoption) of one kind in an interval, without declarations that only set up a step."""
    given = {"workspace": uow.workspace_id, "since": since, "until": until, "kind": kind}
    return stream(uow.session, _changes(), given)


@cache
def _changes() -> Any:
    return select(col(ModeChange.id), col(ModeChange.adoption_id)).where(
        col(ModeChange.workspace_id) == WORKSPACE,
        col(ModeChange.changed_at) >= bindparam("since", type_=UTCDateTime()),
        col(ModeChange.changed_at) < bindparam("until", type_=UTCDateTime()),
        col(ModeChange.before).is_not(None),
        col(ModeChange.kind) == bindparam("kind", type_=String()),
        *standards.stands(),
    )
