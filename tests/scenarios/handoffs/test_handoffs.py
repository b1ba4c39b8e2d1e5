"""One team hands work to another under its playbook's contract (SPEC §1, §2, §4: handoff overdue)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import select

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from bot.sandbox.messages import Message
from bot.sandbox.views import View
from cadence.rules.modes import Mode
from storage.tables import AdoptionStep, Handoff, HandoffState, MessageState, PlaybookVersion
from templates.contexts.handoffs import HandoffAnswered, HandoffPost, Handoffs
from templates.contexts.history import Trace
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.home import Home
from templates.contexts.overview.statuses import Status
from templates.contexts.playbooks import ImportForm
from templates.ids import Action
from tests.contexts import actions, assert_golden, is_shown, shown
from tests.harnesses import EXAMPLES, bot_harness
from tests.scenarios.plays import InCycle, at, bot_dms, entries, ledger, local_times, posts, rows, start_cycle

OWNER, MEMBER, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"
THEIR_LEAD, THEIR_MEMBER, STRANGER = "U08LEAD", "U07ANALYST", "U02AGENT1"
BILLING, EMEA = "C08BILLING", "C01SUPEMEA"
NUMBER = "4711"
CASE = f"refund for case {NUMBER}"
SENT = f"/cadence handoff support-reply send billing {CASE}"
TO_ANSWER = [Action.ACCEPT_HANDOFF, Action.FAIL_HANDOFF]


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


def hand_over(harness: BotHarness, words: str = SENT, who: str = MEMBER) -> Answer:
    said = harness.workspace.person(who).types(words, channel=EMEA)
    harness.tick()
    return said


def asked(harness: BotHarness) -> Message:
    """The post in the receiving team's channel."""
    [post] = [one for one in posts(harness, BILLING) if CASE in one.words]
    return post


def state(post: Message) -> str:
    """The state of the handoff that a post shows."""
    return shown(post, HandoffPost).handoff.state


def dms(harness: BotHarness, who: str) -> list[tuple[str, str]]:
    """Somebody's DMs about the handoff, as the receiving side gets them or the sending one, with its state."""
    found = [one for one in bot_dms(harness, who) if CASE in one.words]
    return [
        ("to-accept", state(one))
        if is_shown(one, HandoffPost)
        else ("answered", shown(one, HandoffAnswered).handoff.state)
        for one in found
    ]


def overdue(harness: BotHarness, who: str) -> list[Message]:
    """Somebody's DMs about handoffs that nobody accepted in time."""
    found = [one for one in bot_dms(harness, who) if is_shown(one, HandoffPost)]
    return [one for one in found if shown(one, HandoffPost).overdue and state(one) == "sent"]


def needs(home: View) -> str:
    """What a Home asks its reader to do, a line each."""
    found = [item.need for item in shown(home, Home).items if item.need is not None]
    return "\n".join(f"{need.title}: {need.text}" for need in found)


def the_row(harness: BotHarness) -> Handoff:
    [row] = rows(harness, Handoff)
    return row


def test_the_sender_is_told_that_a_handoff_was_accepted(harness: BotHarness) -> None:
    said = hand_over(harness)
    assert_golden(said, "handed-over")
    post = asked(harness)
    assert_golden(post, "to-accept")
    assert state(post) == "sent"
    assert actions(post) == TO_ANSWER
    assert dms(harness, THEIR_LEAD) == [("to-accept", "sent")]

    member = harness.workspace.person(THEIR_MEMBER)
    assert_golden(member.clicks(post, "Accept"), "accepted")
    assert_golden(member.clicks(post, "Accept", stale=True), "accepted-before")
    harness.tick()
    assert state(asked(harness)) == "accepted"
    assert_golden(asked(harness).text, "accepted-post")
    assert actions(asked(harness)) == [Action.FINISH_HANDOFF]
    assert dms(harness, THEIR_LEAD) == [("to-accept", "accepted")]
    assert dms(harness, MEMBER) == [("answered", "accepted")]
    assert_golden(bot_dms(harness, MEMBER)[-1], "accepted-to-the-sender")
    harness.play_until(at("2026-03-05 09:00"))
    assert {one.reason for one in ledger(harness, "handoff-overdue", MessageState.SKIPPED)} == {"accepted"}
    assert [entry.member for entry in entries(harness, "handoff-accepted")] == [THEIR_MEMBER]
    assert the_row(harness).state is HandoffState.ACCEPTED


