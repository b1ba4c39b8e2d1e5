"""Message kinds, the results of composing, and announcements."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import IO, Any, Final

from cadence.flows.core.adoptions import AdoptionView, adoption_by_id
from cadence.nudges import Unless
from storage.outbox.queueing import NewMessage
from storage.queries import people
from storage.tables import OutboxMessage, Team, Workspace
from storage.work import UnitOfWork
from templates.chart import AnyChart
from templates.contexts.base import MessageContext, Picture


@dataclass(frozen=True, slots=True)
class Skip:
    """The message isn't needed any more; `detail` is for the log."""

    reason: Unless
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """The message has to wait, because nobody is nudged at night or on a day off."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Say:
    """The message's content and its destination: a channel or member, or the message it rewrites."""

    context: MessageContext
    rewrites: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Show:
    """A chart for a sent message; it goes to the message's thread where Slack can't show it in the message.

    Args:
        message: channel and `ts`.
        file: the name of its file.
        within: returns the message with the picture in it.
    """

    chart: AnyChart
    message: tuple[str, str]
    file: str
    within: Callable[[Picture], MessageContext]


IN_THE_MESSAGE: Final = "in the message"
"""Reason in the row of a chart that its message shows, rather than the thread."""
WITHOUT_PICTURE: Final = "sent without its picture, which Slack refused"
"""Reason of a rewrite that lost the message's picture, such as because somebody deleted its file."""
NOT_ATTACHED: Final = "not attached"
"""Prefix of the reason of a message whose file Slack didn't accept; nobody has seen any of it."""


@dataclass(frozen=True, slots=True)
class Attach:
    """A file for the recipient, created only when it is sent and never held in memory.

    Args:
        file: its name, unique and the same at every attempt.
        title: shown above it.
        comment: the text sent with it.
        write: writes it, from the database.
    """

    file: str
    title: str
    comment: str
    write: Callable[[IO[bytes]], None]


Composed = Say | Show | Attach | Skip | Later


class Urgency(StrEnum):
    """How urgent a message is to its reader, which decides when it can be sent."""

    ALERT = "alert"
    """Something changed that can't wait: sent at once, at any hour."""
    ANSWER = "answer"
    """A response to what its reader just did: sent at once, at any hour."""
    NUDGE = "nudge"
    """Anything else: sent only between 08:00 and 18:00 in its reader's zone, on a working day. One that
    has to wait comes at 09:00."""
    EDIT = "edit"
    """A change to a sent message: notifies nobody, so sent at any hour."""


@dataclass(frozen=True, slots=True)
class MessageKind:
    """A kind of message. Each is declared once, beside its composer, and exported in its package's `KINDS`.

    Args:
        name: its name in the ledger.
        compose: returns the content at sending time, or why it isn't sent.
        rewrite: returns the current content of a sent message; None if it never changes.
        urgency: when it can be sent.
        unless: reasons to skip it, besides those of its nudge and the non-quiet ones, which apply to every
            kind.
        reaches_the_away: a nudge that is sent even while its reader is away.
        on_sent: queues or rewrites something once it was sent.
        picture_lost: queues the picture of a sent message again, after a rewrite lost it; called with the message
            and a mark of the rewrite.
        needs_no_end: why the rewrite that removes its buttons can be skipped, if so.
    """

    name: str
    compose: Callable[[UnitOfWork, OutboxMessage], MessageContext | Composed]
    rewrite: Callable[[UnitOfWork, OutboxMessage], MessageContext] | None = None
    urgency: Urgency = Urgency.NUDGE
    unless: tuple[Unless, ...] = ()
    reaches_the_away: bool = False
    on_sent: Callable[[UnitOfWork, OutboxMessage], None] | None = None
    picture_lost: Callable[[UnitOfWork, OutboxMessage, str], None] | None = None
    needs_no_end: Callable[[UnitOfWork, OutboxMessage], Unless | None] | None = None


