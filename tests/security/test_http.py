"""Hostile requests from the internet to the bot's address: refused with the right status, never a 500."""

import json
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier
from werkzeug.test import Client, TestResponse

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.request_validation import LARGEST_BODY
from bot.web import Web
from tests.harnesses import bot_harness

URL = "/slack/events"
COMMAND = {
    "team_id": BUILT_IN_TEAM,
    "user_id": "U01AGENT1",
    "channel_id": "C01SUPEMEA",
    "command": "/cadence",
    "text": "help",
    "trigger_id": "1.1",
}


@pytest.fixture
def client(harness: BotHarness) -> Client:
    return Client(
        Web(db=harness.bot.db, workspace=BUILT_IN_TEAM, slack=harness.bot.app, clock=harness.clock.now)
    )


def _headers(harness: BotHarness, body: str, *, at: float | None = None, **other: str) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    signer = SignatureVerifier(harness.workspace.app.signing_secret)
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signer.generate_signature(timestamp=stamp, body=body) or "",
    } | other


def _post(client: Client, body: str, headers: dict[str, str]) -> TestResponse:
    return client.post(URL, data=body, headers=headers)


def test_a_signed_request_is_answered(harness: BotHarness, client: Client) -> None:
    body = urlencode(COMMAND)
    answer = _post(client, body, _headers(harness, body))
    assert (answer.status_code, answer.json["response_type"]) == (200, "ephemeral")  # type: ignore[index]


@pytest.mark.parametrize("path", ["/slack/install", "/slack/oauth_redirect?code=x&state=y"])
def test_with_a_token_of_its_own_the_bot_is_not_installed_anywhere_else(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


STAMPS = ["", "0", "-1", "now", "1e9", "12.5", "٣٣٣", "²", " ", "9" * 15, "9" * 5_000, "\t1"]
SIGNATURES = ["", "v0=", "v0=" + "0" * 64, "v1=abc", "garbage", "v0=" + "f" * 5_000, "ÿÿ"]


@pytest.mark.parametrize("stamp", STAMPS)
def test_a_strange_timestamp_is_a_401(harness: BotHarness, client: Client, stamp: str) -> None:
    body = urlencode(COMMAND)
    headers = _headers(harness, body) | {"X-Slack-Request-Timestamp": stamp.encode("utf-8").decode("latin-1")}
    assert _post(client, body, headers).status_code == 401


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_strange_signature_is_a_401(harness: BotHarness, client: Client, signature: str) -> None:
    body = urlencode(COMMAND)
    assert _post(client, body, _headers(harness, body) | {"X-Slack-Signature": signature}).status_code == 401


@pytest.mark.parametrize("missing", ["X-Slack-Request-Timestamp", "X-Slack-Signature"])
def test_a_missing_header_is_a_401(harness: BotHarness, client: Client, missing: str) -> None:
    body = urlencode(COMMAND)
    headers = {name: value for name, value in _headers(harness, body).items() if name != missing}
    assert _post(client, body, headers).status_code == 401


@pytest.mark.parametrize("apart", [-301, -3_600, -86_400 * 365, 301, 86_400])
def test_an_old_request_is_a_401(harness: BotHarness, client: Client, apart: int) -> None:
    body = urlencode(COMMAND)
    assert _post(client, body, _headers(harness, body, at=time.time() + apart)).status_code == 401


@pytest.mark.parametrize("apart", [-240, 240])
def test_a_clock_that_is_a_little_off_is_no_matter(harness: BotHarness, client: Client, apart: int) -> None:
    body = urlencode(COMMAND)
    assert _post(client, body, _headers(harness, body, at=time.time() + apart)).status_code == 200


def test_a_signature_counts_for_its_own_body_only(harness: BotHarness, client: Client) -> None:
    headers = _headers(harness, urlencode(COMMAND))
    assert _post(client, urlencode(COMMAND | {"user_id": "U01CURATOR"}), headers).status_code == 401


def test_the_secret_of_another_app_opens_nothing(harness: BotHarness, client: Client) -> None:
    body = urlencode(COMMAND)
    stamp = str(int(time.time()))
    forged = SignatureVerifier("not the secret").generate_signature(timestamp=stamp, body=body) or ""
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": forged}
    assert _post(client, body, _headers(harness, body) | headers).status_code == 401


BODIES = [
    ("application/x-www-form-urlencoded", "payload=garbage"),
    ("application/x-www-form-urlencoded", "payload=[]"),
    ("application/x-www-form-urlencoded", "payload=7"),
    ("application/x-www-form-urlencoded", "payload=null"),
    ("application/x-www-form-urlencoded", 'payload={"type": 5}'),
    ("application/x-www-form-urlencoded", 'payload={"team": 5, "user": []}'),
    ("application/x-www-form-urlencoded", "payload=" + "[" * 100_000),
    ("application/x-www-form-urlencoded", "%%%&&&==="),
    ("application/json", "garbage"),
    ("application/json", "[]"),
    ("application/json", "7"),
    ("application/json", '"x"'),
    ("application/json", "null"),
    ("application/json", '{"authorizations": 3, "event": 4}'),
    ("application/json", '{"authorizations": [], "event": {"user": 1}}'),
    ("application/json", '{"a":' * 50_000),
    ("application/json", "[" * 200_000),
    ("application/json", "\x00\x00"),
    ("text/plain", "{"),
    ("", ""),
    ("multipart/form-data; boundary=x", "--x\r\n"),
]


@pytest.mark.parametrize(("kind", "body"), BODIES, ids=lambda value: value[:24])
def test_no_body_of_a_stranger_is_a_500(harness: BotHarness, client: Client, kind: str, body: str) -> None:
    stamp = str(int(time.time()))
    headers = {
        "Content-Type": kind,
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": "v0=" + "0" * 64,
    }
    assert _post(client, body, headers).status_code in (400, 401)


def test_bytes_that_are_no_text_are_no_500(harness: BotHarness, client: Client) -> None:
    headers = {"X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": "v0=00"}
    assert client.post(URL, data=b"\xff\xfe\x00payload=%ff", headers=headers).status_code == 401


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    "type",
                    "team",
                    "user",
                    "event",
                    "view",
                    "actions",
                    "authorizations",
                    "channel",
                    "id",
                    "enterprise",
                )
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BotHarness, Client]]:
    with bot_harness(tmp_path_factory.mktemp("strangers")) as harness:
        yield (
            harness,
            Client(
                Web(
                    db=harness.bot.db, workspace=BUILT_IN_TEAM, slack=harness.bot.app, clock=harness.clock.now
                )
            ),
        )


