"""A step is demoted by evidence, at the cap, or at once; and everyone who reads it sees why (SPEC §5).

The seed's playbook at a cap of 10%, run by a team of one, so that N is what that one person attests.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.rehearsal.harness import Stage
from bot.sandbox.answers import Answer
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision, Line
from storage.tables import AdoptionStep, ModeChange, StepVerdict
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    SOLO_CHANNEL,
    at,
    bot_dms,
    changed,
    entries,
    posts,
    rows,
    says,
    start_cycle,
)
from tests.staging import EXAMPLES, on_stage

MEMBER, OWNER = "U01AGENT2", "U01LEAD"


@contextmanager
def seed_playbook(folder: Path, *replacements: tuple[str, str]) -> Iterator[Stage]:
    """The seed's playbook with `send` at a cap of 10%, in week 1 of a cycle of the team of one."""
    playbook = changed(
        EXAMPLES / "support-reply.yaml",
        folder,
        ("exception_cap: 0.05", "exception_cap: 0.10"),
        ("pilot: support-emea", "pilot: solo"),
        *replacements,
    )
    with on_stage(folder, workspace=DESK, playbooks=[playbook]) as stage:
        start_cycle(stage, "support-reply", team="solo")
        stage.play_until(at("2026-03-05 12:00"))
        yield stage


def attest(stage: Stage, runs: int) -> Answer:
    answer = "as-declared" if runs else "not-run"
    said = stage.workspace.person(MEMBER).types(f"/attest {answer} runs={runs}", channel=SOLO_CHANNEL)
    stage.tick()
    assert "Recorded" in said.text, said.words
    return said


def log(stage: Stage, count: int, reason: str = "tone was off") -> str:
    for _ in range(count):
        said = says(stage.workspace.person(MEMBER), f"/exception send {reason}", channel=SOLO_CHANNEL)
        stage.tick()
    assert "xception logged" in said, said
    return said


def mode(stage: Stage) -> Mode:
    return next(row.mode for row in rows(stage, AdoptionStep) if row.step == "send")


def verdicts(stage: Stage) -> list[StepVerdict]:
    return [row for row in rows(stage, StepVerdict) if row.step == "send"]


def why(stage: Stage) -> str:
    return stage.workspace.person(MEMBER).types("/cadence why support-reply send", channel=SOLO_CHANNEL).words


def alerts(stage: Stage, start: str) -> list[tuple[str, str]]:
    """The alerts that begin with some words: in the team's channel, and in the curators'."""
    team, curators = (
        [message.words for message in posts(stage, channel) if message.text.startswith(start)]
        for channel in (SOLO_CHANNEL, CURATORS)
    )
    return list(zip(team, curators, strict=True))


