"""What people write to the bot in its DM: it says what it understands, and which command they may have meant."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from storage.tables import OutboxMessage
from templates.contexts.checkins import CheckinForm
from templates.contexts.workspaces import TextAnswer
from templates.ids import Action
from tests.contexts import actions, assert_golden, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, InCycle, at, bot_dms, rows

AGENT, CURATOR = "U01AGENT1", "U01CURATOR"


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[BotHarness]:
    """A Saturday of the desk's first week: nothing else is due."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-07 21:00")
    ) as ready:
        yield ready


def _writes(harness: BotHarness, text: str, member: str = AGENT) -> list[Message]:
    """Somebody writes to the bot; what it answers."""
    before = len(bot_dms(harness, member))
    person = harness.workspace.person(member)
    person.says(text, person.dm_channel.id)
    harness.tick()
    return bot_dms(harness, member)[before:]


def test_text_is_answered_at_any_hour_with_what_works(harness: BotHarness) -> None:
    [answer] = _writes(harness, "Hi! Who can see this?")
    assert shown(answer, TextAnswer).command == ""
    assert actions(answer) == [Action.TYPE_IT, Action.HOW_IT_WORKS]
    assert_golden(answer, "text")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("attest as-planned", "/attest"),
        ("Status, please", "/cadence status"),
        ("Cadence cycle start", "/cadence cycle start"),
        ("help", "/cadence help"),
        ("cadence", "/cadence help"),
        (" /kpi 12", "/kpi"),
        ("As planned!", "/attest"),
        ("We didn't run it", "/attest"),
        ("14 min", "/kpi"),
        ("I'm out sick today", "/cadence away"),
        ("Can you remind me tomorrow?", "/cadence snooze"),
    ],
)
def test_a_command_without_its_slash_is_one_click(harness: BotHarness, text: str, command: str) -> None:
    [answer] = _writes(harness, text)
    assert shown(answer, TextAnswer).command == command
    assert actions(answer)[0] == Action.TYPE_IT


def test_the_suggested_command_opens_its_form(harness: BotHarness) -> None:
    [answer] = _writes(harness, "attest as-planned")
    assert_golden(answer, "command")
    person = harness.workspace.person(AGENT)
    person.clicks(answer, action_id=Action.TYPE_IT, value="/attest")
    assert shown(person.form(), CheckinForm)


def test_the_same_answer_comes_once_a_minute_and_keeps_none_of_the_text(harness: BotHarness) -> None:
    assert len(_writes(harness, "My customer is Erika Mustermann")) == 1
    assert _writes(harness, "Erika Mustermann wants a refund") == []
    assert len(_writes(harness, "status")) == 1
    harness.play_until(at("2026-03-07 22:01"))
    assert len(_writes(harness, "Anybody there?")) == 1
    kept = [str(row.subject) for row in rows(harness, OutboxMessage) if row.recipient == AGENT]
    assert kept
    assert not any("Mustermann" in each for each in kept)


def test_what_bots_write_and_what_is_edited_isnt_answered(harness: BotHarness) -> None:
    person = harness.workspace.person(AGENT)
    written = {
        "type": "message",
        "channel": person.dm_channel.id,
        "channel_type": "im",
        "user": AGENT,
        "text": "hello",
        "ts": "1772917200.000100",
    }
    before = len(bot_dms(harness, AGENT))
    for changed in (
        {"bot_id": "B0OTHER"},
        {"user": harness.workspace.app.user},
        {"subtype": "message_changed", "message": {"user": AGENT, "text": "hello!"}},
        {"channel": DESK_CHANNEL, "channel_type": "channel"},
    ):
        assert harness.workspace.emit(written | changed).failure is None, changed
        harness.tick()
    assert len(bot_dms(harness, AGENT)) == before
    harness.workspace.emit(written)
    harness.tick()
    assert len(bot_dms(harness, AGENT)) == before + 1
