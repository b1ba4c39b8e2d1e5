"""What production needs against what the pilot measured, at each boundary (SPEC §6)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadence.rules.cutover import DUTIES, Figures, Requirement, judge_cutover

READY = Figures(
    complete=95,
    asked=100,
    passes=90,
    samples=100,
    threshold=0.90,
    attested=8,
    expected=10,
    named=frozenset(DUTIES),
    assessed=True,
)


def test_everything_at_its_limit_is_met() -> None:
    assert judge_cutover(READY).met
    assert judge_cutover(READY).missing == ()


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"complete": 949, "asked": 1_000}, Requirement.INPUTS),
        ({"complete": 0, "asked": 0}, Requirement.INPUTS),
        ({"passes": 899, "samples": 1_000}, Requirement.ACCURACY),
        ({"passes": 0, "samples": 0}, Requirement.ACCURACY),
        ({"threshold": None}, Requirement.ACCURACY),
        ({"threshold": 0.901}, Requirement.ACCURACY),
        ({"attested": 799, "expected": 1_000}, Requirement.ADOPTION),
        ({"attested": 0, "expected": 0}, Requirement.ADOPTION),
        ({"named": frozenset(DUTIES[:3])}, Requirement.OWNERSHIP),
        ({"named": frozenset({*DUTIES[:4], "owner"})}, Requirement.OWNERSHIP),
        ({"assessed": False}, Requirement.ASSESSMENT),
    ],
)
def test_one_below_its_limit_holds_the_cutover(change: dict[str, Any], missing: Requirement) -> None:
    verdict = judge_cutover(replace(READY, **change))
    assert (verdict.met, verdict.missing) == (False, (missing,))


@pytest.mark.parametrize(
    "change",
    [
        {"complete": 950, "asked": 1_000},
        {"complete": 19, "asked": 20},
        {"passes": 900, "samples": 1_000},
        {"attested": 800, "expected": 1_000},
        {"attested": 4, "expected": 5},
    ],
)
def test_a_share_at_its_limit_is_met_however_many_were_counted(change: dict[str, Any]) -> None:
    assert judge_cutover(replace(READY, **change)).met


@given(st.integers(1, 10_000), st.data())
def test_every_line_holds_its_numbers(total: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, total))
    [inputs, *_] = judge_cutover(replace(READY, complete=count, asked=total)).lines
    assert (inputs.count, inputs.total, inputs.needed) == (count, total, 0.95)
    assert inputs.met == (count * 100 >= total * 95)
