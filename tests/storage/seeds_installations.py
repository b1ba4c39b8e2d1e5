"""Slack's tokens to test with."""

from datetime import datetime, timedelta

from sqlmodel import Session

from storage.tables import SlackBot, SlackInstallation
from storage.tables.columns import without_zone

CLIENT = "12.34"


def bot_row(workspace_id: str, installed_at: datetime) -> SlackBot:
    """An installation's token."""
    return SlackBot(
        client_id=CLIENT,
        app_id="A1",
        workspace_id=workspace_id,
        bot_token="xoxb-1",
        bot_refresh_token="xoxe-1",
        bot_token_expires_at=without_zone(installed_at + timedelta(hours=12)),
        installed_at=without_zone(installed_at),
    )


def plant_installation(session: Session, workspace_id: str, installed_at: datetime) -> None:
    """Who installed the bot, and its token."""
    session.add(bot_row(workspace_id, installed_at))
    session.add(
        SlackInstallation(
            client_id=CLIENT,
            app_id="A1",
            workspace_id=workspace_id,
            user_id="U01ADMIN",
            bot_token="xoxb-1",
            installed_at=without_zone(installed_at),
        )
    )
