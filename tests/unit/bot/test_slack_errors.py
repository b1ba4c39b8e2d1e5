"""The table of Slack's errors has every error of the methods used for sending."""

import pytest

from bot.delivery.slack_errors import ERRORS, Kind, known
from bot.sandbox.methods import METHODS

SENDING = ("chat.postMessage", "chat.update", "conversations.open", "conversations.history", "auth.test")


@pytest.mark.parametrize("method", SENDING)
def test_every_documented_error_of_a_method_is_in_the_table(method: str) -> None:
    assert METHODS[method].errors - ERRORS.keys() == set()


def test_fixable_errors_have_a_remedy() -> None:
    for code, row in ERRORS.items():
        needs_somebody = row.kind in (Kind.FIXABLE, Kind.PERMANENT)
        assert bool(row.remedy) is needs_somebody, code
        assert row.remedy == "" or row.remedy.endswith("."), code


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ratelimited", Kind.BUSY),
        ("message_limit_exceeded", Kind.BUSY),
        ("internal_error", Kind.UNCLEAR),
        ("not_in_channel", Kind.FIXABLE),
        ("token_revoked", Kind.FIXABLE),
        ("is_archived", Kind.PERMANENT),
        ("message_not_found", Kind.DONE),
        ("a word from tomorrow", Kind.PERMANENT),
    ],
)
def test_kinds(code: str, kind: Kind) -> None:
    assert known(code).kind is kind
