"""A step is demoted by evidence, at the cap, or at once; and every reader sees why (SPEC §5).

The seed's playbook at a cap of 10%, run by a team of one, so that N is what that member attests.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from bot.sandbox.messages import Message
from bot.sandbox.views import View
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision, Line
from storage.tables import AdoptionStep, ModeChange, StepVerdict
from templates.contexts.base import Evidence
from templates.contexts.checkins import Attested, CheckinMessage, CheckinRow
from templates.contexts.cycles import CycleShown
from templates.contexts.exceptions import ExceptionForm, ExceptionLogged
from templates.contexts.gates import WeekOpens
from templates.contexts.overview.home import Home
from templates.contexts.overview.statuses import LineTried, Status, StepNow, VerdictDetail, Why, WhyMath
from templates.contexts.standards import Demoted, Watch
from templates.ids import Action
from tests.contexts import Shown, actions, assert_golden, contexts, is_shown, shown
from tests.harnesses import EXAMPLES, Play, bot_harness, in_turn
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    SOLO_CHANNEL,
    InCycle,
    at,
    bot_dms,
    changed,
    entries,
    posts,
    rows,
    start_cycle,
)

MEMBER, OWNER = "U01AGENT2", "U01LEAD"


@contextmanager
def seed_playbook(
    folder: Path, *replacements: tuple[str, str], then: Play | None = None
) -> Iterator[BotHarness]:
    """The seed's playbook with `send` at a cap of 10%, in week 1 of a cycle of the team of one, and then a play."""
    playbook = changed(
        EXAMPLES / "support-reply.yaml",
        folder,
        ("exception_cap: 0.05", "exception_cap: 0.10"),
        ("pilot: support-emea", "pilot: solo"),
        *replacements,
    )
    begun = InCycle("2026-03-05 12:00", playbook="support-reply", team="solo")
    played = in_turn(begun, then) if then else begun
    with bot_harness(folder, workspace=DESK, playbooks=[playbook], played=played) as harness:
        yield harness


@dataclass(frozen=True, slots=True)
class AllInWeekOne:
    """A play: four weeks with all runs in the first, until Thursday of the last."""

    runs: int

    def __call__(self, harness: BotHarness) -> None:
        attest(harness, self.runs)
        for day in ("2026-03-12", "2026-03-19", "2026-03-26"):
            harness.play_until(at(f"{day} 12:00"))
            attest(harness, 0)


def seven_in_forty(harness: BotHarness) -> None:
    """A play: a demotion by evidence."""
    attest(harness, 40)
    log(harness, 7)


def attest(harness: BotHarness, runs: int) -> Answer:
    answer = "as-declared" if runs else "not-run"
    said = harness.workspace.person(MEMBER).types(f"/attest {answer} runs={runs}", channel=SOLO_CHANNEL)
    harness.tick()
    [row] = shown(said, Attested).rows
    assert row.answer.attestation == answer
    return said


def report(harness: BotHarness, exception: str) -> Shown:
    """Log an exception, confirmed if that is asked; returns what came of it."""
    member = harness.workspace.person(MEMBER)
    said: Shown = member.types(f"/exception {exception}", channel=SOLO_CHANNEL)
    if is_shown(said, ExceptionForm):
        said = member.submits()
        member.closes()
    harness.tick()
    return said


def log(harness: BotHarness, count: int, reason: str = "tone was off") -> ExceptionLogged:
    """Log exceptions; returns what came of the last."""
    for _ in range(count):
        logged = shown(report(harness, f"send {reason}"), ExceptionLogged)
    return logged


def mode(harness: BotHarness) -> Mode:
    return next(row.mode for row in rows(harness, AdoptionStep) if row.step == "send")


def verdicts(harness: BotHarness) -> list[StepVerdict]:
    return [row for row in rows(harness, StepVerdict) if row.step == "send"]


def ask_why(harness: BotHarness) -> Answer:
    return harness.workspace.person(MEMBER).types("/cadence why support-reply send", channel=SOLO_CHANNEL)


def why(harness: BotHarness) -> Why:
    return shown(ask_why(harness), Why)


def decided(harness: BotHarness) -> VerdictDetail:
    """The verdict that decided, by [Why]."""
    verdict = why(harness).decided
    assert verdict is not None
    return verdict