SIGNED = [
    '{"event": null}',
    '{"event": 1}',
    '{"event": []}',
    '{"event": {}}',
    '{"event": {"type": null}}',
    '{"event": {"type": "user_change"}}',
    '{"event": {"type": "user_change", "user": "U1"}}',
    '{"event": {"type": "team_join", "user": {"id": null}}}',
    '{"type": "block_actions"}',
    '{"type": "block_actions", "user": {"id": "U1"}, "actions": []}',
    '{"type": "block_actions", "user": {"id": "U1"}, "actions": [null]}',
    '{"type": "block_actions", "user": {"id": "U1"}, "actions": [{"action_id": "x"}], "channel": 1}',
    '{"type": "view_submission", "user": null, "view": null}',
    '{"type": "view_submission", "user": {"id": "U1"}, "view": {"callback_id": null}}',
    '{"type": "view_submission", "user": {"id": "U1"}, "view": {"callback_id": "x", "state": 1}}',
    '{"type": "view_submission", "user": {"id": "U1"}, "view": {"callback_id": "x", "blocks": [1]}}',
    '{"type": "message_action", "user": {"id": "U1"}}',
]


SHAPES: dict[str, dict[str, Any]] = {
    "command": COMMAND,
    "button": {
        "type": "block_actions",
        "user": {"id": "U01AGENT1"},
        "trigger_id": "1.1",
        "channel": {"id": "C01SUPEMEA"},
        "actions": [{"action_id": "why", "block_id": "b", "type": "button", "value": "1:draft"}],
    },
    "form": {
        "type": "view_submission",
        "user": {"id": "U01AGENT1"},
        "trigger_id": "1.1",
        "view": {
            "id": "V1",
            "type": "modal",
            "hash": "1.a",
            "callback_id": "form.kpi",
            "private_metadata": "{}",
            "blocks": [{"type": "input", "block_id": "value", "element": {}}],
            "state": {"values": {"value": {"value": {"type": "plain_text_input", "value": "14"}}}},
        },
    },
    "shortcut": {
        "type": "message_action",
        "callback_id": "log_exception",
        "user": {"id": "U01AGENT1"},
        "trigger_id": "1.1",
        "channel": {"id": "C01SUPEMEA"},
        "message": {"ts": "1.0", "text": "x"},
    },
    "event": {
        "type": "event_callback",
        "event": {"type": "user_change", "user": {"id": "U01AGENT1", "name": "agent"}},
        "event_time": 1,
    },
}
_WRONG: list[tuple[str, str, list[Any]]] = [
    ("button form shortcut event", "team", [[], [{}], 7, "T1"]),
    ("button shortcut", "channel", [[], 7, "C1", {"id": 7}]),
    ("button form shortcut", "user.id", ["", "U 1", "U" * 33, 7]),
    ("form", "view.private_metadata", [7, [], {}, True]),
    ("form", "view.blocks", [[{"type": "input"}], [{"block_id": "b"}], [[]], {}]),
    ("form", "view.state.values.value", [[], 7, "x", {"value": []}]),
    ("form", "view.id view.type view.hash view.callback_id view.previous_view_id view.state", [[]]),
    ("button", "view actions trigger_id", [[], 7]),
    ("button", "actions.0.action_id actions.0.value actions.0.selected_option", [[], 7]),
    ("button form shortcut command", "trigger_id", ["1\0.1", "1\n"]),
    ("button", "actions.0.block_id actions.0.action_id", ["b\0"]),
    ("event", "event.user.profile", [{"status_expiration": 10**30}]),
    ("button", "response_url", ["file:///etc/passwd"]),
    ("shortcut", "message.text", [[]]),
    ("event", "event.user.id event.user.name event.user.tz event.user.profile", [[]]),
    ("event", "event_time", [1e400, -1, 10**30, "1", []]),
    ("event", "authorizations", [{}, [7], [{"team_id": []}]]),
    ("command event", "team_id", [[], {}, 7]),
    ("command", "text command user_id channel_id", [[], {}, 7]),
    ("command button form shortcut event", "half_a_pair", ["\ud83d"]),
    ("form", "view.state.values.value.value.value", ["\udc00 end"]),
    ("command", "text", ["14 \ud800"]),
    ("command", "user channel team view", ["U01AGENT1", []]),
    ("event", "event.user.name", ["\ud83dx"]),
]
MALFORMED = [
    (kind, path, wrong)
    for kinds, paths, wrongs in _WRONG
    for kind in kinds.split()
    for path in paths.split()
    for wrong in wrongs
]


