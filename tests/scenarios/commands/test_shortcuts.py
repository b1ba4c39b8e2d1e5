"""Shortcuts: a message becomes the evidence of an exception; check-in and number from anywhere (SPEC §7)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from bot.sandbox.person import Person
from bot.sandbox.views import View
from storage.tables import CheckIn, LoggedException, Reading
from templates.contexts.checkins import Attested, CheckinMessage, ChooseCheckinForm
from templates.contexts.exceptions import ExceptionForm, ExceptionList, ExceptionLogged
from templates.contexts.numbers import Recorded
from templates.contexts.standards import Demoted
from templates.ids import Shortcut
from tests.contexts import assert_golden, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    DESK,
    DESK_CHANNEL,
    REPLY,
    SOLO_CHANNEL,
    TRIAGE,
    InCycle,
    at,
    bot_dms,
    entries,
    rows,
    start_cycle,
)

OWNER, MEMBER, OUTSIDER, CURATOR = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """A Thursday at noon in week 1: the check-ins are out."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY, TRIAGE], played=InCycle("2026-03-05 12:00")
    ) as harness:
        yield harness


def link_of(harness: BotHarness, message: Message) -> str:
    return f"{harness.workspace.base_url}/archives/{message.channel}/p{message.ts.replace('.', '')}"


def submitted(person: Person, values: dict[str, object]) -> View:
    """The answer in place of the form."""
    told = person.submits(values)
    assert told.view is not None, told
    return told.view


def filled_in(form: View) -> dict[str, object]:
    return {
        block["block_id"]: block["element"].get("initial_value")
        for block in form.blocks
        if "element" in block
    }


def test_a_message_becomes_the_evidence_of_an_exception(desk: BotHarness) -> None:
    member, owner = desk.workspace.person(MEMBER), desk.workspace.person(OWNER)
    wrong = owner.says(f"<@{MEMBER}> it *promised* a <https://pay.example/1|refund> &amp; more", DESK_CHANNEL)
    member.shortcut(Shortcut.LOG_EXCEPTION, wrong)
    link, form = link_of(desk, wrong), member.form()
    name = desk.workspace.user(MEMBER).shown
    assert filled_in(form) | {"step": None} == {
        "step": None,
        "reason": f"<@{MEMBER}> it *promised* a refund & more".replace(f"<@{MEMBER}>", name),
        "critical": None,
        "link": link,
    }
    asked = submitted(member, {"step": "Send the reply (AI-led)", "critical": ["critical"]})
    assert rows(desk, LoggedException) == []
    assert_golden(asked, "critical-to-confirm")
    logged = shown(submitted(member, {}), ExceptionLogged)
    assert (logged.step, logged.critical, logged.duplicate, logged.after) == (
        "Send the reply", True, False, "collaborative"
    )  # fmt: skip
    [row] = rows(desk, LoggedException)
    assert (row.step, row.link, row.surface, row.member) == ("send", link, "shortcut", MEMBER)
    assert entries(desk, "exception")[0].after["link"] == link
    desk.tick()
    alert = [post for post in desk.workspace.history(DESK_CHANNEL) if is_shown(post, Demoted)][-1]
    member.clicks(alert, "View exceptions")
    [listed] = shown(member.form(), ExceptionList).earlier
    assert listed.link == link
    assert link in member.form().words
    assert link in owner.types("/cadence trace reply", channel=DESK_CHANNEL).words


def test_a_message_is_counted_once_on_a_step(desk: BotHarness) -> None:
    member, owner = desk.workspace.person(MEMBER), desk.workspace.person(OWNER)
    wrong = owner.says("it promised a refund", DESK_CHANNEL)
    told: list[View] = []
    for who, values in ((member, {}), (owner, {}), (owner, {"critical": ["critical"]}), (member, {})):
        who.shortcut(Shortcut.LOG_EXCEPTION, wrong)
        told.append(submitted(who, {"step": "1:send", **values}))
        if is_shown(told[-1], ExceptionForm):  # a critical one is confirmed first
            told[-1] = submitted(who, {})
        who.closes()
        if len(told) == 2:
            assert len(rows(desk, LoggedException)) == 1
    found = [shown(one, ExceptionLogged) for one in told]
    assert [one.duplicate for one in found] == [False, True, False, True], "a critical one is new"
    assert [one.critical for one in found][:3] == [False, False, True]
    again = found[1]
    assert (again.step, again.evidence.exceptions, again.logged_by) == ("Send the reply", 1, MEMBER)
    assert again.logged_at is not None
    assert f"{again.logged_at:%Y-%m-%d %H:%M}" == "2026-03-05 12:00"
    assert [row.critical for row in rows(desk, LoggedException)] == [False, True]


