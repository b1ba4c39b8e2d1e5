"""Queries on the checklist of an adoption."""

from collections.abc import Sequence

from sqlalchemy import bindparam
from sqlmodel import col, select

from storage.query_cache import cached
from storage.tables import ChecklistTick, Setup
from storage.work import UnitOfWork


@cached(Setup)
def of_adoption(uow: UnitOfWork, *, adoption_id: int) -> Setup | None:
    """The setup of an adoption; None before it was started."""
    asked = {"workspace": uow.workspace_id, "adoption": adoption_id}
    return uow.session.exec(_SETUP, params=asked).first()


_SETUP = select(Setup).where(
    Setup.workspace_id == bindparam("workspace"), Setup.adoption_id == bindparam("adoption")
)


def ticks(uow: UnitOfWork, *, setup_id: int) -> dict[int, ChecklistTick]:
    """The ticked items, by their place in the checklist, from 0."""
    query = select(ChecklistTick).where(
        ChecklistTick.workspace_id == uow.workspace_id,
        ChecklistTick.setup_id == setup_id,
        col(ChecklistTick.unticked_at).is_(None),
    )
    return {row.item: row for row in uow.session.exec(query)}


def setups(uow: UnitOfWork, *, adoption_ids: Sequence[int]) -> list[Setup]:
    """The setups of some adoptions, begun or done."""
    query = select(Setup).where(
        Setup.workspace_id == uow.workspace_id, col(Setup.adoption_id).in_(adoption_ids)
    )
    return list(uow.session.exec(query.order_by(col(Setup.id))))
