"""A step run in another mode than planned is announced once, and settled by its owner (SPEC §5)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from bot.sandbox.messages import Message
from cadence.rules.drift import DriftEvent
from cadence.rules.modes import Mode
from storage.tables import AdoptionStep, ModeChange, OutboxMessage, StepDrift
from templates.contexts.base import StepMode
from templates.contexts.checkins import Attested, CheckinMessage, WhoIsMissing
from templates.contexts.cycles import CycleClosed
from templates.contexts.history import Trace
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.home import Home
from templates.contexts.overview.statuses import Why
from templates.contexts.standards import BackToPlanForm, Drift, DriftReported, ModeDeclared, ModeForm
from templates.ids import Action
from tests.contexts import Shown, actions, assert_golden, contexts, is_shown, shown
from tests.harnesses import EXAMPLES, bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    InCycle,
    at,
    bot_dms,
    changed,
    entries,
    posts,
    rows,
)

OWNER, MEMBER, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"


@contextmanager
def desk(folder: Path, *, workspace: Path = DESK) -> Iterator[BotHarness]:
    """The seed's playbook in week 2 of a cycle of a team, by default of two."""
    playbook = changed(EXAMPLES / "support-reply.yaml", folder, ("pilot: support-emea", "pilot: desk"))
    with bot_harness(
        folder,
        workspace=workspace,
        playbooks=[playbook],
        played=InCycle("2026-03-12 12:00", playbook="support-reply"),
    ) as harness:
        yield harness


def attest(harness: BotHarness, member: str, words: str) -> None:
    said = harness.workspace.person(member).types(f"/attest {words}", channel=DESK_CHANNEL)
    harness.tick()
    [row] = shown(said, Attested).rows
    assert row.answer.attestation == words.partition(" ")[0]


def alerts(harness: BotHarness, channel: str = DESK_CHANNEL) -> list[Message]:
    """The alerts of a drift that weren't withdrawn."""
    told = [one for one in posts(harness, channel) if is_shown(one, Drift)]
    return [one for one in told if shown(one, Drift).decision != "withdrawn"]


def settles(said: Shown) -> bool:
    """Whether a drift can be settled there."""
    return not {Action.DECLARE_MODE, Action.BACK_TO_PLAN}.isdisjoint(actions(said))


def ask_why(harness: BotHarness, member: str) -> Answer:
    return harness.workspace.person(member).types("/cadence why support-reply draft", channel=DESK_CHANNEL)


def events(harness: BotHarness) -> list[DriftEvent]:
    return [row.event for row in rows(harness, StepDrift)]


def mode(harness: BotHarness) -> Mode:
    return next(row.mode for row in rows(harness, AdoptionStep) if row.step == "draft")


def drifts(harness: BotHarness, used: str = "human-led") -> None:
    """Two people in two weeks attest another mode: each line of the rule that requires two is met."""
    attest(harness, MEMBER, f"drifted draft={used} runs=20 week=1")
    attest(harness, OWNER, f"drifted draft={used} runs=20")


