"""Text written to the bot in its DM: an answer that names the command it may have meant."""

from typing import Any

from slack_bolt import App

from cadence.actor import Actor
from cadence.flows.workspaces import written
from handlers.commands import COMMANDS
from handlers.context import Services
from handlers.grammar import ROOT, Typed
from storage.work import UnitOfWork


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
    """The command at the beginning of a text: `attest`, `status please`, ` /kpi 12`; empty if there is none."""
    words = Typed(text)
    slash = f"/{words.key().removeprefix('/')}"
    if slash in COMMANDS.short:
        return slash
    at = 1 if slash == ROOT else 0
    first, second = words.key(at), words.key(at + 1)
    for name in (f"{first} {second}", first):
        if name in COMMANDS.long or name in COMMANDS.heads:
            return f"{ROOT} {name}"
    return f"{ROOT} help" if at else ""
