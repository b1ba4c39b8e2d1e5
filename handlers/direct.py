"""Text written to the bot in its DM: an answer that names the command it may have meant."""

import re
from typing import Any, Final

from slack_bolt import App

from cadence.actor import Actor
from cadence.flows.workspaces import written
from handlers.commands import COMMANDS
from handlers.context import Services
from handlers.grammar import ROOT, Typed
from storage.work import UnitOfWork

_ANSWER: Final = re.compile(
    r"(?:it |we )?(?:ran |run )?as[ -]planned|(?:something )?changed|(?:it |we )?(?:didn.?t|did not|not) run",
    re.IGNORECASE,
)
_SIGNS: Final = {
    "away": {"away", "holiday", "holidays", "ooo", "pto", "sick", "vacation"},
    "snooze": {"later", "remind", "snooze"},
}
"""Words that tell which command somebody needs."""


def register(app: App, services: Services) -> None:
    """Listen for messages in the bot's DMs; its own, edits and deletions have a subtype or a bot's ID."""

    def said(event: dict[str, Any], context: dict[str, Any]) -> None:
        member = str(event.get("user") or "")
        foreign = event.get("bot_id") or member == context.get("bot_user_id") or context.get("from_elsewhere")
        if event.get("channel_type") != "im" or not member or foreign:
            return
        uow = UnitOfWork(services.db, Actor.system(str(context.get("team_id") or "")), services.clock())
        written(uow, member=member, command=meant(str(event.get("text") or "")))

    app.event({"type": "message", "subtype": None})(said)


def meant(text: str) -> str:
    """The command at the beginning of a text, as in `status please` or ` /kpi 12`; empty if none is known.

    Else the one for what it seems to say: an answer to the check-in, a number, days away, later.
    """
    words = Typed(text)
    slash = f"/{words.key().removeprefix('/')}"
    if slash in COMMANDS.short:
        return slash
    at = 1 if slash == ROOT else 0
    first, second = words.key(at), words.key(at + 1)
    for name in (f"{first} {second}", first):
        if name in COMMANDS.long or name in COMMANDS.heads:
            return f"{ROOT} {name}"
    if at:
        return f"{ROOT} help"
    if _ANSWER.match(text.strip()):
        return "/attest"
    if first[:1].isdecimal():
        return "/kpi"
    said = {word.key for word in words.words}
    return next((f"{ROOT} {name}" for name, signs in _SIGNS.items() if said & signs), "")
