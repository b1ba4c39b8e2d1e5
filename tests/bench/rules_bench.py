"""How often the project's own rules are right: simulated cycles, judged by `judge_step` and `judge_promotion`.

A part of `make bench`: it measures, it doesn't assert. The same seed prints the same table.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cadence.rules.calendar import WEEKS
from cadence.rules.kpi import Outcome
from cadence.rules.modes import Mode
from cadence.rules.promotions import GradedCycle, PromotionDecision, PromotionPolicy, judge_promotion
from cadence.rules.verdicts import Decision, Policy, Rule, StepEvidence, judge_step

SEED: Final = 20261123
CYCLES: Final = 100_000
"""Simulated cycles a cell. A share of 50% is then known to ±0.3 points (95%), one of 5% to ±0.14."""
CAP: Final = 0.10
RUNS_A_WEEK: Final = (5, 10, 20, 40)
NAIVE: Final = "x/N > cap, weekly"
EXPECTED: Final[dict[float, dict[str, tuple[float, ...]]]] = {
    CAP / 2: {
        NAIVE: (64, 31, 27, 18),
        Rule.STRICT: (9, 11, 11, 6),
        Rule.BALANCED: (9, 6, 3, 1),
        Rule.EVIDENCE: (4, 2, 2, 0.4),
    },
    2 * CAP: {Rule.BALANCED: (80, 93, 99, 100), Rule.EVIDENCE: (63, 79, 93, 99)},
}
"""The specification's figures in percent, by the true exception rate, for each number of runs a week."""

ACCURACY: Final = 0.90
SAMPLES_A_CYCLE: Final = (10, 20, 30, 40, 60)
PASS_RATES: Final = (0.88, 0.97)

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]


@cache
def demotes(rule: Rule, exceptions: int, runs: int, closing: bool) -> bool:
    """Whether the project demotes a step that AI leads on this evidence, all of it attested."""
    verdict = judge_step(
        evidence=StepEvidence(exceptions, critical=0, attested=runs, assumed=0, closing=closing),
        policy=Policy(cap=CAP, rule=rule),
        mode=Mode.AI_LED,
        fallback=Mode.COLLABORATIVE,
    )
    return verdict.decision is Decision.DEMOTE


def looked_up(rule: Rule, exceptions: Counts, runs: int, closing: bool) -> Flags:
    """`demotes` for many cycles at once: each count is judged once."""
    verdicts = [demotes(rule, count, runs, closing) for count in range(int(exceptions.max()) + 1)]
    return np.array(verdicts)[exceptions]


def demoted(rule: Rule, weekly: Counts, runs_a_week: int) -> float:
    """The share of cycles in which the rule demotes: a look after each week's runs, and one at the close."""
    so_far = weekly.cumsum(axis=1)
    ever = looked_up(rule, so_far[:, -1], runs_a_week * WEEKS, closing=True)
    for week in range(WEEKS):
        ever |= looked_up(rule, so_far[:, week], runs_a_week * (week + 1), closing=False)
    return float(ever.mean())


def naively_demoted(weekly: Counts, runs_a_week: int) -> float:
    """The share of cycles with a week whose own x/N is above the cap, as a dashboard would show."""
    return float((weekly / runs_a_week > CAP).any(axis=1).mean())


@cache
def proposes(first: int, second: int, samples: int) -> bool:
    """Whether two cycles with these passes are proposed for a promotion, all else being as it should."""
    cycles = [
        GradedCycle(
            number=number,
            samples=samples,
            passes=passes,
            risky=0,
            over_cap=0,
            answered=1,
            expected=1,
            kpi=Outcome.MET,
        )
        for number, passes in enumerate((first, second), start=1)
    ]
    verdict = judge_promotion(
        mode=Mode.COLLABORATIVE,
        cycles=cycles,
        policy=PromotionPolicy(accuracy=ACCURACY, cycles=2),
        drift_open=False,
        rubric_revision=1,
        demoted_on=None,
    )
    return verdict.decision is PromotionDecision.PROPOSE


def proposed(passes: Counts, samples: int) -> float:
    """The share of pairs of cycles the project proposes; each pair of counts is judged once."""
    pairs, times = np.unique(passes, axis=0, return_counts=True)
    verdicts = np.array([proposes(int(first), int(second), samples) for first, second in pairs])
    return float((verdicts * times).sum() / times.sum())


def naively_proposed(passes: Counts, samples: int) -> tuple[float, float]:
    """The shares with passes/samples ≥ accuracy: in each of the two cycles, and over both together."""
    in_each = (passes / samples >= ACCURACY).all(axis=1)
    together = passes.sum(axis=1) / (2 * samples) >= ACCURACY
    return float(in_each.mean()), float(together.mean())


def row(title: str, cells: Sequence[str]) -> str:
    """One line of a table."""
    return f"  {title:<26}" + "".join(f"{cell:>18}" for cell in cells)


def demotion_table(rate: float) -> tuple[list[str], float]:
    """How often each rule demotes at this true rate, and the largest deviation from the expected value."""
    lines = [
        f"True exception rate {rate:.0%}, cap {CAP:.0%}: demoted, in % of {CYCLES:,} cycles (specified, difference)",
        row("", [f"{runs} runs a week" for runs in RUNS_A_WEEK]),
    ]
    drawn = {
        runs: np.random.default_rng([SEED, runs, round(rate * 1000)]).binomial(
            runs, rate, size=(CYCLES, WEEKS)
        )
        for runs in RUNS_A_WEEK
    }
    furthest = 0.0
    for name in (NAIVE, Rule.STRICT, Rule.BALANCED, Rule.EVIDENCE):
        shares = [
            demoted(name, weekly, runs) if isinstance(name, Rule) else naively_demoted(weekly, runs)
            for runs, weekly in drawn.items()
        ]
        cells, expected = [f"{share:.1%}" for share in shares], EXPECTED[rate].get(name)
        if expected:
            gaps = [
                round(100 * share - figure, 1) + 0.0 for share, figure in zip(shares, expected, strict=True)
            ]
            cells = [
                f"{cell} ({figure:g} {gap:+.1f})"
                for cell, figure, gap in zip(cells, expected, gaps, strict=True)
            ]
            furthest = max(furthest, *map(abs, gaps))
        lines.append(row(name, cells))
    return lines, furthest


def promotion_table(rate: float) -> Iterator[str]:
    """How often a step of this true pass rate is proposed after two cycles."""
    yield f"True pass rate {rate:.0%}, needed {ACCURACY:.0%}: proposed after two cycles, in % of {CYCLES:,}"
    yield row("", [f"{samples} a cycle" for samples in SAMPLES_A_CYCLE])
    shares: dict[str, list[float]] = {"share over both": [], "share in each": [], "Rollout Cadence": []}
    for samples in SAMPLES_A_CYCLE:
        source = np.random.default_rng([SEED, samples, round(rate * 1000)])
        passes = source.binomial(samples, rate, size=(CYCLES, 2))
        in_each, together = naively_proposed(passes, samples)
        for name, share in zip(shares, (together, in_each, proposed(passes, samples)), strict=True):
            shares[name].append(share)
    for name, line in shares.items():
        yield row(name, [f"{share:.1%}" for share in line])


def run() -> Iterator[str]:
    """Every table."""
    furthest = 0.0
    for rate in EXPECTED:
        lines, distance = demotion_table(rate)
        furthest = max(furthest, distance)
        yield from (*lines, "")
    yield f"Furthest from a specified figure: {furthest:.1f} points."
    for rate in PASS_RATES:
        yield ""
        yield from promotion_table(rate)
    yield f"Seed {SEED}: the same table every time."
