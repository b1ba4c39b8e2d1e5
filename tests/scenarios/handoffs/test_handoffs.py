"""One team hands work to another under its playbook's contract (SPEC §1, §2, §4: handoff overdue)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlmodel import select

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from cadence.rules.modes import Mode
from storage.tables import AdoptionStep, Handoff, HandoffState, MessageState, PlaybookVersion
from tests.harnesses import EXAMPLES, bot_harness
from tests.scenarios.plays import InCycle, at, bot_dms, entries, ledger, local_times, posts, rows, start_cycle

OWNER, MEMBER, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"
THEIR_LEAD, THEIR_MEMBER, STRANGER = "U08LEAD", "U07ANALYST", "U02AGENT1"
BILLING, EMEA = "C08BILLING", "C01SUPEMEA"
SENT = "/cadence handoff support-reply send billing refund for case 4711"


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[BotHarness]:
    """Support EMEA on the Tuesday of week 1, 10:00; billing runs nothing and its reporter is responsible
    for it."""
    with running(tmp_path) as ready:
        yield ready


@contextmanager
def running(folder: Path, **settings: object) -> Iterator[BotHarness]:
    played = InCycle("2026-03-03 10:00", "support-reply", "support-emea")
    with bot_harness(folder, played=played, **settings) as ready:  # type: ignore[arg-type]
        yield ready


def hand_over(harness: BotHarness, words: str = SENT, who: str = MEMBER) -> str:
    said = harness.workspace.person(who).types(words, channel=EMEA)
    harness.tick()
    return said.text


def asked(harness: BotHarness) -> Message:
    [post] = [one for one in posts(harness, BILLING) if "4711" in one.text]
    return post


def dms(harness: BotHarness, who: str) -> list[str]:
    return [one.text for one in bot_dms(harness, who) if "4711" in one.text]


def the_row(harness: BotHarness) -> Handoff:
    [row] = rows(harness, Handoff)
    return row


def test_the_sender_is_told_that_a_handoff_was_accepted(harness: BotHarness) -> None:
    said = hand_over(harness)
    assert said.startswith("Handed to Billing as #1. They have 24 hours to accept it, until Wed 4 Mar, 10:00")
    post = asked(harness)
    assert post.text == "⏳ Handoff for Billing: refund for case 4711"
    assert "*Comes with*\ntagged ticket\n*Expected back*\nrefund decision" in post.words
    assert "*If it can't be used*\nreopen the ticket" in post.words
    assert post.buttons == ["Accept", "Can't use it"]
    assert dms(harness, THEIR_LEAD) == [post.text]

    member = harness.workspace.person(THEIR_MEMBER)
    assert member.clicks(post, "Accept").text == "Accepted: refund for case 4711. We've told <@U01AGENT1>."
    assert "already" in member.clicks(post, "Accept", stale=True).text
    harness.tick()
    assert asked(harness).text == "✓ Accepted by Billing: refund for case 4711"
    assert asked(harness).buttons == ["Done"]
    assert dms(harness, THEIR_LEAD) == ["✓ Accepted by Billing: refund for case 4711"]
    assert dms(harness, MEMBER) == ["✓ Billing accepted your handoff: refund for case 4711"]
    harness.play_until(at("2026-03-05 09:00"))
    assert {one.reason for one in ledger(harness, "handoff-overdue", MessageState.SKIPPED)} == {"accepted"}
    assert [entry.member for entry in entries(harness, "handoff-accepted")] == [THEIR_MEMBER]
    assert the_row(harness).state is HandoffState.ACCEPTED


def test_what_cannot_be_used_goes_back_with_what_the_contract_says(harness: BotHarness) -> None:
    hand_over(harness)
    lead = harness.workspace.person(THEIR_LEAD)
    lead.clicks(asked(harness), "Can't use it")
    assert "What the contract says should" in lead.form().words
    assert lead.submits({"reason": " "}).errors
    lead.submits({"lacking": ["0"], "reason": "Two cases carry that number"})
    harness.tick()
    assert asked(harness).text == "🔴 Sent back by Billing: refund for case 4711"
    for who, buttons in ((MEMBER, ["Hand over again"]), (OWNER, ["Hand over again", "Switch to human-led"])):
        told = bot_dms(harness, who)[-1]
        assert "Missing: tagged ticket." in told.words
        assert "*What happens next:* reopen the ticket" in told.words
        assert told.buttons == buttons
    assert (
        "<@U08LEAD> sent it back on"
        in harness.workspace.person(THEIR_MEMBER).types("/cadence handoff accept #1", channel=BILLING).text
    )
    assert {row.mode for row in rows(harness, AdoptionStep)} == {Mode.COLLABORATIVE, Mode.AI_LED}

    owner = harness.workspace.person(OWNER)
    owner.clicks(bot_dms(harness, OWNER)[-1], "Switch to human-led")
    owner.submits({"step": "1:send", "reason": "billing can't take them"})
    modes = {row.step: row.mode for row in rows(harness, AdoptionStep)}
    assert modes["send"] is Mode.HUMAN_LED
    shown = harness.workspace.person(MEMBER).types("/cadence handoff support-reply show", channel=EMEA)
    assert "No handoffs to accept in Support reply." in shown.words
    assert "Two cases carry that number" in shown.words


def test_both_owners_hear_once_when_the_hours_are_over_in_their_own_working_hours(
    harness: BotHarness,
) -> None:
    harness.play_until(at("2026-03-06 15:00"))
    hand_over(harness)
    harness.play_until(at("2026-03-09 09:30"))
    for who in (OWNER, THEIR_LEAD):
        [late] = [one for one in bot_dms(harness, who) if "overdue" in one.text]
        assert local_times([late], "Europe/Berlin") == ["Mon 09:00"]
        assert late.text == "⏳ Handoff to Billing is overdue: refund for case 4711"
        assert "It was due Sat 7 Mar, 15:00, 24 hours after it was sent." in late.words
        assert late.buttons == (["Withdraw"] if who == OWNER else ["Accept", "Can't use it"])
    harness.play_until(at("2026-03-09 11:00"))
    digest = harness.workspace.person(CURATOR).types("/cadence digest").words
    assert (
        "Billing hasn't accepted refund for case 4711, overdue since Sat 7 Mar (Support reply, Support EMEA)"
        in digest
    )
    [mine] = [one for one in bot_dms(harness, OWNER) if "overdue" in one.text]
    assert (mine.buttons, "Please ask Billing to accept it." in mine.words) == (["Withdraw"], True)
    owner = harness.workspace.person(OWNER)
    assert "Only members of Billing" in owner.types("/cadence handoff accept #1", channel=EMEA).text
    assert (
        "Billing hasn't accepted refund for case 4711 · Support reply (Support EMEA) · overdue since Sat 7 Mar 15:00"
        in owner.opens_home().words
    )
    assert the_row(harness).state is HandoffState.SENT
    [late] = [one for one in bot_dms(harness, THEIR_LEAD) if "overdue" in one.text]
    assert late.buttons == ["Accept", "Can't use it"]
    status = harness.workspace.person(OWNER).types("/cadence status", channel=EMEA).words
    assert "#1 refund for case 4711: Support EMEA → Billing, overdue since Sat 7 Mar, 15:00" in status
    harness.workspace.person(THEIR_LEAD).clicks(late, "Accept")
    harness.play_until(at("2026-03-12 18:00"))
    assert len(ledger(harness, "handoff-overdue")) == 2
    assert not [one for one in bot_dms(harness, OWNER) if "overdue" in one.text]


def test_the_form_offers_the_contracts_and_names_teams_that_are_not_here(harness: BotHarness) -> None:
    member = harness.workspace.person(MEMBER)
    member.types("/cadence handoff", channel=EMEA)
    form = member.form()
    assert "Billing: refund decision · Support reply (Support EMEA)" in form.words
    assert member.submits({"what": " "}).errors
    done = member.submits({"what": "refund for case 4711", "link": "https://example.com/4711"})
    assert done.view is not None
    assert "Handed to Billing as #1" in done.view.words
    harness.tick()
    assert "example.com/4711" in asked(harness).words


def test_a_team_that_is_not_here_yet_can_take_nothing(tmp_path: Path) -> None:
    playbook = tmp_path / "legal.yaml"
    text = (EXAMPLES / "support-reply.yaml").read_text(encoding="utf-8")
    playbook.write_text(text.replace("to: billing", "to: legal"), encoding="utf-8")
    with running(tmp_path, playbooks=[playbook]) as harness:
        said = harness.workspace.person(MEMBER).types("/cadence handoff", channel=EMEA)
        assert "`legal` isn't a team here yet." in said.text


def test_who_has_no_part_in_it_can_neither_send_nor_answer(harness: BotHarness) -> None:
    hand_over(harness)
    stranger = harness.workspace.person(STRANGER)
    assert (
        "Only members of Billing, <@U08LEAD> or a curator can answer a handoff to Billing"
        in stranger.types("/cadence handoff accept #1").text
    )
    assert "Your playbooks don't have any handoffs" in stranger.types(SENT).text
    assert (
        "That handoff doesn't exist"
        in harness.workspace.person(CURATOR).types("/cadence handoff accept #99").text
    )
    assert the_row(harness).state is HandoffState.SENT
    assert "Accepted" in harness.workspace.person(CURATOR).types("/cadence handoff accept #1 took it").text


def test_the_receiver_sees_what_waits_and_needs_no_number_while_it_is_one(harness: BotHarness) -> None:
    hand_over(harness)
    member = harness.workspace.person(THEIR_MEMBER)
    assert "1 handoff to accept" in member.types("/cadence handoff", channel=BILLING).text
    hand_over(harness, SENT.replace("4711", "4712"))
    which = member.types("/cadence handoff accept", channel=BILLING)
    assert which.text == "Which one? 2 handoffs need an answer."
    assert "Sent back" in member.types("/cadence handoff fail #2 it lacks the invoice", channel=BILLING).text
    assert (
        "Accepted: refund for case 4711"
        in member.types("/cadence handoff accept paid out", channel=BILLING).text
    )
    assert [row.reason for row in rows(harness, Handoff)] == ["paid out", "it lacks the invoice"]


def test_the_hours_of_a_contract_have_bounds_and_a_version_from_before_them_is_still_read(
    tmp_path: Path,
) -> None:
    with bot_harness(tmp_path) as harness:
        with harness.bot.db.write() as session:
            kept = session.exec(select(PlaybookVersion)).one()
            [contract] = kept.spec["handoffs"]
            kept.spec = kept.spec | {"handoffs": [contract | {"sla_hours": 8000}]}
            session.add(kept)
        start_cycle(harness, "support-reply", team="support-emea")
        harness.play_until(at("2026-03-03 10:00"))
        assert "They have 8000 hours to accept it, until Sat 30 Jan 2027, 18:00" in hand_over(harness)
        assert "Please accept it by *Sat 30 Jan 2027, 18:00*" in asked(harness).words
        shown = harness.workspace.person(THEIR_MEMBER).types("/cadence handoff", channel=BILLING)
        assert "To be accepted by Sat 30 Jan 2027, 17:00" in shown.words
        assert "due Sat 30 Jan 2027 17:00" in harness.workspace.person(THEIR_MEMBER).opens_home().words

        owner = harness.workspace.person(OWNER)
        text = (EXAMPLES / "support-reply.yaml").read_text(encoding="utf-8")
        owner.types("/cadence playbook import")
        refused = owner.submits({"yaml": text.replace("sla_hours: 24", "sla_hours: 8000")})
        assert refused.view is not None
        assert "8000 hours isn't from 0.25 to 672" in refused.view.words


def test_its_time_runs_from_when_the_team_can_read_it(harness: BotHarness) -> None:
    harness.play_until(at("2026-03-06 22:00"))
    hand_over(harness)
    harness.play_until(at("2026-03-09 12:00"))
    assert "accept it by *Tue 10 Mar" in asked(harness).words
    assert not [one for one in bot_dms(harness, THEIR_LEAD) if "overdue" in one.text]
    harness.play_until(at("2026-03-10 12:00"))
    assert [one for one in bot_dms(harness, THEIR_LEAD) if "overdue" in one.text]


def test_the_sender_is_told_that_a_handoff_is_done(harness: BotHarness) -> None:
    hand_over(harness)
    member = harness.workspace.person(THEIR_MEMBER)
    accepted = member.types("/cadence handoff accept", channel=BILLING)
    harness.tick()
    assert accepted.message is not None
    assert accepted.message.buttons == ["Done"]
    shown = member.opens_home().words
    assert "refund for case 4711, from Support EMEA · Support reply · accepted Tue 3 Mar" in shown
    listed = harness.workspace.person(OWNER).types("/cadence handoff show", channel=EMEA)
    assert listed.text == "No handoffs to accept, 1 in progress."

    lead = harness.workspace.person(THEIR_LEAD)
    assert lead.clicks(asked(harness), "Done").text == "Done: refund for case 4711. We've told <@U01AGENT1>."
    assert lead.clicks(asked(harness), "Done", stale=True).text.startswith("You already finished it")
    harness.tick()
    assert asked(harness).text == "✓ Done by Billing: refund for case 4711"
    assert asked(harness).buttons == []
    assert dms(harness, MEMBER)[-1] == "✓ Billing finished your handoff: refund for case 4711"
    assert "Finish a handoff" not in member.opens_home().words
    assert "finished it on Tue 3 Mar" in member.types("/cadence handoff done #1", channel=BILLING).text
    assert "don't have any accepted handoffs" in member.types("/cadence handoff done", channel=BILLING).text
    [entry] = entries(harness, "handoff-done")
    assert (entry.member, entry.before) == (THEIR_LEAD, "accepted")
    assert (
        "finished the handoff" in harness.workspace.person(OWNER).types("/cadence trace support-reply").words
    )
    harness.play_until(at("2026-03-05 09:00"))
    assert {one.reason for one in ledger(harness, "handoff-overdue")} == {"accepted"}
    assert "1 done in the week" in harness.workspace.person(CURATOR).types("/cadence digest").words


def test_what_nobody_took_yet_is_withdrawn_by_who_sent_it(harness: BotHarness) -> None:
    said = harness.workspace.person(MEMBER).types(SENT, channel=EMEA)
    harness.tick()
    member, owner, theirs = (harness.workspace.person(one) for one in (MEMBER, OWNER, THEIR_MEMBER))
    assert "Only the owner (<@U01LEAD>) or a curator can" in theirs.types("/cadence handoff withdraw #1").text
    assert said.message is not None
    assert member.clicks(said.message, "Withdraw").text == (
        "Withdrawn: refund for case 4711. Billing no longer needs to accept it."
    )
    harness.tick()
    assert asked(harness).text == "Withdrawn: refund for case 4711"
    assert asked(harness).buttons == []
    assert dms(harness, THEIR_LEAD) == [asked(harness).text]
    assert "<@U01AGENT1> withdrew it on Tue 3 Mar" in theirs.types("/cadence handoff accept #1").text
    assert "<@U01AGENT1> withdrew it" in owner.types("/cadence handoff withdraw #1").text
    assert "No handoffs to accept" in theirs.types("/cadence handoff show", channel=BILLING).text
    assert "4711" not in theirs.opens_home().words
    harness.play_until(at("2026-03-05 09:00"))
    assert {one.reason for one in ledger(harness, "handoff-overdue")} == {"withdrawn"}
    assert "1 withdrawn in the week" in harness.workspace.person(CURATOR).types("/cadence digest").words


def test_an_overdue_one_can_be_withdrawn_from_home_and_the_sender_is_told(harness: BotHarness) -> None:
    hand_over(harness)
    hand_over(harness, SENT.replace("4711", "4712"))
    harness.play_until(at("2026-03-04 12:00"))
    owner = harness.workspace.person(OWNER)
    home = owner.opens_home()
    assert "Billing hasn't accepted refund for case 4711" in home.words
    owner.clicks(home, "Withdraw", value="1")
    harness.tick()
    assert dms(harness, MEMBER) == ["Handoff withdrawn: refund for case 4711"]
    assert not [one for one in bot_dms(harness, OWNER) if "overdue" in one.text and "4711" in one.text]
    which = harness.workspace.person(MEMBER).types("/cadence handoff withdraw wrong case", channel=EMEA)
    assert which.text == "Withdrawn: refund for case 4712. Billing no longer needs to accept it."
    assert rows(harness, Handoff)[1].reason == "wrong case"


def test_an_accepted_one_isnt_withdrawn(harness: BotHarness) -> None:
    hand_over(harness)
    harness.workspace.person(THEIR_MEMBER).types("/cadence handoff accept #1", channel=BILLING)
    said = harness.workspace.person(MEMBER).types("/cadence handoff withdraw #1", channel=EMEA).text
    assert said == "<@U07ANALYST> accepted it on Tue 3 Mar, 10:00. Nothing changed."
    assert the_row(harness).state is HandoffState.ACCEPTED


def test_who_reports_for_the_receiving_team_can_be_asked_to_accept(harness: BotHarness) -> None:
    hand_over(harness)
    member = harness.workspace.person(MEMBER)
    refused = member.types(f"/cadence handoff accept #{the_row(harness).id}", channel=EMEA)
    assert refused.message is not None
    assert member.clicks(refused.message, "Ask them").words == f"Asked <@{THEIR_LEAD}>."
    harness.tick()
    assert f"<@{MEMBER}> would like to answer a handoff to Billing" in bot_dms(harness, THEIR_LEAD)[-1].text
