"""Queries on setups and their checklists."""

from datetime import datetime

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


def finished_between(session: Session, *, workspace_id: str, since: datetime, until: datetime) -> list[Setup]:
    """The setups that ended in an interval, oldest first; each took `done_at - started_at`."""
    query = select(Setup).where(
        Setup.workspace_id == workspace_id,
        col(Setup.done_at).is_not(None),
        col(Setup.done_at) >= since,
        col(Setup.done_at) < until,
    )
    return list(session.exec(query.order_by(col(Setup.done_at), col(Setup.id))))
