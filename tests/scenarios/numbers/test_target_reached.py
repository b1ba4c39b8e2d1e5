"""The first number at the target in a running cycle is told once, in working hours, while the guardrails hold."""

from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from storage.tables import MessageState
from templates.contexts.numbers import Guardrail, TargetReached
from tests.contexts import assert_golden, contexts, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    DESK,
    DESK_CHANNEL,
    REPLY,
    SOLO_CHANNEL,
    at,
    bot_dms,
    changed,
    ledger,
    posts,
    start_cycle,
)

LEAD, OTHER = "U01LEAD", "U01AGENT2"
RAIL = (
    "window_days: 28}",
    "window_days: 28, guardrails: [{name: CSAT, unit: score, direction: higher, limit: 4.6}]}",
)


def types(harness: BotHarness, text: str, *, member: str = LEAD, channel: str = DESK_CHANNEL) -> None:
    harness.workspace.person(member).types(text, channel=channel)
    harness.tick()


def told(harness: BotHarness, channel: str = DESK_CHANNEL) -> list[TargetReached]:
    """The posts of a channel that say that the target is reached."""
    return [one for one in contexts(posts(harness, channel), TargetReached) if one.met]


def taken_back(harness: BotHarness) -> list[Message]:
    """The posts that say that it isn't, after a correction."""
    found = [post for post in posts(harness, DESK_CHANNEL) if is_shown(post, TargetReached)]
    return [post for post in found if not shown(post, TargetReached).met]


def test_the_team_is_told_once_a_cycle_when_the_newest_number_first_meets_the_target(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 11:00"))
        types(harness, "/kpi 24m")
        assert told(harness) == []
        harness.play_until(at("2026-03-12 11:00"))
        types(harness, "/kpi 14m")
        [reached] = told(harness)
        assert (reached.playbook, reached.kpi.name) == ("Reply", "First response time")
        assert (reached.kpi.value, reached.kpi.target, reached.kpi.baseline) == (14, 15, 42)
        assert contexts(bot_dms(harness, LEAD), TargetReached) == [], "the owner reads the channel"
        types(harness, "/kpi 30m")
        assert told(harness) == []
        [corrected] = taken_back(harness)
        reached = shown(corrected, TargetReached)
        assert (reached.told, reached.kpi.value) == (14, 30)
        assert_golden(corrected, "number-corrected")
        types(harness, "/kpi 13m")
        [reached] = told(harness)
        assert (reached.told, reached.kpi.value) == (14, 13)
        types(harness, "/kpi 14m")
        [reached] = told(harness)
        assert (reached.told, reached.kpi.value) == (None, 14)
        harness.play_until(at("2026-03-19 11:00"))
        types(harness, "/kpi 12m")
        harness.play_until(at("2026-03-27 15:59"))
        assert len(told(harness)) == 1


def test_the_target_is_told_again_when_a_corrected_number_had_missed_it(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[changed(REPLY, tmp_path, RAIL)]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 11:00"))
        types(harness, "/kpi 14m CSAT=4.7")
        types(harness, "/kpi CSAT=4.1")
        assert told(harness) == []
        [post] = taken_back(harness)
        assert_golden(post, "guardrail-corrected")
        types(harness, "/kpi 30m CSAT=4.7")
        harness.play_until(at("2026-03-12 11:00"))
        types(harness, "/kpi 13m CSAT=4.8")
        assert len(told(harness)) == 1
        types(harness, "/kpi 12m week=1")
        assert len(told(harness)) == 2, "the first post is right again"


def test_a_check_in_with_the_number_tells_it_too_and_an_owner_outside_the_team_gets_a_dm(
    tmp_path: Path,
) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness, team="solo")
        harness.play_until(at("2026-03-05 11:00"))
        types(harness, "/kpi 14m", member=OTHER, channel=SOLO_CHANNEL)
        assert len(told(harness, SOLO_CHANNEL)) == 1
        [dm] = contexts(bot_dms(harness, LEAD), TargetReached)
        assert (dm.team, dm.kpi.value, dm.met) == ("Solo", 14, True)


def test_nothing_is_said_while_a_guardrail_is_past_its_limit(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[changed(REPLY, tmp_path, RAIL)]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 11:00"))
        types(harness, "/kpi 14m CSAT=4.1")
        assert told(harness) == []
        types(harness, "/kpi CSAT=4.7")
        [reached] = told(harness)
        csat = Guardrail(name="CSAT", unit="score", direction="higher", limit=4.6, value=4.7, held=True)
        assert reached.guardrails == (csat,)


@pytest.mark.parametrize(("then", "state"), [("", MessageState.SENT), ("/kpi 30m", MessageState.SKIPPED)])
def test_at_night_it_waits_for_the_morning_and_says_nothing_if_corrected_meanwhile(
    tmp_path: Path, then: str, state: MessageState
) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 22:30"))
        types(harness, "/kpi 14m")
        if then:
            types(harness, then)
        harness.play_until(at("2026-03-06 07:59"))
        assert told(harness) == []
        harness.play_until(at("2026-03-06 09:00"))
        assert [row.state for row in ledger(harness, "target-reached")] == [state]
        assert len(told(harness)) == (state is MessageState.SENT)
