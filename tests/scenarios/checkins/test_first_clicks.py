"""The shortest way through the product: a cycle starts, a member answers in two clicks."""

from datetime import UTC, datetime

from bot.rehearsal.harness import BotHarness


def test_a_member_answers_in_two_clicks(harness: BotHarness) -> None:
    lead, agent = harness.workspace.person("U01LEAD"), harness.workspace.person("U01AGENT1")
    started = lead.types("/cadence cycle start support-reply 2026-03-02", channel="C01SUPEMEA")
    assert "Mon 2 Mar" in started.text

    harness.play_until(datetime(2026, 3, 5, 8, 59, tzinfo=UTC))
    assert agent.dm() == []
    harness.play_until(datetime(2026, 3, 5, 9, 0, tzinfo=UTC))
    check_in = agent.last_dm()
    assert check_in.buttons[:3] == ["As planned", "Something changed", "Didn't run it"]

    agent.clicks(check_in, "As planned")
    assert agent.submits().closed
    harness.tick()
    answered = agent.last_dm()
    assert answered.ts == check_in.ts
    assert "Checked in · 13 runs" in answered.words
    assert answered.buttons == ["Change"]