@pytest.mark.parametrize(("kind", "path", "wrong"), MALFORMED)
def test_a_part_of_another_type_is_a_400(
    strangers: tuple[BotHarness, Client], kind: str, path: str, wrong: Any
) -> None:
    harness, client = strangers
    payload = {"team": {"id": BUILT_IN_TEAM}} | json.loads(json.dumps(SHAPES[kind]))
    part: Any = payload
    *way, last = path.split(".")
    for key in way:
        part = part[int(key) if key.isdigit() else key]
    part[last] = wrong
    text = json.dumps(payload)
    for body, content_type in ((text, "application/json"), (urlencode({"payload": text}), None)):
        headers = _headers(harness, body) | ({"Content-Type": content_type} if content_type else {})
        assert _post(client, body, headers).status_code == 400


@pytest.mark.parametrize("kind", SHAPES)
def test_the_same_payload_with_nothing_changed_is_taken(
    strangers: tuple[BotHarness, Client], kind: str
) -> None:
    harness, client = strangers
    text = json.dumps({"team": {"id": BUILT_IN_TEAM}, "new of Slack": {"a": [1]}} | SHAPES[kind])
    headers = _headers(harness, text) | {"Content-Type": "application/json"}
    assert _post(client, text, headers).status_code in (200, 404)


