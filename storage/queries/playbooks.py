"""Queries on playbooks, adoptions and cycles."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import and_, bindparam, func
from sqlmodel import col, select

from cadence.rules.calendar import WEEKS
from storage.tables import (
    Adoption,
    AdoptionState,
    AdoptionStep,
    Cycle,
    Override,
    OverrideKind,
    Playbook,
    PlaybookVersion,
    Setup,
    Team,
)
from storage.work import UnitOfWork


def by_slug(uow: UnitOfWork, *, slug: str) -> Playbook | None:
    """One playbook."""
    query = select(Playbook).where(Playbook.workspace_id == uow.workspace_id, Playbook.slug == slug)
    return uow.session.exec(query).first()


def by_id(uow: UnitOfWork, *, playbook_id: int) -> Playbook:
    """One playbook, by the id its versions and adoptions carry."""
    query = select(Playbook).where(Playbook.workspace_id == uow.workspace_id, Playbook.id == playbook_id)
    return uow.session.exec(query).one()


def playbooks(uow: UnitOfWork) -> list[Playbook]:
    """All playbooks, by slug."""
    query = select(Playbook).where(Playbook.workspace_id == uow.workspace_id).order_by(col(Playbook.slug))
    return list(uow.session.exec(query))


def newest_version(uow: UnitOfWork, *, playbook_id: int) -> PlaybookVersion | None:
    """The latest revision of a playbook."""
    query = (
        select(PlaybookVersion)
        .where(PlaybookVersion.workspace_id == uow.workspace_id, PlaybookVersion.playbook_id == playbook_id)
        .order_by(col(PlaybookVersion.revision).desc())
        .limit(1)
    )
    return uow.session.exec(query).first()


def newest_versions(uow: UnitOfWork) -> dict[int, PlaybookVersion]:
    """The latest revision of every playbook, by playbook id."""
    newest = (
        select(PlaybookVersion.playbook_id, func.max(PlaybookVersion.revision).label("revision"))
        .where(PlaybookVersion.workspace_id == uow.workspace_id)
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
    return {row.playbook_id: row for row in uow.session.exec(query)}


def version(uow: UnitOfWork, *, version_id: int) -> PlaybookVersion:
    """One revision."""
    query = select(PlaybookVersion).where(
        PlaybookVersion.workspace_id == uow.workspace_id, PlaybookVersion.id == version_id
    )
    return uow.session.exec(query).one()


def adoption_of(uow: UnitOfWork, *, playbook_id: int, team_id: int) -> Adoption | None:
    """A team's adoption of a playbook, in whatever state."""
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
    """The adoption as it is now, held until the transaction ends: what is judged can't change meanwhile.

    On SQLite a transaction that writes has held the whole database since it began, so there is nothing to read again.
    """
    if uow.session.get_bind().dialect.name == "sqlite":
        known = uow.session.get(Adoption, adoption_id)
        if known is not None and known.workspace_id == uow.workspace_id:
            return known
    return uow.session.exec(_LOCK, params={"workspace": uow.workspace_id, "adoption": adoption_id}).one()


def steps(uow: UnitOfWork, *, adoption_id: int) -> dict[str, AdoptionStep]:
    """Who leads each step of an adoption now, by step key."""
    query = select(AdoptionStep).where(
        AdoptionStep.workspace_id == uow.workspace_id, AdoptionStep.adoption_id == adoption_id
    )
    return {row.step: row for row in uow.session.exec(query)}


def cycle(uow: UnitOfWork, *, cycle_id: int) -> Cycle:
    """One cycle."""
    return uow.session.exec(
        select(Cycle).where(Cycle.workspace_id == uow.workspace_id, Cycle.id == cycle_id)
    ).one()


def cycles_of(uow: UnitOfWork, *, adoption_id: int) -> list[Cycle]:
    """The cycles of an adoption, oldest first."""
    query = select(Cycle).where(Cycle.workspace_id == uow.workspace_id, Cycle.adoption_id == adoption_id)
    return list(uow.session.exec(query.order_by(col(Cycle.number))))


def cycle_on(uow: UnitOfWork, *, adoption_id: int, day: date) -> Cycle | None:
    """The cycle whose four weeks, Monday to Sunday, hold a date."""
    query = select(Cycle).where(
        Cycle.workspace_id == uow.workspace_id,
        Cycle.adoption_id == adoption_id,
        Cycle.starts_on <= day,
        Cycle.starts_on > day - timedelta(weeks=WEEKS),
    )
    return uow.session.exec(query.order_by(col(Cycle.number).desc())).first()


