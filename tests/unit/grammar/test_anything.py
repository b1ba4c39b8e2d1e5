"""Whatever is typed: a command or a refusal, never anything else."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadence.refusals import Refusal
from handlers.commands import COMMANDS
from handlers.grammar import Command, parse
from tests.unit.grammar.vocabularies import NONE, ONE, TWO, Vocabulary

EXAMPLES = [example for entry in COMMANDS for example in entry.examples]
LONG = Vocabulary({f"{at}{'playbook' * 9}": ("send" * 30, f"step-{at}") for at in range(7)}, ("team" * 30,))
VOCABULARIES = st.sampled_from([ONE, TWO, NONE, LONG])
PIECES = st.sampled_from(
    [
        *(
            "week=",
            "week=2",
            "team=",
            "runs=14",
            "=",
            "draft=human",
            "sned=ai",
            "link=<https://x|y>",
            "help",
            "critical",
        ),
        *(
            "<@U1|bob>",
            "<#C1|gen>",
            "<!here>",
            "&amp;lt;",
            "&lt;",
            "\u201c",
            "\u2014",
            "`",
            "\u202e",
            "\x00",
            "\ud800",
        ),
        *(
            "1h",
            "30",
            "1",
            "234",
            "and",
            "out",
            "of",
            "5",
            "$",
            "12 quarts",
            "..",
            "until",
            "next",
            "monday",
            "20 Dec",
        ),
        *(
            "support-reply",
            "suport-reply",
            "month",
            "end",
            "sned",
            "send",
            "drifed",
            "no",
            "w" * 300,
            "&amp;" * 90,
        ),
        *(
            "\u0660",
            "\u00b2",
            "-",
            "\n",
            "9" * 400,
            "\u0130",
            "play",
            "team",
            "cycle",
            "start",
            "away",
            "<",
            ">",
            "{x}",
            "{",
        ),
    ]
)


def outcome(command: str, text: str, vocabulary: Vocabulary) -> Command | None:
    """The command, or None for a refusal, whose words are checked here."""
    try:
        return parse(COMMANDS, command, text, vocabulary).command
    except Refusal as refused:
        check_words(refused)
        return None


def check_words(refused: Refusal) -> None:
    """Short, complete, and no input word longer than sixty characters."""
    said = refused.text
    assert said.strip()
    assert said[-1] in ".?!"
    assert len(said) <= 600
    assert all(len(word) <= 70 for word in re.split(r"[\s`]+", said)), said
    assert refused.offer is None or (len(refused.offer.label) <= 75 and len(refused.offer.value) <= 2000)


# Each text is read by all four commands: 1,000 x 4 + 1,250 x 4 + 1,500 are over ten thousand examples.
@settings(max_examples=1000, derandomize=True)
@given(text=st.text(max_size=80), vocabulary=VOCABULARIES)
def test_random_text(text: str, vocabulary: Vocabulary) -> None:
    for command in COMMANDS.slashes:
        outcome(command, text, vocabulary)


@settings(max_examples=1500, derandomize=True)
@given(
    example=st.sampled_from(EXAMPLES),
    pieces=st.lists(PIECES, max_size=5),
    at=st.integers(0, 40),
    cut=st.integers(0, 6),
    vocabulary=VOCABULARIES,
)
def test_mutated_examples(example: str, pieces: list[str], at: int, cut: int, vocabulary: Vocabulary) -> None:
    command, _, text = example.partition(" ")
    outcome(command, f"{text[:at]}{' '.join(pieces)}{text[at + cut :]}", vocabulary)


@settings(max_examples=1250, derandomize=True)
@given(pieces=st.lists(PIECES, max_size=8), vocabulary=VOCABULARIES)
def test_heaps_of_pieces(pieces: list[str], vocabulary: Vocabulary) -> None:
    for command in COMMANDS.slashes:
        outcome(command, " ".join(pieces), vocabulary)


@pytest.mark.parametrize("command", COMMANDS.slashes)
@pytest.mark.parametrize(
    "unit", ["x", "-", "=", "a=", "<@", "&amp;", "1 ", "1,", "- ", "week=2 ", "no ", "..", "\u2014 "]
)
def test_the_longest_text_slack_sends_is_answered(command: str, unit: str) -> None:
    outcome(command, unit * (40_000 // len(unit)), ONE)
    outcome(command, f"send 14m drifted away {unit * (40_000 // len(unit))}", ONE)
