"""What composing a message can come to."""

from dataclasses import dataclass
from datetime import datetime

from templates.chart import Chart
from templates.contexts.base import MessageContext


@dataclass(frozen=True, slots=True)
class Skip:
    """The message needn't be sent any more."""

    reason: str


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


Composed = Say | Show | Skip | Later
