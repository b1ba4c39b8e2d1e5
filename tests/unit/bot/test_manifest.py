"""The manifest is Slack's format, and asks for exactly what the code uses."""

import ast
import inspect
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML
from slack_sdk import WebClient
from werkzeug.test import Client

import bot.app
from bot.app import Bot, build_bot
from bot.ops.manifest import (
    ENDPOINT,
    EVENTS,
    NEEDS,
    OAUTH_EVENTS,
    REDIRECT,
    manifest,
    missing_scopes,
    render_manifest,
    scopes,
    uses,
)
from bot.rehearsal.harness import GRANTED
from bot.runtime.clocks import utc_now
from bot.sandbox.api import call
from bot.sandbox.capabilities import Capabilities
from bot.sandbox.methods import METHODS
from bot.sandbox.workspace import build_workspace
from bot.settings import load_settings
from bot.web import Web
from cadence.refusals import Refusal
from storage.engine import Database
from storage.migrate import migrate
from tests.contexts import assert_golden
from tests.harnesses import check_scopes
from tests.unit.bot.fake_slack import FakeSlack

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "tests" / "data" / "manifest.schema.json").read_text(encoding="utf-8"))
MADE_UP_ELSEWHERE = {"bot/ops/manifest.py"}
"""The table under test names every method; the built-in workspace answers them instead of calling them."""
PUBLIC = "https://cadence.example.com"


def socket_mode() -> dict[str, Any]:
    return manifest(socket_mode=True, url=None)


def over_http(url: str = PUBLIC) -> dict[str, Any]:
    return manifest(socket_mode=False, url=url)


# --- the format -----------------------------------------------------------------------------------------------


def problems(made: dict[str, Any]) -> list[str]:
    validator = Draft7Validator(SCHEMA, format_checker=Draft7Validator.FORMAT_CHECKER)
    return [error.message for error in validator.iter_errors(made)]


def for_several(*, rotates: bool = False) -> dict[str, Any]:
    return manifest(socket_mode=False, url=PUBLIC, oauth=True, rotates=rotates)


@pytest.mark.parametrize(
    "made",
    [socket_mode(), over_http(), for_several(), for_several(rotates=True)],
    ids=["socket mode", "http", "several workspaces", "tokens that end"],
)
def test_slack_takes_the_manifest(made: dict[str, Any]) -> None:
    assert problems(made) == []
    assert made["_metadata"]["major_version"] == 2


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("display_information", "name"), "n" * 36),
        (("features", "slash_commands", 0, "command"), "kpi"),
        (("features", "app_home", "banner"), True),
        (("settings", "interactivity"), {}),
    ],
)
def test_the_schema_would_notice(path: tuple[Any, ...], wrong: object) -> None:
    made: Any = socket_mode()
    place = made
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = wrong
    assert len(problems(made)) == 1


def test_every_mode_keeps_the_same_promises() -> None:
    for made in (socket_mode(), over_http()):
        assert made["features"]["bot_user"]["display_name"] == "Rollout Cadence"
        assert made["features"]["app_home"] == {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": False,
        }
        assert made["settings"]["interactivity"]["is_enabled"] is True
        assert made["settings"]["token_rotation_enabled"] is False
        assert made["settings"]["org_deploy_enabled"] is False
        for command in made["features"]["slash_commands"]:
            assert command["should_escape"] is True
            assert command["description"].endswith(".")
            assert command["usage_hint"]


def test_socket_mode_has_no_address() -> None:
    made = socket_mode()
    assert made["settings"]["socket_mode_enabled"] is True
    assert "url" not in json.dumps(made)


@pytest.mark.parametrize("url", [PUBLIC, PUBLIC + "/", PUBLIC + ENDPOINT, f" {PUBLIC}{ENDPOINT}/ "])
def test_over_http_every_request_comes_to_one_address(url: str) -> None:
    made = over_http(url)
    assert made["settings"]["socket_mode_enabled"] is False
    addresses = [command["url"] for command in made["features"]["slash_commands"]]
    addresses += [made["settings"][part]["request_url"] for part in ("event_subscriptions", "interactivity")]
    assert set(addresses) == {"https://cadence.example.com/slack/events"}
    assert len(addresses) == 6


