"""A step is demoted by evidence, at the cap, or at once; and every reader sees why (SPEC §5).

The seed's playbook at a cap of 10%, run by a team of one, so that N is what that member attests.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision, Line
from storage.tables import AdoptionStep, ModeChange, StepVerdict
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
    says,
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
    assert "checked in" in said.text, said.words
    return said


def log(harness: BotHarness, count: int, reason: str = "tone was off") -> str:
    for _ in range(count):
        said = says(harness.workspace.person(MEMBER), f"/exception send {reason}", channel=SOLO_CHANNEL)
        harness.tick()
    assert "xception logged" in said, said
    return said


def mode(harness: BotHarness) -> Mode:
    return next(row.mode for row in rows(harness, AdoptionStep) if row.step == "send")


def verdicts(harness: BotHarness) -> list[StepVerdict]:
    return [row for row in rows(harness, StepVerdict) if row.step == "send"]


def why(harness: BotHarness) -> str:
    return (
        harness.workspace.person(MEMBER).types("/cadence why support-reply send", channel=SOLO_CHANNEL).words
    )


def math(harness: BotHarness) -> str:
    member = harness.workspace.person(MEMBER)
    answer = member.types("/cadence why support-reply send", channel=SOLO_CHANNEL)
    assert answer.message is not None
    member.clicks(answer.message, "Show the math")
    return member.form().words


def alerts(harness: BotHarness, start: str) -> list[tuple[str, str]]:
    """The alerts that begin with these words: in the team's channel, and in the curators'."""
    team, curators = (
        [message.words for message in posts(harness, channel) if message.text.startswith(start)]
        for channel in (SOLO_CHANNEL, CURATORS)
    )
    return list(zip(team, curators, strict=True))


def test_seven_in_forty_demote_by_evidence(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 40)
        log(harness, 6)
        assert mode(harness) is Mode.AI_LED
        said = log(harness, 1)

        assert mode(harness) is Mode.COLLABORATIVE
        last = verdicts(harness)[-1]
        assert (last.decision, last.line) == (Decision.DEMOTE, Line.EVIDENCE)
        assert (last.exceptions, last.attested, last.assumed) == (7, 40, 0)
        assert "“Send the edited reply” is now collaborative" in said
        [(in_team, for_curators)] = alerts(harness, "Demoted: “Send the edited reply” is now collaborative")
        assert in_team == for_curators
        assert "7 in 40 reported runs" in in_team
        assert "18% / 10%" in in_team
        assert "stimated" not in in_team
        assert "very likely over the cap (93%), demotes at 90%" in in_team
        assert "tone was off (7)" in in_team
        assert f"*Next, <@{OWNER}>:* update the rubric" in in_team


def test_a_demotion_is_read_everywhere_at_once_and_the_count_starts_again(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        open_before = harness.workspace.person(MEMBER).last_dm()
        assert "*Send the edited reply*\n🤖 AI-led" in open_before.words
        attest(harness, 40)
        log(harness, 7)
        [change] = [row for row in rows(harness, ModeChange) if row.kind == "demotion"]
        assert (change.before, change.after, change.member) == (Mode.AI_LED, Mode.COLLABORATIVE, None)

        status = harness.workspace.person(MEMBER).types("/cadence status", channel=SOLO_CHANNEL).words
        assert (
            "Send the edited reply\ncollaborative\nno runs reported since counters were reset\n10%" in status
        )
        shown = harness.workspace.person(MEMBER).types("/cadence cycle show", channel=SOLO_CHANNEL).words
        assert "\nSend the edited reply\n🤝 Collaborative" in shown
        harness.play_until(at("2026-03-12 10:00"))
        assert "*Send the edited reply*\n🤝 Collaborative" in bot_dms(harness, MEMBER)[-1].words
        assert "Still within the cap" in log(harness, 1)


def test_runs_assumed_after_a_demotion_are_not_said_to_wait_for_check_ins(tmp_path: Path) -> None:
    with seed_playbook(tmp_path, then=seven_in_forty) as harness:
        said = log(harness, 1)
        assert "1 exception, no runs reported since counters were reset (+40 estimated), 3% (cap 10%)" in said
        assert "40 runs estimated for check-ins from before counters were reset" in said
        assert "aren't in" not in said
        harness.play_until(at("2026-03-10 12:00"))
        said = log(harness, 1)
        assert "(+80 estimated)" in said
        assert "check-ins that aren't in yet or came before counters were reset" in said
        attest(harness, 30)
        assert "in 30 reported runs" in log(harness, 1)


def test_five_in_forty_are_watched_and_demoted_when_the_cycle_closes(tmp_path: Path) -> None:
    with seed_playbook(tmp_path, then=AllInWeekOne(40)) as harness:
        said = log(harness, 5)
        assert "is over its cap" in said
        assert "2 more exceptions would demote it." in said
        [(in_team, for_curators)] = alerts(harness, "“Send the edited reply” is over its cap")
        assert in_team == for_curators
        assert "5 in 40 reported runs" in in_team
        assert "13% / 10%" in in_team
        assert "*Would demote at*\n7 exceptions" in in_team
        assert "*Or on*\nFri 27 Mar, if still over" in in_team
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
        [(closing, _)] = alerts(harness, "Demoted: “Send the edited reply” is now collaborative")
        assert "over the cap at the cycle's close, with at least 20 runs" in closing
        [(ended, _)] = alerts(harness, "Watch ended: “Send the edited reply”")
        assert "🔴" not in ended, "only the demotion is red"
        assert (
            "Watched since Thu 26 Mar 12:00, until it was demoted to collaborative, Fri 27 Mar 16:00."
            in ended
        )


def test_a_watched_step_that_gets_back_under_its_cap_keeps_its_mode(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 40)
        log(harness, 5)
        harness.play_until(at("2026-03-06 12:00"))
        attest(harness, 70)
        [(ended, for_curators)] = alerts(harness, "Back under its cap: “Send the edited reply”")
        assert ended == for_curators
        assert "*Exceptions*\n5 in 70 reported runs" in ended
        assert "*Watched since*\nThu 5 Mar 12:00\n*Ended*\nFri 6 Mar 12:00" in ended
        assert "*While over the cap*\n5 in 40 reported runs" in ended
        [post] = [one for one in posts(harness, SOLO_CHANNEL) if "Back under" in one.text]
        assert post.buttons == ["Why"]
        assert "5 exceptions in 70 reported runs, 7% (cap 10%)" in why(harness)
        harness.play_until(at("2026-03-27 16:00"))
        assert mode(harness) is Mode.AI_LED
        assert verdicts(harness)[-1].decision is Decision.HOLD


def test_a_watch_is_judged_again_when_a_new_weeks_estimated_runs_count(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 40)
        log(harness, 5)
        harness.play_until(at("2026-03-08 23:59"))
        assert len(alerts(harness, "“Send the edited reply” is over its cap")) == 1
        harness.play_until(at("2026-03-09 00:00"))
        now = "5 exceptions in 40 reported runs (+40 estimated), 6% (cap 10%)"
        [(ended, for_curators)] = alerts(harness, "Back under its cap: “Send the edited reply”")
        assert ended == for_curators
        assert "*Exceptions*\n5 in 40 reported runs (+40 estimated)\n*Rate / cap*\n6% / 10%" in ended
        assert "*Watched since*\nThu 5 Mar 12:00\n*Ended*\nMon 9 Mar 00:00" in ended
        assert "*While over the cap*\n5 in 40 reported runs" in ended
        person = harness.workspace.person(MEMBER)
        in_table = "\n5 in 40 reported runs (+40 estimated), 6%\n10%"
        assert in_table in person.types("/cadence status", channel=SOLO_CHANNEL).words
        told = why(harness)
        assert f"On track Mon 9 Mar 00:00: {now}" in told
        assert "Mon 9 Mar 00:00\n5\n80\n6%" in told
        log(harness, 4)
        assert mode(harness) is Mode.AI_LED
        [(again, _)] = alerts(harness, "“Send the edited reply” is over its cap")
        assert "9 in 40 reported runs" in again
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
        said = person.types("/cadence status", channel=SOLO_CHANNEL).words
        assert "\n1 in 40 reported runs (+40 estimated), 1%\n10%" in said, said
        said = person.types("/cadence cycle show", channel=SOLO_CHANNEL).words
        assert "\n1 in 40 reported runs (+40 estimated)\n1% / 10%" in said, said
        person.opens_home()
        assert "🟢 2 on track" in person.home().words


def test_a_watch_that_goes_on_shows_the_numbers_of_the_new_week(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 9)
        log(harness, 2)
        harness.play_until(at("2026-03-09 00:00"))
        [(in_team, for_curators)] = alerts(harness, "“Send the edited reply” is over its cap")
        assert in_team == for_curators
        assert "2 in 9 reported runs (+9 estimated)" in in_team
        assert "*Would demote at*\n4 exceptions" in in_team


def test_the_strict_rule_demotes_at_five(tmp_path: Path) -> None:
    with seed_playbook(tmp_path, ("scale_rule:", "rule: strict\nscale_rule:")) as harness:
        attest(harness, 40)
        log(harness, 4)
        assert mode(harness) is Mode.AI_LED
        log(harness, 1)
        assert mode(harness) is Mode.COLLABORATIVE
        assert verdicts(harness)[-1].line is Line.CAP
        [(in_team, _)] = alerts(harness, "Demoted: “Send the edited reply”")
        assert "*Rule*\nover the cap, with at least 20 runs" in in_team
        assert "✓ *Met:* over the cap, with at least 20 runs (5 in 40, 13%, cap 10%) ← decided" in why(
            harness
        )


def test_the_evidence_rule_never_demotes_at_the_cap(tmp_path: Path) -> None:
    with seed_playbook(tmp_path, ("scale_rule:", "rule: evidence\nscale_rule:")) as harness:
        attest(harness, 40)
        log(harness, 5)
        [(in_team, _)] = alerts(harness, "“Send the edited reply” is over its cap")
        assert "*Would demote at*\n7 exceptions" in in_team
        assert "if still over" not in in_team
        for day in ("2026-03-12", "2026-03-19", "2026-03-26"):
            harness.play_until(at(f"{day} 12:00"))
            attest(harness, 0)
        harness.play_until(at("2026-03-27 17:00"))
        assert mode(harness) is Mode.AI_LED
        ended = "Watch ended: the cycle closed with “Send the edited reply” over its cap"
        assert len(alerts(harness, ended)) == 1


def test_ten_runs_and_two_are_watched_three_demote(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 10)
        log(harness, 2)
        assert mode(harness) is Mode.AI_LED
        [(in_team, _)] = alerts(harness, "“Send the edited reply” is over its cap")
        assert "*Exceptions*\n2 in 10 reported runs\n*Cap*\n10%" in in_team
        assert "*Would demote at*\n3 exceptions" in in_team
        log(harness, 1)
        assert mode(harness) is Mode.COLLABORATIVE
        assert verdicts(harness)[-1].line is Line.EVIDENCE


def test_one_critical_exception_demotes_at_once(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        log(harness, 1, "critical promised a refund")
        assert mode(harness) is Mode.COLLABORATIVE
        [(in_team, for_curators)] = alerts(harness, "Demoted: “Send the edited reply” is now collaborative")
        assert in_team == for_curators
        assert "a critical exception demotes right away" in in_team
        assert "*What happened*\n&gt; promised a refund" in in_team
        [change] = [row for row in rows(harness, ModeChange) if row.kind == "demotion"]
        assert change.reason == "critical: 1 exception, no runs reported yet (+40 estimated)"
        told = why(harness)
        assert (
            "1 exception, no runs reported yet (+40 estimated), 3% (cap 10%), with a critical exception"
            in told
        )
        assert "✓ *Met:* a critical exception (1 logged) ← decided" in told


def test_an_open_check_in_and_the_weeks_post_follow_a_change_of_mode(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:

        def shown() -> tuple[str, str]:
            harness.tick()
            [opening] = [one for one in posts(harness, SOLO_CHANNEL) if "week 1: " in one.text]
            return bot_dms(harness, MEMBER)[-1].words, opening.words

        assert all("*Send the edited reply*\n🤖 AI-led" in words for words in shown())
        log(harness, 1, "critical promised a refund")
        check_in, opening = shown()
        assert "*Send the edited reply*\n🤝 Collaborative" in check_in
        assert "1 exception this week" in check_in
        assert "*Send the edited reply*\n🤝 Collaborative" in opening
        says(harness.workspace.person(MEMBER), "/exception undo", channel=SOLO_CHANNEL)
        check_in, opening = shown()
        assert "*Send the edited reply*\n🤖 AI-led" in check_in
        assert "*Send the edited reply*\n🤖 AI-led" in opening
        says(harness.workspace.person(OWNER), "/cadence mode support-reply send human-led nobody trusts it")
        assert all("*Send the edited reply*\n🧑 Human-led" in words for words in shown())


def test_a_critical_exception_on_a_step_that_people_lead_says_so(tmp_path: Path) -> None:
    with seed_playbook(
        tmp_path, ("mode: collaborative", "mode: human-led"), ("fallback: human-led\n", "\n")
    ) as harness:
        attest(harness, 40)
        person = harness.workspace.person(MEMBER)
        said = says(person, "/exception draft critical it quoted a price", channel=SOLO_CHANNEL)
        harness.tick()
        assert "People already lead this step, so it can't be demoted further" in said
        assert "would demote" not in said
        [(in_team, for_curators)] = alerts(harness, "Critical exception: “Draft three replies”")
        assert in_team == for_curators
        assert "1 in 40 reported runs" in in_team
        assert "&gt; it quoted a price" in in_team
        assert "People already lead this step" in in_team
        assert "over its cap" not in in_team


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
    with bot_harness(tmp_path, workspace=DESK, playbooks=[playbook]) as harness:
        start_cycle(harness, "support-reply", team="solo")
        harness.play_until(at("2026-03-02 11:00"))
        log(harness, 2)
        assert mode(harness) is Mode.AI_LED
        assert f"0 reported + {expected_runs} estimated" in math(harness)
        assert f"2 exceptions, no runs reported yet (+{expected_runs} estimated){ratio}" in why(harness)
        assert "at least 90% likely over the cap, from 3 exceptions on" in why(harness)


def test_why_shows_the_arithmetic(tmp_path: Path) -> None:
    with seed_playbook(tmp_path, then=seven_in_forty) as harness:
        told, shown = why(harness), math(harness)
        for line in (
            "Why “Send the edited reply” is collaborative",
            "Demoted to collaborative Thu 5 Mar 12:00: 7 exceptions in 40 reported runs, 18% (cap 10%), "
            "very likely over the cap (93%).",
            "✗ *Not met:* a critical exception (none logged)",
            "✓ *Met:* at least 90% likely over the cap, from 2 exceptions on (93% with 7) ← decided",
            "– *Not checked yet:* over the cap at the cycle's close, with at least 20 runs",
        ):
            assert line in told
        assert "Beta(" not in told
        for line in (
            "Mon 2 Mar",
            "40 reported + 0 estimated",
            "Beta(7 + ½, 33 + ½)",
            "P(rate above 10%) = 93.4%, demotes at 90% with at least 2 exceptions",
            "With 40 runs, 7 exceptions would reach 90%.",
        ):
            assert line in shown


def test_why_collapses_weeks_that_changed_nothing(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 40)
        log(harness, 1)
        for day in ("2026-03-12", "2026-03-19"):
            harness.play_until(at(f"{day} 12:00"))
            attest(harness, 40)
        assert len([row for row in verdicts(harness) if row.cause.startswith("week:")]) == 2
        told = why(harness)
        assert f"on track, {len(verdicts(harness))} times" in told
        assert "5 Mar – 19 Mar" in told


def test_a_watch_is_announced_once_and_the_owners_answer_is_kept(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 40)
        log(harness, 6)
        over = "“Send the edited reply” is over its cap"
        assert len(alerts(harness, over)) == 1
        [alert] = [message for message in posts(harness, SOLO_CHANNEL) if over in message.text]
        assert f"<@{OWNER}>, what's the plan?" in alert.words

        member = harness.workspace.person(MEMBER)
        refused = member.clicks(alert, "Add a plan")
        assert refused.view is None
        assert f"Only the owner (<@{OWNER}>) or a curator can" in refused.words

        curator = harness.workspace.person("U01CURATOR")
        [for_curators] = [message for message in posts(harness, CURATORS) if over in message.text]
        curator.clicks(for_curators, "Add a plan")
        curator.submits({"note": "A person reads each refund <now>"})
        harness.tick()
        [entry] = entries(harness, "watch-answered")
        assert (entry.member, entry.after) == ("U01CURATOR", "A person reads each refund <now>")
        for told in alerts(harness, over)[0]:
            assert "*The plan*, by <@U01CURATOR>\n&gt; A person reads each refund &lt;now&gt;" in told
        assert len([post for post in posts(harness, SOLO_CHANNEL) if over in post.text]) == 1


def test_an_exception_sent_again_counts_once(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 40)
        log(harness, 1)
        [sent] = [one.request for one in harness.workspace.exchanges() if one.what == "/exception"]
        again = harness.workspace.deliver("slash_commands", sent)
        assert "Exception logged" in str(again.json["text"])
        assert verdicts(harness)[-1].exceptions == 1
        assert len(entries(harness, "exception")) == 1
