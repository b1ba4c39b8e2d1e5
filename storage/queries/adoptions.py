"""Queries on adoptions: of a playbook, of a team, with their cycles, held until a transaction ends."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    String,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    union_all,
)
from sqlalchemy import select as select_of_visible
from sqlalchemy import select as select_rows
from sqlalchemy.orm import aliased, defer
from sqlmodel import col, select

from cadence.rules.modes import Mode
from storage.engine import Stale, connection_of
from storage.queries.streams import columns
from storage.query_cache import cached, forget
from storage.tables import (
    Adoption,
    AdoptionState,
    AdoptionStep,
    Cycle,
    CycleKind,
    CycleState,
    MeasuredRuns,
    Playbook,
    PlaybookVersion,
    Setup,
    StepDrift,
    Team,
    TeamMember,
    TrailEntry,
    Workspace,
)
from storage.work import UnitOfWork


def by_id(uow: UnitOfWork, *, adoption_id: int) -> Adoption | None:
    """One adoption."""
    query = select(Adoption).where(Adoption.workspace_id == uow.workspace_id, Adoption.id == adoption_id)
    return uow.session.exec(query).first()


def with_hours(uow: UnitOfWork) -> list[Adoption]:
    """The adoptions that have their own nudge hours."""
    query = select(Adoption).where(
        Adoption.workspace_id == uow.workspace_id, cast(col(Adoption.hours), String) != "{}"
    )
    return list(uow.session.exec(query.order_by(col(Adoption.id))))


def running_of_team(uow: UnitOfWork, *, team_id: int) -> list[Adoption]:
    """The adoptions of a team that have a running or upcoming cycle; those only watched don't."""
    running = select(Cycle.adoption_id).where(
        Cycle.workspace_id == uow.workspace_id,
        Cycle.state == CycleState.RUNNING,
        Cycle.kind == CycleKind.ROLLOUT,
    )
    query = select(Adoption).where(
        Adoption.workspace_id == uow.workspace_id,
        Adoption.team_id == team_id,
        col(Adoption.id).in_(running),
    )
    return list(uow.session.exec(query.order_by(col(Adoption.id))))


class AdoptionRow(NamedTuple):
    """One team running one playbook, with a cycle that may be its current one; None before the first.

    `version` is the cycle's; its text isn't loaded before it is used. `first_id` is the playbook's first
    adoption, ended or not: its pilot team's. `is_measured` is true once a tool has counted its runs, `was_paused`
    once it was paused, `is_setting_up` from the start of its setup to the end of it, `has_drifted` once
    the drift of a step was found or reported.
    """

    workspace: Workspace
    adoption: Adoption
    playbook: Playbook
    team: Team
    cycle: Cycle | None
    version: PlaybookVersion
    first_id: int
    is_measured: bool
    was_paused: bool
    is_setting_up: bool
    has_drifted: bool