def test_one_honest_answer_goes_to_the_owner_and_to_no_channel(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        assert alerts(harness) == alerts(harness, CURATORS) == []
        assert events(harness) == [DriftEvent.REPORTED]
        dm = bot_dms(harness, OWNER)[-1]
        reported = shown(dm, DriftReported)
        assert (reported.people, reported.step) == (1, "Draft three replies")
        assert (reported.declared, reported.used) == ("collaborative", "human-led")
        assert MEMBER not in dm.words
        assert_golden(dm, "reported-by-one")

        assert_golden("\n".join(shown(ask_why(harness, OWNER), Why).drifts), "why-reported-by-one")
        assert shown(ask_why(harness, MEMBER), Why).drifts == ()

        harness.play_until(at("2026-03-19 12:00"))
        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        assert events(harness) == [DriftEvent.REPORTED]  # two weeks of one person: told once a cycle
        assert alerts(harness) == alerts(harness, CURATORS) == []
        [same] = [one for one in bot_dms(harness, OWNER) if is_shown(one, DriftReported)]
        reported = shown(same, DriftReported)
        assert (same.ts, reported.people, reported.ended) == (dm.ts, 1, None)
        assert (reported.numbers.drifted, reported.numbers.attested) == (2, 2)

        harness.workspace.person(OWNER).clicks(dm, "Switch to human-led")
        harness.workspace.person(OWNER).submits({"reason": "The drafts aren't good enough yet"})
        assert mode(harness) is Mode.HUMAN_LED


def test_what_one_person_reports_all_along_is_not_in_the_closing_post(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        for week in (1, 2, 3, 4):
            harness.play_until(max(harness.clock.now(), at(f"2026-03-{5 + 7 * (week - 1):02d} 12:00")))
            attest(harness, MEMBER, f"drifted draft=human-led runs=20 week={week}")
            attest(harness, OWNER, f"as-declared runs=20 week={week}")
        assert events(harness) == [DriftEvent.REPORTED, DriftEvent.FOUND]
        harness.play_until(at("2026-03-28 12:00"))
        for channel in (DESK_CHANNEL, CURATORS):
            told = posts(harness, channel)
            assert not any(is_shown(one, Drift) or settles(one) for one in told)
            [closed] = contexts(told, CycleClosed)
            assert closed.changes == ()
            said = (*closed.promotions, *closed.missed, *closed.lessons)
            assert_golden("\n".join(said), f"closing:{channel}")
        assert {digest.notes for digest in contexts(posts(harness, CURATORS), Digest)} == {()}
        why = ask_why(harness, MEMBER)
        assert (shown(why, Why).step, shown(why, Why).drifts) == ("Draft three replies", ())
        assert_golden(why, "why-of-others")


def test_a_drift_of_which_one_persons_answers_are_left_leaves_the_channels(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        drifts(harness)
        assert len(alerts(harness)) == len(alerts(harness, CURATORS)) == 1
        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        attest(harness, OWNER, "as-declared runs=20")
        assert DriftEvent.WITHDRAWN in events(harness)
        for channel in (DESK_CHANNEL, CURATORS):
            [alert] = [one for one in posts(harness, channel) if is_shown(one, Drift)]
            assert_golden(alert, f"withdrawn:{channel}")
            assert not settles(alert)
        digest = harness.workspace.person(CURATOR).types("/cadence digest", channel=CURATORS)
        assert is_shown(digest, Digest)
        assert not settles(digest)
        reported = shown(bot_dms(harness, OWNER)[-1], DriftReported)
        assert (reported.people, reported.ended) == (1, None)
        # a second person again: public again
        attest(harness, OWNER, "drifted draft=human-led runs=20")
        assert events(harness)[-1] is DriftEvent.FOUND
        assert shown(alerts(harness)[-1], Drift).used == "human-led"
        assert Action.DECLARE_MODE in actions(alerts(harness)[-1])


def test_an_answer_corrected_before_the_owner_is_told_sends_nothing(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        harness.play_until(at("2026-03-12 22:00"))
        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        attest(harness, MEMBER, "as-declared runs=20")
        harness.play_until(at("2026-03-13 12:00"))
        assert contexts(bot_dms(harness, OWNER), DriftReported) == []
        [row] = [one for one in rows(harness, OutboxMessage) if one.kind == "drift-reported"]
        assert_golden(row.reason or "", "why-not-sent")


def test_the_owners_dm_on_one_persons_answer_follows_the_answers(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:

        def dm() -> Message:
            harness.tick()
            [message] = [one for one in bot_dms(harness, OWNER) if is_shown(one, DriftReported)]
            return message

        def reported() -> DriftReported:
            return shown(dm(), DriftReported)

        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        assert (reported().numbers.drifted, reported().numbers.attested) == (1, 1)
        attest(harness, MEMBER, "as-declared runs=20")
        assert (reported().ended, reported().step) == ("corrected", "Draft three replies")
        why = harness.workspace.person(OWNER).types("/cadence why support-reply draft")
        [line] = shown(why, Why).drifts
        assert_golden(line, "why-after-the-correction")
        assert actions(dm()) == [Action.WHY]
        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        assert (reported().ended, reported().used) == (None, "human-led")
        assert actions(dm()) == [Action.DECLARE_MODE, Action.WHY]
        attest(harness, OWNER, "drifted draft=human-led runs=20")
        assert (reported().ended, reported().people, reported().used) == (None, 2, "human-led")
        assert (reported().numbers.drifted, reported().numbers.attested) == (2, 2)
        harness.workspace.person(OWNER).clicks(dm(), "Switch to human-led")
        harness.workspace.person(OWNER).submits({"reason": "The drafts aren't good enough yet"})
        assert (reported().ended, reported().declared) == ("settled", "human-led")
        assert actions(dm()) == [Action.WHY]


def test_owners_are_not_told_about_their_own_answer(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        attest(harness, OWNER, "drifted draft=human-led runs=20")
        assert events(harness) == [DriftEvent.REPORTED]
        assert not [one for one in rows(harness, OutboxMessage) if one.kind == "drift-reported"]


def test_more_than_a_fifth_by_one_person_waits_for_the_owner_alone_until_a_second_says_so(
    tmp_path: Path,
) -> None:
    with desk(tmp_path) as harness:
        attest(harness, OWNER, "as-declared runs=20 week=1")
        attest(harness, MEMBER, "drifted draft=human-led runs=20 week=1")
        attest(harness, OWNER, "as-declared runs=20")
        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        harness.play_until(at("2026-03-19 12:00"))
        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        assert events(harness) == [DriftEvent.REPORTED, DriftEvent.FOUND]
        assert alerts(harness) == alerts(harness, CURATORS) == []
        dm = bot_dms(harness, OWNER)[-1]
        drift = shown(dm, Drift)
        assert (drift.alone, drift.declared, drift.used) == (True, "collaborative", "human-led")
        assert (drift.numbers.drifted, drift.numbers.attested + drift.numbers.awaited) == (3, 6)
        assert actions(dm) == [Action.DECLARE_MODE, Action.BACK_TO_PLAN, Action.WHY]
        assert_golden(dm, "drift-by-one")

        owner, curator = harness.workspace.person(OWNER), harness.workspace.person(CURATOR)
        assert settles(owner.opens_home())
        assert not settles(curator.opens_home())
        digest = curator.types("/cadence digest", channel=CURATORS)
        assert is_shown(digest, Digest)
        assert not settles(digest)
        why = shown(ask_why(harness, CURATOR), Why)
        assert (why.drifts, why.promotion) == ((), None)

        attest(harness, OWNER, "drifted draft=human-led runs=20")
        assert events(harness) == [DriftEvent.REPORTED, DriftEvent.FOUND, DriftEvent.FOUND]
        [alert] = alerts(harness)
        assert len(alerts(harness, CURATORS)) == 1
        owner.clicks(alert, "Back to collaborative")
        owner.submits({"note": "Two drafts a day are made together"})
        harness.tick()
        for messages in (alerts(harness)[:1], bot_dms(harness, OWNER)):
            [settled] = contexts(messages, Drift)
            assert (settled.decision, settled.decided_by) == ("back_to_plan", OWNER)
            assert (settled.step, settled.declared) == ("Draft three replies", "collaborative")


def test_a_drift_is_announced_once_with_its_numbers_and_without_names(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        drifts(harness)
        [alert] = alerts(harness)
        drift = shown(alert, Drift)
        assert (drift.step, drift.used, drift.owner) == ("Draft three replies", "human-led", OWNER)
        assert (drift.numbers.drifted, drift.numbers.attested, drift.numbers.awaited) == (2, 2, 1)
        assert drift.numbers.weeks == (1, 2)
        assert [one.words for one in alerts(harness, CURATORS)] == [alert.words]
        assert MEMBER not in alert.words
        assert_golden(alert, "drift")
        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        assert len(alerts(harness)) == 1
        assert events(harness) == [DriftEvent.REPORTED, DriftEvent.FOUND]
        home = harness.workspace.person(OWNER).opens_home()
        [need] = [
            one.need
            for one in shown(home, Home).items
            if one.need and Action.BACK_TO_PLAN in [offer.action for offer in one.need.offers]
        ]
        assert_golden(need.text, "need-on-home")
        harness.workspace.person(OWNER).clicks(home, "Switch to human-led")
        assert_golden(shown(harness.workspace.person(OWNER).form(), ModeForm).drift or "", "drift-in-form")
        harness.workspace.person(OWNER).closes()
        harness.workspace.person(OWNER).clicks(home, "Back to collaborative")
        back = shown(harness.workspace.person(OWNER).form(), BackToPlanForm)
        assert (back.declared, back.used) == ("collaborative", "human-led")
        assert_golden("\n".join(shown(ask_why(harness, MEMBER), Why).drifts), "why-drift")


def test_a_drift_to_ai_led_asks_a_curator_to_declare_it(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        drifts(harness, "ai-led")
        [alert] = alerts(harness)
        assert (shown(alert, Drift).used, shown(alert, Drift).owner) == ("ai-led", OWNER)
        assert_golden(alert, "drift-to-ai-led")


def test_a_check_in_for_last_week_names_the_modes_of_that_week(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        curator = harness.workspace.person(CURATOR)
        harness.play_until(at("2026-03-13 12:00"))
        curator.types("/cadence mode support-reply send human-led it slipped", channel=DESK_CHANNEL)
        harness.play_until(at("2026-03-16 10:30"))
        curator.types("/cadence mode support-reply draft human-led it slipped, too", channel=DESK_CHANNEL)
        owner = harness.workspace.person(OWNER)
        missing = [one for one in bot_dms(harness, OWNER) if is_shown(one, WhoIsMissing)][-1]
        owner.clicks(missing, "Nudge once more")
        harness.tick()
        [row] = shown(bot_dms(harness, MEMBER)[-1], CheckinMessage).rows
        assert row.steps == (
            StepMode(key="draft", title="Draft three replies", mode="collaborative"),
            StepMode(
                key="send",
                title="Send the edited reply",
                mode="human-led",
                was="ai-led",
                until=date(2026, 3, 13),
            ),
        )


def test_the_owner_goes_back_to_the_plan_and_the_alert_says_so(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        drifts(harness)
        [alert] = alerts(harness)
        refused = harness.workspace.person(MEMBER).clicks(alert, "Back to collaborative")
        assert_golden(refused, "refused-member")

        owner = harness.workspace.person(OWNER)
        owner.clicks(alert, "Back to collaborative")
        [(field, error)] = owner.submits({"note": " "}).errors.items()
        assert field == "note"
        assert_golden(error, "blank-note")
        owner.submits({"note": "Two drafts a day are made together"})
        harness.tick()
        for channel in (DESK_CHANNEL, CURATORS):
            [now] = contexts(alerts(harness, channel), Drift)
            assert (now.decision, now.decided_by) == ("back_to_plan", OWNER)
            assert now.reason == "Two drafts a day are made together"
        assert events(harness) == [DriftEvent.REPORTED, DriftEvent.FOUND, DriftEvent.BACK_TO_PLAN]
        [entry] = entries(harness, DriftEvent.BACK_TO_PLAN)
        assert (entry.member, entry.after) == (OWNER, "Two drafts a day are made together")
        late = owner.clicks(alert, "Back to collaborative", stale=True)
        assert_golden(late.words, "refused-settled")
        harness.play_until(at("2026-03-19 12:00"))
        attest(harness, OWNER, "drifted draft=human-led runs=20")
        assert len(alerts(harness)) == 1
        harness.play_until(at("2026-03-26 12:00"))
        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        assert len(alerts(harness)) == 2


@pytest.mark.parametrize("used", ["human-led", "ai-led"])
def test_the_digest_settles_it_either_way(tmp_path: Path, used: str) -> None:
    with desk(tmp_path) as harness:
        drifts(harness, used)
        harness.play_until(at("2026-03-16 11:30"))
        curator = harness.workspace.person(CURATOR)
        curator.clicks(posts(harness, CURATORS)[-1], "Settle")
        form = curator.form()
        [block] = [one for one in form.blocks if one["block_id"] == "mode"]
        assert block["element"]["initial_option"]["value"] == used
        curator.clicks(form, "Back to the plan")
        assert shown(curator.form(), BackToPlanForm).declared == "collaborative"
        curator.submits({"note": "Two drafts a day are made together"})
        assert events(harness) == [DriftEvent.REPORTED, DriftEvent.FOUND, DriftEvent.BACK_TO_PLAN]


def test_the_owner_declares_the_mode_people_use(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        drifts(harness)
        [alert] = alerts(harness)
        owner = harness.workspace.person(OWNER)
        owner.clicks(alert, "Switch to human-led")
        owner.submits({"reason": "Nobody trusts the drafts yet"})
        harness.tick()
        assert mode(harness) is Mode.HUMAN_LED
        settled = shown(alerts(harness)[0], Drift)
        assert (settled.decision, settled.decided_by, settled.after) == ("declared", OWNER, "human-led")
        assert settled.reason == "Nobody trusts the drafts yet"
        [post] = [one for one in posts(harness, DESK_CHANNEL) if is_shown(one, ModeDeclared)]
        assert shown(post, ModeDeclared).reason == "Nobody trusts the drafts yet"
        assert events(harness) == [DriftEvent.REPORTED, DriftEvent.FOUND, DriftEvent.DECLARED]
        why = harness.workspace.person(MEMBER).clicks(post, "Why")
        assert_golden(shown(why, Why).changed or "", "why-switched")
        trace = harness.workspace.person(OWNER).types("/cadence trace support-reply draft")
        told = [row.became for row in shown(trace, Trace).rows]
        assert any(settled.reason in became for became in told), told


def test_a_corrected_answer_withdraws_the_drift(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        drifts(harness)
        attest(harness, MEMBER, "as-declared runs=20 week=1")
        assert events(harness) == [DriftEvent.REPORTED, DriftEvent.FOUND, DriftEvent.WITHDRAWN]
        [alert] = [one for one in posts(harness, DESK_CHANNEL) if is_shown(one, Drift)]
        assert shown(alert, Drift).decision == "withdrawn"
        assert_golden(alert, "corrected")
        assert actions(alert) == [Action.WHY]


def test_answers_corrected_to_another_mode_rewrite_the_alert(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        drifts(harness, "human-led")
        told = alerts(harness) + alerts(harness, CURATORS)
        attest(harness, MEMBER, "drifted draft=ai-led runs=20 week=1")
        attest(harness, OWNER, "drifted draft=ai-led runs=20")
        assert [one.ts for one in alerts(harness) + alerts(harness, CURATORS)] == [one.ts for one in told]
        for alert in (*alerts(harness), *alerts(harness, CURATORS)):
            assert (shown(alert, Drift).used, shown(alert, Drift).decision) == ("ai-led", None)
        assert_golden(alerts(harness)[0], "corrected-to-another-mode")
        harness.workspace.person(CURATOR).clicks(alerts(harness)[0], "Switch to AI-led")
        harness.workspace.person(CURATOR).submits({"reason": "The drafts are good enough"})
        assert mode(harness) is Mode.AI_LED
        harness.tick()
        assert [shown(one, Drift).decision for one in alerts(harness)] == ["declared"]


def test_a_correction_that_leaves_the_drift_updates_its_counts(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        attest(harness, OWNER, "drifted draft=human-led runs=20 week=1")
        drifts(harness)
        attest(harness, OWNER, "as-declared runs=20 week=1")
        [alert] = alerts(harness)
        numbers = shown(alert, Drift).numbers
        assert (numbers.drifted, numbers.attested, numbers.weeks) == (2, 3, (1, 2))
        assert shown(alert, Drift).decision is None


def drifts_on(harness: BotHarness) -> None:
    """The member goes on in the second week."""
    drifts(harness)
    attest(harness, MEMBER, "drifted draft=human-led runs=20")


def test_a_correction_of_one_week_withdraws_the_drift_though_another_has_more(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        drifts_on(harness)
        attest(harness, MEMBER, "as-declared runs=20 week=1")  # two people, but in week 2 only
        assert events(harness) == [DriftEvent.REPORTED, DriftEvent.FOUND, DriftEvent.WITHDRAWN]
        assert alerts(harness) == alerts(harness, CURATORS) == []
        assert not settles(harness.workspace.person(CURATOR).types("/cadence digest", channel=CURATORS))


def test_a_correction_rewrites_the_weeks_of_a_drift_that_goes_on(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        drifts_on(harness)
        harness.play_until(at("2026-03-19 12:00"))
        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        assert shown(alerts(harness)[0], Drift).numbers.weeks == (1, 2)  # announced once
        attest(harness, MEMBER, "not-run week=2")
        attest(harness, MEMBER, "not-run week=1")
        [alert] = alerts(harness)
        drift = shown(alert, Drift)
        assert (drift.numbers.drifted, drift.numbers.weeks, drift.decision) == (2, (2, 3), None)
        assert rows(harness, StepDrift)[-1].evidence["weeks"] == [2, 3]


def test_newer_answers_and_new_runs_do_not_withdraw_a_drift(tmp_path: Path) -> None:
    """2 of 9 are more than a fifth; 2 of 10 aren't, but nobody took back what was found."""
    team = ("U01AGENT1]", "U01AGENT1, U01CHAMP, U01CURATOR, U01OTHER]")
    with desk(tmp_path, workspace=changed(DESK, tmp_path, team)) as harness:
        for member in (OWNER, MEMBER, "U01CHAMP", CURATOR, "U01OTHER"):
            attest(harness, member, "as-declared runs=20 week=1")
        for member in ("U01CHAMP", CURATOR):
            attest(harness, member, "as-declared runs=20")
        attest(harness, OWNER, "drifted draft=human-led runs=20")
        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        assert DriftEvent.FOUND not in events(harness)  # one is awaited
        attest(harness, "U01OTHER", "not-run")
        assert events(harness) == [DriftEvent.REPORTED, DriftEvent.FOUND]
        harness.play_until(at("2026-03-19 12:00"))
        attest(harness, "U01OTHER", "as-declared runs=20")
        attest(harness, OWNER, "drifted draft=human-led runs=30 week=2")
        assert events(harness) == [DriftEvent.REPORTED, DriftEvent.FOUND]
        attest(harness, OWNER, "not-run week=2")
        assert events(harness)[-1] is DriftEvent.WITHDRAWN


def test_two_other_modes_are_both_named(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        attest(harness, MEMBER, "drifted draft=ai-led runs=20 week=1")
        attest(harness, OWNER, "drifted draft=human-led runs=20")
        [alert] = alerts(harness)
        drift = shown(alert, Drift)
        assert (drift.used, drift.also, drift.numbers.drifted) == ("human-led", "ai-led", 2)
        assert_golden(alert, "in-two-modes")
        assert_golden("\n".join(shown(ask_why(harness, MEMBER), Why).drifts), "why-in-two-modes")
        trace = harness.workspace.person(OWNER).types("/cadence trace support-reply draft")
        assert_golden(shown(trace, Trace).rows[0].became, "trace-in-two-modes")
        owner = harness.workspace.person(OWNER)
        owner.clicks(alert, "Back to collaborative")
        assert (shown(owner.form(), BackToPlanForm).also) == "ai-led"


def test_a_mode_is_declared_by_command_with_a_reason_and_by_the_right_person(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        member, owner, curator = (harness.workspace.person(one) for one in (MEMBER, OWNER, CURATOR))
        command = "/cadence mode support-reply draft"
        assert_golden(member.types(f"{command} human-led tired"), "refused-not-owner")
        assert_golden(owner.types(f"{command} AI led why not"), "refused-not-curator")
        assert_golden(owner.types(f"{command} collaborative as it is"), "refused-already")
        assert_golden(owner.types(f"{command} robotic since"), "refused-unknown-mode")
        assert owner.types(f"{command} human-led").view is not None
        assert [row for row in rows(harness, ModeChange) if row.before] == []

        said = curator.types(f"{command} ai-led the <board> asked")
        harness.tick()
        assert_golden(said, "declared")
        assert mode(harness) is Mode.AI_LED
        [change] = [row for row in rows(harness, ModeChange) if row.before]
        assert (change.kind, change.member, change.reason) == ("declaration", CURATOR, "the <board> asked")
        for channel in (DESK_CHANNEL, CURATORS):
            [post] = [one for one in posts(harness, channel) if is_shown(one, ModeDeclared)]
            declared = shown(post, ModeDeclared)
            assert (declared.before, declared.after, declared.raised) == ("collaborative", "ai-led", True)
            assert declared.reason == change.reason
            assert_golden(post, f"switched:{channel}")


def test_a_mode_raised_by_hand_names_the_samples_behind_it(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        harness.workspace.person(OWNER).types("/cadence rubric support-reply draft passes=19 samples=20")
        said = harness.workspace.person(CURATOR).types(
            "/cadence mode support-reply draft ai-led they are good"
        )
        harness.tick()
        assert_golden(said, "raised-on-samples")
        [post] = [one for one in posts(harness, CURATORS) if is_shown(one, ModeDeclared)]
        samples = shown(post, ModeDeclared).samples
        assert samples is not None
        assert (samples.passes, samples.samples, samples.cycle) == (19, 20, 1)


def test_a_command_sent_again_changes_nothing(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        harness.workspace.person(OWNER).types("/cadence mode support-reply draft human-led tired of it")
        sent = [one.request for one in harness.workspace.exchanges() if one.what == "/cadence"][-1]
        again = harness.workspace.deliver("slash_commands", sent)
        assert_golden(str(again.json["text"]), "sent-again")
        assert len([row for row in rows(harness, ModeChange) if row.before]) == 1
