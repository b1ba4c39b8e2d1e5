"""`cadence doctor` says in words what is missing: tokens, scopes, the clock, channels."""

from datetime import timedelta
from typing import Any

import pytest

from bot.ops.manifest import LOST_WITHOUT, scopes
from tests.contexts import assert_golden
from tests.unit.bot.clinic import NOW, Clinic, closed_port, in_words, only
from tests.unit.bot.fake_slack import FakeSlack, Raw, refuses

# --- the bot token --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (refuses("invalid_auth"), "invalid"),
        (refuses("account_inactive"), "uninstalled"),
        (refuses("token_revoked"), "revoked"),
        (refuses("internal_error"), "Slack's trouble"),
        (Raw(502, "<h1>Bad gateway</h1>"), "bad gateway"),
        (Raw(200, "<h1>Welcome</h1>"), "a page"),
        (Raw(429, '{"ok": false, "error": "ratelimited"}', {"Retry-After": "7"}), "rate limit"),
        (Raw(0, ""), "disconnected"),
        ({"ok": True}, "nobody's"),
        (refuses("xoxb-7-hunter2\x1b[31m"), "a secret in the error"),
    ],
)
def test_a_bot_token_that_does_not_work(
    stored: Clinic, slack: FakeSlack, answer: dict[str, Any] | Raw, name: str
) -> None:
    slack.answers["auth.test"] = answer
    what, _ = only(stored.todo())
    assert_golden(what, f"bot-token:{name}")
    assert "conversations.info" not in slack.calls, "without an identity nothing else is asked"


def test_unreachable_slack_is_reported_once(stored: Clinic) -> None:
    stored.settings["slack_api_url"] = f"http://127.0.0.1:{closed_port()}/"
    assert_golden(in_words(stored.todo()), "unreachable")


def test_an_address_that_cannot_be_called(stored: Clinic) -> None:
    stored.settings |= {"slack_api_url": f"http://{'a' * 70}..example/", "slack_app_token": None}
    stored.settings["slack_signing_secret"] = "hunter2"
    assert_golden(in_words(stored.todo()), "no-address")


# --- scopes, app-level token, clock ---------------------------------------------------------------------------


@pytest.mark.parametrize("scope", scopes())
def test_each_missing_scope_is_named_with_its_use(stored: Clinic, slack: FakeSlack, scope: str) -> None:
    slack.headers["x-oauth-scopes"] = ",".join(one for one in scopes() if one != scope)
    assert_golden(in_words(stored.todo()), f"scope:{scope}")


def test_all_missing_scopes_are_named(stored: Clinic, slack: FakeSlack) -> None:
    slack.headers["x-oauth-scopes"] = "chat:write, commands, users:read, channels:read, groups:read"
    [missing] = [one for one in stored.todo() if one.count("channels:history")]
    for scope in ("channels:history", "files:read", "groups:history", "im:history"):
        assert missing.count(LOST_WITHOUT[scope])
    assert_golden(missing, "scopes")


def test_a_server_that_keeps_its_scopes_to_itself(stored: Clinic, slack: FakeSlack) -> None:
    del slack.headers["x-oauth-scopes"]
    assert_golden(stored.report(), "secret-scopes")
    assert stored.todo() == {}


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (refuses("invalid_auth"), "invalid"),
        (refuses("missing_scope"), "missing scope"),
        (Raw(503, "later"), "later"),
        (Raw(0, ""), "disconnected"),
    ],
)
def test_an_app_token_that_does_not_work(
    stored: Clinic, slack: FakeSlack, answer: dict[str, Any] | Raw, name: str
) -> None:
    slack.answers["apps.connections.open"] = answer
    assert_golden(in_words(stored.todo()), f"app-token:{name}")


def test_a_server_without_socket_mode(stored: Clinic, slack: FakeSlack) -> None:
    del slack.answers["apps.connections.open"]
    assert_golden(stored.report(), "no-socket-mode")
    assert stored.todo() == {}


@pytest.mark.parametrize(
    ("apart", "wrong"),
    [
        (timedelta(seconds=-30), ""),
        (timedelta(seconds=79), ""),
        (timedelta(seconds=81), "ahead"),
        (timedelta(minutes=-10), "behind"),
    ],
)
def test_a_clock_that_is_wrong(stored: Clinic, apart: timedelta, wrong: str) -> None:
    stored.now = NOW + apart  # the server's clock is at NOW + 20 seconds
    todo = stored.todo()
    assert len(todo) == bool(wrong)
    if wrong:
        assert_golden(in_words(todo), f"clock:{wrong}")


@pytest.mark.parametrize("date", [None, "yesterday", "Tue, 01 Dec 2026 09:30:20 -0000"])
def test_a_server_that_does_not_say_the_time(stored: Clinic, slack: FakeSlack, date: str | None) -> None:
    del slack.headers["Date"]
    slack.headers |= {} if date is None else {"Date": date}
    assert stored.todo() == {}


# --- channels -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        {"ok": True, "channel": {"id": "C0", "is_member": False}},
        refuses("channel_not_found"),
        refuses("not_in_channel"),
    ],
)
def test_a_channel_the_bot_is_not_in(stored: Clinic, slack: FakeSlack, answer: dict[str, Any]) -> None:
    slack.answers["conversations.info C0EMEA"] = answer
    assert_golden(in_words(stored.todo()), "outside:team")
    assert_golden(stored.report(), "outside-report")


def test_every_channel_is_looked_at(stored: Clinic, slack: FakeSlack) -> None:
    slack.answers["conversations.info"] = refuses("channel_not_found")
    assert_golden("\n".join(stored.todo()), "outside:everywhere")


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (refuses("missing_scope"), "missing scope"),
        (Raw(0, ""), "disconnected"),
        (Raw(429, "{}", {"Retry-After": "20"}), "rate limit"),
    ],
)
def test_an_error_that_stops_the_checks_is_reported_once(
    clinic: Clinic, slack: FakeSlack, answer: dict[str, Any] | Raw, name: str
) -> None:
    clinic.store(more_teams=[clinic.new_team("support-apac", "Support APAC", channel="C0APAC")])
    slack.answers["conversations.info"] = answer
    assert_golden("\n".join(clinic.todo()), f"channels-unchecked:{name}")
    assert slack.calls.count("conversations.info") == 1


def test_a_server_that_cannot_say_who_is_in_a_channel(stored: Clinic, slack: FakeSlack) -> None:
    del slack.answers["conversations.info"]
    assert stored.todo() == {}
    assert_golden(stored.report(), "no-memberships")
