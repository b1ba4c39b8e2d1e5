"""Handoffs: work that one team gave another under a contract of its playbook."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel, UniqueConstraint

from storage.tables.columns import choice


class HandoffState(StrEnum):
    """The state of a handoff: accepted and later done, sent back (`failed`), or withdrawn before that."""

    SENT = "sent"
    ACCEPTED = "accepted"
    FAILED = "failed"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class Handoff(SQLModel, table=True):
    """A handoff: its contract is the one at `place` (from 0) in the handoffs of the version.

    `team_id` receives it; `due_at` is the end of the contract's hours. `lacking` are the missing inputs, as
    the contract names them. `decided_by` set its current state. `source` is the request that created it.
    `fallback_id` is the mode change by which its fallback took effect, while it hasn't been taken back.
    """

    __tablename__ = "handoff"
    __table_args__ = (
        UniqueConstraint("workspace_id", "source"),
        Index("ix_handoff_open", "workspace_id", "state", "due_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id")
    adoption_id: int = Field(foreign_key="adoption.id", index=True)
    version_id: int = Field(foreign_key="playbook_version.id")
    place: int
    team_id: int = Field(foreign_key="team.id", index=True)
    what: str
    link: str | None = None
    sent_by: str = Field(max_length=32)
    surface: str
    source: str
    sent_at: datetime
    due_at: datetime
    state: HandoffState = choice(HandoffState, default=HandoffState.SENT)
    decided_by: str | None = Field(default=None, max_length=32)
    decided_at: datetime | None = None
    reason: str = ""
    lacking: list[str] = Field(default_factory=list, sa_type=JSON)
    fallback_id: int | None = None
