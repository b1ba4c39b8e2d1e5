"""What composing a message can come to."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Final

from cadence.flows.core.adoptions import TeamRun, run_by_id
from cadence.nudges import Unless
from storage.tables import OwedMessage
from storage.work import UnitOfWork
from templates.chart import Chart
from templates.contexts.base import MessageContext


@dataclass(frozen=True, slots=True)
class Skip:
    """The message needn't be sent any more; `detail` is for the log."""

    reason: Unless
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """The message waits: nobody is nudged at night or on a day off."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Say:
    """What the message says, and where: a channel or member, or the message it rewrites."""

    context: MessageContext
    rewrites: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Show:
    """A picture to be uploaded into the thread of a message: its channel and `ts`. What can't be is left out."""

    chart: Chart
    thread: tuple[str, str]
    file: str


NOT_ATTACHED: Final = "not attached"
"""How the reason of a message begins whose file Slack didn't take; nobody has seen any of it."""


@dataclass(frozen=True, slots=True)
class Attach:
    """A file for the recipient, made only when it is sent and never held in memory.

    Args:
        file: its name, the same at every attempt and different from any other's.
        title: shown above it.
        comment: what is said with it.
        write: writes it, from the database.
    """

    file: str
    title: str
    comment: str
    write: Callable[[IO[bytes]], None]


Composed = Say | Show | Attach | Skip | Later


def week_of(message: OwedMessage) -> date:
    """The Monday of the week a message is about."""
    return date.fromisoformat(message.subject["week"])


def run_of(uow: UnitOfWork, message: OwedMessage) -> TeamRun:
    """The run a message is about."""
    return run_by_id(uow, adoption_id=int(message.subject["adoption"]))


CHECKIN_KINDS = ("checkin", "checkin-reminder", "checkin-snoozed", "checkin-again")
"""Messages that carry a member's open check-ins, with their buttons."""


def key(kind: str, workspace_id: str, member: str, week_start: date) -> str:
    """The ledger key of a member's weekly message: one DM, however many playbooks."""
    return f"{kind}:{workspace_id}:{member}:{week_start}"


_TS: Final = re.compile(r"[0-9]{1,12}\.[0-9]{1,6}")
_CHANNEL: Final = re.compile(r"[CGD][A-Z0-9]{1,23}")


_MESSAGE: Final = re.compile(
    r"https?://[^/\s]+/(?:archives/[CGD][A-Z0-9]+/p[0-9]+|app_redirect\?\S*message_ts=)\S*"
)


def is_message(link: str) -> bool:
    """Whether a link is one of a Slack message, so that the same link is the same message."""
    return _MESSAGE.fullmatch(link) is not None


def message_link(
    settings: Mapping[str, object],
    *,
    workspace_id: str,
    channel: str,
    ts: str,
    thread_ts: str | None = None,
) -> str | None:
    """The link of a message, as Slack's own "Copy link" writes it; None when the ids aren't Slack's.

    Args:
        settings: the workspace's, with its address as `auth.test` gave it. Without one the link goes through
            slack.com, which knows every workspace.
        thread_ts: of the thread that a reply stands in.
    """
    if not (_CHANNEL.fullmatch(channel) and _TS.fullmatch(ts)):
        return None
    base = settings.get("url")
    if not isinstance(base, str) or not base.startswith(("https://", "http://")):
        return f"https://slack.com/app_redirect?team={workspace_id}&channel={channel}&message_ts={ts}"
    link = f"{base.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
    reply = thread_ts is not None and thread_ts != ts and _TS.fullmatch(thread_ts)
    return f"{link}?thread_ts={thread_ts}&cid={channel}" if reply else link