def math(harness: BotHarness) -> View:
    member = harness.workspace.person(MEMBER)
    answer = ask_why(harness).message
    assert answer is not None
    member.clicks(answer, "Show the math")
    return member.form()


def told(harness: BotHarness, kind: type[Demoted | Watch]) -> list[Message]:
    """The alerts of a kind in the team's channel: the same words are in the curators'."""
    team, curators = (
        [message for message in posts(harness, channel) if is_shown(message, kind)]
        for channel in (SOLO_CHANNEL, CURATORS)
    )
    assert [message.words for message in team] == [message.words for message in curators]
    return team


def demotions(harness: BotHarness) -> list[Demoted]:
    return contexts(told(harness, Demoted), Demoted)


def watches(harness: BotHarness, ended: str | None = None) -> list[Watch]:
    """The alerts of a watch that is open, or that ended this way."""
    return [watch for watch in contexts(told(harness, Watch), Watch) if watch.ended == ended]


def counts(evidence: Evidence | None) -> tuple[int, int, int]:
    """The exceptions, and the runs that were reported and estimated."""
    assert evidence is not None
    return evidence.exceptions, evidence.reported, evidence.assumed


def in_status(harness: BotHarness) -> StepNow:
    """The step in the status."""
    said = harness.workspace.person(MEMBER).types("/cadence status", channel=SOLO_CHANNEL)
    [row] = shown(said, Status).rows
    return next(step for step in row.steps if step.key == "send")


def cycle_shown(harness: BotHarness) -> CycleShown:
    said = harness.workspace.person(MEMBER).types("/cadence cycle show", channel=SOLO_CHANNEL)
    return shown(said, CycleShown)


def checkin(message: Message) -> CheckinRow:
    """The only row of a check-in."""
    [row] = shown(message, CheckinMessage).rows
    return row


def planned(of: CheckinRow | WeekOpens) -> str:
    """The mode of the step by a check-in, or by the post that opens the week."""
    return next(step.mode for step in of.steps if step.key == "send")


def test_seven_in_forty_demote_by_evidence(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 40)
        log(harness, 6)
        assert mode(harness) is Mode.AI_LED
        logged = log(harness, 1)

        assert mode(harness) is Mode.COLLABORATIVE
        last = verdicts(harness)[-1]
        assert (last.decision, last.line) == (Decision.DEMOTE, Line.EVIDENCE)
        assert (last.exceptions, last.attested, last.assumed) == (7, 40, 0)
        assert (logged.step, logged.after) == ("Send the edited reply", Mode.COLLABORATIVE)
        [demoted] = demotions(harness)
        assert (demoted.step, demoted.after) == ("Send the edited reply", Mode.COLLABORATIVE)
        assert (counts(demoted.evidence), demoted.evidence.percent) == ((7, 40, 0), "18%")
        assert (demoted.line, round(demoted.probability, 2), demoted.threshold) == ("evidence", 0.93, 0.9)
        assert (demoted.top_reason, demoted.top_reason_count) == ("tone was off", 7)
        assert demoted.owner == OWNER
        [alert] = told(harness, Demoted)
        assert_golden(alert, "demoted-by-evidence")


