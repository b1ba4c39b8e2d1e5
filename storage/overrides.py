"""Queries on what curators let pass against the rules."""

from sqlmodel import Session, select

from storage.tables import Override


def get(session: Session, *, workspace_id: str, override_id: int) -> Override | None:
    """One override."""
    query = select(Override).where(Override.workspace_id == workspace_id, Override.id == override_id)
    return session.exec(query).first()
