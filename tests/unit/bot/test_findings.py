"""Slack's refusals in words."""

import pytest

from bot.delivery.gateway import FIXABLE, SlackBusy, SlackError, SlackRefused, SlackUnclear, SlackUnreachable
from bot.ops.doctor import slack_sentence
from bot.ops.findings import printable


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (SlackUnreachable("invalid_auth"), "Slack doesn't know the bot token."),
        (SlackUnreachable("not_authed"), "Slack didn't receive the bot token."),
        (SlackRefused("not_allowed_token_type"), "The bot token is the wrong kind of token."),
        (SlackUnreachable("account_inactive"), "its workspace uninstalled. Install the app"),
        (SlackUnreachable("token_revoked"), "The bot token was revoked. Install the app"),
        (SlackUnreachable("token_expired"), "Leave token rotation off."),
        (SlackUnreachable("missing_scope"), "`cadence doctor` names the scopes"),
        (SlackUnreachable("access_denied"), "Ask an admin of the workspace"),
        (SlackUnclear("URLError"), "Slack can't be reached (URLError). Check the network"),
        (SlackUnclear("status 502"), "didn't send a readable answer. Check SLACK_API_URL"),
        (SlackRefused("Received a response in a non-JSON format: <h1>"), "didn't send a readable answer."),
        (SlackRefused("x" * 500), f"Slack refuses: {'x' * 80}. "),
        (SlackUnclear("fatal_error"), "Slack reports a problem on its side (fatal_error)."),
        (SlackBusy("ratelimited", 29.6), "Slack asks the bot to wait 30 seconds. Try again after that."),
        (SlackRefused("enterprise_is_restricted"), "Slack refuses: enterprise_is_restricted."),
    ],
)
def test_errors_are_reported_in_sentences(error: SlackError, says: str) -> None:
    sentence = slack_sentence(error)
    assert says in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize("code", sorted(FIXABLE))
def test_what_somebody_can_put_right_is_never_left_bare(code: str) -> None:
    assert len(slack_sentence(SlackUnreachable(code)).split(". ")) >= 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Acme — Zürich", "Acme — Zürich"),
        ("\x1b[31mred\x07", " [31mred "),
        ("two\nlines", "two lines"),
        ("\u202eright to left", " right to left"),
    ],
)
def test_nothing_plays_with_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(slack_sentence(SlackRefused(text))) == slack_sentence(SlackRefused(text))
