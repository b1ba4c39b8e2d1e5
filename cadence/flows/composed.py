"""What composing a message can come to."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Final

from cadence.nudges import Unless
from storage.engine import Database
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
    write: Callable[[Database, IO[bytes]], None]


Composed = Say | Show | Attach | Skip | Later
