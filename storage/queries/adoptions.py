"""Queries on adoptions beside each other: the first of a playbook, what a team has running."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ScalarSelect,
    Select,
    String,
    Subquery,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    union_all,
)
from sqlalchemy import select as select_of_visible
from sqlalchemy import select as select_rows
from sqlalchemy.orm import defer
from sqlmodel import col, select

from storage.engine import connection_of
from storage.tables import (
    Adoption,
    AdoptionState,
    ChecklistTick,
    Cycle,
    CycleState,
    Playbook,
    PlaybookVersion,
    Setup,
    Team,
    TeamMember,
    Workspace,
)
from storage.work import UnitOfWork


def first_of(uow: UnitOfWork, *, playbook_id: int) -> Adoption | None:
    """The playbook's first adoption, ended or not: the team it was won with."""
    query = (
        select(Adoption)
        .where(Adoption.workspace_id == uow.workspace_id, Adoption.playbook_id == playbook_id)
        .order_by(col(Adoption.id))
        .limit(1)
    )
    return uow.session.exec(query).first()


def by_id(uow: UnitOfWork, *, adoption_id: int) -> Adoption | None:
    """One adoption."""
    query = select(Adoption).where(Adoption.workspace_id == uow.workspace_id, Adoption.id == adoption_id)
    return uow.session.exec(query).first()


def with_hours(uow: UnitOfWork) -> list[Adoption]:
    """The adoptions whose nudges have hours of their own."""
    query = select(Adoption).where(
        Adoption.workspace_id == uow.workspace_id, cast(col(Adoption.hours), String) != "{}"
    )
    return list(uow.session.exec(query.order_by(col(Adoption.id))))


def running_of_team(uow: UnitOfWork, *, team_id: int) -> list[Adoption]:
    """The adoptions of a team that have a running cycle, one to come included."""
    running = select(Cycle.adoption_id).where(
        Cycle.workspace_id == uow.workspace_id, Cycle.state == CycleState.RUNNING
    )
    query = select(Adoption).where(
        Adoption.workspace_id == uow.workspace_id,
        Adoption.team_id == team_id,
        col(Adoption.id).in_(running),
    )
    return list(uow.session.exec(query.order_by(col(Adoption.id))))


@dataclass(frozen=True, slots=True)
class Run:
    """One team running one playbook: the rows that belong together. `cycle` is None before the first."""

    workspace: Workspace
    adoption: Adoption
    playbook: Playbook
    version: PlaybookVersion
    team: Team
    cycle: Cycle | None


