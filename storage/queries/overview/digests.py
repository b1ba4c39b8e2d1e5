"""Queries of the digest: they stream at most one row of numbers per adoption, never the rows behind them.

Values local to a team (its today, the end of its week) are passed in by time zone, computed once per zone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import (
    Date,
    Float,
    String,
    and_,
    bindparam,
    exists,
    func,
    select,
)
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.sql.sqltypes import UTCDateTime

from cadence.rules.drift import DriftEvent
from cadence.rules.kpi import Outcome
from cadence.rules.modes import Mode
from storage.engine import connection_of
from storage.queries import standards
from storage.queries.overview.coverage import IN_CYCLE
from storage.queries.streams import (
    DAY,
    SHAPES,
    WORKSPACE,
    Zones,
    by_zone,
    cycles_of_day,
    on_day,
    stream,
    zoned,
)
from storage.tables import (
    Adoption,
    AdoptionState,
    Attestation,
    CheckIn,
    Cycle,
    CycleKind,
    CycleState,
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
    TrailEntry,
)
from storage.work import UnitOfWork


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


def in_cycle(uow: UnitOfWork, *, day: date) -> int:
    """How many adoptions had a cycle on a date."""
    given = {"workspace": uow.workspace_id} | on_day(day)
    return int(connection_of(uow.session).execute(_COUNT_IN_CYCLE, given).scalar_one())


_COUNT_IN_CYCLE: Final = select(func.count(col(Adoption.id))).where(*IN_CYCLE)


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
            col(before.week_start) < DAY,
            col(before.guardrail) == "",
            col(before.replaced_at).is_(None),
        )
        .order_by(col(before.week_start).desc())
        .limit(1)
    )
    values = [older.offset(at).scalar_subquery() for at in range(many - 1)]
    return select(col(Reading.adoption_id), col(Reading.value), *values).where(
        col(Reading.workspace_id) == WORKSPACE,
        col(Reading.week_start) == DAY,
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
