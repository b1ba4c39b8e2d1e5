"""The ledger: every message of the bot and its state (due, sent, skipped or failed)."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String
from sqlmodel import Field, SQLModel

from storage.tables.columns import choice, document

_KEY = String(255).with_variant(String(255, collation="C"), "postgresql")
"""Compared byte by byte on both databases, so that keys with a common prefix are a range of the index."""


class MessageState(StrEnum):
    """The state of a message."""

    DUE = "due"
    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"


class OutboxMessage(SQLModel, table=True):
    """One message to a channel or a person.

    `subject` holds only ids; the text is composed when the message is sent. `recipient` is a channel (`C…`,
    `G…`) or a member (`U…`, `W…`); messages to one recipient go out in order.
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
    """Until then Slack may still carry out an attempt with an unclear result: nothing is posted again
    before."""
    file: str | None = None
    """The ID of the file uploaded in the last attempt, to find out whether it was shared."""
    not_before: datetime
    sent_at: datetime | None = None
    channel: str | None = None
    ts: str | None = None
    text: str = ""
    correlation_id: str = ""
    created_at: datetime


class RateLimit(SQLModel, table=True):
    """When the next call is allowed: to a recipient (its pace), of one of Slack's methods (a pause that Slack
    asked for), or in the workspace as a whole (its budget). All workers share these limits, so they are rows.
    """

    __tablename__ = "lane"

    workspace_id: str = Field(foreign_key="workspace.id", primary_key=True)
    name: str = Field(primary_key=True, max_length=64)
    free_at: datetime
