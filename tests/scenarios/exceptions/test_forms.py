"""The form of an exception: what it offers, and when it opens."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from storage.tables import LoggedException
from templates.contexts.exceptions import ExceptionForm
from tests.contexts import actions, assert_golden, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, TRIAGE, at, rows

LEAD, AGENT = "U01LEAD", "U01AGENT1"


@pytest.fixture
def early(tmp_path: Path) -> Iterator[BotHarness]:
    """Friday; the team's cycle starts on the Monday after next."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY, TRIAGE]) as harness:
        types(harness, LEAD, "/cadence cycle start reply 2026-03-09 team=desk")
        yield harness


def types(harness: BotHarness, member: str, text: str) -> Answer:
    said = harness.workspace.person(member).types(text, channel=DESK_CHANNEL)
    harness.tick()
    return said


def test_no_form_opens_before_there_is_a_cycle_to_count_for(early: BotHarness) -> None:
    for typed in ("/exception", "/exception send", "/exception send the tone was off"):
        assert_golden(types(early, AGENT, typed), f"too-early:{typed}")
    for typed in ("/exception snd the tone was off", "/exception zzz the tone was off"):
        typo = types(early, AGENT, typed)
        assert typo.message is not None
        assert actions(typo.message) == []
    assert rows(early, LoggedException) == []


def test_the_form_offers_only_steps_of_cycles_that_have_begun(early: BotHarness) -> None:
    types(early, LEAD, "/cadence cycle start triage 2026-03-02 team=desk")
    early.play_until(at("2026-03-02 10:00"))
    form = shown(types(early, AGENT, "/exception"), ExceptionForm)
    assert [one.label for one in form.groups] == ["Triage · Desk"]
    typo = types(early, AGENT, "/exception reply snd the tone was off")
    assert typo.message is not None
    assert actions(typo.message) == []
    early.play_until(at("2026-03-09 10:00"))
    form = shown(types(early, AGENT, "/exception"), ExceptionForm)
    assert [one.label for one in form.groups] == ["Reply · Desk", "Triage · Desk"]
