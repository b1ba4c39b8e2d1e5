"""Queries on drift: what was found, declared and recommitted."""

from sqlmodel import Session, col, select

from storage.tables import StepDrift


def events(session: Session, *, workspace_id: str, adoption_id: int, step: str) -> list[StepDrift]:
    """What happened to a step's drift so far, oldest first."""
    query = select(StepDrift).where(
        StepDrift.workspace_id == workspace_id,
        StepDrift.adoption_id == adoption_id,
        StepDrift.step == step,
    )
    return list(session.exec(query.order_by(col(StepDrift.id))))
