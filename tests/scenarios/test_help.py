"""Help says all of what it says: no usage, summary or example is cut off."""

import pytest

from bot.rehearsal.harness import Stage
from cadence.mrkdwn import plain_text
from handlers.grammar import TABLE

CHANNEL = "C01SUPEMEA"
TOPICS = sorted({name for entry in TABLE for name in (entry.name, entry.name.split()[0])})


def asked(stage: Stage, topic: str, member: str = "U01CURATOR") -> str:
    answer = stage.workspace.person(member).types("/cadence", f"help {topic}".strip(), channel=CHANNEL)
    assert answer.failure is None
    assert answer.message is not None
    return plain_text(answer.message.words)


def test_the_help_on_a_topic_is_never_cut_off(stage: Stage) -> None:
    for topic in TOPICS:
        words = asked(stage, topic)
        found = [entry for entry in TABLE if topic in (entry.name, entry.name.split()[0])]
        for entry in found:
            usage = f"{entry.command} {entry.usage}".strip()
            for whole in (usage, entry.summary, *entry.examples[:3]):
                assert whole in words, f"{topic}: {whole}"


@pytest.mark.parametrize("member", ["U01AGENT1", "U01LEAD", "U01CURATOR"])
def test_the_list_of_commands_is_never_cut_off(stage: Stage, member: str) -> None:
    words = asked(stage, "", member)
    for entry in TABLE:
        assert entry.command in words
        assert f"{entry.command}: {entry.summary}" in words.replace("`", "") or entry.who != "member"
    assert "…" not in words.replace("[link=…]", "")
