"""Onboarding: three lines to a channel the bot was invited to."""

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from cadence.flows.runs import team_runs
from cadence.mrkdwn import channel_link
from storage import ledger, people
from storage.engine import Database
from storage.ledger import Owed
from storage.tables import OwedMessage
from templates.contexts.home import Welcome, WelcomedPlaybook

NOT_AGAIN_FOR: Final = timedelta(days=30)
"""A bot that leaves and comes back says hello once a month at most."""


def invited(db: Database, *, workspace_id: str, channel: str, now: datetime) -> bool:
    """The bot has come into a channel: it owes three lines, unless it said them lately."""
    if channel_link(channel) == channel:  # nothing Slack would call a channel
        return False
    with db.write() as session:
        if people.workspace(session, workspace_id=workspace_id) is None:
            return False
        prefix = f"welcome:{workspace_id}:{channel}"
        said = ledger.by_prefix(session, workspace_id=workspace_id, prefix=prefix)
        if any(row.created_at > now - NOT_AGAIN_FOR for row in said):
            return False
        owed = Owed(
            key=f"{prefix}:{now.date()}",
            kind="welcome",
            recipient=channel,
            subject={},
            due_at=now,
            useful_until=now + timedelta(days=2),
        )
        return bool(ledger.owe(session, workspace_id=workspace_id, owed=[owed], now=now))


def welcome(session: Session, message: OwedMessage, now: datetime) -> Welcome:
    """What it is, what comes, what to press first; by whether the channel has a team."""
    team = people.team_by_channel(session, workspace_id=message.workspace_id, channel=message.recipient)
    workspace = people.workspace(session, workspace_id=message.workspace_id)
    if team is None or workspace is None:
        return Welcome(channel=message.recipient)
    runs = team_runs(session, workspace=workspace, now=now, team_ids=[team.id or 0])
    return Welcome(
        channel=message.recipient,
        team=team.title,
        runs=tuple(WelcomedPlaybook(title=run.playbook.title, owner=run.playbook.owner) for run in runs),
    )