def test_what_cannot_be_used_goes_back_with_what_the_contract_says(harness: BotHarness) -> None:
    hand_over(harness)
    lead = harness.workspace.person(THEIR_LEAD)
    lead.clicks(asked(harness), "Can't use it")
    assert_golden(lead.form(), "send-back-form")
    assert lead.submits({"reason": " "}).errors
    reason = "Two cases carry that number"
    lead.submits({"lacking": ["0"], "reason": reason})
    harness.tick()
    assert state(asked(harness)) == "failed"
    assert_golden(asked(harness), "sent-back")
    again = Action.SEND_HANDOFF
    for case, who, buttons in (("sender", MEMBER, [again]), ("owner", OWNER, [again, Action.DECLARE_MODE])):
        told = bot_dms(harness, who)[-1]
        answered = shown(told, HandoffAnswered)
        assert (answered.handoff.lacking, answered.on_failure, answered.fallback) == (
            ("tagged ticket",), "reopen the ticket", "human-led"
        )  # fmt: skip
        assert actions(told) == buttons
        assert_golden(told, f"sent-back-told:{case}")
    late = harness.workspace.person(THEIR_MEMBER).types("/cadence handoff accept #1", channel=BILLING)
    assert_golden(late, "accept-after-it-was-sent-back")
    assert the_row(harness).state is HandoffState.FAILED
    assert {row.mode for row in rows(harness, AdoptionStep)} == {Mode.COLLABORATIVE, Mode.AI_LED}

    owner = harness.workspace.person(OWNER)
    owner.clicks(bot_dms(harness, OWNER)[-1], "Switch to human-led")
    owner.submits({"step": "1:send", "reason": "billing can't take them"})
    modes = {row.step: row.mode for row in rows(harness, AdoptionStep)}
    assert modes["send"] is Mode.HUMAN_LED
    listed = harness.workspace.person(MEMBER).types("/cadence handoff support-reply show", channel=EMEA)
    found = shown(listed, Handoffs)
    assert (found.waiting, found.playbook) == (0, "Support reply")
    assert [row.handoff.reason for row in found.rows] == [reason]
    assert reason in listed.words


def test_both_owners_hear_once_when_the_hours_are_over_in_their_own_working_hours(
    harness: BotHarness,
) -> None:
    harness.play_until(at("2026-03-06 15:00"))
    hand_over(harness)
    harness.play_until(at("2026-03-09 09:30"))
    for who in (OWNER, THEIR_LEAD):
        [late] = overdue(harness, who)
        assert local_times([late], "Europe/Berlin") == ["Mon 09:00"]
        names = shown(late, HandoffPost).handoff
        assert (names.to, names.what, names.sla) == ("Billing", CASE, "24 hours")
        assert f"{names.due_at:%Y-%m-%d %H:%M}" == "2026-03-07 15:00"
        assert actions(late) == ([Action.WITHDRAW_HANDOFF] if who == OWNER else TO_ANSWER)
        assert_golden(late, f"overdue:{'sender' if who == OWNER else 'receiver'}")
    harness.play_until(at("2026-03-09 11:00"))
    digest = shown(harness.workspace.person(CURATOR).types("/cadence digest"), Digest)
    assert_golden("\n".join(digest.handoffs), "overdue-in-the-digest")
    [mine] = overdue(harness, OWNER)
    assert actions(mine) == [Action.WITHDRAW_HANDOFF]
    assert not shown(mine, HandoffPost).may_answer
    owner = harness.workspace.person(OWNER)
    assert_golden(owner.types("/cadence handoff accept #1", channel=EMEA), "accept-as-its-owner")
    assert_golden(needs(owner.opens_home()), "overdue-on-home")
    assert the_row(harness).state is HandoffState.SENT
    [late] = overdue(harness, THEIR_LEAD)
    assert actions(late) == TO_ANSWER
    status = shown(harness.workspace.person(OWNER).types("/cadence status", channel=EMEA), Status)
    assert_golden("\n".join(status.handoffs), "overdue-in-the-status")
    harness.workspace.person(THEIR_LEAD).clicks(late, "Accept")
    harness.play_until(at("2026-03-12 18:00"))
    assert len(ledger(harness, "handoff-overdue")) == 2
    assert overdue(harness, OWNER) == []


def test_the_form_offers_the_contracts_and_names_teams_that_are_not_here(harness: BotHarness) -> None:
    member = harness.workspace.person(MEMBER)
    member.types("/cadence handoff", channel=EMEA)
    form = member.form()
    assert_golden(form, "handoff-form")
    assert member.submits({"what": " "}).errors
    link = "https://example.com/4711"
    done = member.submits({"what": CASE, "link": link})
    assert done.view is not None
    assert_golden(done.view, "handed-over-by-form")
    harness.tick()
    assert shown(asked(harness), HandoffPost).handoff.link == link
    assert link in asked(harness).words


