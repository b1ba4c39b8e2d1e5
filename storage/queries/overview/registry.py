"""Queries for the registry: a page of published playbooks, and the results of their teams."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func
from sqlmodel import col, select

from storage.query_cache import cached
from storage.tables import (
    Adoption,
    AdoptionState,
    Cycle,
    CycleState,
    Override,
    Playbook,
    PlaybookState,
    PlaybookVersion,
    Team,
)
from storage.work import UnitOfWork


def counts(uow: UnitOfWork) -> dict[tuple[str, PlaybookState], int]:
    """How many playbooks have a published version, by function and state."""
    published = select(PlaybookVersion.playbook_id).where(
        PlaybookVersion.workspace_id == uow.workspace_id, col(PlaybookVersion.number).is_not(None)
    )
    query = (
        select(Playbook.function, Playbook.state, func.count())
        .where(Playbook.workspace_id == uow.workspace_id, col(Playbook.id).in_(published))
        .group_by(col(Playbook.function), col(Playbook.state))
    )
    return {(function, PlaybookState(state)): count for function, state, count in uow.session.exec(query)}


def page(uow: UnitOfWork, *, function: str | None, offset: int, limit: int) -> list[tuple[Playbook, int]]:
    """(playbook, number of its newest published version), by function and title, without retired ones."""
    query = (
        select(Playbook, func.max(PlaybookVersion.number))
        .join(PlaybookVersion, col(PlaybookVersion.playbook_id) == col(Playbook.id))
        .where(
            Playbook.workspace_id == uow.workspace_id,
            Playbook.state != PlaybookState.RETIRED,
            col(PlaybookVersion.number).is_not(None),
        )
        .group_by(col(Playbook.id))
        .order_by(col(Playbook.function), col(Playbook.title), col(Playbook.id))
        .offset(offset)
        .limit(limit)
    )
    if function is not None:
        query = query.where(Playbook.function == function)
    return [(playbook, number) for playbook, number in uow.session.exec(query) if number is not None]


def adopters(uow: UnitOfWork, *, playbook_ids: Sequence[int], limit: int) -> list[tuple[Adoption, Team, int]]:
    """(adoption, team, total) of the first few adoptions of some playbooks that haven't ended.

    By playbook, in the order of adoption.
    """
    of_playbook = col(Adoption.playbook_id)
    ranked = (
        select(
            col(Adoption.id).label("id"),
            func.row_number().over(partition_by=of_playbook, order_by=col(Adoption.id)).label("place"),
            func.count().over(partition_by=of_playbook).label("many"),
        )
        .where(
            Adoption.workspace_id == uow.workspace_id,
            col(Adoption.playbook_id).in_(playbook_ids),
            Adoption.state != AdoptionState.ENDED,
        )
        .subquery()
    )
    query = (
        select(Adoption, Team, ranked.c.many)
        .join(ranked, ranked.c.id == col(Adoption.id))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .where(ranked.c.place <= limit)
        .order_by(col(Adoption.playbook_id), col(Adoption.id))
    )
    return [(adoption, team, many) for adoption, team, many in uow.session.exec(query)]


def last_results(uow: UnitOfWork, *, adoption_ids: Sequence[int]) -> list[Cycle]:
    """The last cycle of each of some adoptions that closed with a number."""
    last = (
        select(col(Cycle.adoption_id).label("adoption_id"), func.max(Cycle.number).label("number"))
        .where(
            Cycle.workspace_id == uow.workspace_id,
            col(Cycle.adoption_id).in_(adoption_ids),
            Cycle.state == CycleState.CLOSED,
            col(Cycle.kpi_value).is_not(None),
        )
        .group_by(col(Cycle.adoption_id))
        .subquery()
    )
    query = select(Cycle).join(
        last, and_(last.c.adoption_id == col(Cycle.adoption_id), last.c.number == col(Cycle.number))
    )
    return list(uow.session.exec(query))


def nearest(uow: UnitOfWork, *, function: str | None, limit: int) -> list[Playbook]:
    """The first few unpublished playbooks, by how many teams run them."""
    adopted = (
        select(func.count())
        .where(Adoption.playbook_id == Playbook.id, Adoption.state != AdoptionState.ENDED)
        .correlate(Playbook)
        .scalar_subquery()
    )
    query = select(Playbook).where(*_on_their_way(uow.workspace_id, function))
    return list(uow.session.exec(query.order_by(adopted.desc(), col(Playbook.slug)).limit(limit)))


def count_on_their_way(uow: UnitOfWork, *, function: str | None) -> int:
    """How many playbooks aren't retired."""
    return uow.session.exec(select(func.count()).where(*_on_their_way(uow.workspace_id, function))).one()


def _on_their_way(workspace_id: str, function: str | None) -> list[ColumnElement[bool]]:
    found = [
        col(Playbook.workspace_id) == workspace_id,
        col(Playbook.state) != PlaybookState.RETIRED,
    ]
    return [*found, col(Playbook.function) == function] if function is not None else found


@cached(PlaybookVersion)
def version_rows(uow: UnitOfWork, *, version_ids: Sequence[int]) -> dict[int, PlaybookVersion]:
    """Some revisions, by id."""
    query = select(PlaybookVersion).where(
        PlaybookVersion.workspace_id == uow.workspace_id, col(PlaybookVersion.id).in_(version_ids)
    )
    return {row.id or 0: row for row in uow.session.exec(query)}


def overrides(uow: UnitOfWork, *, playbook_ids: Sequence[int]) -> list[Override]:
    """Curators' overrides of every kind, newest first."""
    query = select(Override).where(
        Override.workspace_id == uow.workspace_id,
        col(Override.playbook_id).in_(playbook_ids),
    )
    return list(uow.session.exec(query.order_by(col(Override.id).desc())))


def get(uow: UnitOfWork, *, override_id: int) -> Override | None:
    """One override."""
    query = select(Override).where(Override.workspace_id == uow.workspace_id, Override.id == override_id)
    return uow.session.exec(query).first()