def test_the_channels_team_comes_first_then_ones_own(desk: BotHarness) -> None:
    start_cycle(desk, "triage", "2026-03-02", team="solo")
    curator = desk.workspace.person(CURATOR)
    for channel, first in ((SOLO_CHANNEL, "Triage · Solo"), (DESK_CHANNEL, "Reply · Desk")):
        curator.shortcut(Shortcut.LOG_EXCEPTION, curator.says("look", channel))
        groups = curator.form().blocks[0]["element"]["option_groups"]
        assert groups[0]["label"]["text"] == first
        curator.closes()


def test_a_reply_in_a_thread_keeps_its_place_and_a_long_text_is_cut(desk: BotHarness) -> None:
    member = desk.workspace.person(MEMBER)
    head = member.says("what now?", DESK_CHANNEL)
    member.shortcut(Shortcut.LOG_EXCEPTION, member.says("long " * 500, DESK_CHANNEL, thread_ts=head.ts))
    found = filled_in(member.form())
    assert str(found["link"]).endswith(f"?thread_ts={head.ts}&cid={DESK_CHANNEL}")
    assert len(str(found["reason"])) == 1_000
    assert str(found["reason"]).endswith("long…")


def test_what_cannot_be_evidence_is_said_in_a_modal(desk: BotHarness) -> None:
    member, outsider = desk.workspace.person(MEMBER), desk.workspace.person(OUTSIDER)
    asked = bot_dms(desk, MEMBER)[-1]
    member.shortcut(Shortcut.LOG_EXCEPTION, asked)
    assert_golden(member.form(), "evidence-our-own")
    member.closes()
    member.shortcut(Shortcut.LOG_EXCEPTION, member.says("hm", member.dm_channel.id))
    assert_golden(member.form(), "evidence-private")
    outsider.shortcut(Shortcut.LOG_EXCEPTION, outsider.says("hm", SOLO_CHANNEL))
    assert_golden(outsider.form(), "evidence-no-playbook")
    assert rows(desk, LoggedException) == []


def test_check_in_opens_the_form_of_the_one_that_is_open(desk: BotHarness) -> None:
    member = desk.workspace.person(MEMBER)
    member.shortcut(Shortcut.CHECK_IN)
    [row] = shown(submitted(member, {"attestation": "as-declared", "runs": "9"}), Attested).rows
    assert (row.answer.attestation, row.answer.runs) == ("as-declared", 9)
    assert [(row.runs, row.surface) for row in rows(desk, CheckIn)] == [(9, "shortcut")]
    desk.tick()
    [settled] = shown(bot_dms(desk, MEMBER)[-1], CheckinMessage).rows
    assert settled.answer is not None
    assert (settled.answer.attestation, settled.answer.runs) == ("as-declared", 9)
    member.closes()
    member.shortcut(Shortcut.CHECK_IN)  # once answered, it is there to be changed
    assert filled_in(member.form())["runs"] == "9"
    outsider = desk.workspace.person(OUTSIDER)
    outsider.shortcut(Shortcut.CHECK_IN)
    assert_golden(outsider.form(), "no-check-in")


def test_check_in_asks_which_when_there_are_several(desk: BotHarness) -> None:
    start_cycle(desk, "triage", "2026-03-09")
    desk.play_until(at("2026-03-10 12:00"))  # a Tuesday: last week's can still be answered
    member = desk.workspace.person(MEMBER)
    member.shortcut(Shortcut.CHECK_IN)
    offered = [one.value for one in shown(member.form(), ChooseCheckinForm).choices]
    assert offered == ["1:2026-03-02", "all:2026-03-09", "1:2026-03-09", "2:2026-03-09"]
    assert_golden(member.form(), "which-check-in")
    member.submits({"checkin": offered[0]})
    member.submits({"attestation": "not-run"})
    member.closes()
    member.shortcut(Shortcut.CHECK_IN)
    member.submits({"checkin": offered[1]})
    answered = shown(submitted(member, {}), Attested).rows
    assert [(row.playbook, row.answer.attestation) for row in answered] == [
        ("Reply", "as-declared"), ("Triage", "as-declared")
    ]  # fmt: skip
    weeks = [(str(row.week_start), row.attestation, row.surface) for row in rows(desk, CheckIn)]
    assert weeks == [
        ("2026-03-02", "not-run", "shortcut"),
        ("2026-03-09", "as-declared", "shortcut"),
        ("2026-03-09", "as-declared", "shortcut"),
    ]


def test_report_a_number_opens_its_form(desk: BotHarness) -> None:
    owner = desk.workspace.person(OWNER)
    owner.shortcut(Shortcut.REPORT_NUMBER)
    recorded = shown(submitted(owner, {"value": "14m"}), Recorded)
    assert (recorded.kpi.name, recorded.kpi.value) == ("First response time", 14)
    assert [(row.value, row.surface) for row in rows(desk, Reading)] == [(14, "shortcut")]
    outsider = desk.workspace.person(OUTSIDER)
    outsider.shortcut(Shortcut.REPORT_NUMBER)
    assert_golden(outsider.form(), "nothing-to-report")
