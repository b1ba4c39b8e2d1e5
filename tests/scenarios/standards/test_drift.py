"""A step run in another mode than planned is announced once, and settled by its owner (SPEC §5)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from cadence.rules.drift import DriftEvent
from cadence.rules.modes import Mode
from storage.tables import AdoptionStep, ModeChange, OutboxMessage, StepDrift
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
def desk(folder: Path) -> Iterator[BotHarness]:
    """The seed's playbook in week 2 of a cycle of a team of two."""
    playbook = changed(EXAMPLES / "support-reply.yaml", folder, ("pilot: support-emea", "pilot: desk"))
    with bot_harness(
        folder,
        workspace=DESK,
        playbooks=[playbook],
        played=InCycle("2026-03-12 12:00", playbook="support-reply"),
    ) as harness:
        yield harness


def attest(harness: BotHarness, member: str, words: str) -> None:
    said = harness.workspace.person(member).types(f"/attest {words}", channel=DESK_CHANNEL)
    harness.tick()
    assert "checked in" in said.text, said.words


def alerts(harness: BotHarness, channel: str = DESK_CHANNEL) -> list[Message]:
    return [
        one
        for one in posts(harness, channel)
        if one.text.startswith(("Settled", "“Draft three replies” is running as"))
    ]


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
        assert dm.text == "One person ran “Draft three replies” as human-led"
        assert MEMBER not in dm.words
        assert "only you see this" in dm.words

        why = harness.workspace.person(OWNER).types("/cadence why support-reply draft", channel=DESK_CHANNEL)
        assert (
            "Thu 12 Mar: one person reported that the step ran as human-led, not collaborative as planned"
            in why.words
        )
        read = harness.workspace.person(MEMBER).types(
            "/cadence why support-reply draft", channel=DESK_CHANNEL
        )
        assert "one person reported" not in read.words

        harness.play_until(at("2026-03-19 12:00"))
        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        assert events(harness) == [DriftEvent.REPORTED]  # two weeks of one person: told once a cycle
        assert "is running as" not in posts(harness, CURATORS)[-1].words
        [same] = [one for one in bot_dms(harness, OWNER) if one.text == dm.text]
        assert same.ts == dm.ts
        assert "2 of 2 check-ins so far" in same.words

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
            assert any("Result" in one.words for one in posts(harness, channel))
            assert not any("drift" in one.words for one in posts(harness, channel))
        why = harness.workspace.person(MEMBER).types("/cadence why support-reply draft", channel=DESK_CHANNEL)
        assert "Draft three replies" in why.words
        assert "drift" not in why.words


