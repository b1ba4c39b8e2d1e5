"""Queries on the revisions of a playbook: which are published, who runs them, what was set up and overridden."""

from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import Session, col, select

from storage.tables import (
    Adoption,
    AdoptionState,
    Cycle,
    Override,
    OverrideKind,
    Playbook,
    PlaybookVersion,
    Setup,
    Team,
)


def lock_playbook(session: Session, *, workspace_id: str, playbook_id: int) -> Playbook:
    """The playbook as it is now, held until the transaction ends: two can't publish the same version."""
    query = (
        select(Playbook)
        .where(Playbook.workspace_id == workspace_id, Playbook.id == playbook_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.exec(query).one()


def published(session: Session, *, workspace_id: str, playbook_id: int) -> list[PlaybookVersion]:
    """The published versions of a playbook, the newest first."""
    query = (
        select(PlaybookVersion)
        .where(
            PlaybookVersion.workspace_id == workspace_id,
            PlaybookVersion.playbook_id == playbook_id,
            col(PlaybookVersion.number).is_not(None),
        )
        .order_by(col(PlaybookVersion.number).desc())
    )
    return list(session.exec(query))


def newest_published(session: Session, *, workspace_id: str, playbook_id: int) -> PlaybookVersion | None:
    """The version published last; None while there is none."""
    found = published(session, workspace_id=workspace_id, playbook_id=playbook_id)
    return found[0] if found else None


def revision(
    session: Session, *, workspace_id: str, playbook_id: int, revision: int
) -> PlaybookVersion | None:
    """One revision of a playbook, published or not."""
    query = select(PlaybookVersion).where(
        PlaybookVersion.workspace_id == workspace_id,
        PlaybookVersion.playbook_id == playbook_id,
        PlaybookVersion.revision == revision,
    )
    return session.exec(query).first()


def numbers(session: Session, *, workspace_id: str) -> dict[int, int]:
    """The number of the newest published version of every published playbook, by playbook id."""
    query = (
        select(PlaybookVersion.playbook_id, func.max(PlaybookVersion.number))
        .where(PlaybookVersion.workspace_id == workspace_id, col(PlaybookVersion.number).is_not(None))
        .group_by(col(PlaybookVersion.playbook_id))
    )
    return {playbook_id: number for playbook_id, number in session.exec(query) if number is not None}


def adopters(session: Session, *, workspace_id: str, playbook_id: int) -> list[tuple[Adoption, Team]]:
    """(adoption, team) of a playbook that aren't ended, the first team to adopt it first."""
    query = (
        select(Adoption, Team)
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .where(
            Adoption.workspace_id == workspace_id,
            Adoption.playbook_id == playbook_id,
            Adoption.state != AdoptionState.ENDED,
        )
        .order_by(col(Adoption.id))
    )
    return list(session.exec(query))


def cycles(session: Session, *, workspace_id: str, adoption_ids: Sequence[int]) -> list[Cycle]:
    """The cycles of some adoptions, by adoption, the newest first."""
    query = (
        select(Cycle)
        .where(Cycle.workspace_id == workspace_id, col(Cycle.adoption_id).in_(adoption_ids))
        .order_by(col(Cycle.adoption_id), col(Cycle.number).desc())
    )
    return list(session.exec(query))


def setups(session: Session, *, workspace_id: str, adoption_ids: Sequence[int]) -> list[Setup]:
    """The setups of some adoptions, begun or done."""
    query = select(Setup).where(Setup.workspace_id == workspace_id, col(Setup.adoption_id).in_(adoption_ids))
    return list(session.exec(query.order_by(col(Setup.id))))


def overrides(
    session: Session, *, workspace_id: str, playbook_id: int, kind: OverrideKind = OverrideKind.PUBLISH
) -> list[Override]:
    """What curators let pass for a playbook, the newest first."""
    query = select(Override).where(
        Override.workspace_id == workspace_id, Override.playbook_id == playbook_id, Override.kind == kind
    )
    return list(session.exec(query.order_by(col(Override.id).desc())))