def week_of(message: OutboxMessage) -> date:
    """The Monday of the week a message is about."""
    return date.fromisoformat(message.subject["week"])


def adoption_about(uow: UnitOfWork, message: OutboxMessage) -> AdoptionView:
    """The adoption a message is about."""
    return adoption_by_id(uow, adoption_id=int(message.subject["adoption"]))


CLOSES: Final = "closes"
"""Key in the subject of the rewrite that removes a message's buttons."""
CHECKIN_KINDS = ("checkin", "checkin-reminder", "checkin-snoozed", "checkin-again")
"""Messages that contain a member's open check-ins, with buttons: one DM a week, however many playbooks."""


_AT_ONCE: Final = 50
"""Check-ins looked for in one statement: each needs a condition for every kind."""


def checkin_messages(uow: UnitOfWork, members: Iterable[str], *weeks: date) -> list[OutboxMessage]:
    """The messages that contain the check-ins of some members for weeks that begin on these Mondays."""
    about = [(member, week) for member in members for week in weeks]
    return [
        message
        for start in range(0, len(about), _AT_ONCE)
        for message in uow.messages_about_any(CHECKIN_KINDS, about[start : start + _AT_ONCE])
    ]


_TS: Final = re.compile(r"[0-9]{1,12}\.[0-9]{1,6}")
_CHANNEL: Final = re.compile(r"[CGD][A-Z0-9]{1,23}")


_MESSAGE: Final = re.compile(
    r"https?://[^/\s]+/(?:archives/[CGD][A-Z0-9]+/p[0-9]+|app_redirect\?\S*message_ts=)\S*"
)


def is_message(link: str) -> bool:
    """Whether a link is one of a Slack message, so that equal links mean the same message."""
    return _MESSAGE.fullmatch(link) is not None


def message_link(
    settings: Mapping[str, object],
    *,
    workspace_id: str,
    channel: str,
    ts: str,
    thread_ts: str | None = None,
) -> str | None:
    """The link of a message, as Slack's "Copy link" writes it; None if the ids aren't Slack's.

    Args:
        settings: the workspace's, with its address as returned by `auth.test`. Without it the link goes
            through slack.com, which knows every workspace.
        thread_ts: of the thread, if the message is a reply.
    """
    if not (_CHANNEL.fullmatch(channel) and _TS.fullmatch(ts)):
        return None
    base = settings.get("url")
    if not isinstance(base, str) or not base.startswith(("https://", "http://")):
        return f"https://slack.com/app_redirect?team={workspace_id}&channel={channel}&message_ts={ts}"
    link = f"{base.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
    reply = thread_ts is not None and thread_ts != ts and _TS.fullmatch(thread_ts)
    return f"{link}?thread_ts={thread_ts}&cid={channel}" if reply else link


def announce(
    uow: UnitOfWork,
    workspace: Workspace,
    teams: Sequence[Team],
    *,
    kind: str,
    slot: object,
    subject: dict[str, Any],
) -> None:
    """Send a message of a kind to each team's channel and to the curators, once per `slot`."""
    tell(
        uow,
        [*(team.channel for team in teams), *curators_read(uow, workspace)],
        kind=kind,
        slot=slot,
        subject=subject,
    )


def tell(
    uow: UnitOfWork,
    recipients: Iterable[str],
    *,
    kind: str,
    slot: object,
    subject: dict[str, Any],
) -> None:
    """Send a message of a kind to channels and members, once each per `slot`."""
    uow.send(
        [
            NewMessage(kind, recipient, subject, about=(slot, recipient))
            for recipient in dict.fromkeys(recipients)
        ]
    )


def curators_read(uow: UnitOfWork, workspace: Workspace) -> list[str]:
    """Where curators get messages: their channel, else each one's DM."""
    if workspace.curator_channel:
        return [workspace.curator_channel]
    return people.curators(uow)