@cached(
    Workspace,
    Adoption,
    Playbook,
    PlaybookVersion,
    Team,
    TeamMember,
    Cycle,
    MeasuredRuns,
    Setup,
    StepDrift,
    besides=[TrailEntry],
)
def with_cycles(
    uow: UnitOfWork,
    *,
    day: date,
    adoption_id: int | None = None,
    playbook_id: int | None = None,
    team_ids: Sequence[int] | None = None,
    member: str | None = None,
    playbook: str | None = None,
    team: str | None = None,
    adoption_ids: Sequence[int] | None = None,
) -> list[AdoptionRow]:
    """Adoptions that haven't ended: a row for each cycle that is the current one on a day, the day before or
    after.

    Args:
        day: in UTC; in each team's zone it is that date, or the one before or after.
        member: only adoptions of this person's teams, and of the playbooks they own.
        playbook: its slug.
        team: its slug.
    """
    uow.flush_trail("paused")
    asked = {
        "adoption": adoption_id,
        "playbook_id": playbook_id,
        "team_ids": team_ids,
        "member": member,
        "playbook": playbook,
        "team": team,
        "adoption_ids": adoption_ids,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    days = {"before": day - timedelta(days=1), "day": day, "after": day + timedelta(days=1)}
    rows = uow.session.execute(
        _with_cycles_by(frozenset(given)),
        {"workspace": uow.workspace_id, **days, **given},
        # After waiting for a lock, rows that were read before it may have changed.
        execution_options={"populate_existing": uow.is_writing},
    )
    return [AdoptionRow(*row) for row in rows]


def _current_cycle(day: str) -> ScalarSelect[int | None]:
    """The id of an adoption's cycle for a date: the latest that has begun, else the next one."""
    begun = col(Cycle.starts_on) <= bindparam(day)
    return (
        select(Cycle.id)
        .where(Cycle.adoption_id == Adoption.id)
        .order_by(begun.desc(), case((begun, col(Cycle.number)), else_=-col(Cycle.number)).desc())
        .limit(1)
        .correlate(Adoption)
        .scalar_subquery()
    )


def _first_of_playbook() -> ScalarSelect[int]:
    """The id of the first adoption of an adoption's playbook."""
    first = aliased(Adoption)
    query = select(func.min(col(first.id))).where(
        col(first.workspace_id) == bindparam("workspace"), col(first.playbook_id) == Playbook.id
    )
    return query.correlate(Playbook).scalar_subquery()


def _is_measured() -> ColumnElement[bool]:
    """Whether a tool has counted runs of an adoption."""
    counted = exists().where(
        col(MeasuredRuns.workspace_id) == bindparam("workspace"),
        col(MeasuredRuns.adoption_id) == Adoption.id,
    )
    return counted.correlate(Adoption)


def _was_paused() -> ColumnElement[bool]:
    """Whether an adoption was ever paused."""
    paused = exists().where(
        col(TrailEntry.workspace_id) == bindparam("workspace"),
        col(TrailEntry.subject) == literal("adoption:") + cast(col(Adoption.id), String),
        col(TrailEntry.action) == "paused",
    )
    return paused.correlate(Adoption)


def _is_setting_up() -> ColumnElement[bool]:
    """Whether the setup of an adoption was started and isn't done."""
    begun = exists().where(
        col(Setup.workspace_id) == bindparam("workspace"),
        col(Setup.adoption_id) == Adoption.id,
        col(Setup.done_at).is_(None),
    )
    return begun.correlate(Adoption)


def _has_drifted() -> ColumnElement[bool]:
    """Whether the drift of a step was ever found or reported in an adoption."""
    drifted = exists().where(
        col(StepDrift.workspace_id) == bindparam("workspace"), col(StepDrift.adoption_id) == Adoption.id
    )
    return drifted.correlate(Adoption)


def _of_person() -> Select[int]:
    """The ids of a person's adoptions; each part uses its own index.

    PostgreSQL computes them once: without statistics, as in a new workspace, it would for each adoption.
    """
    of_team: Any = (
        select_rows(col(Adoption.id))
        .join(TeamMember, col(TeamMember.team_id) == col(Adoption.team_id))
        .where(
            col(TeamMember.member) == bindparam("member"),
            col(TeamMember.left_at).is_(None),
            col(Adoption.workspace_id) == bindparam("workspace"),
            col(Adoption.state) != AdoptionState.ENDED,
        )
    )
    owned: Any = (
        select_rows(col(Adoption.id))
        .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
        .where(
            col(Playbook.workspace_id) == bindparam("workspace"),
            col(Playbook.owner) == bindparam("member"),
            col(Adoption.state) != AdoptionState.ENDED,
        )
    )
    mine = union_all(of_team, owned).cte("mine").prefix_with("MATERIALIZED", dialect="postgresql")
    return select_rows(mine.c.id)


@cache
def _with_cycles_by(
    given: frozenset[str],
) -> Select[Workspace, Adoption, Playbook, Team, Cycle, PlaybookVersion, int, bool, bool, bool, bool]:
    """The statement of `with_cycles` for the filters with these names."""
    runs_on = func.coalesce(Cycle.version_id, Adoption.version_id)
    about = _first_of_playbook(), _is_measured(), _was_paused(), _is_setting_up(), _has_drifted()
    query = (
        select_rows(Workspace, Adoption, Playbook, Team, Cycle, PlaybookVersion, *about)
        .join(Adoption, col(Adoption.workspace_id) == Workspace.id)
        .join(Playbook, col(Playbook.id) == Adoption.playbook_id)
        .join(Team, col(Team.id) == Adoption.team_id)
        .outerjoin(Cycle, col(Cycle.id).in_([_current_cycle(day) for day in ("before", "day", "after")]))
        .join(PlaybookVersion, col(PlaybookVersion.id) == runs_on)
        .options(defer(PlaybookVersion.spec))  # type: ignore[arg-type]
        .where(
            col(Adoption.workspace_id) == bindparam("workspace"),
            col(Adoption.state) != AdoptionState.ENDED,
        )
        .order_by(col(Playbook.slug), col(Team.slug))
    )
    filters = {
        "adoption": col(Adoption.id) == bindparam("adoption"),
        "playbook_id": col(Adoption.playbook_id) == bindparam("playbook_id"),
        "team_ids": col(Adoption.team_id).in_(bindparam("team_ids", expanding=True)),
        "member": col(Adoption.id).in_(_of_person()),
        "playbook": col(Playbook.slug) == bindparam("playbook"),
        "team": col(Team.slug) == bindparam("team"),
        "adoption_ids": col(Adoption.id).in_(bindparam("adoption_ids", expanding=True)),
    }
    return query.where(*(filters[name] for name in sorted(given)))


class NamedAdoption(NamedTuple):
    """An adoption's id and slugs."""

    adoption_id: int
    playbook: str
    team: str


@cached(Adoption, Playbook, Team, TeamMember)
def named_adoptions(uow: UnitOfWork, *, member: str | None = None) -> list[NamedAdoption]:
    """Every adoption that hasn't ended, by playbook and team.

    Args:
        member: only adoptions of this person's teams, and of the playbooks they own.
    """
    query = _NAMED if member is None else _NAMED_OF_PERSON
    rows = connection_of(uow.session).execute(query, {"workspace": uow.workspace_id, "member": member})
    return [NamedAdoption(adoption or 0, playbook, team) for adoption, playbook, team in rows]


_NAMED = (
    select_of_visible(col(Adoption.id), col(Playbook.slug), col(Team.slug))
    .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
    .join(Team, col(Team.id) == col(Adoption.team_id))
    .where(col(Adoption.workspace_id) == bindparam("workspace"), col(Adoption.state) != AdoptionState.ENDED)
    .order_by(col(Playbook.slug), col(Team.slug))
)
_NAMED_OF_PERSON = _NAMED.where(col(Adoption.id).in_(_of_person()))


class CycleStart(NamedTuple):
    """What decides whether a cycle is the current one."""

    number: int
    starts_on: date


class AdoptionVersion(NamedTuple):
    """The version that an adoption runs on in a cycle that may be its current one (None before the first).

    Parsing a command needs no more. `playbook` is a slug; `created_at` and `created_by` are the version's, which
    identify its cached text.
    """

    cycle: CycleStart | None
    adoption_id: int
    playbook: str
    timezone: str
    version_id: int
    created_at: datetime
    created_by: str


@cached(Adoption, Playbook, PlaybookVersion, Team, TeamMember, Cycle)
def adoption_versions(uow: UnitOfWork, *, day: date, member: str | None = None) -> list[AdoptionVersion]:
    """Adoptions that haven't ended, with the cycles of `with_cycles`, by playbook and team.

    Args:
        day: in UTC.
        member: only adoptions of this person's teams, and of the playbooks they own.
    """
    query = _VERSIONS if member is None else _VERSIONS_OF_PERSON
    days = {"before": day - timedelta(days=1), "day": day, "after": day + timedelta(days=1)}
    asked = {"workspace": uow.workspace_id, "member": member, **days}
    rows = connection_of(uow.session).execute(query, asked)
    return [AdoptionVersion(None if row[0] is None else CycleStart(*row[:2]), *row[2:]) for row in rows]


_VERSIONS: Final[Any] = (
    select_rows(
        *columns(Cycle, CycleStart._fields),
        col(Adoption.id),
        col(Playbook.slug),
        col(Team.timezone),
        *columns(PlaybookVersion, ("id", "created_at", "created_by")),
    )
    .select_from(Adoption)
    .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
    .join(Team, col(Team.id) == col(Adoption.team_id))
    .outerjoin(Cycle, col(Cycle.id).in_([_current_cycle(day) for day in ("before", "day", "after")]))
    .join(
        PlaybookVersion,
        col(PlaybookVersion.id) == func.coalesce(col(Cycle.version_id), col(Adoption.version_id)),
    )
    .where(col(Adoption.workspace_id) == bindparam("workspace"), col(Adoption.state) != AdoptionState.ENDED)
    .order_by(col(Playbook.slug), col(Team.slug))
)
_VERSIONS_OF_PERSON: Final[Any] = _VERSIONS.where(col(Adoption.id).in_(_of_person()))


def joined_since(uow: UnitOfWork, *, playbook_id: int, team_id: int, since: datetime) -> Team | None:
    """The first other team that adopted the playbook since an instant."""
    asked = {"workspace": uow.workspace_id, "playbook": playbook_id, "team": team_id, "since": since}
    return uow.session.exec(_JOINED, params=asked).first()


_JOINED = (
    select(Team)
    .join(Adoption, col(Adoption.team_id) == col(Team.id))
    .where(
        Adoption.workspace_id == bindparam("workspace"),
        Adoption.playbook_id == bindparam("playbook"),
        Adoption.team_id != bindparam("team"),
        Adoption.state != AdoptionState.ENDED,
        col(Adoption.created_at) >= bindparam("since"),
    )
    .order_by(col(Adoption.id))
    .limit(1)
)


def adoption_of(uow: UnitOfWork, *, playbook_id: int, team_id: int) -> Adoption | None:
    """A team's adoption of a playbook, in any state."""
    query = select(Adoption).where(
        Adoption.workspace_id == uow.workspace_id,
        Adoption.playbook_id == playbook_id,
        Adoption.team_id == team_id,
    )
    return uow.session.exec(query).first()


_LOCK = (
    select(Adoption)
    .where(Adoption.workspace_id == bindparam("workspace"), Adoption.id == bindparam("adoption"))
    .with_for_update()
    .execution_options(populate_existing=True)
)


def lock_adoption(uow: UnitOfWork, *, adoption_id: int) -> Adoption:
    """The current adoption, locked until the transaction ends, so that the basis of a decision can't change.

    On SQLite a write transaction has locked the whole database since it began, so nothing is read again.
    """
    if uow.session.get_bind().dialect.name == "sqlite":
        known = uow.session.get(Adoption, adoption_id)
        if known is not None and known.workspace_id == uow.workspace_id:
            return known
    forget(uow)
    return uow.session.exec(_LOCK, params={"workspace": uow.workspace_id, "adoption": adoption_id}).one()


def lock_adoptions(uow: UnitOfWork, *, adoption_ids: Collection[int]) -> list[int]:
    """Lock adoptions until the transaction ends, always in the same order; returns those that exist.

    On SQLite nothing that is known is read again, as for one.
    """
    if uow.session.get_bind().dialect.name != "sqlite":
        forget(uow)
    query = (
        select(Adoption.id)
        .where(Adoption.workspace_id == uow.workspace_id, col(Adoption.id).in_(adoption_ids))
        .order_by(col(Adoption.id))
        .with_for_update()
    )
    return [number or 0 for number in uow.session.exec(query)]


def hold_cycle(uow: UnitOfWork, *, adoption_id: int, cycle_id: int, state: CycleState) -> Adoption:
    """Lock an adoption until the transaction ends, provided its cycle is in a state.

    Raises:
        Stale: the cycle isn't in that state any more.
    """
    held = lock_adoption(uow, adoption_id=adoption_id)
    if uow.session.get_bind().dialect.name != "sqlite":
        now = select(Cycle.state).where(Cycle.workspace_id == uow.workspace_id, Cycle.id == cycle_id)
        if uow.session.exec(now).one() is not state:
            raise Stale
    return held


class StepWindow(NamedTuple):
    """The current mode of a step, and since when evidence on it counts; see `AdoptionStep`."""

    step: str
    mode: Mode
    since: datetime
    after_exception: int
    after_check_in: int
    after_measured: int
    after_result: int
    after_audit: int
    after_cycle: int
    rubric: int


@cached(AdoptionStep)
def steps(uow: UnitOfWork, *, adoption_id: int) -> dict[str, StepWindow]:
    """The current mode of each step of an adoption, by step key."""
    asked = {"workspace": uow.workspace_id, "adoption": adoption_id}
    rows = connection_of(uow.session).execute(_STEPS, asked)
    return {row[0]: StepWindow(*row) for row in rows}


_STEPS: Final[Any] = select_rows(*columns(AdoptionStep, StepWindow._fields)).where(
    col(AdoptionStep.workspace_id) == bindparam("workspace"),
    col(AdoptionStep.adoption_id) == bindparam("adoption"),
)


def after_exceptions(uow: UnitOfWork, *, adoption_ids: Sequence[int]) -> dict[tuple[int, str], int]:
    """After which exception the steps of some adoptions count evidence, by adoption and step key."""
    query = select_rows(
        col(AdoptionStep.adoption_id), col(AdoptionStep.step), col(AdoptionStep.after_exception)
    ).where(
        col(AdoptionStep.workspace_id) == uow.workspace_id, col(AdoptionStep.adoption_id).in_(adoption_ids)
    )
    return {(adoption, step): after for adoption, step, after in connection_of(uow.session).execute(query)}


def step_row(uow: UnitOfWork, *, adoption_id: int, step: str) -> AdoptionStep | None:
    """The row of a step of an adoption, to change it."""
    query = select(AdoptionStep).where(
        AdoptionStep.workspace_id == uow.workspace_id,
        AdoptionStep.adoption_id == adoption_id,
        AdoptionStep.step == step,
    )
    return uow.session.exec(query).first()


@cached(Adoption)
def adoption_counts(uow: UnitOfWork) -> dict[int, int]:
    """How many teams run each playbook, by playbook id."""
    query = (
        select(Adoption.playbook_id, func.count())
        .where(Adoption.workspace_id == uow.workspace_id, Adoption.state != AdoptionState.ENDED)
        .group_by(col(Adoption.playbook_id))
    )
    return dict(uow.session.exec(query).all())


def adopters(uow: UnitOfWork, *, playbook_id: int) -> list[tuple[Adoption, Team]]:
    """(adoption, team) of a playbook's adoptions that haven't ended, in the order of adoption."""
    query = (
        select(Adoption, Team)
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .where(
            Adoption.workspace_id == uow.workspace_id,
            Adoption.playbook_id == playbook_id,
            Adoption.state != AdoptionState.ENDED,
        )
        .order_by(col(Adoption.id))
    )
    return list(uow.session.exec(query))
