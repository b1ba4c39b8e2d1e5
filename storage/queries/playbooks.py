"""Queries on playbooks and their versions."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, func
from sqlalchemy import select as select_rows
from sqlmodel import col, select

from storage.engine import connection_of
from storage.query_cache import cached, forget
from storage.tables import Override, OverrideKind, Playbook, PlaybookVersion
from storage.work import UnitOfWork


def by_slug(uow: UnitOfWork, *, slug: str) -> Playbook | None:
    """One playbook."""
    query = select(Playbook).where(Playbook.workspace_id == uow.workspace_id, Playbook.slug == slug)
    return uow.session.exec(query).first()


@cached(Playbook)
def owned_slugs(uow: UnitOfWork, *, owner: str) -> list[str]:
    """The slugs of the playbooks that somebody owns."""
    asked = {"workspace": uow.workspace_id, "owner": owner}
    return list(connection_of(uow.session).execute(_OWNED, asked).scalars())


_OWNED: Final[Any] = (
    select_rows(col(Playbook.slug))
    .where(col(Playbook.workspace_id) == bindparam("workspace"), col(Playbook.owner) == bindparam("owner"))
    .order_by(col(Playbook.slug))
)


@cached(Playbook)
def by_id(uow: UnitOfWork, *, playbook_id: int) -> Playbook:
    """A playbook by its id."""
    query = select(Playbook).where(Playbook.workspace_id == uow.workspace_id, Playbook.id == playbook_id)
    return uow.session.exec(query).one()


@cached(Playbook)
def playbooks(uow: UnitOfWork) -> list[Playbook]:
    """All playbooks, by slug."""
    query = select(Playbook).where(Playbook.workspace_id == uow.workspace_id).order_by(col(Playbook.slug))
    return list(uow.session.exec(query))


@cached(PlaybookVersion)
def newest_version(uow: UnitOfWork, *, playbook_id: int) -> PlaybookVersion | None:
    """The latest revision of a playbook."""
    query = (
        select(PlaybookVersion)
        .where(PlaybookVersion.workspace_id == uow.workspace_id, PlaybookVersion.playbook_id == playbook_id)
        .order_by(col(PlaybookVersion.revision).desc())
        .limit(1)
    )
    return uow.session.exec(query).first()


@cached(PlaybookVersion)
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


@cached(PlaybookVersion)
def version(uow: UnitOfWork, *, version_id: int) -> PlaybookVersion:
    """One revision."""
    return uow.session.exec(_VERSION, params={"workspace": uow.workspace_id, "version": version_id}).one()


_VERSION = select(PlaybookVersion).where(
    PlaybookVersion.workspace_id == bindparam("workspace"), PlaybookVersion.id == bindparam("version")
)


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
    """The current playbook, locked until the transaction ends: two requests can't publish the same version.

    Other requests can still add rows that refer to it.
    """
    forget(uow)
    query = (
        select(Playbook)
        .where(Playbook.workspace_id == uow.workspace_id, Playbook.id == playbook_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return uow.session.exec(query).one()


@cached(PlaybookVersion)
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
    """The version published last, or None."""
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


def overrides(
    uow: UnitOfWork, *, playbook_id: int, kind: OverrideKind = OverrideKind.PUBLISH
) -> list[Override]:
    """Curators' overrides for a playbook, newest first."""
    query = select(Override).where(
        Override.workspace_id == uow.workspace_id, Override.playbook_id == playbook_id, Override.kind == kind
    )
    return list(uow.session.exec(query.order_by(col(Override.id).desc())))
