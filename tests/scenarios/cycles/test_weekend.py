"""Reports on the weekend after the fourth Friday count for the closed cycle (SPEC §5)."""

from datetime import date
from pathlib import Path

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision, Line
from templates.contexts.cycles import CycleClosed
from templates.contexts.overview.digests import Digest
from templates.contexts.standards import Demoted, Watch
from templates.ids import Action
from tests.contexts import actions, assert_golden, contexts, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import CURATORS, DESK, DESK_CHANNEL, REPLY, SOLO_CHANNEL, at, posts, start_cycle
from tests.scenarios.standards.test_verdicts_end_to_end import (
    AllInWeekOne,
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
    return [one for one in posts(harness, channel) if is_shown(one, Watch)][-1]


def watches(harness: BotHarness) -> list[Watch]:
    """What the alerts of a step over its cap say now, the same in the team's and the curators' channel."""
    found, for_curators = (contexts(posts(harness, one), Watch) for one in (SOLO_CHANNEL, CURATORS))
    assert found == for_curators
    assert {one.step_key for one in found} <= {"send"}
    return found


def test_five_in_forty_on_the_weekend_are_demoted_by_the_cap(tmp_path: Path) -> None:
    with seed_playbook(tmp_path, then=AllInWeekOne(40)) as harness:
        harness.play_until(SATURDAY)
        log(harness, 4)
        assert mode(harness) is Mode.AI_LED
        log(harness, 1)
        assert mode(harness) is Mode.COLLABORATIVE
        last = verdicts(harness)[-1]
        assert (last.line, last.closing, last.exceptions, last.attested) == (Line.CAP, True, 5, 40)
        [closed] = contexts(posts(harness, SOLO_CHANNEL), CycleClosed)
        evidence = [(one.evidence.exceptions, one.evidence.reported) for one in closed.steps]
        assert (5, 40) in evidence, "the closing post follows"


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
        assert Action.SAY_WHAT_CHANGES in actions(watch_alert(harness))
        harness.play_until(at("2026-03-29 23:59"))
        assert Action.SAY_WHAT_CHANGES in actions(watch_alert(harness))
        harness.play_until(at("2026-03-30 00:00"))
        for channel in (SOLO_CHANNEL, CURATORS):
            assert shown(watch_alert(harness, channel), Watch).ended == "closed"
            assert actions(watch_alert(harness, channel)) == [Action.WHY]
        harness.play_until(at("2026-03-30 12:00"))
        digest = [one for one in posts(harness, CURATORS) if is_shown(one, Digest)][-1]
        assert shown(digest, Digest).week_start == date(2026, 3, 23)
        assert Action.SAY_WHAT_CHANGES not in actions(digest)


def test_a_weekend_report_alerts_again_after_the_close_ended_an_alert(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 10)
        log(harness, 2)
        for day in ("2026-03-12", "2026-03-19", "2026-03-26"):
            harness.play_until(at(f"{day} 12:00"))
            attest(harness, 0)
        harness.play_until(at("2026-03-28 11:00"))
        assert [one.ended for one in watches(harness)] == ["under", "closed"]
        # One more critical exception would demote; one more ordinary one demotes by evidence at 3 in 10.
        log(harness, 1)
        assert verdicts(harness)[-1].line is Line.EVIDENCE
        assert [one.ended for one in watches(harness)] == ["under", "demoted"]
        assert len(contexts(posts(harness, SOLO_CHANNEL), Demoted)) == 1


def test_an_open_watch_shows_the_current_count(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 40)
        log(harness, 5)
        harness.play_until(at("2026-03-05 15:20"))
        log(harness, 1)
        [watch] = watches(harness)
        assert watch_alert(harness).words == watch_alert(harness, CURATORS).words
        assert (watch.ended, watch.latest) == (None, None)
        assert (watch.evidence.exceptions, watch.evidence.reported) == (6, 40)


def test_a_watch_that_ends_on_its_first_day_says_both_hours(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 20)
        log(harness, 3)
        harness.play_until(at("2026-03-05 15:20"))
        attest(harness, 60)
        [ended] = watches(harness)
        assert ended.ended == "under"
        assert (ended.evidence.exceptions, ended.evidence.reported) == (3, 20)
        assert (ended.opened_at, ended.ended_at) == (at("2026-03-05 12:00"), at("2026-03-05 15:20"))
        assert_golden(watch_alert(harness), "back-under-its-cap")


def test_after_a_late_answer_a_promotion_line_says_that_it_is_of_the_close(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        lead = harness.workspace.person("U01LEAD")
        harness.play_until(at("2026-03-05 12:00"))
        lead.types("/attest as-declared runs=10", channel=DESK_CHANNEL)
        harness.play_until(at("2026-03-28 11:00"))
        [closed] = contexts(posts(harness, DESK_CHANNEL), CycleClosed)
        assert_golden("\n".join(closed.promotions), "promotion-lines-of-the-close")
        lead.types("/attest as-declared runs=10 week=4", channel=DESK_CHANNEL)
        harness.tick()
        [closed] = contexts(posts(harness, DESK_CHANNEL), CycleClosed)
        assert (closed.attested, closed.expected) == (2, 8)
        assert_golden("\n".join(closed.promotions), "promotion-lines-after-a-late-answer")