def runs(
    uow: UnitOfWork,
    *,
    on: date,
    adoption_id: int | None = None,
    playbook_id: int | None = None,
    team_ids: Sequence[int] | None = None,
    owner: str | None = None,
    member: str | None = None,
    playbook: str | None = None,
    team: str | None = None,
    adoption_ids: Sequence[int] | None = None,
) -> list[Run]:
    """Adoptions that aren't ended, each with the cycle a date lies in, else its latest one.

    Between two cycles a weekend belongs to the one just closed; a cycle still to come counts when there is
    no other. What the versions say isn't loaded before it is looked at: it is long, and `spec_of` knows it.

    Args:
        member: the runs of the teams this person is in, and of the playbooks they own.
        playbook: its slug.
        team: its slug.
    """
    asked = {
        "adoption": adoption_id,
        "playbook_id": playbook_id,
        "team_ids": team_ids,
        "owner": owner,
        "member": member,
        "playbook": playbook,
        "team": team,
        "adoption_ids": adoption_ids,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    query = _runs_by(frozenset(given))
    rows = uow.session.execute(query, {"workspace": uow.workspace_id, "on": on, **given})
    return [
        Run(workspace, adoption, playbook, version, team, cycle)
        for workspace, adoption, playbook, team, cycle, version in rows
    ]


_BEGUN = col(Cycle.starts_on) <= bindparam("on")
CURRENT_CYCLE: ScalarSelect[int | None] = (
    select(Cycle.id)
    .where(Cycle.adoption_id == Adoption.id)
    .order_by(_BEGUN.desc(), case((_BEGUN, col(Cycle.number)), else_=-col(Cycle.number)).desc())
    .limit(1)
    .correlate(Adoption)
    .scalar_subquery()
)
"""The id of the cycle of an adoption that `runs` tells of, for a date given as `on`."""


def _of_person() -> Subquery:
    """Adoptions that a person has to do with, and whether they are in the team; each by an index of its own."""
    of_team: Any = (
        select_rows(col(Adoption.id), literal_column("1").label("is_member"))
        .join(TeamMember, col(TeamMember.team_id) == col(Adoption.team_id))
        .where(
            col(TeamMember.member) == bindparam("member"),
            col(TeamMember.left_at).is_(None),
            col(Adoption.workspace_id) == bindparam("workspace"),
            col(Adoption.state) != AdoptionState.ENDED,
        )
    )
    owned: Any = (
        select_rows(col(Adoption.id), literal_column("0"))
        .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
        .where(
            col(Playbook.workspace_id) == bindparam("workspace"),
            col(Playbook.owner) == bindparam("member"),
            col(Adoption.state) != AdoptionState.ENDED,
        )
    )
    either = union_all(of_team, owned).subquery()
    return (
        select_rows(either.c.id, func.max(either.c.is_member).label("is_member"))
        .group_by(either.c.id)
        .subquery("of_person")
    )


OF_PERSON = _of_person()


@cache
def _runs_by(given: frozenset[str]) -> Select[Workspace, Adoption, Playbook, Team, Cycle, PlaybookVersion]:
    """The statement of `runs` for the filters of these names."""
    runs_on = func.coalesce(Cycle.version_id, Adoption.version_id)
    query = (
        select_rows(Workspace, Adoption, Playbook, Team, Cycle, PlaybookVersion)
        .join(Adoption, col(Adoption.workspace_id) == Workspace.id)
        .join(Playbook, col(Playbook.id) == Adoption.playbook_id)
        .join(Team, col(Team.id) == Adoption.team_id)
        .outerjoin(Cycle, col(Cycle.id) == CURRENT_CYCLE)
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
        "owner": col(Playbook.owner) == bindparam("owner"),
        "member": col(Adoption.id).in_(select_rows(OF_PERSON.c.id)),
        "playbook": col(Playbook.slug) == bindparam("playbook"),
        "team": col(Team.slug) == bindparam("team"),
        "adoption_ids": col(Adoption.id).in_(bindparam("adoption_ids", expanding=True)),
    }
    return query.where(*(filters[name] for name in sorted(given)))


class NamedRun(NamedTuple):
    """A run by its id and the slugs people call it by."""

    adoption_id: int
    playbook: str
    team: str


def runs_named(uow: UnitOfWork, *, member: str | None = None) -> list[NamedRun]:
    """Every run that isn't ended, by playbook and team.

    Args:
        member: only the runs of the teams this person is in, and of the playbooks they own.
    """
    query = (
        select_of_visible(col(Adoption.id), col(Playbook.slug), col(Team.slug))
        .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .where(col(Adoption.workspace_id) == uow.workspace_id, col(Adoption.state) != AdoptionState.ENDED)
        .order_by(col(Playbook.slug), col(Team.slug))
    )
    if member is not None:
        theirs = select_of_visible(col(TeamMember.team_id)).where(
            col(TeamMember.workspace_id) == uow.workspace_id,
            col(TeamMember.member) == member,
            col(TeamMember.left_at).is_(None),
        )
        query = query.where(or_(col(Adoption.team_id).in_(theirs), col(Playbook.owner) == member))
    rows = connection_of(uow.session).execute(query)
    return [NamedRun(adoption or 0, playbook, team) for adoption, playbook, team in rows]


def of_adoption(uow: UnitOfWork, *, adoption_id: int) -> Setup | None:
    """The setup of an adoption; None before somebody started it."""
    query = select(Setup).where(Setup.workspace_id == uow.workspace_id, Setup.adoption_id == adoption_id)
    return uow.session.exec(query).first()


def ticks(uow: UnitOfWork, *, setup_id: int) -> dict[int, ChecklistTick]:
    """What is ticked now, by the item's place in the checklist, from 0."""
    query = select(ChecklistTick).where(
        ChecklistTick.workspace_id == uow.workspace_id,
        ChecklistTick.setup_id == setup_id,
        col(ChecklistTick.unticked_at).is_(None),
    )
    return {row.item: row for row in uow.session.exec(query)}
