"""The decision on a step: demote, watch or hold, with every number behind it (SPEC §5)."""

from dataclasses import dataclass
from enum import StrEnum

from cadence.rules.evidence import demotion_count, probability_above, runs_of
from cadence.rules.modes import Mode, landing


class Decision(StrEnum):
    """The decision on a step."""

    DEMOTE = "demote"
    WATCH = "watch"
    HOLD = "hold"


class Rule(StrEnum):
    """Which lines of the demotion rule a workspace or an adoption uses."""

    BALANCED = "balanced"
    STRICT = "strict"
    EVIDENCE = "evidence"


class Line(StrEnum):
    """The line of the rule that decided."""

    CRITICAL = "critical"
    EVIDENCE = "evidence"
    CAP = "cap"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Policy:
    """The thresholds a step is judged by.

    Args:
        cap: the highest exception ratio the step may have, 0 to 1.
        rule: which lines apply.
        min_runs: the fewest runs for which the cap line decides.
        confidence: the posterior probability from which the evidence line decides.
        min_exceptions: the fewest exceptions for which the evidence line decides.
    """

    cap: float
    rule: Rule = Rule.BALANCED
    min_runs: int = 20
    confidence: float = 0.90
    min_exceptions: int = 2


@dataclass(frozen=True, slots=True)
class StepEvidence:
    """The evidence on a step inside its evidence window.

    Args:
        exceptions: logged exceptions, x.
        critical: how many of them are critical.
        attested: runs that people reported, beyond the measured ones.
        assumed: typical runs of members of whom no runs are known.
        closing: whether the cycle closes now, when the cap line decides.
        measured: runs that tools counted.
    """

    exceptions: int
    critical: int
    attested: int
    assumed: int
    closing: bool = False
    measured: int = 0

    @property
    def counted(self) -> int:
        """The runs in all three parts, before any exception is taken for a run."""
        return self.measured + self.attested + self.assumed

    @property
    def runs(self) -> int:
        """N: never fewer than the exceptions, because each exception is a run."""
        return runs_of(self)

    @property
    def known(self) -> int:
        """The runs that somebody reported or a tool counted."""
        return self.measured + self.attested


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision and its inputs; judging the same evidence again gives the same verdict.

    Args:
        decision: demote, watch or hold.
        line: the line of the rule that applied, or `none`; on a step that people lead it only warns.
        evidence: the counts.
        policy: the thresholds.
        ratio: x / N, 0 when there are no runs.
        probability: P(true rate > cap).
        demote_at: the number of exceptions at which the evidence line would demote now, `None` if it can't.
        mode: the step's mode when it was judged.
        lands_on: the mode after a demotion, `None` for any other decision.
    """

    decision: Decision
    line: Line
    evidence: StepEvidence
    policy: Policy
    ratio: float
    probability: float
    demote_at: int | None
    mode: Mode
    lands_on: Mode | None


SILENT_EXCEPTIONS = 3
"""Before any run is reported or measured, only the third exception demotes: two on a Monday are no proof."""


def judge_step(*, evidence: StepEvidence, policy: Policy, mode: Mode, fallback: Mode) -> Verdict:
    """Judge one step by the three lines of SPEC §5.

    1. A critical exception demotes at once.
    2. Evidence, at any time: x ≥ 2 and P(rate > cap) ≥ 0.90 under the Jeffreys posterior.
    3. The cap: N ≥ 20 and x/N > cap, when the cycle closes (`strict`: at any time; `evidence`: never).

    Otherwise a ratio over the cap is a watch. A step that people already lead has no lower mode, so it is
    watched instead of demoted. Source: SPEC §5; Brown, Cai & DasGupta (2001) for line 2.
    """
    runs = evidence.runs
    ratio = evidence.exceptions / runs if runs else 0.0
    probability = probability_above(policy.cap, exceptions=evidence.exceptions, runs=runs)
    least = _least_exceptions(evidence, policy)
    line = _deciding_line(evidence, policy, ratio=ratio, probability=probability, least=least)
    lands_on = landing(mode, fallback) if line is not Line.NONE else None
    if lands_on is not None:
        decision = Decision.DEMOTE
    elif line is not Line.NONE or ratio > policy.cap:
        decision = Decision.WATCH
    else:
        decision = Decision.HOLD
    return Verdict(
        decision=decision,
        line=line,
        evidence=evidence,
        policy=policy,
        ratio=ratio,
        probability=probability,
        demote_at=demotion_count(
            runs=evidence.counted,
            cap=policy.cap,
            confidence=policy.confidence,
            least=least,
        ),
        mode=mode,
        lands_on=lands_on,
    )


def _least_exceptions(evidence: StepEvidence, policy: Policy) -> int:
    if evidence.known or evidence.closing:
        return policy.min_exceptions
    return max(SILENT_EXCEPTIONS, policy.min_exceptions)


def _deciding_line(
    evidence: StepEvidence, policy: Policy, *, ratio: float, probability: float, least: int
) -> Line:
    if evidence.critical:
        return Line.CRITICAL
    if evidence.exceptions >= least and probability >= policy.confidence:
        return Line.EVIDENCE
    if _cap_applies(evidence, policy, least=least) and ratio > policy.cap:
        return Line.CAP
    return Line.NONE


def _cap_applies(evidence: StepEvidence, policy: Policy, *, least: int) -> bool:
    if policy.rule is Rule.EVIDENCE or evidence.runs < policy.min_runs:
        return False
    if evidence.closing:
        return True
    return policy.rule is Rule.STRICT and (bool(evidence.known) or evidence.exceptions >= least)