def test_that_address_is_served(wired: Bot) -> None:
    client = Client(Web(db=wired.db, workspace=wired.identity.team_id, slack=wired.app, clock=utc_now))
    assert client.post(ENDPOINT).status_code == 401
    assert client.post(f"{ENDPOINT}/elsewhere").status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "cadence.example.com",
        "ftp://cadence.example.com",
        "http://cadence.example.com",
        "https://",
        "https://a b",
        "http://[::1",
        f"{PUBLIC}?x=1",
        f"{PUBLIC}#x",
    ],
)
def test_an_address_slack_cannot_call_is_refused(url: str | None) -> None:
    with pytest.raises(Refusal) as refused:
        manifest(socket_mode=False, url=url)
    assert_golden(refused.value.plain, f"address:{url}")


def test_several_workspaces_are_led_back_and_heard_when_they_go() -> None:
    made, one = for_several(rotates=True), over_http()
    assert made["oauth_config"] == {
        "redirect_urls": [f"{PUBLIC}{REDIRECT}"],
        "scopes": one["oauth_config"]["scopes"],
    }
    events = made["settings"]["event_subscriptions"]["bot_events"]
    assert set(events) - set(one["settings"]["event_subscriptions"]["bot_events"]) == set(OAUTH_EVENTS)
    assert made["settings"]["token_rotation_enabled"] is True
    assert made["settings"]["org_deploy_enabled"] is False


def test_several_workspaces_need_http_and_rotation_needs_them() -> None:
    with pytest.raises(Refusal) as refused:
        manifest(socket_mode=True, url=None, oauth=True)
    assert_golden(refused.value.plain, "without-http")
    with pytest.raises(Refusal) as refused:
        manifest(socket_mode=False, url=PUBLIC, rotates=True)
    assert_golden(refused.value.plain, "without-oauth")


@pytest.mark.parametrize("as_json", [True, False])
def test_what_is_printed_reads_back_the_same(as_json: bool) -> None:
    made = over_http()
    text = render_manifest(made, as_json=as_json)
    assert (json.loads(text) if as_json else YAML(typ="safe").load(text)) == made
    assert text.endswith("\n")
    assert text.index("_metadata") < text.index("display_information") < text.index("features")


# --- what the code uses ---------------------------------------------------------------------------------------


def methods_in(source: str) -> Iterator[str]:
    """The Web API methods a piece of Python calls: by name, or through a method of slack_sdk's client."""
    client_methods = vars(WebClient)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in METHODS:
            yield node.value
        elif isinstance(node, ast.Attribute) and node.attr in client_methods and node.attr[0] != "_":
            called = re.search(r'api_call\(\s*"([\w.]+)"', inspect.getsource(client_methods[node.attr]))
            yield called.group(1) if called else node.attr


def used_methods() -> dict[str, set[str]]:
    """Every Web API method in the code, and the files it is in."""
    found: dict[str, set[str]] = {}
    for file in sorted([*(ROOT / "bot").rglob("*.py"), *(ROOT / "handlers").rglob("*.py")]):
        name = file.relative_to(ROOT).as_posix()
        if name not in MADE_UP_ELSEWHERE and not name.startswith("bot/sandbox/"):
            for method in methods_in(file.read_text(encoding="utf-8")):
                found.setdefault(method, set()).add(name)
    return found


@pytest.mark.parametrize(
    ("source", "methods"),
    [
        ("self._call('reactions.add', {})", ["reactions.add"]),
        ("client.views_publish(user_id=user)", ["views.publish"]),
        ("opening = client.views_push if deep else client.views_open", ["views.push", "views.open"]),
        ("client.files_upload_v2(file=chart)", ["files_upload_v2"]),
        ("turn.open(form); 'an ordinary text'", []),
    ],
)
def test_calls_are_found(source: str, methods: list[str]) -> None:
    assert list(methods_in(source)) == methods


def test_every_method_the_code_calls_is_in_the_table_and_no_other() -> None:
    used = used_methods()
    assert used["chat.postMessage"] == {"bot/delivery/gateway.py"}
    assert "handlers/views.py" in used["views.open"]
    assert set(used) == set(NEEDS)


@pytest.mark.parametrize("method", sorted(NEEDS))
def test_the_scopes_of_a_method_are_slacks_own(method: str) -> None:
    documented = METHODS[method].scopes
    assert set(NEEDS[method]) <= set(documented)
    assert bool(NEEDS[method]) == bool(documented), "a method that needs a scope gets one"


def test_scopes_are_exactly_what_is_needed() -> None:
    asked = socket_mode()["oauth_config"]["scopes"]
    assert asked == {"bot": scopes()}
    assert scopes() == [
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:write",
        "users:read",
    ]
    assert all(uses(scope) for scope in scopes())


