"""A week's digest is about that week, whenever it is read (SPEC §4, §5)."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import update

from bot.rehearsal.harness import BotHarness
from cadence.flows.standards import verdict_evidence
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision as Decided
from storage.tables import ModeChange as ModeChangeRow
from storage.tables import StepVerdict
from templates.contexts.base import ModeChange
from templates.contexts.overview.digests import Decision, Digest, Tally
from templates.ids import Action
from tests.contexts import assert_golden, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    InCycle,
    at,
    changed,
    local_times,
    posts,
    rows,
    says,
    start_cycle,
)

OWNER, MEMBER, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday noon of week 1, the check-ins are open."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-05 12:00")
    ) as harness:
        yield harness


def types(harness: BotHarness, member: str, *texts: str) -> None:
    for text in texts:
        says(harness.workspace.person(member), text, channel=DESK_CHANNEL)
        harness.tick()


def digest_of(harness: BotHarness, monday: str) -> Digest:
    """The digest on a Monday about the week before."""
    harness.play_until(at(f"{monday} 12:00"))
    return shown(posts(harness, CURATORS)[-1], Digest)


def open_jobs(digest: Digest, action: Action) -> dict[str, Decision]:
    """What is to be decided or waits for owners, of one kind, by the value of their buttons, such as `1:send`."""
    offered = [(one, one.offer) for one in (*digest.decisions, *digest.owners_jobs)]
    return {offer.value: one for one, offer in offered if offer is not None and offer.action == action}


def over_the_cap(harness: BotHarness) -> None:
    """Three exceptions in 29 attested runs: 10.3% of at most 10%, too few to demote."""
    types(harness, OWNER, "/attest as-declared runs=14")
    types(harness, MEMBER, "/attest as-declared runs=15")
    types(harness, MEMBER, *(f"/exception send wrong tone {number}" for number in range(3)))


def test_mondays_digest_reports_last_week_and_asks_only_open_jobs(desk: BotHarness) -> None:
    over_the_cap(desk)
    desk.play_until(at("2026-03-08 12:00"))
    said = desk.workspace.person(CURATOR).types("/cadence digest", channel=DESK_CHANNEL)
    sunday = shown(said, Digest)
    monday = digest_of(desk, "2026-03-09")
    for digest in (sunday, monday):
        [row] = digest.rows
        assert row.evidence is not None
        assert (row.evidence.exceptions, row.evidence.reported, row.evidence.runs) == (3, 29, 29)
        assert (row.evidence.cap, row.step) == (0.10, "Send the reply")
        assert (row.over, row.critical, row.demoted) == (True, False, False)
    asked = open_jobs(sunday, Action.SAY_WHAT_CHANGES)["1:send"]
    assert_golden(f"{asked.title}: {asked.text}", "over-its-cap")
    left = open_jobs(monday, Action.SAY_WHAT_CHANGES)
    assert left == {}, "the new week's estimated runs brought it back under its cap"


def test_a_watch_that_outlives_its_week_waits_in_mondays_digest(desk: BotHarness) -> None:
    types(desk, OWNER, "/attest as-declared runs=4")
    types(desk, MEMBER, "/attest as-declared runs=5")
    types(desk, MEMBER, *(f"/exception send wrong tone {number}" for number in range(2)))
    asked = open_jobs(digest_of(desk, "2026-03-09"), Action.SAY_WHAT_CHANGES)["1:send"]
    assert_golden(f"{asked.title}: {asked.text}", "over-its-cap")


def test_a_step_watched_for_a_critical_exception_is_named_so(desk: BotHarness) -> None:
    types(desk, OWNER, "/cadence mode reply draft human-led nobody trusts it", "/attest as-declared runs=3")
    types(desk, MEMBER, "/attest as-declared runs=3", "/exception draft critical it quoted a price")
    digest = digest_of(desk, "2026-03-09")
    asked = open_jobs(digest, Action.SAY_WHAT_CHANGES)["1:draft"]
    assert_golden(f"{asked.title}: {asked.text}", "critical-exception")
    [row] = digest.rows
    assert row.evidence is not None
    assert (row.evidence.exceptions, row.evidence.reported, row.evidence.runs) == (1, 6, 6)
    assert (row.evidence.cap, row.step, row.critical) == (0.10, "Draft the reply", True)
    assert not row.demoted


def test_a_late_check_in_settles_the_watch_of_its_week(desk: BotHarness) -> None:
    over_the_cap(desk)
    desk.play_until(at("2026-03-09 09:00"))
    types(desk, MEMBER, "/attest as-declared runs=30 week=1")
    monday = digest_of(desk, "2026-03-09")
    assert open_jobs(monday, Action.SAY_WHAT_CHANGES) == {}
    assert (monday.watch_count, [row.over for row in monday.rows]) == (0, [False])


def test_on_a_public_holiday_the_digest_comes_the_day_after(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness, monday="2026-03-30")
        harness.play_until(at("2026-04-06 23:00"))  # Easter Monday in DE
        before = len(posts(harness, CURATORS))
        harness.play_until(at("2026-04-07 12:00"))
        new = posts(harness, CURATORS)[before:]
        assert local_times(new, "Europe/Berlin") == ["Tue 11:00"]
        assert shown(new[0], Digest).week_start == date(2026, 3, 30)


def test_a_demoted_step_waits_in_every_digest_until_its_rubric_is_revised(desk: BotHarness) -> None:
    types(desk, OWNER, "/attest as-declared runs=14")
    types(desk, MEMBER, "/attest as-declared runs=15")
    types(desk, MEMBER, *(f"/exception send wrong tone {number}" for number in range(7)))
    first = digest_of(desk, "2026-03-09")
    assert (first.decision_count, first.owners_job_count, first.slipping) == (1, 1, 1)
    assert {one.who for one in (*first.decisions, *first.owners_jobs)} == {OWNER}
    assert [row.demoted for row in first.rows] == [True]
    demoted = ModeChange(step="Send the reply", before=Mode.AI_LED, after=Mode.COLLABORATIVE)
    assert [one.change for one in first.demotions] == [demoted]
    assert first.exceptions == Tally(now=7)
    for digest in (first, digest_of(desk, "2026-03-16")):
        waiting = open_jobs(digest, Action.REVISE_RUBRIC)["1:send"]
        assert_golden(f"{waiting.title}: {waiting.text}", "rubric-to-update")
        assert [row.rubric_due for row in digest.rows] == [True], "its row says why it needs attention"
        [row] = digest.rows
        at_the_verdict = [one for one in rows(desk, StepVerdict) if one.decision is Decided.DEMOTE]
        assert [row.evidence] == [verdict_evidence(one) for one in at_the_verdict]
        assert row.step == "Send the reply"
    assert [row.demoted_on for row in digest.rows] == [date(2026, 3, 5)]
    assert_golden(posts(desk, CURATORS)[-1], "rubric-still-to-update")
    types(desk, OWNER, "/cadence rubric reply send revise the greeting is checked first")
    assert open_jobs(digest_of(desk, "2026-03-23"), Action.REVISE_RUBRIC) == {}


def test_a_demoted_teams_row_shows_what_demoted_the_step(desk: BotHarness) -> None:
    """Not the step nearest to its cap, nor what was logged after the demotion."""
    types(desk, OWNER, "/attest as-declared runs=14")
    types(desk, MEMBER, "/attest as-declared runs=15", "/exception draft wrong tone")
    types(desk, MEMBER, *(f"/exception send wrong tone {number}" for number in range(7)))
    [row] = digest_of(desk, "2026-03-09").rows
    digest = posts(desk, CURATORS)[-1]
    assert shown(digest, Digest).exceptions.now == 8
    assert row.evidence is not None
    at_the_verdict = [one for one in rows(desk, StepVerdict) if one.decision is Decided.DEMOTE]
    assert [row.evidence] == [verdict_evidence(one) for one in at_the_verdict]
    assert (row.evidence.runs, row.evidence.assumed) == (29, 0), "the new week's estimated runs don't count"
    assert (row.demoted, row.step, row.reset) == (True, "Send the reply", None)
    assert_golden(digest, "after-a-demotion")


def test_a_step_under_its_cap_is_named_with_the_runs_of_the_week(desk: BotHarness) -> None:
    types(desk, OWNER, "/attest as-declared runs=14")
    types(desk, MEMBER, "/attest as-declared runs=15", "/exception send wrong tone")
    [row] = digest_of(desk, "2026-03-09").rows
    digest = posts(desk, CURATORS)[-1]
    assert row.evidence is not None
    assert (row.step, row.over, row.demoted) == ("Send the reply", False, False)
    assert (row.evidence.exceptions, row.evidence.attested, row.evidence.assumed) == (1, 29, 0)
    assert_golden(digest, "under-its-cap")


def test_a_late_answer_counts_in_its_weeks_row_and_a_new_exception_does_not(desk: BotHarness) -> None:
    types(desk, OWNER, "/attest as-declared runs=14")
    types(desk, MEMBER, "/attest as-declared runs=15", "/exception send wrong tone")
    desk.play_until(at("2026-03-09 09:00"))
    types(desk, MEMBER, "/attest as-declared runs=20 week=1", "/exception send wrong tone again")
    [row] = digest_of(desk, "2026-03-09").rows
    assert row.evidence is not None
    assert (row.evidence.exceptions, row.evidence.attested, row.evidence.assumed) == (1, 34, 0)


def test_a_closed_cycles_row_shows_its_close_although_the_next_has_begun(desk: BotHarness) -> None:
    types(desk, MEMBER, "/attest as-declared runs=15", "/exception send wrong tone")
    desk.play_until(at("2026-03-30 09:00"))
    types(desk, MEMBER, "/exception draft wrong tone")
    [row] = digest_of(desk, "2026-03-30").rows
    closing = [one for one in rows(desk, StepVerdict) if one.closing and one.step == "send"]
    assert (row.step, row.evidence) == ("Send the reply", verdict_evidence(closing[-1]))


def test_a_window_restarted_since_leaves_the_weeks_last_verdict(desk: BotHarness) -> None:
    types(desk, OWNER, "/attest as-declared runs=14")
    types(desk, MEMBER, "/attest as-declared runs=15", "/exception send wrong tone")
    desk.play_until(at("2026-03-09 09:00"))
    types(desk, OWNER, "/cadence mode reply send collaborative nobody trusts it")
    [row] = digest_of(desk, "2026-03-09").rows
    assert row.evidence is not None
    assert (row.evidence.exceptions, row.evidence.attested, row.evidence.assumed) == (1, 29, 0)
    assert row.reset is None


def test_a_demotion_without_a_verdict_shows_no_evidence(desk: BotHarness) -> None:
    types(desk, MEMBER, "/exception send critical wrong price", "/exception draft wrong tone")
    with desk.bot.db.write() as session:
        session.exec(update(ModeChangeRow).values(verdict_id=None))
    [row] = digest_of(desk, "2026-03-09").rows
    assert (row.demoted, row.step, row.evidence) == (True, "Send the reply", None)


def test_counts_since_a_reset_say_so_next_to_the_weeks_exceptions(desk: BotHarness) -> None:
    types(desk, MEMBER, "/exception send wrong tone")
    types(desk, OWNER, "/cadence mode reply send collaborative nobody trusts it")
    types(desk, MEMBER, "/exception send wrong tone again")
    [row] = digest_of(desk, "2026-03-09").rows
    digest = posts(desk, CURATORS)[-1]
    assert shown(digest, Digest).exceptions.now == 2
    assert row.evidence is not None
    assert (row.evidence.exceptions, row.reset) == (1, date(2026, 3, 5))
    assert_golden(digest, "after-a-reset")


def test_a_row_says_why_a_team_that_met_its_target_needs_attention(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-27 12:00"))
    types(desk, OWNER, "/kpi 12m", "/attest as-declared runs=9")
    types(desk, MEMBER, "/attest as-declared runs=9")
    digest = digest_of(desk, "2026-03-30")
    [row] = digest.rows
    assert (digest.slipping, row.to_target, row.result) == (1, 0, "insufficient")
    assert_golden(posts(desk, CURATORS)[-1], "target-met-in-a-week-but-too-few-numbers")


def test_a_worth_names_the_weeks_it_is_of(tmp_path: Path) -> None:
    worth = changed(REPLY, tmp_path, ("inputs:", "case: {worth: {amount: 6, unit: minutes}}\ninputs:"))
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[worth], played=InCycle("2026-03-05 12:00")
    ) as harness:
        types(harness, MEMBER, "/attest as-declared runs=9")
        assert_golden(digest_of(harness, "2026-03-09").value, "worth-of-the-first-week")
        types(harness, MEMBER, "/attest as-declared runs=9")
        assert_golden(digest_of(harness, "2026-03-16").value, "worth-of-two-weeks")
