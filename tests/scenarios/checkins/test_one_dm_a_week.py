"""One DM a week however many playbooks; every message shows the answer, wherever it was given (SPEC §4)."""

from pathlib import Path

from bot.sandbox.kinds import elements_of
from bot.sandbox.messages import Message
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, TRIAGE, at, bot_dms, start_cycle

OWNER, MEMBER = "U01LEAD", "U01AGENT1"


def buttons(message: Message) -> list[str]:
    return [one["text"]["text"] for _, one in elements_of(message.blocks) if one["type"] == "button"]


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
        assert dm.text == "1 of 2 check-ins open: did this week run as planned?"
        assert buttons(dm) == ["As planned", "Something changed", "Didn't run it", "Change"]

        harness.play_until(at("2026-03-06 10:05"))
        dm, reminder = bot_dms(harness, MEMBER)
        assert "Triage · week 1 check-in is still open" in reminder.text
        assert "Reply" not in reminder.words
        member.clicks(reminder, "Didn't run it")  # from the reminder
        member.submits({})
        harness.tick()
        older, live = bot_dms(harness, MEMBER)
        assert buttons(older) == [], "there is one live copy"
        assert buttons(live) == ["Change", "Change"]
        assert "*Reply · week 1* (Desk): checked in · 3 runs" in live.words
        assert "*Triage · week 1* (Desk): checked in · didn't run" in live.words

        _, reminder = bot_dms(harness, OWNER)
        owner.clicks(reminder, "All as planned")
        owner.submits({})
        harness.tick()
        older, live = bot_dms(harness, OWNER)[:2]
        assert (older.text, buttons(older)) == ("Check-in: answered in a newer message", [])
        assert live.text == "✓ Both check-ins are in"
        assert buttons(live) == ["Change", "Change"]

        harness.play_until(at("2026-03-08 20:00"))
        assert len(bot_dms(harness, MEMBER)) == 2  # the check-in and its one reminder