def test_a_team_that_is_not_here_yet_can_take_nothing(tmp_path: Path) -> None:
    playbook = tmp_path / "legal.yaml"
    text = (EXAMPLES / "support-reply.yaml").read_text(encoding="utf-8")
    playbook.write_text(text.replace("to: billing", "to: legal"), encoding="utf-8")
    with running(tmp_path, playbooks=[playbook]) as harness:
        said = harness.workspace.person(MEMBER).types("/cadence handoff", channel=EMEA)
        assert_golden(said, "absent-team")
        assert rows(harness, Handoff) == []


def test_who_has_no_part_in_it_can_neither_send_nor_answer(harness: BotHarness) -> None:
    hand_over(harness)
    stranger = harness.workspace.person(STRANGER)
    curator = harness.workspace.person(CURATOR)
    assert_golden(stranger.types("/cadence handoff accept #1"), "accept-as-a-stranger")
    assert_golden(stranger.types(SENT), "send-as-a-stranger")
    assert_golden(curator.types("/cadence handoff accept #99"), "no-such-handoff")
    assert the_row(harness).state is HandoffState.SENT
    assert_golden(curator.types("/cadence handoff accept #1 took it"), "accepted-by-a-curator")
    assert the_row(harness).state is HandoffState.ACCEPTED


def test_the_receiver_sees_what_waits_and_needs_no_number_while_it_is_one(harness: BotHarness) -> None:
    hand_over(harness)
    member = harness.workspace.person(THEIR_MEMBER)
    listed = shown(member.types("/cadence handoff", channel=BILLING), Handoffs)
    assert (listed.waiting, [row.handoff.what for row in listed.rows]) == (1, [CASE])
    hand_over(harness, SENT.replace("4711", "4712"))
    which = member.types("/cadence handoff accept", channel=BILLING)
    assert (shown(which, Handoffs).asked, shown(which, Handoffs).waiting) == ("accept", 2)
    assert_golden(which.text, "which-of-two")
    failed = member.types("/cadence handoff fail #2 it lacks the invoice", channel=BILLING)
    assert_golden(failed, "sent-back-by-command")
    accepted = member.types("/cadence handoff accept paid out", channel=BILLING)
    assert_golden(accepted, "accepted-with-a-note")
    assert [row.state for row in rows(harness, Handoff)] == [HandoffState.ACCEPTED, HandoffState.FAILED]
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
        assert_golden(hand_over(harness), "handed-over-for-8000-hours")
        assert_golden(asked(harness), "to-accept-within-8000-hours")
        theirs = harness.workspace.person(THEIR_MEMBER)
        assert_golden(theirs.types("/cadence handoff", channel=BILLING), "listed-within-8000-hours")
        assert_golden(needs(theirs.opens_home()), "home-within-8000-hours")

        owner = harness.workspace.person(OWNER)
        text = (EXAMPLES / "support-reply.yaml").read_text(encoding="utf-8")
        owner.types("/cadence playbook import")
        refused = owner.submits({"yaml": text.replace("sla_hours: 24", "sla_hours: 8000")})
        assert refused.view is not None
        [problem] = shown(refused.view, ImportForm).problems
        assert_golden(f"{problem.where}: {problem.reason} {problem.right}", "hours-out-of-bounds")


def test_its_time_runs_from_when_the_team_can_read_it(harness: BotHarness) -> None:
    harness.play_until(at("2026-03-06 22:00"))
    hand_over(harness)
    harness.play_until(at("2026-03-09 12:00"))
    assert shown(asked(harness), HandoffPost).handoff.due_at.date() == date(2026, 3, 10)
    assert overdue(harness, THEIR_LEAD) == []
    harness.play_until(at("2026-03-10 12:00"))
    assert len(overdue(harness, THEIR_LEAD)) == 1


def test_the_sender_is_told_that_a_handoff_is_done(harness: BotHarness) -> None:
    hand_over(harness)
    member = harness.workspace.person(THEIR_MEMBER)
    accepted = member.types("/cadence handoff accept", channel=BILLING)
    harness.tick()
    assert accepted.message is not None
    assert actions(accepted.message) == [Action.FINISH_HANDOFF]
    home = member.opens_home()
    assert Action.FINISH_HANDOFF in actions(home)
    assert_golden(needs(home), "to-finish-on-home")
    listed = shown(harness.workspace.person(OWNER).types("/cadence handoff show", channel=EMEA), Handoffs)
    assert (listed.waiting, listed.overdue, listed.in_hand, listed.playbook) == (0, 0, 1, None)

    lead = harness.workspace.person(THEIR_LEAD)
    assert_golden(lead.clicks(asked(harness), "Done"), "finished")
    assert_golden(lead.clicks(asked(harness), "Done", stale=True), "finished-before")
    harness.tick()
    assert state(asked(harness)) == "done"
    assert_golden(asked(harness), "finished-post")
    assert actions(asked(harness)) == []
    assert dms(harness, MEMBER)[-1] == ("answered", "done")
    assert_golden(bot_dms(harness, MEMBER)[-1], "finished-to-the-sender")
    assert Action.FINISH_HANDOFF not in actions(member.opens_home())
    assert_golden(member.types("/cadence handoff done #1", channel=BILLING), "finished-by-another")
    assert_golden(member.types("/cadence handoff done", channel=BILLING), "nothing-to-finish")
    [entry] = entries(harness, "handoff-done")
    assert (entry.member, entry.before) == (THEIR_LEAD, "accepted")
    newest, *_ = shown(harness.workspace.person(OWNER).types("/cadence trace support-reply"), Trace).rows
    assert newest.member == THEIR_LEAD
    assert_golden(f"{newest.what}: {newest.about}", "finished-in-the-trace")
    harness.play_until(at("2026-03-05 09:00"))
    assert {one.reason for one in ledger(harness, "handoff-overdue")} == {"accepted"}
    digest = shown(harness.workspace.person(CURATOR).types("/cadence digest"), Digest)
    assert_golden("\n".join(digest.handoffs), "finished-in-the-digest")


