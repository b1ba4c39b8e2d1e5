"""Queries on playbooks, adoptions and cycles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ScalarSelect, Select, Subquery, and_, bindparam, case, func, literal_column, union_all
from sqlalchemy import select as select_rows
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from cadence.rules.calendar import WEEKS
from storage.tables import (
    Adoption,
    AdoptionState,
    AdoptionStep,
    Cycle,
    CycleState,
    Playbook,
    PlaybookVersion,
    Team,
    TeamMember,
    Workspace,
)


@dataclass(frozen=True, slots=True)
class Run:
    """One team running one playbook: the rows that belong together. `cycle` is None before the first."""

    workspace: Workspace
    adoption: Adoption
    playbook: Playbook
    version: PlaybookVersion
    team: Team
    cycle: Cycle | None


def by_slug(session: Session, *, workspace_id: str, slug: str) -> Playbook | None:
    """One playbook."""
    query = select(Playbook).where(Playbook.workspace_id == workspace_id, Playbook.slug == slug)
    return session.exec(query).first()


def by_id(session: Session, *, workspace_id: str, playbook_id: int) -> Playbook:
    """One playbook, by the id its versions and adoptions carry."""
    query = select(Playbook).where(Playbook.workspace_id == workspace_id, Playbook.id == playbook_id)
    return session.exec(query).one()


def playbooks(session: Session, *, workspace_id: str) -> list[Playbook]:
    """All playbooks, by slug."""
    query = select(Playbook).where(Playbook.workspace_id == workspace_id).order_by(col(Playbook.slug))
    return list(session.exec(query))


def newest_version(session: Session, *, workspace_id: str, playbook_id: int) -> PlaybookVersion | None:
    """The latest revision of a playbook."""
    query = (
        select(PlaybookVersion)
        .where(PlaybookVersion.workspace_id == workspace_id, PlaybookVersion.playbook_id == playbook_id)
        .order_by(col(PlaybookVersion.revision).desc())
        .limit(1)
    )
    return session.exec(query).first()


def newest_versions(session: Session, *, workspace_id: str) -> dict[int, PlaybookVersion]:
    """The latest revision of every playbook, by playbook id."""
    newest = (
        select(PlaybookVersion.playbook_id, func.max(PlaybookVersion.revision).label("revision"))
        .where(PlaybookVersion.workspace_id == workspace_id)
        .group_by(col(PlaybookVersion.playbook_id))
        .subquery()
    )
    query = select(PlaybookVersion).join(
        newest,
        and_(
            col(PlaybookVersion.playbook_id) == newest.c.playbook_id,
            col(PlaybookVersion.revision) == newest.c.revision,
        ),
    )
    return {row.playbook_id: row for row in session.exec(query)}


def version(session: Session, *, workspace_id: str, version_id: int) -> PlaybookVersion:
    """One revision."""
    query = select(PlaybookVersion).where(
        PlaybookVersion.workspace_id == workspace_id, PlaybookVersion.id == version_id
    )
    return session.exec(query).one()


def adoption_of(session: Session, *, workspace_id: str, playbook_id: int, team_id: int) -> Adoption | None:
    """A team's adoption of a playbook, in whatever state."""
    query = select(Adoption).where(
        Adoption.workspace_id == workspace_id,
        Adoption.playbook_id == playbook_id,
        Adoption.team_id == team_id,
    )
    return session.exec(query).first()


def runs(
    session: Session,
    *,
    workspace_id: str,
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
    no other. What the versions say isn't loaded before it is looked at: it is long, and `specs.spec_of` knows it.

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
    rows = session.execute(query, {"workspace": workspace_id, "on": on, **given})
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


_LOCK = (
    select(Adoption)
    .where(Adoption.workspace_id == bindparam("workspace"), Adoption.id == bindparam("adoption"))
    .with_for_update()
    .execution_options(populate_existing=True)
)


def lock_adoption(session: Session, *, workspace_id: str, adoption_id: int) -> Adoption:
    """The adoption as it is now, held until the transaction ends: what is judged can't change meanwhile.

    On SQLite a transaction that writes has held the whole database since it began, so there is nothing to read again.
    """
    if session.get_bind().dialect.name == "sqlite":
        known = session.get(Adoption, adoption_id)
        if known is not None and known.workspace_id == workspace_id:
            return known
    return session.exec(_LOCK, params={"workspace": workspace_id, "adoption": adoption_id}).one()


def steps(session: Session, *, workspace_id: str, adoption_id: int) -> dict[str, AdoptionStep]:
    """Who leads each step of an adoption now, by step key."""
    query = select(AdoptionStep).where(
        AdoptionStep.workspace_id == workspace_id, AdoptionStep.adoption_id == adoption_id
    )
    return {row.step: row for row in session.exec(query)}


def cycle(session: Session, *, workspace_id: str, cycle_id: int) -> Cycle:
    """One cycle."""
    return session.exec(select(Cycle).where(Cycle.workspace_id == workspace_id, Cycle.id == cycle_id)).one()


def cycles_of(session: Session, *, workspace_id: str, adoption_id: int) -> list[Cycle]:
    """The cycles of an adoption, oldest first."""
    query = select(Cycle).where(Cycle.workspace_id == workspace_id, Cycle.adoption_id == adoption_id)
    return list(session.exec(query.order_by(col(Cycle.number))))


def cycle_on(session: Session, *, workspace_id: str, adoption_id: int, day: date) -> Cycle | None:
    """The cycle whose four weeks, Monday to Sunday, hold a date."""
    query = select(Cycle).where(
        Cycle.workspace_id == workspace_id,
        Cycle.adoption_id == adoption_id,
        Cycle.starts_on <= day,
        Cycle.starts_on > day - timedelta(weeks=WEEKS),
    )
    return session.exec(query.order_by(col(Cycle.number).desc())).first()


def running_cycles(session: Session, *, closing_by: date | None = None) -> list[Cycle]:
    """Cycles still running in any workspace that has the bot; `closing_by`: those whose fourth Friday has come."""
    query = (
        select(Cycle)
        .join(Workspace, col(Workspace.id) == col(Cycle.workspace_id))
        .where(Cycle.state == CycleState.RUNNING, col(Workspace.uninstalled_at).is_(None))
    )
    if closing_by is not None:
        query = query.where(Cycle.closes_on <= closing_by)
    return list(session.exec(query.order_by(col(Cycle.id))))


def adoption_counts(session: Session, *, workspace_id: str) -> dict[int, int]:
    """How many teams run each playbook, by playbook id."""
    query = (
        select(Adoption.playbook_id, func.count())
        .where(Adoption.workspace_id == workspace_id, Adoption.state != AdoptionState.ENDED)
        .group_by(col(Adoption.playbook_id))
    )
    return dict(session.exec(query).all())


def published_at(session: Session, *, workspace_id: str) -> list[datetime]:
    """When each published playbook was first published."""
    query = (
        select(func.min(PlaybookVersion.published_at))
        .where(PlaybookVersion.workspace_id == workspace_id, col(PlaybookVersion.published_at).is_not(None))
        .group_by(col(PlaybookVersion.playbook_id))
    )
    return [moment for moment in session.exec(query) if moment is not None]
