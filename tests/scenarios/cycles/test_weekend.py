"""Reports on the weekend after the fourth Friday count for the closed cycle (SPEC §5)."""

from pathlib import Path

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision, Line
from tests.harnesses import bot_harness
from tests.scenarios.plays import CURATORS, DESK, DESK_CHANNEL, REPLY, SOLO_CHANNEL, at, posts, start_cycle
from tests.scenarios.standards.test_verdicts_end_to_end import (
    AllInWeekOne,
    alerts,
    attest,
    log,
    mode,
    seed_playbook,
    verdicts,
)

SATURDAY = at("2026-03-28 11:00")
"""After the close."""


def watch_alert(harness: BotHarness, channel: str = SOLO_CHANNEL) -> Message:
    """The newest alert of a step over its cap."""
    return [one for one in posts(harness, channel) if "over its cap" in one.text][-1]


def test_five_in_forty_on_the_weekend_are_demoted_by_the_cap(tmp_path: Path) -> None:
    with seed_playbook(tmp_path, then=AllInWeekOne(40)) as harness:
        harness.play_until(SATURDAY)
        log(harness, 4)
        assert mode(harness) is Mode.AI_LED
        log(harness, 1)
        assert mode(harness) is Mode.COLLABORATIVE
        last = verdicts(harness)[-1]
        assert (last.line, last.closing, last.exceptions, last.attested) == (Line.CAP, True, 5, 40)
        closed = next(one for one in posts(harness, SOLO_CHANNEL) if "cycle 1" in one.text)
        assert "5 in 40 reported runs" in closed.words, "the closing post follows"


def test_a_weekend_check_in_is_judged_for_the_cycle_that_closed(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 18)
        log(harness, 2)
        assert mode(harness) is Mode.AI_LED
        harness.play_until(at("2026-03-28 11:00"))
        [close] = [row for row in verdicts(harness) if row.cause.startswith("close:")]
        assert close.decision is Decision.HOLD, "three weeks nobody answered count as usual"
        for week in (2, 3, 4):
            harness.workspace.person("U01AGENT2").types(f"/attest not-run week={week}", channel=SOLO_CHANNEL)
            harness.tick()
        last = verdicts(harness)[-1]
        assert (last.closing, last.exceptions, last.attested, last.assumed) == (True, 2, 18, 0)
        assert last.decision is Decision.WATCH


def test_a_watch_of_the_weekend_ends_on_sunday_night(tmp_path: Path) -> None:
    with seed_playbook(tmp_path, then=AllInWeekOne(10)) as harness:
        harness.play_until(SATURDAY)
        log(harness, 2)
        assert verdicts(harness)[-1].decision is Decision.WATCH
        assert "Add a plan" in watch_alert(harness).buttons
        harness.play_until(at("2026-03-29 23:59"))
        assert "Add a plan" in watch_alert(harness).buttons
        harness.play_until(at("2026-03-30 00:00"))
        for channel in (SOLO_CHANNEL, CURATORS):
            ended = watch_alert(harness, channel)
            assert "Watch ended: the cycle closed with “Send the edited reply” over its cap" in ended.text
            assert ended.buttons == ["Why"]
        harness.play_until(at("2026-03-30 12:00"))
        digest = next(one for one in posts(harness, CURATORS) if one.text.startswith("Week of 23 Mar"))
        assert "Add a plan" not in digest.words


def test_a_weekend_report_alerts_again_after_the_close_ended_an_alert(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 10)
        log(harness, 2)
        for day in ("2026-03-12", "2026-03-19", "2026-03-26"):
            harness.play_until(at(f"{day} 12:00"))
            attest(harness, 0)
        harness.play_until(at("2026-03-28 11:00"))
        assert len(alerts(harness, "Watch ended: the cycle closed")) == 1
        # One more critical exception would demote; one more ordinary one demotes by evidence at 3 in 10.
        log(harness, 1)
        assert verdicts(harness)[-1].line is Line.EVIDENCE
        assert len(alerts(harness, "Watch ended: “Send the edited reply”")) == 1


def test_an_open_watch_shows_the_current_count(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 40)
        log(harness, 5)
        harness.play_until(at("2026-03-05 15:20"))
        log(harness, 1)
        [(in_team, for_curators)] = alerts(harness, "“Send the edited reply” is over its cap")
        assert in_team == for_curators
        assert "6 in 40 reported runs" in in_team
        assert "5 in 40" not in in_team


def test_a_watch_that_ends_on_its_first_day_says_both_hours(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 20)
        log(harness, 3)
        harness.play_until(at("2026-03-05 15:20"))
        attest(harness, 60)
        [(ended, _)] = alerts(harness, "Back under its cap: “Send the edited reply”")
        assert "*Watched since*\nThu 5 Mar 12:00\n*Ended*\nThu 5 Mar 15:20" in ended
        assert "*While over the cap*\n3 in 20 reported runs" in ended


def test_after_a_late_answer_a_promotion_line_says_that_it_is_of_the_close(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        lead = harness.workspace.person("U01LEAD")
        harness.play_until(at("2026-03-05 12:00"))
        lead.types("/attest as-declared runs=10", channel=DESK_CHANNEL)
        harness.play_until(at("2026-03-28 11:00"))
        [closed] = [one for one in posts(harness, DESK_CHANNEL) if "cycle 1:" in one.text]
        assert "stays collaborative: " in closed.words
        assert "at the close, " not in closed.words
        lead.types("/attest as-declared runs=10 week=4", channel=DESK_CHANNEL)
        harness.tick()
        [closed] = [one for one in posts(harness, DESK_CHANNEL) if "cycle 1:" in one.text]
        assert "Check-ins*\n2 of 8" in closed.words
        assert "stays collaborative: at the close, " in closed.words
