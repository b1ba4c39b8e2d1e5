"""One DM a week however many playbooks; every message shows the answer, wherever it was given (SPEC §4)."""

from pathlib import Path

from bot.sandbox.messages import Message
from templates.contexts.checkins import CheckinMessage, CheckinMoved, CheckinReminder
from templates.ids import Action
from tests.contexts import actions, assert_golden, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, TRIAGE, at, bot_dms, start_cycle

OWNER, MEMBER = "U01LEAD", "U01AGENT1"


def answers(message: Message) -> list[tuple[str, str, int | None]]:
    """The answered check-ins of a message: the playbook, the answer and the runs."""
    found = [(row.playbook, row.answer) for row in shown(message, CheckinMessage).rows]
    return [(playbook, answer.attestation, answer.runs) for playbook, answer in found if answer is not None]


def test_a_check_in_is_answered_anywhere_and_said_everywhere(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY, TRIAGE]) as harness:
        for playbook in ("reply", "triage"):
            start_cycle(harness, playbook)
        harness.play_until(at("2026-03-05 12:00"))
        member, owner = harness.workspace.person(MEMBER), harness.workspace.person(OWNER)
        assert [len(bot_dms(harness, who)) for who in (MEMBER, OWNER)] == [1, 1]

        member.types(
            "/attest reply as-declared runs=3", channel=DESK_CHANNEL
        )  # by command, and only one of two
        harness.tick()
        [dm] = bot_dms(harness, MEMBER)
        assert len(shown(dm, CheckinMessage).rows) == 2
        assert answers(dm) == [("Reply", "as-declared", 3)]
        assert_golden(dm.text, "one-of-two-open-in-short")
        assert actions(dm) == [
            Action.SNOOZE,
            *(Action.RAN_AS_DECLARED, Action.DRIFTED, Action.NOT_RUN),
            Action.CHANGE_CHECKIN,
        ]

        harness.play_until(at("2026-03-06 10:05"))
        dm, reminder = bot_dms(harness, MEMBER)
        [row] = shown(reminder, CheckinReminder).rows
        assert (row.playbook, row.week) == ("Triage", 1)
        assert_golden(reminder.text, "reminder-in-short")
        assert_golden(reminder, "reminder-of-one")
        member.clicks(reminder, "Didn't run it")  # from the reminder
        member.submits({})
        harness.tick()
        older, live = bot_dms(harness, MEMBER)
        assert actions(older) == [], "there is one live copy"
        assert actions(live) == [Action.CHANGE_CHECKIN] * 2
        assert answers(live) == [("Reply", "as-declared", 3), ("Triage", "not-run", 0)]
        assert_golden(live, "both-of-the-member")

        _, reminder = bot_dms(harness, OWNER)
        owner.clicks(reminder, "All as planned")
        owner.submits({})
        harness.tick()
        older, live = bot_dms(harness, OWNER)[:2]
        assert (shown(older, CheckinMoved).answered, actions(older)) == (True, [])
        assert_golden(older.text, "moved-in-short")
        assert [playbook for playbook, _, _ in answers(live)] == ["Reply", "Triage"]
        assert_golden(live.text, "both-of-the-owner-in-short")
        assert actions(live) == [Action.CHANGE_CHECKIN] * 2

        harness.play_until(at("2026-03-08 20:00"))
        assert len(bot_dms(harness, MEMBER)) == 2  # the check-in and its one reminder
