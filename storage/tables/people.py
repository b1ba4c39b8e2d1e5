"""The workspace, its curators, members, teams, and days away."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from cadence.rules.verdicts import Rule
from storage.tables.columns import choice, document

_CURRENT = text("left_at IS NULL")
_OPEN = text("state = 'open'")


class Workspace(SQLModel, table=True):
    """One Slack workspace; every other row belongs to one."""

    __tablename__ = "workspace"

    id: str = Field(primary_key=True, max_length=32)
    name: str = ""
    timezone: str = "UTC"
    country: str | None = None
    curator_channel: str | None = None
    rule: Rule = choice(Rule, default=Rule.BALANCED)
    min_runs: int = 20
    first_cycles: int = 5
    guests_allowed: bool = False
    settings: dict[str, Any] = document()
    planned_until: datetime | None = None
    uninstalled_at: datetime | None = None
    created_at: datetime


class Curator(SQLModel, table=True):
    """A member who manages the registry of a workspace."""

    __tablename__ = "curator"

    workspace_id: str = Field(primary_key=True, foreign_key="workspace.id")
    member: str = Field(primary_key=True, max_length=32)
    since: datetime


class Member(SQLModel, table=True):
    """Slack's data on a person, and their settings.

    `is_guest` and `is_stranger` (of another workspace) are None until Slack was asked.
    """

    __tablename__ = "member"

    workspace_id: str = Field(primary_key=True, foreign_key="workspace.id")
    id: str = Field(primary_key=True, max_length=32)
    name: str = ""
    timezone: str | None = None
    is_admin: bool = False
    is_bot: bool = False
    is_guest: bool | None = None
    is_stranger: bool | None = None
    deleted: bool = False
    muted: bool = False
    dm_channel: str | None = None
    seen_at: datetime


class Team(SQLModel, table=True):
    """A group that runs playbooks: a channel, a function, members, a time zone."""

    __tablename__ = "team"
    __table_args__ = (UniqueConstraint("workspace_id", "slug"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    slug: str
    title: str
    function: str
    region: str | None = None
    channel: str
    timezone: str
    country: str | None = None
    reporter: str | None = None
    created_at: datetime


class TeamMember(SQLModel, table=True):
    """A person's membership in a team, with start and end; rows are never deleted.

    `self_joined` is set if nobody added them: members of the team's channel join on their own.
    """

    __tablename__ = "team_member"
    __table_args__ = (
        Index(
            "uq_team_member_current",
            "team_id",
            "member",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    team_id: int = Field(foreign_key="team.id", index=True)
    member: str = Field(index=True, max_length=32)
    joined_at: datetime
    left_at: datetime | None = None
    self_joined: bool = False


class JoinState(StrEnum):
    """The state of a request to join a team."""

    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"
    JOINED = "joined"


class JoinRequest(SQLModel, table=True):
    """A request to join a team, decided by its owner or a curator. `joined` if they got in another way."""

    __tablename__ = "join_request"
    __table_args__ = (
        Index(
            "uq_join_request_open",
            "team_id",
            "member",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    team_id: int = Field(foreign_key="team.id", index=True)
    member: str = Field(max_length=32)
    asked_at: datetime
    state: JoinState = choice(JoinState, default=JoinState.OPEN)
    decided_by: str | None = Field(default=None, max_length=32)
    decided_at: datetime | None = None


class Away(SQLModel, table=True):
    """Days on which a person isn't nudged, both ends included; `ended_at` is set when revoked."""

    __tablename__ = "away"

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    member: str = Field(index=True, max_length=32)
    first_day: date
    last_day: date
    set_by: str
    set_at: datetime
    ended_at: datetime | None = None