def test_missing_scopes() -> None:
    assert missing_scopes(scopes()) == []
    assert missing_scopes([*scopes(), "pins:read"]) == []
    assert missing_scopes({"chat:write", "commands", "im:write"}) == [
        "channels:history",
        "channels:read",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "users:read",
    ]


def test_scopes_say_what_they_are_for() -> None:
    assert uses("im:write") == ["conversations.open"]
    assert uses("users:read") == ["users.info", "users.list", "team_join", "user_change"]
    assert uses("commands") == ["slash commands"]


class Listening(bot.app.BoltApp):
    """A Bolt app that records its listeners."""

    heard: dict[str, set[str]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.heard = {"command": set(), "event": set(), "shortcut": set(), "options": set(), "action": set()}
        super().__init__(*args, **kwargs)

    def _heard(self, kind: str, what: Any) -> None:
        self.heard[kind].add(str(what))

    def command(self, command: Any, *args: Any, **kwargs: Any) -> Any:
        self._heard("command", command)
        return super().command(command, *args, **kwargs)

    def event(self, event: Any, *args: Any, **kwargs: Any) -> Any:
        written = isinstance(event, dict) and event == {"type": "message", "subtype": None}
        self._heard("event", "message.im" if written else event)
        return super().event(event, *args, **kwargs)

    def shortcut(self, constraints: Any, *args: Any, **kwargs: Any) -> Any:
        self._heard("shortcut", constraints)
        return super().shortcut(constraints, *args, **kwargs)

    def global_shortcut(self, callback_id: Any, *args: Any, **kwargs: Any) -> Any:
        self._heard("shortcut", callback_id)
        return super().global_shortcut(callback_id, *args, **kwargs)

    def message_shortcut(self, callback_id: Any, *args: Any, **kwargs: Any) -> Any:
        self._heard("shortcut", callback_id)
        return super().message_shortcut(callback_id, *args, **kwargs)

    def options(self, constraints: Any, *args: Any, **kwargs: Any) -> Any:
        self._heard("options", constraints)
        return super().options(constraints, *args, **kwargs)

    def action(self, constraints: Any, *args: Any, **kwargs: Any) -> Any:
        self._heard("action", constraints)
        return super().action(constraints, *args, **kwargs)


@pytest.fixture
def wired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bot]:
    """The bot, wired as it runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bot.app, "BoltApp", Listening)
    db = Database(f"sqlite:///{tmp_path / 'bot.db'}")
    migrate(db)
    with FakeSlack() as slack:
        slack.answers["auth.test"] = {"ok": True, "team_id": "T01", "team": "Acme", "user_id": "U0BOT"}
        yield build_bot(
            load_settings(), db=db, token="xoxb-1", api_url=slack.api_url, signing_secret="secret"
        )
    db.close()


def names(entries: Iterable[dict[str, Any]], key: str) -> set[str]:
    return {entry[key] for entry in entries}


def test_everything_the_bot_listens_for_is_in_the_manifest(wired: Bot) -> None:
    assert isinstance(wired.app, Listening)
    made, heard = over_http(), wired.app.heard
    assert heard["action"], "the wiring is really recorded"
    (commands,) = heard["command"]  # one pattern for all
    assert set(re.findall(r"/\w+", commands)) == names(made["features"]["slash_commands"], "command")
    named = heard["event"] - {"re.compile('.*')"}
    assert named == set(made["settings"]["event_subscriptions"]["bot_events"]) == set(EVENTS)
    assert heard["shortcut"] == names(made["features"].get("shortcuts", []), "callback_id")
    assert bool(heard["options"]) == ("message_menu_options_url" in made["settings"]["interactivity"])


def test_the_four_commands() -> None:
    commands = socket_mode()["features"]["slash_commands"]
    assert [command["command"] for command in commands] == ["/kpi", "/attest", "/exception", "/cadence"]
    assert_golden("\n".join(command["usage_hint"] for command in commands), "usage")


def test_a_call_that_the_manifest_does_not_allow_fails_the_test() -> None:
    workspace = build_workspace(capabilities=GRANTED)
    assert call(workspace, "reactions.add", {}, workspace.app.token).body["error"] == "missing_scope"
    assert workspace.out_of_scope == [("reactions.add", "reactions:write")]
    with pytest.raises(AssertionError, match="without a scope"):
        check_scopes(workspace)
    workspace.capabilities = Capabilities()
    check_scopes(workspace)
