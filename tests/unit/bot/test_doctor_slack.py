"""`cadence doctor` says in words what is missing: tokens, scopes, the clock, channels."""

from datetime import timedelta
from typing import Any

import pytest

from bot.ops.manifest import LOST_WITHOUT, scopes
from tests.unit.bot.clinic import NOW, Clinic, closed_port, only
from tests.unit.bot.fake_slack import FakeSlack, Raw, refuses

# --- the bot token --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (refuses("invalid_auth"), "Slack doesn't know the bot token."),
        (refuses("account_inactive"), "The bot token belongs to an app that its workspace uninstalled."),
        (refuses("token_revoked"), "The bot token was revoked."),
        (refuses("internal_error"), "Slack reports a problem on its side (internal_error)."),
        (Raw(502, "<h1>Bad gateway</h1>"), "Slack's server didn't send a readable answer."),
        (Raw(200, "<h1>Welcome</h1>"), "Slack's server didn't send a readable answer."),
        (
            Raw(429, '{"ok": false, "error": "ratelimited"}', {"Retry-After": "7"}),
            "Slack asks the bot to wait 7 seconds.",
        ),
        (Raw(0, ""), "Slack can't be reached (RemoteDisconnected)."),
        ({"ok": True}, "The server doesn't say whose token this is."),
        (refuses("xoxb-7-hunter2\x1b[31m"), "Slack refuses: … [31m."),
    ],
)
def test_a_bot_token_that_does_not_work(
    stored: Clinic, slack: FakeSlack, answer: dict[str, Any] | Raw, says: str
) -> None:
    slack.answers["auth.test"] = answer
    what, _ = only(stored.todo())
    assert what == says
    assert "conversations.info" not in slack.calls, "without an identity nothing else is asked"


def test_unreachable_slack_is_reported_once(stored: Clinic) -> None:
    stored.settings["slack_api_url"] = f"http://127.0.0.1:{closed_port()}/"
    what, remedy = only(stored.todo())
    assert what == "Slack can't be reached (URLError)."
    assert remedy == "Check the network, the proxy and SLACK_API_URL."


def test_an_address_that_cannot_be_called(stored: Clinic) -> None:
    stored.settings |= {"slack_api_url": f"http://{'a' * 70}..example/", "slack_app_token": None}
    stored.settings["slack_signing_secret"] = "hunter2"
    assert "SLACK_API_URL contains a character that can't be sent." in stored.todo()


# --- scopes, app-level token, clock ---------------------------------------------------------------------------


@pytest.mark.parametrize("scope", scopes())
def test_each_missing_scope_is_named_with_its_use(stored: Clinic, slack: FakeSlack, scope: str) -> None:
    slack.headers["x-oauth-scopes"] = ",".join(one for one in scopes() if one != scope)
    what, remedy = only(stored.todo())
    assert what.startswith(f"Scopes are missing: {scope} (for ")
    assert "`cadence manifest`" in remedy


def test_all_missing_scopes_are_named(stored: Clinic, slack: FakeSlack) -> None:
    slack.headers["x-oauth-scopes"] = "chat:write, commands, users:read, channels:read, groups:read"
    [missing] = [one for one in stored.todo() if one.startswith("Scopes are missing")]
    assert missing == (
        "Scopes are missing: channels:history (for conversations.history), files:read (for files.info), "
        "files:write (for files.completeUploadExternal, files.getUploadURLExternal), "
        "groups:history (for conversations.history), im:history (for conversations.history), "
        "im:write (for conversations.open). "
        + " ".join(
            f"Without {scope}, {LOST_WITHOUT[scope]}."
            for scope in ("channels:history", "files:read", "groups:history", "im:history")
        )
    )


def test_the_effect_of_a_missing_history_scope_is_reported(stored: Clinic, slack: FakeSlack) -> None:
    slack.headers["x-oauth-scopes"] = ",".join(one for one in scopes() if one != "channels:history")
    what, _ = only(stored.todo())
    assert "can't check whether its message arrived in a public channel" in what


