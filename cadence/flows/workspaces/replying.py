"""The answer to text in the bot's DM: it only understands commands and buttons."""

from datetime import timedelta
from typing import Final

from cadence.flows.core import MessageKind, Urgency
from storage.outbox.queueing import NewMessage
from storage.queries import workspaces
from storage.tables import OutboxMessage
from storage.work import UnitOfWork
from templates.contexts.workspaces import TextAnswer

_KIND: Final = "text-answer"
_USEFUL: Final = timedelta(minutes=10)


def written(uow: UnitOfWork, *, member: str, command: str) -> bool:
    """Answer what a member wrote to the bot, at most once a minute for each command they may have meant; the text
    isn't kept. `command` is empty if it named none."""
    with uow.write():
        if workspaces.workspace(uow) is None:
            return False
        minute = f"{uow.now:%Y-%m-%dT%H:%M}"
        about = member, minute, command
        return bool(
            uow.send_new(NewMessage(_KIND, member, {"command": command}, about=about, useful=_USEFUL))
        )


def _answer(_uow: UnitOfWork, message: OutboxMessage) -> TextAnswer:
    return TextAnswer(command=str(message.subject["command"]))


REPLIED: Final = MessageKind(_KIND, _answer, urgency=Urgency.ANSWER)
