"""Onboarding: three lines to a channel the bot was invited to."""

from datetime import timedelta
from typing import Final

from cadence.flows.core import MessageKind, Urgency, adoption_views
from cadence.mrkdwn import channel_link
from storage.outbox.queueing import NewMessage
from storage.queries import people, workspaces
from storage.tables import OutboxMessage
from storage.work import UnitOfWork
from templates.contexts.workspaces import Welcome, WelcomedPlaybook

WELCOME: Final = "welcome"
NOT_AGAIN_FOR: Final = timedelta(days=30)
"""A bot that leaves and returns posts its welcome at most once in this time."""


def invited(uow: UnitOfWork, *, channel: str) -> bool:
    """Queue the welcome for a channel the bot was invited to, unless one was sent there recently."""
    if channel_link(channel) == channel:  # not a channel ID of Slack's
        return False
    with uow.write():
        if workspaces.workspace(uow) is None:
            return False
        said = uow.messages(WELCOME, channel)
        if any(row.created_at > uow.now - NOT_AGAIN_FOR for row in said):
            return False
        about = channel, uow.now.date()
        return bool(uow.send_new(NewMessage(WELCOME, channel, {}, about=about, useful=timedelta(days=2))))


def welcome(uow: UnitOfWork, message: OutboxMessage) -> Welcome:
    """What the bot is, what will happen, and what to press first; depends on whether the channel has a
    team."""
    team = people.team_by_channel(uow, channel=message.recipient)
    workspace = workspaces.workspace(uow)
    if team is None or workspace is None:
        return Welcome(channel=message.recipient)
    runs = adoption_views(uow, team_ids=[team.id or 0])
    return Welcome(
        channel=message.recipient,
        team=team.title,
        runs=tuple(WelcomedPlaybook(title=view.playbook.title, owner=view.playbook.owner) for view in runs),
    )


WELCOMED: Final = MessageKind(WELCOME, welcome, urgency=Urgency.ANSWER)
