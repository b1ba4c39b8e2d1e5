"""The names the grammar's tests can use."""

from datetime import date

from handlers.grammar import Command, Vocabulary, parse

THURSDAY = date(2026, 11, 26)
ONE = Vocabulary(
    {"support-reply": ("draft", "send")},
    ("support-emea", "support-us", "billing"),
    {"support-reply": "Support reply"},
)
TWO = Vocabulary(
    {"support-reply": ("draft", "send"), "month-end": ("close", "draft")}, ("finance", "support-us")
)
NONE = Vocabulary({})


def read(line: str, vocabulary: Vocabulary = ONE) -> Command:
    """Parse a whole line, `/kpi 14m`, on a Thursday."""
    command, _, text = line.partition(" ")
    return parse(command, text, vocabulary, THURSDAY)