@pytest.mark.parametrize("body", SIGNED)
def test_a_signed_body_that_cannot_be_slacks_is_a_400(harness: BotHarness, client: Client, body: str) -> None:
    known = {"team_id": BUILT_IN_TEAM, "team": {"id": BUILT_IN_TEAM}}
    text = json.dumps(known | json.loads(body))
    headers = _headers(harness, text) | {"Content-Type": "application/json"}
    assert _post(client, text, headers).status_code == 400


def test_a_payload_that_nobody_listens_to_may_have_no_view(harness: BotHarness, client: Client) -> None:
    text = json.dumps({"type": "other", "team": {"id": BUILT_IN_TEAM}, "user": {"id": "U1"}, "view": None})
    headers = _headers(harness, text) | {"Content-Type": "application/json"}
    assert _post(client, text, headers).status_code == 404


def test_an_event_that_the_bot_does_not_listen_to_is_taken(harness: BotHarness, client: Client) -> None:
    event = {"type": "event_callback", "team_id": BUILT_IN_TEAM, "event": {"type": "channel_rename"}}
    text = json.dumps(event)
    headers = _headers(harness, text) | {"Content-Type": "application/json"}
    assert _post(client, text, headers).status_code == 200


@settings(max_examples=300, derandomize=True, suppress_health_check=list(HealthCheck))
@given(payload=JSON, as_form=st.booleans())
def test_no_shape_of_a_body_is_a_500(
    strangers: tuple[BotHarness, Client], payload: Any, as_form: bool
) -> None:
    harness, client = strangers
    text = json.dumps(payload)
    body = urlencode({"payload": text}) if as_form else text
    headers = _headers(harness, body) | {"X-Slack-Signature": "v0=" + "0" * 64}
    headers["Content-Type"] = "application/x-www-form-urlencoded" if as_form else "application/json"
    assert _post(client, body, headers).status_code in (400, 401)


def test_a_body_that_is_too_large_is_a_413(harness: BotHarness, client: Client) -> None:
    body = "text=" + "x" * LARGEST_BODY
    assert _post(client, body, _headers(harness, body)).status_code == 413


def test_a_body_that_does_not_say_how_large_it_is_cannot_be_too_large_either(
    harness: BotHarness, client: Client
) -> None:
    body = b"text=" + b"x" * LARGEST_BODY
    answer = client.post(
        URL,
        input_stream=BytesIO(body),
        environ_overrides={"wsgi.input_terminated": True},
        headers=_headers(harness, body.decode()),
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path", ["/", "/slack", "/slack/events/", "/slack/other", "/../etc/passwd", "/api/v9/x", "/%00"]
)
def test_an_unknown_path_is_a_404(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", URL),
        ("PUT", URL),
        ("DELETE", URL),
        ("POST", "/healthz"),
        ("POST", "/readyz"),
        ("DELETE", "/metrics"),
    ],
)
def test_a_wrong_method_is_a_405(client: Client, method: str, path: str) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == 405
    assert answer.headers["Allow"]


def test_a_process_that_only_works_answers_no_slack(harness: BotHarness) -> None:
    client = Client(Web(db=harness.bot.db, workspace=BUILT_IN_TEAM, slack=None, clock=harness.clock.now))
    assert client.post(URL).status_code == 404
    assert client.get("/healthz").status_code == 200


def test_health_and_metrics_say_nothing_of_people(harness: BotHarness, client: Client) -> None:
    body = urlencode(COMMAND)
    _post(client, body, _headers(harness, body))
    said = "".join(client.get(path).get_data(as_text=True) for path in ("/healthz", "/readyz", "/metrics"))
    secrets = (harness.workspace.app.token, harness.workspace.app.signing_secret, "U01AGENT1", BUILT_IN_TEAM)
    assert [one for one in secrets if one in said] == []