def test_a_server_that_keeps_its_scopes_to_itself(stored: Clinic, slack: FakeSlack) -> None:
    del slack.headers["x-oauth-scopes"]
    said = [finding.what for finding in stored.examine()]
    assert "Scopes: this server doesn't say which scopes it granted." in said
    assert stored.todo() == {}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (refuses("invalid_auth"), "Slack refuses the app-level token: invalid_auth."),
        (refuses("missing_scope"), "Slack refuses the app-level token: missing_scope."),
        (Raw(503, "later"), "Slack's server didn't send a readable answer."),
        (Raw(0, ""), "Slack can't be reached (RemoteDisconnected)."),
    ],
)
def test_an_app_token_that_does_not_work(
    stored: Clinic, slack: FakeSlack, answer: dict[str, Any] | Raw, says: str
) -> None:
    slack.answers["apps.connections.open"] = answer
    what, remedy = only(stored.todo())
    assert what == says
    if "take" in says:
        assert "connections:write" in remedy


def test_a_server_without_socket_mode(stored: Clinic, slack: FakeSlack) -> None:
    del slack.answers["apps.connections.open"]
    said = [finding.what for finding in stored.examine()]
    assert "Socket Mode: this server doesn't support it, so the app-level token wasn't tested." in said
    assert stored.todo() == {}


@pytest.mark.parametrize(
    ("apart", "says"),
    [
        (timedelta(seconds=-30), None),
        (timedelta(seconds=79), None),
        (timedelta(seconds=81), "This machine's clock is 61 seconds ahead of Slack's."),
        (timedelta(minutes=-10), "This machine's clock is 620 seconds behind Slack's."),
    ],
)
def test_a_clock_that_is_wrong(stored: Clinic, apart: timedelta, says: str | None) -> None:
    stored.now = NOW + apart  # the server's clock is at NOW + 20 seconds
    assert list(stored.todo()) == ([] if says is None else [says])


@pytest.mark.parametrize("date", [None, "yesterday", "Tue, 01 Dec 2026 09:30:20 -0000"])
def test_a_server_that_does_not_say_the_time(stored: Clinic, slack: FakeSlack, date: str | None) -> None:
    del slack.headers["Date"]
    slack.headers |= {} if date is None else {"Date": date}
    assert stored.todo() == {}


# --- channels -------------------------------------------------------------------------------------------------

OUTSIDE_TEAM = "The bot isn't in C0EMEA, the channel of Support EMEA."
OUTSIDE_CURATORS = "The bot isn't in C0CUR, the channel of the curators."


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
    what, remedy = only(stored.todo())
    assert what == OUTSIDE_TEAM
    assert remedy.startswith("Write `/invite @Rollout Cadence` there.")
    assert "Channels: the bot is in 1 of 2." in [finding.what for finding in stored.examine()]


def test_every_channel_is_looked_at(stored: Clinic, slack: FakeSlack) -> None:
    slack.answers["conversations.info"] = refuses("channel_not_found")
    assert list(stored.todo()) == [OUTSIDE_TEAM, OUTSIDE_CURATORS]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (refuses("missing_scope"), "Not every channel could be checked. The bot is missing a scope."),
        (Raw(0, ""), "Not every channel could be checked. Slack can't be reached (RemoteDisconnected)."),
        (
            Raw(429, "{}", {"Retry-After": "20"}),
            "Not every channel could be checked. Slack asks the bot to wait 20 seconds.",
        ),
    ],
)
def test_an_error_that_stops_the_checks_is_reported_once(
    clinic: Clinic, slack: FakeSlack, answer: dict[str, Any] | Raw, says: str
) -> None:
    clinic.store(more_teams=[clinic.new_team("support-apac", "Support APAC", channel="C0APAC")])
    slack.answers["conversations.info"] = answer
    assert list(clinic.todo()) == [says, "Support APAC has no members."]
    assert slack.calls.count("conversations.info") == 1


def test_a_server_that_cannot_say_who_is_in_a_channel(stored: Clinic, slack: FakeSlack) -> None:
    del slack.answers["conversations.info"]
    assert stored.todo() == {}
    said = [finding.what for finding in stored.examine()]
    assert "Channels: this server can't say whether the bot is in them." in said
