"""Requests that changed something, with their answers."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, Index, SQLModel


class AnsweredRequest(SQLModel, table=True):
    """A Slack request that was carried out, written in the same transaction.

    `request` is the same when Slack, a proxy or a person's client sends it again; `kind` is the flow that
    answered it. `answer` is the message shown to the person (`{"text": …, "blocks": […]}`), or None if there
    was none.
    """

    __tablename__ = "request"
    __table_args__ = (Index("ix_request_answered", "workspace_id", "answered_at"),)

    workspace_id: str = Field(primary_key=True, foreign_key="workspace.id")
    member: str = Field(primary_key=True, max_length=32)
    request: str = Field(primary_key=True)
    kind: str
    answer: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    answered_at: datetime