def test_what_nobody_took_yet_is_withdrawn_by_who_sent_it(harness: BotHarness) -> None:
    said = harness.workspace.person(MEMBER).types(SENT, channel=EMEA)
    harness.tick()
    member, owner, theirs = (harness.workspace.person(one) for one in (MEMBER, OWNER, THEIR_MEMBER))
    assert_golden(theirs.types("/cadence handoff withdraw #1"), "withdraw-as-its-receiver")
    assert the_row(harness).state is HandoffState.SENT
    assert said.message is not None
    assert_golden(member.clicks(said.message, "Withdraw"), "withdrawn")
    harness.tick()
    assert state(asked(harness)) == "withdrawn"
    assert_golden(asked(harness), "withdrawn-post")
    assert actions(asked(harness)) == []
    assert dms(harness, THEIR_LEAD) == [("to-accept", "withdrawn")]
    assert_golden(theirs.types("/cadence handoff accept #1"), "accept-after-it-was-withdrawn")
    assert_golden(owner.types("/cadence handoff withdraw #1"), "withdrawn-before")
    listed = shown(theirs.types("/cadence handoff show", channel=BILLING), Handoffs)
    assert listed.waiting == 0
    assert NUMBER not in theirs.opens_home().words
    harness.play_until(at("2026-03-05 09:00"))
    assert {one.reason for one in ledger(harness, "handoff-overdue")} == {"withdrawn"}
    digest = shown(harness.workspace.person(CURATOR).types("/cadence digest"), Digest)
    assert_golden("\n".join(digest.handoffs), "withdrawn-in-the-digest")


def test_an_overdue_one_can_be_withdrawn_from_home_and_the_sender_is_told(harness: BotHarness) -> None:
    hand_over(harness)
    hand_over(harness, SENT.replace("4711", "4712"))
    harness.play_until(at("2026-03-04 12:00"))
    owner = harness.workspace.person(OWNER)
    home = owner.opens_home()
    assert_golden(needs(home), "two-overdue-on-home")
    owner.clicks(home, "Withdraw", value="1")
    harness.tick()
    assert dms(harness, MEMBER) == [("answered", "withdrawn")]
    assert_golden(bot_dms(harness, MEMBER)[-1], "withdrawn-to-the-sender")
    assert [one for one in overdue(harness, OWNER) if CASE in one.words] == []
    which = harness.workspace.person(MEMBER).types("/cadence handoff withdraw wrong case", channel=EMEA)
    assert_golden(which, "withdrawn-with-a-note")
    assert [row.state for row in rows(harness, Handoff)] == [HandoffState.WITHDRAWN] * 2
    assert rows(harness, Handoff)[1].reason == "wrong case"


def test_an_accepted_one_isnt_withdrawn(harness: BotHarness) -> None:
    hand_over(harness)
    harness.workspace.person(THEIR_MEMBER).types("/cadence handoff accept #1", channel=BILLING)
    said = harness.workspace.person(MEMBER).types("/cadence handoff withdraw #1", channel=EMEA)
    assert_golden(said, "withdraw-after-it-was-accepted")
    assert the_row(harness).state is HandoffState.ACCEPTED


def test_who_reports_for_the_receiving_team_can_be_asked_to_accept(harness: BotHarness) -> None:
    hand_over(harness)
    member = harness.workspace.person(MEMBER)
    refused = member.types(f"/cadence handoff accept #{the_row(harness).id}", channel=EMEA)
    assert refused.message is not None
    assert_golden(member.clicks(refused.message, "Ask them"), "asked-their-lead")
    harness.tick()
    assert_golden(bot_dms(harness, THEIR_LEAD)[-1], "asked-to-accept")
