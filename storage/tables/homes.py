"""Homes: who opened one, the published content, and events since then."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class Home(SQLModel, table=True):
    """One person's Home.

    `changes` counts the events that may change it; it is stale while `stale_at` is set. `digest` is the hash
    of the view last published. `not_before` limits how often Homes are published, and keeps two workers
    apart.
    """

    __tablename__ = "home"

    workspace_id: str = Field(primary_key=True, foreign_key="workspace.id")
    member: str = Field(primary_key=True, max_length=32)
    opened_at: datetime
    page: int = 1
    begun: bool = False
    changes: int = 0
    stale_at: datetime | None = None
    not_before: datetime
    published_at: datetime | None = None
    digest: str = ""
    problem: str = ""


class HomeChange(SQLModel, table=True):
    """An event; whose Homes it concerns is found out later, so that nobody waits for that.

    `subject` and `member` are those of the trail.
    """

    __tablename__ = "home_change"

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    subject: str
    member: str | None = Field(default=None, max_length=32)
