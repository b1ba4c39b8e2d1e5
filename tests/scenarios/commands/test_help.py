"""Help is complete: no usage, summary or example is truncated."""

import pytest

from bot.rehearsal.harness import BotHarness
from cadence.mrkdwn import plain_text
from handlers.commands import COMMANDS
from templates.contexts.answers import HowItWorks
from tests.contexts import assert_golden, is_shown

CHANNEL = "C01SUPEMEA"
TOPICS = sorted({name for entry in COMMANDS for name in (entry.name, entry.name.split()[0])})


def asked(harness: BotHarness, topic: str, member: str = "U01CURATOR") -> str:
    answer = harness.workspace.person(member).types("/cadence", f"help {topic}".strip(), channel=CHANNEL)
    assert answer.failure is None
    assert answer.message is not None
    return plain_text(answer.message.words)


def test_the_help_on_a_topic_is_never_cut_off(harness: BotHarness) -> None:
    for topic in TOPICS:
        words = asked(harness, topic)
        found = [entry for entry in COMMANDS if topic in (entry.name, entry.name.split()[0])]
        for entry in found:
            usage = f"{entry.command} {entry.usage}".strip()
            for whole in (usage, entry.summary, *entry.examples[:3]):
                assert whole in words, f"{topic}: {whole}"


@pytest.mark.parametrize("member", ["U01AGENT1", "U01LEAD", "U01CURATOR"])
def test_the_list_of_commands_is_never_cut_off(harness: BotHarness, member: str) -> None:
    words = asked(harness, "", member)
    for entry in COMMANDS:
        assert entry.command in words
        assert f"{entry.command}: {entry.summary}" in words.replace("`", "") or entry.who != "member"
    assert "…" not in words.replace("[link=…]", "")


def test_help_words_explains_the_terms(harness: BotHarness) -> None:
    said = asked(harness, "words", "U01AGENT1")
    assert asked(harness, "glossary", "U01AGENT1") == said
    assert_golden(said, "words")


def test_the_first_visit_of_home_offers_how_it_works(harness: BotHarness) -> None:
    person = harness.workspace.person("U01AGENT1")
    opened = person.clicks(person.opens_home(), "How it works, in 30 seconds").view
    assert opened is not None
    assert is_shown(opened, HowItWorks)
    assert_golden(opened, "how-it-works")