def test_a_demotion_is_read_everywhere_at_once_and_the_count_starts_again(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        assert planned(checkin(harness.workspace.person(MEMBER).last_dm())) == Mode.AI_LED
        attest(harness, 40)
        log(harness, 7)
        [change] = [row for row in rows(harness, ModeChange) if row.kind == "demotion"]
        assert (change.before, change.after, change.member) == (Mode.AI_LED, Mode.COLLABORATIVE, None)

        send = in_status(harness)
        assert (send.mode, send.estimated) == (Mode.COLLABORATIVE, 0)
        assert send.evidence is not None
        assert (send.evidence.exceptions, send.evidence.known, send.evidence.cap) == (0, "", 0.10)
        assert send.evidence.restarted
        modes = {step.title: step.mode for step in cycle_shown(harness).steps}
        assert modes["Send the edited reply"] == Mode.COLLABORATIVE
        harness.play_until(at("2026-03-12 10:00"))
        assert planned(checkin(bot_dms(harness, MEMBER)[-1])) == Mode.COLLABORATIVE
        assert log(harness, 1).decision == Decision.HOLD


def test_runs_assumed_after_a_demotion_are_not_said_to_wait_for_check_ins(tmp_path: Path) -> None:
    with seed_playbook(tmp_path, then=seven_in_forty) as harness:
        evidence = log(harness, 1).evidence
        assert (counts(evidence), evidence.percent, evidence.cap) == ((1, 0, 40), "3%", 0.10)
        assert (evidence.restarted, evidence.missing) == (True, False)
        harness.play_until(at("2026-03-10 12:00"))
        evidence = log(harness, 1).evidence
        assert counts(evidence) == (2, 0, 80)
        assert (evidence.restarted, evidence.missing) == (True, True)
        attest(harness, 30)
        assert log(harness, 1).evidence.reported == 30


def test_five_in_forty_are_watched_and_demoted_when_the_cycle_closes(tmp_path: Path) -> None:
    with seed_playbook(tmp_path, then=AllInWeekOne(40)) as harness:
        logged = log(harness, 5)
        assert (logged.decision, logged.severe) == (Decision.WATCH, False)
        assert (logged.evidence.exceptions, logged.demote_at) == (5, 7)
        [watch] = watches(harness)
        assert (watch.step, counts(watch.evidence)) == ("Send the edited reply", (5, 40, 0))
        assert (watch.evidence.percent, watch.evidence.cap) == ("13%", 0.10)
        assert (watch.demote_at, watch.close_date) == (7, date(2026, 3, 27))
        harness.play_until(at("2026-03-27 15:59"))
        assert mode(harness) is Mode.AI_LED
        harness.play_until(at("2026-03-27 16:00"))
        assert mode(harness) is Mode.COLLABORATIVE
        last = verdicts(harness)[-1]
        assert (last.line, last.closing, last.exceptions, last.attested, last.assumed) == (
            Line.CAP,
            True,
            5,
            40,
            0,
        )
        [demoted] = demotions(harness)
        assert (demoted.after, demoted.line, demoted.min_runs) == (Mode.COLLABORATIVE, "cap", 20)
        [ended] = watches(harness, "demoted")
        assert (ended.step, ended.leads_to) == ("Send the edited reply", Mode.COLLABORATIVE)
        assert (ended.opened_at, ended.ended_at) == (at("2026-03-26 12:00"), at("2026-03-27 16:00"))
        [alert] = told(harness, Watch)
        assert_golden(alert, "watch-ended-by-demotion")  # only the demotion is red


def test_a_watched_step_that_gets_back_under_its_cap_keeps_its_mode(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 40)
        log(harness, 5)
        harness.play_until(at("2026-03-06 12:00"))
        attest(harness, 70)
        [ended] = watches(harness, "under")
        assert (ended.step, counts(ended.latest)) == ("Send the edited reply", (5, 70, 0))
        assert (ended.opened_at, ended.ended_at) == (at("2026-03-05 12:00"), at("2026-03-06 12:00"))
        assert counts(ended.evidence) == (5, 40, 0)
        assert not ended.by_estimates
        [post] = told(harness, Watch)
        assert actions(post) == [Action.WHY]
        newest = decided(harness).evidence
        assert (counts(newest), newest.percent, newest.cap) == ((5, 70, 0), "7%", 0.10)
        harness.play_until(at("2026-03-27 16:00"))
        assert mode(harness) is Mode.AI_LED
        assert verdicts(harness)[-1].decision is Decision.HOLD


def test_a_watch_is_judged_again_when_a_new_weeks_estimated_runs_count(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 40)
        log(harness, 5)
        harness.play_until(at("2026-03-08 23:59"))
        assert len(watches(harness)) == 1
        harness.play_until(at("2026-03-09 00:00"))
        now = ((5, 40, 40), "6%", 0.10)
        [ended] = watches(harness, "under")
        assert ended.latest is not None
        assert (counts(ended.latest), ended.latest.percent, ended.latest.cap) == now
        assert (ended.opened_at, ended.ended_at) == (at("2026-03-05 12:00"), at("2026-03-09 00:00"))
        assert ended.by_estimates
        assert counts(ended.evidence) == (5, 40, 0)
        in_table = in_status(harness).evidence
        assert in_table is not None
        assert (counts(in_table), in_table.percent, in_table.cap) == now
        verdict = decided(harness)
        assert (verdict.decision, verdict.decided_at) == (Decision.HOLD, at("2026-03-09 00:00"))
        assert (counts(verdict.evidence), verdict.evidence.percent, verdict.evidence.cap) == now
        newest = why(harness).rows[0].newest
        assert (newest.decided_at, newest.evidence.runs) == (at("2026-03-09 00:00"), 80)
        assert (newest.evidence.exceptions, newest.evidence.percent) == (5, "6%")
        log(harness, 4)
        assert mode(harness) is Mode.AI_LED
        [again] = watches(harness)
        assert (again.evidence.exceptions, again.evidence.reported) == (9, 40)
        harness.play_until(at("2026-03-16 12:00"))
        assert len([row for row in verdicts(harness) if row.cause.startswith("week:")]) == 2


def test_every_surface_shows_the_counts_of_the_newest_verdict(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 40)
        log(harness, 1)
        harness.play_until(at("2026-03-09 00:00"))
        newest = verdicts(harness)[-1]
        assert (newest.cause, newest.decision) == ("week:2026-03-09", Decision.HOLD)
        assert (newest.exceptions, newest.attested, newest.assumed) == (1, 40, 40)
        person = harness.workspace.person(MEMBER)
        person.types("/cadence away from 2026-03-12 to 2026-03-13", channel=SOLO_CHANNEL)
        harness.tick()
        in_cycle = next(one for one in cycle_shown(harness).steps if one.title == "Send the edited reply")
        for evidence in (in_status(harness).evidence, in_cycle.evidence):
            assert evidence is not None
            assert (counts(evidence), evidence.percent, evidence.cap) == ((1, 40, 40), "1%", 0.10)
        home = shown(person.opens_home(), Home)
        [playbook] = [one.playbook for one in home.items if one.playbook is not None]
        assert [step.state for step in playbook.steps if step.on_track] == ["on-track", "on-track"]


def test_a_watch_that_goes_on_shows_the_numbers_of_the_new_week(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 9)
        log(harness, 2)
        harness.play_until(at("2026-03-09 00:00"))
        [watch] = watches(harness)
        assert (counts(watch.evidence), watch.demote_at) == ((2, 9, 9), 4)


def test_the_strict_rule_demotes_at_five(tmp_path: Path) -> None:
    with seed_playbook(tmp_path, ("scale_rule:", "rule: strict\nscale_rule:")) as harness:
        attest(harness, 40)
        log(harness, 4)
        assert mode(harness) is Mode.AI_LED
        log(harness, 1)
        assert mode(harness) is Mode.COLLABORATIVE
        assert verdicts(harness)[-1].line is Line.CAP
        [demoted] = demotions(harness)
        assert (demoted.step, demoted.line, demoted.min_runs) == ("Send the edited reply", "strict", 20)
        verdict = decided(harness)
        assert (verdict.rule, verdict.line, verdict.min_runs) == ("strict", Line.CAP, 20)
        assert LineTried(line=Line.CAP, applies=True, holds=True) in verdict.lines
        assert (verdict.evidence.exceptions, verdict.evidence.runs) == (5, 40)
        assert (verdict.evidence.percent, verdict.evidence.cap) == ("13%", 0.10)


def test_the_evidence_rule_never_demotes_at_the_cap(tmp_path: Path) -> None:
    with seed_playbook(tmp_path, ("scale_rule:", "rule: evidence\nscale_rule:")) as harness:
        attest(harness, 40)
        log(harness, 5)
        [watch] = watches(harness)
        assert (watch.step, watch.demote_at, watch.close_date) == ("Send the edited reply", 7, None)
        for day in ("2026-03-12", "2026-03-19", "2026-03-26"):
            harness.play_until(at(f"{day} 12:00"))
            attest(harness, 0)
        harness.play_until(at("2026-03-27 17:00"))
        assert mode(harness) is Mode.AI_LED
        assert [watch.step for watch in watches(harness, "closed")] == ["Send the edited reply"]


def test_ten_runs_and_two_are_watched_three_demote(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 10)
        log(harness, 2)
        assert mode(harness) is Mode.AI_LED
        [watch] = watches(harness)
        assert (counts(watch.evidence), watch.demote_at) == ((2, 10, 0), 3)
        assert (watch.evidence.percent, watch.evidence.cap) == ("", 0.10), "too few runs for a rate"
        log(harness, 1)
        assert mode(harness) is Mode.COLLABORATIVE
        assert verdicts(harness)[-1].line is Line.EVIDENCE


def test_one_critical_exception_demotes_at_once(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        log(harness, 1, "critical promised a refund")
        assert mode(harness) is Mode.COLLABORATIVE
        [demoted] = demotions(harness)
        assert (demoted.step, demoted.after) == ("Send the edited reply", Mode.COLLABORATIVE)
        assert (demoted.line, demoted.critical_reason) == ("critical", "promised a refund")
        [change] = [row for row in rows(harness, ModeChange) if row.kind == "demotion"]
        assert_golden(change.reason, "reason-critical")
        verdict = decided(harness)
        assert (verdict.decision, verdict.line, verdict.critical) == (Decision.DEMOTE, Line.CRITICAL, 1)
        assert (counts(verdict.evidence), verdict.evidence.percent) == ((1, 0, 40), "3%")
        assert (verdict.evidence.cap, verdict.evidence.restarted) == (0.10, False)
        assert LineTried(line=Line.CRITICAL, applies=True, holds=True) in verdict.lines


def test_an_open_check_in_and_the_weeks_post_follow_a_change_of_mode(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:

        def modes() -> tuple[str, str]:
            harness.tick()
            [opening] = contexts(posts(harness, SOLO_CHANNEL), WeekOpens)
            assert opening.week == 1
            return planned(checkin(bot_dms(harness, MEMBER)[-1])), planned(opening)

        assert modes() == (Mode.AI_LED, Mode.AI_LED)
        log(harness, 1, "critical promised a refund")
        assert modes() == (Mode.COLLABORATIVE, Mode.COLLABORATIVE)
        assert checkin(bot_dms(harness, MEMBER)[-1]).exceptions == 1
        harness.workspace.person(MEMBER).types("/exception undo", channel=SOLO_CHANNEL)
        assert modes() == (Mode.AI_LED, Mode.AI_LED)
        harness.workspace.person(OWNER).types("/cadence mode support-reply send human-led nobody trusts it")
        assert modes() == (Mode.HUMAN_LED, Mode.HUMAN_LED)


def test_a_critical_exception_on_a_step_that_people_lead_says_so(tmp_path: Path) -> None:
    with seed_playbook(
        tmp_path, ("mode: collaborative", "mode: human-led"), ("fallback: human-led\n", "\n")
    ) as harness:
        attest(harness, 40)
        said = report(harness, "draft critical it quoted a price")
        assert (shown(said, ExceptionLogged).decision, shown(said, ExceptionLogged).after) == (
            Decision.WATCH,
            None,
        )
        assert_golden(said, "critical-people-lead")
        [watch] = watches(harness)
        assert (watch.step, watch.mode) == ("Draft three replies", Mode.HUMAN_LED)
        assert (counts(watch.evidence), watch.critical_reason) == ((1, 40, 0), "it quoted a price")
        [alert] = told(harness, Watch)
        assert_golden(alert, "critical-people-lead-alert")


def test_a_critical_exception_on_a_watched_step_leaves_one_alert(tmp_path: Path) -> None:
    """The new alert says everything; the earlier one says only that there is one."""
    with seed_playbook(
        tmp_path, ("mode: collaborative", "mode: human-led"), ("fallback: human-led\n", "\n")
    ) as harness:
        attest(harness, 20)
        for number in range(4):
            report(harness, f"draft wrong tone {number}")
        harness.workspace.person(OWNER).clicks(told(harness, Watch)[0], "Add a plan")
        harness.workspace.person(OWNER).submits({"note": "We read each draft twice"})
        harness.play_until(at("2026-03-05 15:00"))
        report(harness, "draft critical it quoted a price")
        first, second = told(harness, Watch)
        assert (shown(first, Watch).ended, shown(second, Watch).ended) == ("replaced", None)
        assert actions(first) == [Action.WHY]
        assert_golden(first, "replaced-by-a-critical-one")
        open_watch = shown(second, Watch)
        assert (counts(open_watch.evidence), open_watch.critical_reason) == ((5, 20, 0), "it quoted a price")
        assert open_watch.opened_at == shown(first, Watch).opened_at, "watched since the first"
        assert open_watch.answer == "We read each draft twice"
        assert_golden(second, "critical-on-a-watched-step")

        attest(harness, 200)
        assert [shown(one, Watch).ended for one in told(harness, Watch)] == ["replaced", None]


@pytest.mark.parametrize(("expected_runs", "percent"), [(40, "5%"), (5, "")])
def test_two_on_a_monday_demote_nothing_and_why_says_what_is_assumed(
    tmp_path: Path, expected_runs: int, percent: str
) -> None:
    playbook = changed(
        EXAMPLES / "support-reply.yaml",
        tmp_path,
        ("exception_cap: 0.05", "exception_cap: 0.10"),
        ("pilot: support-emea", "pilot: solo"),
        ("runs_per_week: 40", f"runs_per_week: {expected_runs}"),
    )
    with bot_harness(tmp_path, workspace=DESK, playbooks=[playbook]) as harness:
        start_cycle(harness, "support-reply", team="solo")
        harness.play_until(at("2026-03-02 11:00"))
        log(harness, 2)
        assert mode(harness) is Mode.AI_LED
        for verdict in (shown(math(harness), WhyMath).verdict, decided(harness)):
            assert verdict is not None
            evidence = verdict.evidence
            assert (evidence.attested, evidence.known, evidence.assumed) == (0, "", expected_runs)
            assert (evidence.exceptions, evidence.percent, evidence.cap) == (2, percent, 0.10)
            assert (verdict.threshold, verdict.min_exceptions) == (0.9, 3)


def test_why_shows_the_arithmetic(tmp_path: Path) -> None:
    with seed_playbook(tmp_path, then=seven_in_forty) as harness:
        assert_golden(ask_why(harness), "why")
        assert_golden(math(harness), "math")


def test_why_collapses_weeks_that_changed_nothing(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 40)
        log(harness, 1)
        for day in ("2026-03-12", "2026-03-19"):
            harness.play_until(at(f"{day} 12:00"))
            attest(harness, 40)
        assert len([row for row in verdicts(harness) if row.cause.startswith("week:")]) == 2
        [row] = why(harness).rows
        assert (row.newest.decision, row.times) == (Decision.HOLD, len(verdicts(harness)))
        assert (row.first.decided_at.date(), row.newest.decided_at.date()) == (
            date(2026, 3, 5),
            date(2026, 3, 19),
        )


def test_a_watch_is_announced_once_and_the_owners_answer_is_kept(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 40)
        log(harness, 6)
        [alert] = told(harness, Watch)
        watch = shown(alert, Watch)
        assert (watch.step, watch.owner, watch.answer) == ("Send the edited reply", OWNER, None)
        assert Action.SAY_WHAT_CHANGES in actions(alert)

        member = harness.workspace.person(MEMBER)
        refused = member.clicks(alert, "Add a plan")
        assert refused.view is None
        assert_golden(refused, "refused-member")

        curator = harness.workspace.person("U01CURATOR")
        [for_curators] = [message for message in posts(harness, CURATORS) if is_shown(message, Watch)]
        curator.clicks(for_curators, "Add a plan")
        curator.submits({"note": "A person reads each refund <now>"})
        harness.tick()
        [entry] = entries(harness, "watch-answered")
        assert (entry.member, entry.after) == ("U01CURATOR", "A person reads each refund <now>")
        [watch] = watches(harness)
        assert (watch.answered_by, watch.answer) == (entry.member, entry.after)
        [answered] = told(harness, Watch)
        assert_golden(answered, "answered")


def test_a_plan_is_on_the_alert_it_was_written_for(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 40)
        log(harness, 6)
        attest(harness, 200)
        harness.play_until(at("2026-03-05 15:00"))
        for number in range(15):
            report(harness, f"send a later mistake {number}")
        first, second = told(harness, Watch)
        owner = harness.workspace.person(OWNER)
        owner.clicks(second, "Add a plan")
        owner.submits({"note": "We read each reply twice"})
        harness.tick()
        first, second = told(harness, Watch)
        assert (shown(first, Watch).ended, shown(first, Watch).answer) == ("under", None)
        assert shown(second, Watch).answer == "We read each reply twice"


def test_an_exception_sent_again_counts_once(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 40)
        log(harness, 1)
        [sent] = [one.request for one in harness.workspace.exchanges() if one.what == "/exception"]
        again = harness.workspace.deliver("slash_commands", sent)
        assert_golden(str(again.json["text"]), "sent-again")
        assert verdicts(harness)[-1].exceptions == 1
        assert len(entries(harness, "exception")) == 1