def test_a_drift_of_which_one_persons_answers_are_left_leaves_the_channels(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        drifts(harness)
        assert len(alerts(harness)) == len(alerts(harness, CURATORS)) == 1
        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        attest(harness, OWNER, "as-declared runs=20")
        assert DriftEvent.WITHDRAWN in events(harness)
        for channel in (DESK_CHANNEL, CURATORS):
            [alert] = [one for one in posts(harness, channel) if "Draft three replies" in one.text]
            assert "check-ins were corrected" in alert.words
            assert "Switch to human-led" not in alert.buttons
        harness.workspace.person(CURATOR).types("/cadence digest", channel=CURATORS)
        assert "Back to collaborative" not in posts(harness, CURATORS)[-1].buttons
        assert "One person ran" in bot_dms(harness, OWNER)[-1].text
        # a second person again: public again
        attest(harness, OWNER, "drifted draft=human-led runs=20")
        assert events(harness)[-1] is DriftEvent.FOUND
        assert "Switch to human-led" in alerts(harness)[-1].buttons


def test_an_answer_corrected_before_the_owner_is_told_sends_nothing(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        harness.play_until(at("2026-03-12 22:00"))
        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        attest(harness, MEMBER, "as-declared runs=20")
        harness.play_until(at("2026-03-13 12:00"))
        assert not [one for one in bot_dms(harness, OWNER) if "One person ran" in one.text]
        [row] = [one for one in rows(harness, OutboxMessage) if one.kind == "drift-reported"]
        assert row.reason == "it was corrected since"


def test_the_owners_dm_on_one_persons_answer_follows_the_answers(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:

        def dm() -> Message:
            harness.tick()
            return next(
                one
                for one in bot_dms(harness, OWNER)
                if "“Draft three replies” " in one.text and "checked in" not in one.text
            )

        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        assert "1 of 1 check-in so far" in dm().words
        attest(harness, MEMBER, "as-declared runs=20")
        assert dm().text == "Corrected: “Draft three replies” ran as planned"
        assert dm().buttons == ["Why"]
        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        assert dm().buttons == ["Switch to human-led", "Why"]
        attest(harness, OWNER, "drifted draft=human-led runs=20")
        assert dm().text == "2 people ran “Draft three replies” as human-led"
        assert "2 of 2 check-ins so far" in dm().words
        harness.workspace.person(OWNER).clicks(dm(), "Switch to human-led")
        harness.workspace.person(OWNER).submits({"reason": "The drafts aren't good enough yet"})
        assert dm().text == "Settled: “Draft three replies” is human-led"
        assert dm().buttons == ["Why"]


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
        assert "3 of 6 check-ins" in dm.words
        assert "one person reported this, so only you see it" in dm.words
        assert dm.buttons == ["Switch to human-led", "Back to collaborative", "Why"]

        owner, curator = harness.workspace.person(OWNER), harness.workspace.person(CURATOR)
        assert "Settle a drift" in owner.opens_home().words
        assert "Settle a drift" not in curator.opens_home().words
        assert "Settle a drift" not in curator.types("/cadence digest", channel=CURATORS).words
        assert "drift" not in curator.types("/cadence why support-reply draft", channel=DESK_CHANNEL).words

        attest(harness, OWNER, "drifted draft=human-led runs=20")
        assert events(harness) == [DriftEvent.REPORTED, DriftEvent.FOUND, DriftEvent.FOUND]
        [alert] = alerts(harness)
        assert len(alerts(harness, CURATORS)) == 1
        owner.clicks(alert, "Back to collaborative")
        owner.submits({"note": "Two drafts a day are made together"})
        harness.tick()
        assert f"<@{OWNER}> is going back to the plan" in alerts(harness)[0].words
        assert any(
            "Settled: “Draft three replies” is back to collaborative" in one.text
            for one in bot_dms(harness, OWNER)
        )


def test_a_drift_is_announced_once_with_its_numbers_and_without_names(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        drifts(harness)
        [alert] = alerts(harness)
        assert alert.text == "“Draft three replies” is running as human-led"
        assert "*Ran as human-led*\n2 of 3 check-ins, weeks 1 and 2" in alert.words
        assert [one.words for one in alerts(harness, CURATORS)] == [alert.words]
        assert MEMBER not in alert.words
        assert f"<@{OWNER}>, change the plan, or go back to it?" in alert.words
        assert "*Still open*\n1 check-in, counted as planned" in alert.words
        attest(harness, MEMBER, "drifted draft=human-led runs=20")
        assert len(alerts(harness)) == 1
        assert events(harness) == [DriftEvent.REPORTED, DriftEvent.FOUND]
        home = harness.workspace.person(OWNER).opens_home()
        assert "found Thu 12 Mar · now 3 of 3 check-ins" in home.words
        harness.workspace.person(OWNER).clicks(home, "Switch to human-led")
        form = harness.workspace.person(OWNER).form()
        assert (
            "running as human-led, not collaborative as planned: 2 of 3 check-ins (limit 20%; 1 still open then"
            in form.words
        )
        harness.workspace.person(OWNER).closes()
        harness.workspace.person(OWNER).clicks(home, "Back to collaborative")
        assert "Going back keeps it" in harness.workspace.person(OWNER).form().words
        why = harness.workspace.person(MEMBER).types("/cadence why support-reply draft", channel=DESK_CHANNEL)
        assert (
            "2 of 3 check-ins (limit 20%; 1 still open then, counted as planned) in weeks 1 and 2"
            in why.words
        )


def test_a_drift_to_ai_led_asks_a_curator_to_declare_it(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        drifts(harness, "ai-led")
        [alert] = alerts(harness)
        assert f"<@{OWNER}>, go back to the plan?* Only a curator can switch it to AI-led." in alert.words
        assert "change the plan" not in alert.words


def test_a_check_in_for_last_week_names_the_modes_of_that_week(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        curator = harness.workspace.person(CURATOR)
        harness.play_until(at("2026-03-13 12:00"))
        curator.types("/cadence mode support-reply send human-led it slipped", channel=DESK_CHANNEL)
        harness.play_until(at("2026-03-16 10:30"))
        curator.types("/cadence mode support-reply draft human-led it slipped, too", channel=DESK_CHANNEL)
        owner = harness.workspace.person(OWNER)
        missing = [one for one in bot_dms(harness, OWNER) if "Nudge them once more" in one.buttons][-1]
        owner.clicks(missing, "Nudge them once more")
        harness.tick()
        asked = bot_dms(harness, MEMBER)[-1].words
        assert "*Draft three replies*\n🤝 Collaborative" in asked
        assert "*Send the edited reply*\n🧑 Human-led (AI-led until Fri 13 Mar)" in asked


def test_the_owner_goes_back_to_the_plan_and_the_alert_says_so(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        drifts(harness)
        [alert] = alerts(harness)
        refused = harness.workspace.person(MEMBER).clicks(alert, "Back to collaborative")
        assert f"Only the owner (<@{OWNER}>) or a curator can" in refused.words

        owner = harness.workspace.person(OWNER)
        owner.clicks(alert, "Back to collaborative")
        assert owner.submits({"note": " "}).errors == {"note": "Add a sentence on what you'll change."}
        owner.submits({"note": "Two drafts a day are made together"})
        harness.tick()
        for channel in (DESK_CHANNEL, CURATORS):
            [now] = alerts(harness, channel)
            assert f"<@{OWNER}> is going back to the plan" in now.words
            assert "&gt; Two drafts a day" in now.words
        assert events(harness) == [DriftEvent.REPORTED, DriftEvent.FOUND, DriftEvent.BACK_TO_PLAN]
        [entry] = entries(harness, DriftEvent.BACK_TO_PLAN)
        assert (entry.member, entry.after) == (OWNER, "Two drafts a day are made together")
        assert "already settled" in owner.clicks(alert, "Back to collaborative", stale=True).words
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
        assert "Going back keeps it collaborative" in curator.form().words
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
        assert f"<@{OWNER}> switched it to human-led" in alerts(harness)[0].words
        assert "&gt; Nobody trusts the drafts yet" in alerts(harness)[0].words
        [post] = [one for one in posts(harness, DESK_CHANNEL) if one.text.startswith("Switched:")]
        assert "&gt; Nobody trusts the drafts yet" in post.words
        assert events(harness) == [DriftEvent.REPORTED, DriftEvent.FOUND, DriftEvent.DECLARED]
        why = harness.workspace.person(MEMBER).clicks(post, "Why")
        assert (
            f"Thu 12 Mar: <@{OWNER}> switched it from collaborative to human-led. Reason: Nobody trusts"
            in why.words
        )
        trace = harness.workspace.person(OWNER).types("/cadence trace support-reply draft")
        assert "Nobody trusts the drafts yet" in trace.words


def test_a_corrected_answer_withdraws_the_drift(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        drifts(harness)
        attest(harness, MEMBER, "as-declared runs=20 week=1")
        assert events(harness) == [DriftEvent.REPORTED, DriftEvent.FOUND, DriftEvent.WITHDRAWN]
        [alert] = [one for one in posts(harness, DESK_CHANNEL) if one.text.startswith("No longer drift:")]
        assert "check-ins were corrected" in alert.words
        assert alert.buttons == ["Why"]


def test_a_mode_is_declared_by_command_with_a_reason_and_by_the_right_person(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        member, owner, curator = (harness.workspace.person(one) for one in (MEMBER, OWNER, CURATOR))
        command = "/cadence mode support-reply draft"
        assert "Only the owner" in member.types(f"{command} human-led tired").words
        assert "Only a curator can switch a step to AI-led" in owner.types(f"{command} AI led why not").words
        assert "is already collaborative" in owner.types(f"{command} collaborative as it is").words
        assert "isn't a mode. Try `human-led`" in owner.types(f"{command} robotic since").words
        assert owner.types(f"{command} human-led").view is not None
        assert [row for row in rows(harness, ModeChange) if row.before] == []

        said = curator.types(f"{command} ai-led the <board> asked")
        harness.tick()
        assert "is now AI-led" in said.words
        assert mode(harness) is Mode.AI_LED
        [change] = [row for row in rows(harness, ModeChange) if row.before]
        assert (change.kind, change.member, change.reason) == ("declaration", CURATOR, "the <board> asked")
        for channel in (DESK_CHANNEL, CURATORS):
            [post] = [one for one in posts(harness, channel) if one.text.startswith("Switched:")]
            assert "collaborative → AI-led" in post.words
            assert "&gt; the &lt;board&gt; asked" in post.words
            assert "No graded samples back this up yet" in post.words


def test_a_command_sent_again_changes_nothing(tmp_path: Path) -> None:
    with desk(tmp_path) as harness:
        harness.workspace.person(OWNER).types("/cadence mode support-reply draft human-led tired of it")
        [sent] = [one.request for one in harness.workspace.exchanges() if "mode support" in str(one.request)]
        again = harness.workspace.deliver("slash_commands", sent)
        assert "is now human-led" in str(again.json["text"])
        assert len([row for row in rows(harness, ModeChange) if row.before]) == 1