def test_seven_in_forty_demote_by_evidence(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:
        attest(stage, 40)
        log(stage, 6)
        assert mode(stage) is Mode.AI_LED
        said = log(stage, 1)

        assert mode(stage) is Mode.COLLABORATIVE
        last = verdicts(stage)[-1]
        assert (last.decision, last.line) == (Decision.DEMOTE, Line.EVIDENCE)
        assert (last.exceptions, last.attested, last.assumed) == (7, 40, 0)
        assert "is now collaborative (was AI-led)" in said
        [(in_team, for_curators)] = alerts(stage, "Send the edited reply is now collaborative")
        assert in_team == for_curators
        assert "7 exceptions in 40 reported runs, 18% (cap 10%)" in in_team
        assert "stimated" not in in_team
        assert "93% likely to be above the cap, and 90% demotes at any time" in in_team
        assert "Most frequent reason: tone was off (7 times)" in in_team
        assert f"<@{OWNER}>, please refine the rubric" in in_team


def test_a_demotion_is_read_everywhere_at_once_and_the_count_starts_again(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:
        open_before = stage.workspace.person(MEMBER).last_dm()
        assert "Send the edited reply _AI-led_" in open_before.words
        attest(stage, 40)
        log(stage, 7)
        [change] = [row for row in rows(stage, ModeChange) if row.kind == "demotion"]
        assert (change.before, change.after, change.member) == (Mode.AI_LED, Mode.COLLABORATIVE, None)

        status = stage.workspace.person(MEMBER).types("/cadence status", channel=SOLO_CHANNEL).words
        assert "Send the edited reply _collaborative_: no runs reported yet (cap 10%)" in status
        shown = stage.workspace.person(MEMBER).types("/cadence cycle show", channel=SOLO_CHANNEL).words
        assert "Send the edited reply _collaborative_" in shown
        stage.play_until(at("2026-03-12 10:00"))
        assert "Send the edited reply _collaborative_" in bot_dms(stage, MEMBER)[-1].words
        assert "Within the cap" in log(stage, 1)


def test_runs_assumed_after_a_demotion_are_not_said_to_wait_for_check_ins(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:
        attest(stage, 40)
        log(stage, 7)
        said = log(stage, 1)
        assert "1 exception, no runs reported yet (+40 estimated), 3% (cap 10%)" in said
        assert "Estimated runs stand in for check-ins that came before counters reset." in said
        assert "aren't in" not in said
        stage.play_until(at("2026-03-10 12:00"))
        said = log(stage, 1)
        assert "(+80 estimated)" in said
        assert "check-ins that aren't in yet or came before counters reset" in said
        attest(stage, 30)
        assert "in 30 reported runs" in log(stage, 1)


def test_five_in_forty_are_watched_and_demoted_when_the_cycle_closes(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:
        attest(stage, 40)
        for day in ("2026-03-12", "2026-03-19", "2026-03-26"):
            stage.play_until(at(f"{day} 12:00"))
            attest(stage, 0)
        said = log(stage, 5)
        assert "Over the cap, so it is watched. It is demoted at 7 exceptions with these runs." in said
        [(in_team, for_curators)] = alerts(stage, "Over the cap: Send the edited reply")
        assert in_team == for_curators
        assert "5 exceptions in 40 reported runs, 13% (cap 10%)" in in_team
        assert (
            "Demoted at 7 exceptions with these runs, or at the close on Fri 27 Mar unless back at 10% or under."
            in in_team
        )
        stage.play_until(at("2026-03-27 15:59"))
        assert mode(stage) is Mode.AI_LED
        stage.play_until(at("2026-03-27 16:00"))
        assert mode(stage) is Mode.COLLABORATIVE
        last = verdicts(stage)[-1]
        assert (last.line, last.closing, last.exceptions, last.attested, last.assumed) == (
            Line.CAP,
            True,
            5,
            40,
            0,
        )
        [(closing, _)] = alerts(stage, "Send the edited reply is now collaborative")
        assert "Over the cap when the cycle closed, with at least 20 runs." in closing
        [(ended, _)] = alerts(stage, "No longer watched: Send the edited reply was demoted to collaborative")
        assert "Watched Thu 26 Mar 12:00 to Fri 27 Mar 16:00: 5 exceptions in 40 reported runs" in ended


def test_a_watched_step_that_gets_back_under_its_cap_keeps_its_mode(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:
        attest(stage, 40)
        log(stage, 5)
        stage.play_until(at("2026-03-06 12:00"))
        attest(stage, 70)
        [(ended, for_curators)] = alerts(
            stage, "Back under the cap: Send the edited reply, 5 exceptions in 70"
        )
        assert ended == for_curators
        assert "Watched Thu 5 Mar 12:00 to Fri 6 Mar 12:00: 5 exceptions in 40 reported runs" in ended
        [post] = [one for one in posts(stage, SOLO_CHANNEL) if "Back under" in one.text]
        assert post.buttons == ["Why"]
        assert "5 exceptions in 70 reported runs, 7% (cap 10%)" in why(stage)
        stage.play_until(at("2026-03-27 16:00"))
        assert mode(stage) is Mode.AI_LED
        assert verdicts(stage)[-1].decision is Decision.HOLD


def test_a_watch_is_judged_again_when_a_new_weeks_estimated_runs_count(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:
        attest(stage, 40)
        log(stage, 5)
        stage.play_until(at("2026-03-08 23:59"))
        assert len(alerts(stage, "Over the cap: Send the edited reply")) == 1
        stage.play_until(at("2026-03-09 00:00"))
        now = "5 exceptions in 40 reported runs (+40 estimated), 6% (cap 10%)"
        [(ended, for_curators)] = alerts(stage, f"Back under the cap: Send the edited reply, {now}")
        assert ended == for_curators
        assert "Watched Thu 5 Mar 12:00 to Mon 9 Mar 00:00: 5 exceptions in 40 reported runs" in ended
        person = stage.workspace.person(MEMBER)
        assert now in person.types("/cadence status", channel=SOLO_CHANNEL).words
        told = why(stage)
        assert "Mon 9 Mar 00:00: hold*, after a week began" in told
        assert now in told
        log(stage, 4)
        assert mode(stage) is Mode.AI_LED
        assert len(alerts(stage, "Over the cap: Send the edited reply, 9 exceptions in 40 reported")) == 1
        stage.play_until(at("2026-03-16 12:00"))
        assert len([row for row in verdicts(stage) if row.cause.startswith("week:")]) == 2


def test_a_watch_that_goes_on_shows_the_numbers_of_the_new_week(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:
        attest(stage, 9)
        log(stage, 2)
        stage.play_until(at("2026-03-09 00:00"))
        now = "2 exceptions in 9 reported runs (+9 estimated)"
        [(in_team, for_curators)] = alerts(stage, f"Over the cap: Send the edited reply, {now}")
        assert in_team == for_curators
        assert "Demoted at 4 exceptions with these runs" in in_team


def test_the_strict_rule_demotes_at_five(tmp_path: Path) -> None:
    with seed_playbook(tmp_path, ("scale_rule:", "rule: strict\nscale_rule:")) as stage:
        attest(stage, 40)
        log(stage, 4)
        assert mode(stage) is Mode.AI_LED
        log(stage, 1)
        assert mode(stage) is Mode.COLLABORATIVE
        assert verdicts(stage)[-1].line is Line.CAP
        [(in_team, _)] = alerts(stage, "Send the edited reply is now")
        assert "Over the cap with at least 20 runs: the strict rule demotes at any time." in in_team
        assert "at least 20 runs and a ratio over the cap, at any time: *yes*" in why(stage)


def test_the_evidence_rule_never_demotes_at_the_cap(tmp_path: Path) -> None:
    with seed_playbook(tmp_path, ("scale_rule:", "rule: evidence\nscale_rule:")) as stage:
        attest(stage, 40)
        log(stage, 5)
        [(in_team, _)] = alerts(stage, "Over the cap: Send the edited reply")
        assert "Demoted at 7 exceptions with these runs." in in_team
        assert "at the close" not in in_team
        for day in ("2026-03-12", "2026-03-19", "2026-03-26"):
            stage.play_until(at(f"{day} 12:00"))
            attest(stage, 0)
        stage.play_until(at("2026-03-27 17:00"))
        assert mode(stage) is Mode.AI_LED
        assert len(alerts(stage, "No longer watched: the cycle closed with Send the edited reply over")) == 1


def test_ten_runs_and_two_are_watched_three_demote(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:
        attest(stage, 10)
        log(stage, 2)
        assert mode(stage) is Mode.AI_LED
        [(in_team, _)] = alerts(
            stage, "Over the cap: Send the edited reply, 2 exceptions in 10 reported runs (cap 10%"
        )
        assert "Demoted at 3 exceptions" in in_team
        log(stage, 1)
        assert mode(stage) is Mode.COLLABORATIVE
        assert verdicts(stage)[-1].line is Line.EVIDENCE


def test_one_critical_exception_demotes_at_once(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:
        log(stage, 1, "critical promised a refund")
        assert mode(stage) is Mode.COLLABORATIVE
        [(in_team, for_curators)] = alerts(stage, "Send the edited reply is now collaborative")
        assert in_team == for_curators
        assert "A critical exception demotes at once." in in_team
        assert "“promised a refund”" in in_team
        [change] = [row for row in rows(stage, ModeChange) if row.kind == "demotion"]
        assert change.reason == "critical: 1 exception, no runs reported yet (+40 estimated)"
        assert "Reason: critical: 1 exception, no runs reported yet (+40 estimated)" in why(stage)


def test_an_open_check_in_and_the_weeks_post_follow_a_change_of_mode(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:

        def shown() -> tuple[str, str]:
            stage.tick()
            [opening] = [one for one in posts(stage, SOLO_CHANNEL) if "week 1 of 4" in one.text]
            return bot_dms(stage, MEMBER)[-1].words, opening.words

        assert all("Send the edited reply _AI-led_" in words for words in shown())
        log(stage, 1, "critical promised a refund")
        check_in, opening = shown()
        assert "Send the edited reply _collaborative_" in check_in
        assert "1 exception logged" in check_in
        assert "Send the edited reply _collaborative_" in opening
        says(stage.workspace.person(MEMBER), "/exception undo", channel=SOLO_CHANNEL)
        check_in, opening = shown()
        assert "Send the edited reply _AI-led_" in check_in
        assert "Send the edited reply _AI-led_" in opening
        says(stage.workspace.person(OWNER), "/cadence mode support-reply send human-led nobody trusts it")
        assert all("Send the edited reply _human-led_" in words for words in shown())


def test_a_critical_exception_on_a_step_that_people_lead_says_so(tmp_path: Path) -> None:
    with seed_playbook(
        tmp_path, ("mode: collaborative", "mode: human-led"), ("fallback: human-led\n", "\n")
    ) as stage:
        attest(stage, 40)
        person = stage.workspace.person(MEMBER)
        said = says(person, "/exception draft critical it quoted a price", channel=SOLO_CHANNEL)
        stage.tick()
        assert "people lead this step already, so it can't be demoted further" in said
        assert "is demoted at" not in said
        [(in_team, for_curators)] = alerts(
            stage, "Critical exception on Draft three replies: 1 exception in 40 reported runs"
        )
        assert in_team == for_curators
        assert "“it quoted a price”" in in_team
        assert "People lead this step already" in in_team
        assert "Over the cap" not in in_team


@pytest.mark.parametrize(("expected_runs", "ratio"), [(40, ", 5% (cap 10%)"), (5, ", cap 10%")])
def test_two_on_a_monday_demote_nothing_and_why_says_what_is_assumed(
    tmp_path: Path, expected_runs: int, ratio: str
) -> None:
    playbook = changed(
        EXAMPLES / "support-reply.yaml",
        tmp_path,
        ("exception_cap: 0.05", "exception_cap: 0.10"),
        ("pilot: support-emea", "pilot: solo"),
        ("runs_per_week: 40", f"runs_per_week: {expected_runs}"),
    )
    with on_stage(tmp_path, workspace=DESK, playbooks=[playbook]) as stage:
        start_cycle(stage, "support-reply", team="solo")
        stage.play_until(at("2026-03-02 11:00"))
        log(stage, 2)
        assert mode(stage) is Mode.AI_LED
        assert f"N = 0 reported + {expected_runs} estimated" in why(stage)
        assert f"2 exceptions, no runs reported yet (+{expected_runs} estimated){ratio}" in why(stage)


def test_why_shows_the_arithmetic(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:
        attest(stage, 40)
        log(stage, 7)
        told = why(stage)
        for line in (
            "Send the edited reply is collaborative",
            "Thu 5 Mar 12:00: demote*, after an exception",
            "7 exceptions in 40 reported runs, 18% (cap 10%), since Mon 2 Mar.",
            "N = 40 reported + 0 estimated",
            "P(rate above 10%) = 93.4%, from Beta(7 + ½, 33 + ½).",
            "Rule: balanced.",
            "1. a critical exception demotes at once: no",
            "2. at least 2 exceptions, and 90% likely above the cap: *yes*",
            "3. at least 20 runs and a ratio over the cap, when the cycle closes: not looked at before the close",
            "With these runs line 2 demotes at 7 exceptions.",
        ):
            assert line in told


def test_a_watch_is_told_once_and_the_owners_answer_is_kept(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:
        attest(stage, 40)
        log(stage, 6)
        assert len(alerts(stage, "Over the cap:")) == 1
        [alert] = [message for message in posts(stage, SOLO_CHANNEL) if "Over the cap" in message.text]
        assert f"<@{OWNER}>, what will change?" in alert.words

        member = stage.workspace.person(MEMBER)
        refused = member.clicks(alert, "Say what changes")
        assert refused.view is None
        assert f"Only the owner (<@{OWNER}>) or a curator may" in refused.words

        curator = stage.workspace.person("U01CURATOR")
        [for_curators] = [message for message in posts(stage, CURATORS) if "Over the cap" in message.text]
        curator.clicks(for_curators, "Say what changes")
        curator.submits({"note": "A person reads each refund <now>"})
        stage.tick()
        [entry] = entries(stage, "watch-answered")
        assert (entry.member, entry.after) == ("U01CURATOR", "A person reads each refund <now>")
        for told in alerts(stage, "Over the cap:")[0]:
            assert "*What changes*, from <@U01CURATOR>: A person reads each refund &lt;now&gt;" in told
        assert len([post for post in posts(stage, SOLO_CHANNEL) if "Over the cap" in post.text]) == 1


def test_an_exception_sent_again_counts_once(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:
        attest(stage, 40)
        log(stage, 1)
        [sent] = [one.request for one in stage.workspace.exchanges() if one.what == "/exception"]
        again = stage.workspace.deliver("slash_commands", sent)
        assert "Exception logged" in str(again.json["text"])
        assert verdicts(stage)[-1].exceptions == 1
        assert len(entries(stage, "exception")) == 1
