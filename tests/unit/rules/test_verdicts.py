"""The decision on a step: both sides of every boundary, and invariants for any counts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadence.rules.modes import LADDER, Mode
from cadence.rules.verdicts import (
    SILENT_EXCEPTIONS,
    Decision,
    Line,
    Policy,
    Rule,
    StepEvidence,
    Verdict,
    judge_step,
)

CAP = 0.10
SEVERITY = {Decision.HOLD: 0, Decision.WATCH: 1, Decision.DEMOTE: 2}
DEMOTE, WATCH, HOLD = Decision.DEMOTE, Decision.WATCH, Decision.HOLD


def judged(
    exceptions: int,
    *,
    attested: int = 0,
    assumed: int = 0,
    measured: int = 0,
    critical: int = 0,
    closing: bool = False,
    rule: Rule = Rule.BALANCED,
    cap: float = CAP,
    mode: Mode = Mode.AI_LED,
    fallback: Mode = Mode.COLLABORATIVE,
) -> Verdict:
    return judge_step(
        evidence=StepEvidence(exceptions, critical, attested, assumed, closing, measured),
        policy=Policy(cap=cap, rule=rule),
        mode=mode,
        fallback=fallback,
    )


@pytest.mark.parametrize("rule", [Rule.BALANCED, Rule.EVIDENCE])
@pytest.mark.parametrize(("runs", "count"), [(5, 2), (10, 3), (20, 4), (30, 6), (40, 7), (60, 10)])
def test_the_evidence_line_on_both_sides_of_each_boundary(runs: int, count: int, rule: Rule) -> None:
    from scipy.stats import beta  # slow to import

    below, at = judged(count - 1, attested=runs, rule=rule), judged(count, attested=runs, rule=rule)
    assert below.decision is (WATCH if (count - 1) / runs > CAP else HOLD)
    assert (below.line, below.lands_on, below.demote_at) == (Line.NONE, None, count)
    assert (at.decision, at.line, at.lands_on) == (DEMOTE, Line.EVIDENCE, Mode.COLLABORATIVE)
    assert at.probability == pytest.approx(beta(count + 0.5, runs - count + 0.5).sf(CAP))
    assert at.ratio == count / runs


@pytest.mark.parametrize(
    ("verdict", "decision", "line"),
    [
        (judged(7, attested=40), DEMOTE, Line.EVIDENCE),
        (judged(5, attested=40), WATCH, Line.NONE),
        (judged(5, attested=40, closing=True), DEMOTE, Line.CAP),
        (judged(5, attested=40, rule=Rule.STRICT), DEMOTE, Line.CAP),
        (judged(5, attested=40, rule=Rule.EVIDENCE, closing=True), WATCH, Line.NONE),
        (judged(4, attested=40, closing=True), HOLD, Line.NONE),  # exactly the cap is within it
        (judged(4, attested=40, rule=Rule.STRICT), HOLD, Line.NONE),
        (judged(2, attested=10), WATCH, Line.NONE),
        (judged(3, attested=10), DEMOTE, Line.EVIDENCE),
        (judged(2, attested=19, closing=True), WATCH, Line.NONE),  # too few runs for the cap line
        (judged(3, attested=20, closing=True), DEMOTE, Line.CAP),
        (judged(3, attested=19, rule=Rule.STRICT), WATCH, Line.NONE),
        (judged(1, attested=40, critical=1), DEMOTE, Line.CRITICAL),
        (judged(1, assumed=40, critical=1), DEMOTE, Line.CRITICAL),
        (judged(1, attested=1), WATCH, Line.NONE),  # one exception alone never demotes
        (judged(0, attested=40), HOLD, Line.NONE),
        (judged(0), HOLD, Line.NONE),
        (judged(5, attested=30, assumed=10), WATCH, Line.NONE),
        (judged(7, attested=30, assumed=10), DEMOTE, Line.EVIDENCE),
        (judged(3, assumed=10), DEMOTE, Line.EVIDENCE),  # three count even before anybody has answered
        (judged(7, measured=40), DEMOTE, Line.EVIDENCE),
        (judged(5, measured=30, attested=4, assumed=6), WATCH, Line.NONE),
        (judged(2, measured=5), DEMOTE, Line.EVIDENCE),  # measured runs are known ones: two exceptions decide
        (judged(5, measured=40, rule=Rule.STRICT), DEMOTE, Line.CAP),
        (judged(3, measured=20, closing=True), DEMOTE, Line.CAP),
        (judged(5, assumed=40, closing=True), DEMOTE, Line.CAP),  # at the close the missing count as typical
    ],
)
def test_the_three_lines_of_the_rule(verdict: Verdict, decision: Decision, line: Line) -> None:
    assert (verdict.decision, verdict.line) == (decision, line)


def test_a_watch_names_the_count_at_which_it_would_demote() -> None:
    watch = judged(5, attested=30, assumed=10)
    assert (watch.decision, watch.demote_at, watch.ratio) == (WATCH, 7, 0.125)
    assert (watch.evidence.attested, watch.evidence.assumed, watch.evidence.runs) == (30, 10, 40)


@pytest.mark.parametrize("mode", LADDER)
@pytest.mark.parametrize("rule", Rule)
def test_two_exceptions_with_nothing_attested_demote_nothing(rule: Rule, mode: Mode) -> None:
    for assumed in range(200):
        for cap in (0.0, 0.01, CAP, 0.5):
            verdict = judged(2, assumed=assumed, rule=rule, cap=cap, mode=mode)
            assert verdict.decision is not DEMOTE, (assumed, cap)
            assert verdict.demote_at != 2
    assert judged(2, critical=1, assumed=40, rule=rule).decision is DEMOTE


@pytest.mark.parametrize("critical", [0, 1])
@pytest.mark.parametrize("rule", Rule)
@pytest.mark.parametrize("fallback", LADDER)
def test_a_step_that_people_lead_is_watched_and_never_demoted(
    fallback: Mode, rule: Rule, critical: int
) -> None:
    verdict = judged(
        30,
        critical=critical,
        attested=40,
        closing=True,
        rule=rule,
        mode=Mode.HUMAN_LED,
        fallback=fallback,
    )
    assert (verdict.decision, verdict.lands_on) == (WATCH, None)
    assert verdict.line is (Line.CRITICAL if critical else Line.EVIDENCE)


def test_more_exceptions_than_runs_are_runs_themselves() -> None:
    verdict = judged(9, attested=4, assumed=1)
    assert verdict.evidence.runs == 9
    assert (verdict.ratio, verdict.decision) == (1.0, DEMOTE)


policies = st.builds(
    Policy,
    cap=st.floats(0, 1, allow_nan=False),
    rule=st.sampled_from(Rule),
    min_runs=st.integers(1, 60),
    confidence=st.floats(0.5, 0.999),
    min_exceptions=st.integers(1, 5),
)
evidences = st.builds(
    StepEvidence,
    exceptions=st.integers(0, 120),
    critical=st.sampled_from([0, 0, 0, 1, 2]),
    attested=st.integers(0, 120),
    assumed=st.integers(0, 120),
    closing=st.booleans(),
    measured=st.sampled_from([0, 0, 1, 7, 40, 120]),
).filter(lambda one: one.critical <= one.exceptions)
modes = st.sampled_from(LADDER)


@given(evidence=evidences, policy=policies, mode=modes, fallback=modes)
def test_any_counts_can_be_judged_and_judging_twice_is_equal(
    evidence: StepEvidence, policy: Policy, mode: Mode, fallback: Mode
) -> None:
    verdict = judge_step(evidence=evidence, policy=policy, mode=mode, fallback=fallback)
    assert verdict == judge_step(evidence=evidence, policy=policy, mode=mode, fallback=fallback)
    assert 0 <= verdict.ratio <= 1
    assert 0 <= verdict.probability <= 1
    assert (verdict.decision is DEMOTE) == (verdict.lands_on is not None)
    assert (verdict.decision is HOLD) == (verdict.line is Line.NONE and verdict.ratio <= policy.cap)


@given(evidence=evidences, policy=policies, mode=modes, fallback=modes)
def test_one_more_exception_never_makes_it_better(
    evidence: StepEvidence, policy: Policy, mode: Mode, fallback: Mode
) -> None:
    more = replace(evidence, exceptions=evidence.exceptions + 1)
    now = judge_step(evidence=evidence, policy=policy, mode=mode, fallback=fallback)
    then = judge_step(evidence=more, policy=policy, mode=mode, fallback=fallback)
    assert SEVERITY[then.decision] >= SEVERITY[now.decision]
    assert then.ratio >= now.ratio


@given(evidence=evidences, policy=policies)
def test_demote_at_is_the_first_count_at_which_the_evidence_line_decides(
    evidence: StepEvidence, policy: Policy
) -> None:
    plain = replace(evidence, critical=0)
    silent = not (plain.known or plain.closing)
    known = max(plain.counted, policy.min_exceptions, SILENT_EXCEPTIONS if silent else 0)
    named = judge_step(evidence=plain, policy=policy, mode=Mode.AI_LED, fallback=Mode.HUMAN_LED).demote_at
    lines = {
        count: judge_step(
            evidence=replace(plain, exceptions=count),
            policy=policy,
            mode=Mode.AI_LED,
            fallback=Mode.HUMAN_LED,
        ).line
        for count in range(known + 1)
    }
    first = next((count for count, line in lines.items() if line is Line.EVIDENCE), None)
    assert named == first


@given(evidence=evidences, policy=policies, mode=modes)
def test_fewer_runs_than_the_rule_asks_for_never_demote_by_the_cap(
    evidence: StepEvidence, policy: Policy, mode: Mode
) -> None:
    verdict = judge_step(evidence=evidence, policy=policy, mode=mode, fallback=Mode.HUMAN_LED)
    if verdict.line is Line.CAP:
        assert evidence.runs >= policy.min_runs
        assert policy.rule is not Rule.EVIDENCE
        assert evidence.closing or policy.rule is Rule.STRICT
        assert verdict.ratio > policy.cap


@given(evidence=evidences, mode=modes)
def test_below_twenty_runs_the_usual_cap_line_is_silent(evidence: StepEvidence, mode: Mode) -> None:
    few = replace(
        evidence,
        exceptions=evidence.exceptions % 20,
        attested=evidence.attested % 10,
        assumed=evidence.assumed % 10,
        measured=0,
        critical=0,
    )
    for rule in Rule:
        verdict = judge_step(evidence=few, policy=Policy(CAP, rule), mode=mode, fallback=mode)
        assert verdict.line is not Line.CAP
