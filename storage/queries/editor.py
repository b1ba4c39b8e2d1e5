"""Queries on unsent form drafts. A draft is found by its owner and subject, never by its id."""

from typing import Any

from sqlmodel import select

from storage.tables import FormDraft
from storage.work import UnitOfWork


def find(uow: UnitOfWork, *, member: str, subject: str, lock: bool = False) -> FormDraft | None:
    """A person's draft of something; with `lock`, no other transaction changes it meanwhile."""
    query = select(FormDraft).where(
        FormDraft.workspace_id == uow.workspace_id, FormDraft.member == member, FormDraft.subject == subject
    )
    return uow.session.exec(query.with_for_update() if lock else query).first()


def keep(uow: UnitOfWork, *, member: str, subject: str, data: dict[str, Any]) -> FormDraft:
    """Replace a person's draft; saving the same again changes nothing."""
    row = find(uow, member=member, subject=subject, lock=True)
    if row is not None and row.data == data:
        return row
    if row is None:
        row = FormDraft(workspace_id=uow.workspace_id, member=member, subject=subject, updated_at=uow.now)
    row.data, row.updated_at = data, uow.now
    uow.session.add(row)
    uow.session.flush()
    return row


def forget(uow: UnitOfWork, *, member: str, subject: str) -> bool:
    """Delete a person's draft; returns whether there was one."""
    row = find(uow, member=member, subject=subject, lock=True)
    if row is not None:
        uow.session.delete(row)
        uow.session.flush()
    return row is not None
