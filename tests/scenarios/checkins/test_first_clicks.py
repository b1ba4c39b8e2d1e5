"""The shortest way through the product: a cycle starts, a member answers in two clicks."""

from datetime import UTC, date, datetime

from bot.rehearsal.harness import BotHarness
from templates.contexts.checkins import CheckinMessage
from templates.contexts.cycles import CycleStarted
from templates.ids import Action
from tests.contexts import actions, assert_golden, shown


def test_a_member_answers_in_two_clicks(harness: BotHarness) -> None:
    lead, agent = harness.workspace.person("U01LEAD"), harness.workspace.person("U01AGENT1")
    started = lead.types("/cadence cycle start support-reply 2026-03-02", channel="C01SUPEMEA")
    assert shown(started, CycleStarted).starts == date(2026, 3, 2)
    assert_golden(started.text, "cycle-started-in-short")

    harness.play_until(datetime(2026, 3, 5, 8, 59, tzinfo=UTC))
    assert agent.dm() == []
    harness.play_until(datetime(2026, 3, 5, 9, 0, tzinfo=UTC))
    check_in = agent.last_dm()
    assert actions(check_in) == [Action.SNOOZE, Action.RAN_AS_DECLARED, Action.DRIFTED, Action.NOT_RUN]

    agent.clicks(check_in, "As planned")
    assert agent.submits().closed
    harness.tick()
    answered = agent.last_dm()
    assert answered.ts == check_in.ts
    [row] = shown(answered, CheckinMessage).rows
    assert row.answer is not None
    assert (row.answer.attestation, row.answer.runs) == ("as-declared", 13)
    assert_golden(answered, "answered")
    assert actions(answered) == [Action.CHANGE_CHECKIN]
