"""One payload of every kind that Slack sends the bot: each command's examples, button, form, shortcut and event."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.sandbox import payloads
from bot.sandbox.delivery import Kind
from bot.sandbox.views import View
from handlers.commands import COMMANDS
from handlers.shortcuts import SHORTCUTS
from templates.ids import Action
from tests.fuzz.arena import Arena, Json
from tests.fuzz.nasty import carefully
from tests.fuzz.test_anything_at_all import OPENERS, REAL_VALUES

ROOM, LEAD, MEMBER, CURATOR = "C01SUPEMEA", "U01LEAD", "U01AGENT1", "U01CURATOR"


@dataclass(frozen=True, slots=True)
class Sample:
    """A payload as Slack would send it, and its short description."""

    name: str
    kind: Kind
    body: Json


def corpus(arena: Arena) -> list[Sample]:
    """The payloads, in Slack's format. The database is unchanged afterwards."""
    found = [*_commands(arena), *_buttons(arena), *_forms(arena), *_shortcuts(arena), *_events(arena)]
    arena.reset()
    return found


def _commands(arena: Arena) -> Iterator[Sample]:
    here = arena.harness.workspace
    room = here.channel(ROOM)
    for entry in COMMANDS:
        for line in dict.fromkeys((entry.command, *entry.examples)):
            slash, _, text = line.partition(" ")
            for member in (LEAD, CURATOR):
                body = payloads.slash_command(here, here.user(member), room, slash, text)
                yield Sample(entry.name, "slash_commands", body)


def _buttons(arena: Arena) -> Iterator[Sample]:
    """Each button with every value it carries, under a message and inside a form."""
    here = arena.harness.workspace
    message = here.history(ROOM)[-1]
    view = _view(LEAD, {"type": "modal", "callback_id": "", "blocks": message.blocks})
    for action in Action:
        for value in REAL_VALUES.get(action, [""]):
            pressed = {"type": "button", "action_id": action, "block_id": "b", "value": value}
            body = payloads.message_action(here, here.user(LEAD), message, pressed, {})
            yield Sample(action, "interactive", body)
        yield Sample(action, "interactive", payloads.view_action(here, here.user(LEAD), view, pressed))


def _view(member: str, body: Json) -> View:
    return View(id="V01FUZZ", user=member, body=body, hash="1.a", root="V01FUZZ")


def _forms(arena: Arena) -> Iterator[Sample]:
    """Each form as the bot opens it, filled in with care."""
    here = arena.harness.workspace
    for callback, openers in OPENERS.items():
        arena.reset()
        for member, ask in openers:
            for shown in ask(arena, member).views:
                if shown.get("callback_id") != callback:
                    continue
                body = payloads.view_submission(here, here.user(member), _view(member, shown))
                body["view"]["state"] = {"values": carefully(shown)}
                yield Sample(callback, "interactive", body)
        closed = payloads.view_closed(here, here.user(member), _view(member, shown), cleared=False)
        yield Sample(f"{callback} closed", "interactive", closed)


def _shortcuts(arena: Arena) -> Iterator[Sample]:
    here = arena.harness.workspace
    for one in SHORTCUTS:
        message = here.history(ROOM)[-1] if one.on_message else None
        body = payloads.shortcut(here, here.user(MEMBER), one.callback, message)
        yield Sample(one.callback, "interactive", body)


def _events(arena: Arena) -> Iterator[Sample]:
    here = arena.harness.workspace
    person = here.show_user(here.user(MEMBER))
    for event in (
        {"type": "app_home_opened", "user": MEMBER, "channel": "D01AGENT1", "tab": "home"},
        {"type": "app_home_opened", "user": MEMBER, "channel": "D01AGENT1", "tab": "messages"},
        {"type": "member_joined_channel", "user": here.app.user, "channel": ROOM, "inviter": LEAD},
        {"type": "member_joined_channel", "user": MEMBER, "channel": ROOM, "channel_type": "C"},
        {"type": "user_change", "user": person},
        {"type": "team_join", "user": person | {"id": "U0NEWCOMER"}},
        {
            "type": "function_executed",
            "function": {"id": "Fn1", "callback_id": "log_exception"},
            "inputs": {"person": MEMBER, "playbook": "support-reply", "step": "send", "reason": "tone"},
            "function_execution_id": "Fx1",
            "bot_access_token": "xwfp-1",
        },
        {"type": "app_uninstalled"},
        {"type": "tokens_revoked", "tokens": {"oauth": [MEMBER], "bot": [here.app.user]}},
        {
            "type": "message",
            "channel": ROOM,
            "channel_type": "im",
            "user": MEMBER,
            "text": "hello",
            "ts": "1.0",
        },
        {"type": "app_mention", "channel": ROOM, "user": MEMBER, "text": "<@U0BOT> hello", "ts": "1.0"},
        {"type": "channel_rename", "channel": {"id": ROOM, "name": "new-name", "created": 1}},
    ):
        yield Sample(str(event["type"]), "events_api", payloads.event_body(here, event))
