"""Onboarding: three lines to a channel the bot was invited to."""

from datetime import timedelta
from typing import Final

from cadence.flows.core import team_runs
from cadence.mrkdwn import channel_link
from storage.outbox import ledger
from storage.outbox.ledger import Owed
from storage.queries import people
from storage.tables import OwedMessage
from storage.work import UnitOfWork
from templates.contexts.home import Welcome, WelcomedPlaybook

NOT_AGAIN_FOR: Final = timedelta(days=30)
"""A bot that leaves and comes back says hello once a month at most."""


def invited(uow: UnitOfWork, *, channel: str) -> bool:
    """The bot has come into a channel: it owes three lines, unless it said them lately."""
    if channel_link(channel) == channel:  # nothing Slack would call a channel
        return False
    with uow.write():
        if people.workspace(uow) is None:
            return False
        prefix = f"welcome:{uow.workspace_id}:{channel}"
        said = ledger.by_prefix(uow, prefix=prefix)
        if any(row.created_at > uow.now - NOT_AGAIN_FOR for row in said):
            return False
        owed = Owed(
            key=f"{prefix}:{uow.now.date()}",
            kind="welcome",
            recipient=channel,
            subject={},
            due_at=uow.now,
            useful_until=uow.now + timedelta(days=2),
        )
        return bool(ledger.owe(uow, owed=[owed]))


def welcome(uow: UnitOfWork, message: OwedMessage) -> Welcome:
    """What it is, what comes, what to press first; by whether the channel has a team."""
    team = people.team_by_channel(uow, channel=message.recipient)
    workspace = people.workspace(uow)
    if team is None or workspace is None:
        return Welcome(channel=message.recipient)
    runs = team_runs(uow, workspace=workspace, team_ids=[team.id or 0])
    return Welcome(
        channel=message.recipient,
        team=team.title,
        runs=tuple(WelcomedPlaybook(title=run.playbook.title, owner=run.playbook.owner) for run in runs),
    )
