"""Queries on setups and their checklists."""

from sqlmodel import Session, col, select

from storage.tables import ChecklistTick, Setup


def of_adoption(session: Session, *, workspace_id: str, adoption_id: int) -> Setup | None:
    """The setup of an adoption; None before somebody started it."""
    query = select(Setup).where(Setup.workspace_id == workspace_id, Setup.adoption_id == adoption_id)
    return session.exec(query).first()


def ticks(session: Session, *, workspace_id: str, setup_id: int) -> dict[int, ChecklistTick]:
    """What is ticked now, by the item's place in the checklist, from 0."""
    query = select(ChecklistTick).where(
        ChecklistTick.workspace_id == workspace_id,
        ChecklistTick.setup_id == setup_id,
        col(ChecklistTick.unticked_at).is_(None),
    )
    return {row.item: row for row in session.exec(query)}
