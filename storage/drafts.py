"""Queries on what people have filled in and not sent yet. A draft is found by whose it is, never by its id."""

from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from storage.tables import FormDraft


def find(
    session: Session, *, workspace_id: str, member: str, subject: str, lock: bool = False
) -> FormDraft | None:
    """A person's draft of something; with `lock` nobody else changes it in this transaction's time."""
    query = select(FormDraft).where(
        FormDraft.workspace_id == workspace_id, FormDraft.member == member, FormDraft.subject == subject
    )
    return session.exec(query.with_for_update() if lock else query).first()


def keep(
    session: Session, *, workspace_id: str, member: str, subject: str, data: dict[str, Any], now: datetime
) -> FormDraft:
    """Keep what a person has filled in, in the place of what they had before; the same again changes nothing."""
    row = find(session, workspace_id=workspace_id, member=member, subject=subject, lock=True)
    if row is not None and row.data == data:
        return row
    if row is None:
        row = FormDraft(workspace_id=workspace_id, member=member, subject=subject, updated_at=now)
    row.data, row.updated_at = data, now
    session.add(row)
    session.flush()
    return row


def forget(session: Session, *, workspace_id: str, member: str, subject: str) -> bool:
    """Forget a person's draft; returns whether there was one."""
    row = find(session, workspace_id=workspace_id, member=member, subject=subject, lock=True)
    if row is not None:
        session.delete(row)
        session.flush()
    return row is not None
