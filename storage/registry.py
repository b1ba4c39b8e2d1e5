"""Queries for the registry: a page of published playbooks, and what their teams made of them, read at once."""

from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import Session, col, select

from storage.tables import (
    Adoption,
    AdoptionState,
    Override,
    OverrideKind,
    Playbook,
    PlaybookState,
    PlaybookVersion,
    StepVerdict,
    Team,
)


def counts(session: Session, *, workspace_id: str) -> dict[tuple[str, PlaybookState], int]:
    """How many playbooks have a published version, by function and state."""
    published = select(PlaybookVersion.playbook_id).where(
        PlaybookVersion.workspace_id == workspace_id, col(PlaybookVersion.number).is_not(None)
    )
    query = (
        select(Playbook.function, Playbook.state, func.count())
        .where(Playbook.workspace_id == workspace_id, col(Playbook.id).in_(published))
        .group_by(col(Playbook.function), col(Playbook.state))
    )
    return {(function, PlaybookState(state)): count for function, state, count in session.exec(query)}


def page(
    session: Session, *, workspace_id: str, function: str | None, offset: int, limit: int
) -> list[tuple[Playbook, int]]:
    """(playbook, number of its newest published version), by function and title; retired ones are left out."""
    query = (
        select(Playbook, func.max(PlaybookVersion.number))
        .join(PlaybookVersion, col(PlaybookVersion.playbook_id) == col(Playbook.id))
        .where(
            Playbook.workspace_id == workspace_id,
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
    return [(playbook, number) for playbook, number in session.exec(query) if number is not None]


def adopters(
    session: Session, *, workspace_id: str, playbook_ids: Sequence[int]
) -> list[tuple[Adoption, Team]]:
    """(adoption, team) of some playbooks that aren't ended, the first of each playbook first."""
    query = (
        select(Adoption, Team)
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .where(
            Adoption.workspace_id == workspace_id,
            col(Adoption.playbook_id).in_(playbook_ids),
            Adoption.state != AdoptionState.ENDED,
        )
        .order_by(col(Adoption.playbook_id), col(Adoption.id))
    )
    return list(session.exec(query))


def version_rows(
    session: Session, *, workspace_id: str, version_ids: Sequence[int]
) -> dict[int, PlaybookVersion]:
    """Some revisions, by id."""
    query = select(PlaybookVersion).where(
        PlaybookVersion.workspace_id == workspace_id, col(PlaybookVersion.id).in_(version_ids)
    )
    return {row.id or 0: row for row in session.exec(query)}


def newest_verdicts(session: Session, *, workspace_id: str, adoption_ids: Sequence[int]) -> list[StepVerdict]:
    """The last verdict on each step of some adoptions."""
    newest = (
        select(func.max(StepVerdict.id))
        .where(StepVerdict.workspace_id == workspace_id, col(StepVerdict.adoption_id).in_(adoption_ids))
        .group_by(col(StepVerdict.adoption_id), col(StepVerdict.step))
    )
    query = select(StepVerdict).where(
        StepVerdict.workspace_id == workspace_id, col(StepVerdict.id).in_(newest)
    )
    return list(session.exec(query.order_by(col(StepVerdict.id))))


def overrides(session: Session, *, workspace_id: str, playbook_ids: Sequence[int]) -> list[Override]:
    """The publications that curators let pass, the newest first."""
    query = select(Override).where(
        Override.workspace_id == workspace_id,
        Override.kind == OverrideKind.PUBLISH,
        col(Override.playbook_id).in_(playbook_ids),
    )
    return list(session.exec(query.order_by(col(Override.id).desc())))
