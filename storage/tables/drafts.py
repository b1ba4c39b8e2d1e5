"""Unsent form drafts."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel, UniqueConstraint

from storage.tables.columns import document


class FormDraft(SQLModel, table=True):
    """One person's draft of a form that takes several sessions to fill in.

    A person only gets their own drafts, whatever ids a form carries. `subject` is what
    it will become, such as `playbook:support-reply`.
    """

    __tablename__ = "form_draft"
    __table_args__ = (UniqueConstraint("workspace_id", "member", "subject"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    member: str = Field(max_length=32)
    subject: str
    data: dict[str, Any] = document()
    updated_at: datetime