def adoption_counts(uow: UnitOfWork) -> dict[int, int]:
    """How many teams run each playbook, by playbook id."""
    query = (
        select(Adoption.playbook_id, func.count())
        .where(Adoption.workspace_id == uow.workspace_id, Adoption.state != AdoptionState.ENDED)
        .group_by(col(Adoption.playbook_id))
    )
    return dict(uow.session.exec(query).all())


def published_at(uow: UnitOfWork) -> list[datetime]:
    """When each published playbook was first published."""
    query = (
        select(func.min(PlaybookVersion.published_at))
        .where(
            PlaybookVersion.workspace_id == uow.workspace_id, col(PlaybookVersion.published_at).is_not(None)
        )
        .group_by(col(PlaybookVersion.playbook_id))
    )
    return [moment for moment in uow.session.exec(query) if moment is not None]


def lock_playbook(uow: UnitOfWork, *, playbook_id: int) -> Playbook:
    """The playbook as it is now, held until the transaction ends: two can't publish the same version."""
    query = (
        select(Playbook)
        .where(Playbook.workspace_id == uow.workspace_id, Playbook.id == playbook_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return uow.session.exec(query).one()


def published(uow: UnitOfWork, *, playbook_id: int) -> list[PlaybookVersion]:
    """The published versions of a playbook, the newest first."""
    query = (
        select(PlaybookVersion)
        .where(
            PlaybookVersion.workspace_id == uow.workspace_id,
            PlaybookVersion.playbook_id == playbook_id,
            col(PlaybookVersion.number).is_not(None),
        )
        .order_by(col(PlaybookVersion.number).desc())
    )
    return list(uow.session.exec(query))


def newest_published(uow: UnitOfWork, *, playbook_id: int) -> PlaybookVersion | None:
    """The version published last; None while there is none."""
    found = published(uow, playbook_id=playbook_id)
    return found[0] if found else None


def revision(uow: UnitOfWork, *, playbook_id: int, revision: int) -> PlaybookVersion | None:
    """One revision of a playbook, published or not."""
    query = select(PlaybookVersion).where(
        PlaybookVersion.workspace_id == uow.workspace_id,
        PlaybookVersion.playbook_id == playbook_id,
        PlaybookVersion.revision == revision,
    )
    return uow.session.exec(query).first()


def numbers(uow: UnitOfWork) -> dict[int, int]:
    """The number of the newest published version of every published playbook, by playbook id."""
    query = (
        select(PlaybookVersion.playbook_id, func.max(PlaybookVersion.number))
        .where(PlaybookVersion.workspace_id == uow.workspace_id, col(PlaybookVersion.number).is_not(None))
        .group_by(col(PlaybookVersion.playbook_id))
    )
    return {playbook_id: number for playbook_id, number in uow.session.exec(query) if number is not None}


def adopters(uow: UnitOfWork, *, playbook_id: int) -> list[tuple[Adoption, Team]]:
    """(adoption, team) of a playbook that aren't ended, the first team to adopt it first."""
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


def cycles(uow: UnitOfWork, *, adoption_ids: Sequence[int]) -> list[Cycle]:
    """The cycles of some adoptions, by adoption, the newest first."""
    query = (
        select(Cycle)
        .where(Cycle.workspace_id == uow.workspace_id, col(Cycle.adoption_id).in_(adoption_ids))
        .order_by(col(Cycle.adoption_id), col(Cycle.number).desc())
    )
    return list(uow.session.exec(query))


def setups(uow: UnitOfWork, *, adoption_ids: Sequence[int]) -> list[Setup]:
    """The setups of some adoptions, begun or done."""
    query = select(Setup).where(
        Setup.workspace_id == uow.workspace_id, col(Setup.adoption_id).in_(adoption_ids)
    )
    return list(uow.session.exec(query.order_by(col(Setup.id))))


def overrides(
    uow: UnitOfWork, *, playbook_id: int, kind: OverrideKind = OverrideKind.PUBLISH
) -> list[Override]:
    """What curators let pass for a playbook, the newest first."""
    query = select(Override).where(
        Override.workspace_id == uow.workspace_id, Override.playbook_id == playbook_id, Override.kind == kind
    )
    return list(uow.session.exec(query.order_by(col(Override.id).desc())))
