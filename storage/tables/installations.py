"""Slack's tokens by workspace. The columns are those that Slack's SDK writes; a test compares them.

The SDK calls a workspace `team_id` and stores naive UTC.
"""

from datetime import datetime

from sqlalchemy import Column, DateTime, Index, Integer, String, func
from sqlmodel import Field, SQLModel


def _text(length: int) -> type[String]:
    return String(length)  # type: ignore[return-value]  # SQLModel says type, and takes an instance


def _workspace() -> Column[str]:
    return Column("team_id", String(32), key="workspace_id")


def _installed_at() -> Column[datetime]:
    return Column("installed_at", DateTime(), nullable=False, default=func.now())


class SlackBot(SQLModel, table=True):
    """The bot token of a workspace; the newest row counts."""

    __tablename__ = "slack_bot"
    __table_args__ = (Index("slack_bot_idx", "client_id", "enterprise_id", "workspace_id", "installed_at"),)

    id: int | None = Field(default=None, sa_column=Column("id", Integer, primary_key=True))
    client_id: str = Field(sa_type=_text(32))
    app_id: str = Field(sa_type=_text(32))
    enterprise_id: str | None = Field(default=None, sa_type=_text(32))
    enterprise_name: str | None = Field(default=None, sa_type=_text(200))
    workspace_id: str | None = Field(default=None, sa_column=_workspace())
    team_name: str | None = Field(default=None, sa_type=_text(200))
    bot_token: str | None = Field(default=None, sa_type=_text(200), repr=False)
    bot_id: str | None = Field(default=None, sa_type=_text(32))
    bot_user_id: str | None = Field(default=None, sa_type=_text(32))
    bot_scopes: str | None = Field(default=None, sa_type=_text(1000))
    bot_refresh_token: str | None = Field(default=None, sa_type=_text(200), repr=False)
    bot_token_expires_at: datetime | None = Field(default=None, sa_type=DateTime)
    is_enterprise_install: bool = False
    installed_at: datetime = Field(sa_column=_installed_at())


class SlackInstallation(SQLModel, table=True):
    """Who installed the bot in a workspace, and when; no user token is asked for."""

    __tablename__ = "slack_installation"
    __table_args__ = (
        Index(
            "slack_installation_idx", "client_id", "enterprise_id", "workspace_id", "user_id", "installed_at"
        ),
    )

    id: int | None = Field(default=None, sa_column=Column("id", Integer, primary_key=True))
    client_id: str = Field(sa_type=_text(32))
    app_id: str = Field(sa_type=_text(32))
    enterprise_id: str | None = Field(default=None, sa_type=_text(32))
    enterprise_name: str | None = Field(default=None, sa_type=_text(200))
    enterprise_url: str | None = Field(default=None, sa_type=_text(200))
    workspace_id: str | None = Field(default=None, sa_column=_workspace())
    team_name: str | None = Field(default=None, sa_type=_text(200))
    bot_token: str | None = Field(default=None, sa_type=_text(200), repr=False)
    bot_id: str | None = Field(default=None, sa_type=_text(32))
    bot_user_id: str | None = Field(default=None, sa_type=_text(32))
    bot_scopes: str | None = Field(default=None, sa_type=_text(1000))
    bot_refresh_token: str | None = Field(default=None, sa_type=_text(200), repr=False)
    bot_token_expires_at: datetime | None = Field(default=None, sa_type=DateTime)
    user_id: str = Field(sa_type=_text(32))
    user_token: str | None = Field(default=None, sa_type=_text(200), repr=False)
    user_scopes: str | None = Field(default=None, sa_type=_text(1000))
    user_refresh_token: str | None = Field(default=None, sa_type=_text(200), repr=False)
    user_token_expires_at: datetime | None = Field(default=None, sa_type=DateTime)
    incoming_webhook_url: str | None = Field(default=None, sa_type=_text(200))
    incoming_webhook_channel: str | None = Field(default=None, sa_type=_text(200))
    incoming_webhook_channel_id: str | None = Field(default=None, sa_type=_text(200))
    incoming_webhook_configuration_url: str | None = Field(default=None, sa_type=_text(200))
    is_enterprise_install: bool = False
    token_type: str | None = Field(default=None, sa_type=_text(32))
    installed_at: datetime = Field(sa_column=_installed_at())


class SlackState(SQLModel, table=True):
    """An OAuth installation in progress; the browser that returns from Slack must bring its state, once."""

    __tablename__ = "slack_state"

    id: int | None = Field(default=None, sa_column=Column("id", Integer, primary_key=True))
    state: str = Field(sa_type=_text(200), repr=False)
    expire_at: datetime = Field(sa_type=DateTime)
