"""A message that changes while it is being sent is rewritten once it was sent."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.harness import BotHarness
from cadence.flows.outbox.outbox import Outbox
from templates.contexts.checkins import CheckinMessage
from tests.contexts import actions, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, at, bot_dms, start_cycle

AGENT, LEAD = "U01AGENT1", "U01LEAD"


@pytest.mark.parametrize(
    ("member", "words"), [(AGENT, "/attest as-planned runs=3"), (LEAD, "/cadence cycle pause reply")]
)
def test_what_changes_between_composing_and_sending_is_shown_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, member: str, words: str
) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 09:55"))
        happened = _once_claimed(
            monkeypatch, lambda: harness.workspace.person(member).types(words, channel=DESK_CHANNEL)
        )
        harness.play_until(at("2026-03-05 10:05"))
        assert happened == [AGENT]
        [dm] = _checkins(harness)
        [row] = shown(dm, CheckinMessage).rows
        assert row.answer is not None or row.resumes
        assert not {"checkin.ran", "checkin.not_run"} & set(actions(dm))


def _once_claimed(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> list[str]:
    """Act after the agent's check-in was claimed, and before it is posted. Returns whose check-in it was."""
    begin, happened = Outbox.begin, list[str]()

    def claimed(self: Outbox, message: Any, **given: Any) -> Any:
        claim = begin(self, message, **given)
        if message.kind == "checkin" and message.recipient == AGENT and not happened:
            happened.append(message.recipient)
            act()
        return claim

    monkeypatch.setattr(Outbox, "begin", claimed)
    return happened


def _checkins(harness: BotHarness) -> list[Any]:
    return [one for one in bot_dms(harness, AGENT) if one.blocks]
