"""The ledger: every message the bot owes, from due to sent, skipped or failed."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String
from sqlmodel import Field, SQLModel

from storage.tables.columns import choice, document

_KEY = String(255).with_variant(String(255, collation="C"), "postgresql")
"""Compared byte by byte on both databases, so that keys which begin alike are a range of the index."""


class MessageState(StrEnum):
    """Where a message is on its way."""

    DUE = "due"
    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"


class OwedMessage(SQLModel, table=True):
    """One message owed to a channel or a person.

    `subject` holds only ids; what the message says is read from the rows when it is sent.
    `recipient` is a channel (`C…`, `G…`) or a member (`U…`, `W…`); messages to one recipient go out in order.
    """

    __tablename__ = "ledger"
    __table_args__ = (
        Index("ix_ledger_due", "state", "recipient", "due_at"),
        Index("ix_ledger_keys", "workspace_id", "key"),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id")
    key: str = Field(unique=True, sa_type=_KEY)
    kind: str = Field(index=True)
    recipient: str = Field(max_length=32)
    subject: dict[str, Any] = document()
    replaces_id: int | None = Field(default=None, foreign_key="ledger.id")
    due_at: datetime
    useful_until: datetime
    state: MessageState = choice(MessageState, default=MessageState.DUE)
    reason: str = ""
    attempts: int = 0
    first_attempt_at: datetime | None = None
    last_attempt_at: datetime | None = None
    settles_at: datetime | None = None
    """Until then Slack may still carry out what an unclear attempt asked of it: nothing is posted again before."""
    file: str | None = None
    """The ID of the file uploaded for the last attempt: whether it was shared is asked by it."""
    not_before: datetime
    sent_at: datetime | None = None
    channel: str | None = None
    ts: str | None = None
    text: str = ""
    correlation_id: str = ""
    created_at: datetime


class Lane(SQLModel, table=True):
    """When the next call may go out: to a recipient (its pace), of a method of Slack's (a pause it asked for), or
    in the workspace as a whole (its budget). What all workers must keep together stands here, not in their memory.
    """

    __tablename__ = "lane"

    workspace_id: str = Field(foreign_key="workspace.id", primary_key=True)
    name: str = Field(primary_key=True, max_length=64)
    free_at: datetime
