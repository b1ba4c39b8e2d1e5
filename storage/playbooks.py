"""Queries on playbooks, adoptions and cycles."""

from datetime import date, datetime, timedelta

from sqlalchemy import and_, bindparam, func
from sqlmodel import Session, col, select

from cadence.rules.calendar import WEEKS
from storage.tables import (
    Adoption,
    AdoptionState,
    AdoptionStep,
    Cycle,
    Playbook,
    PlaybookVersion,
)


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
