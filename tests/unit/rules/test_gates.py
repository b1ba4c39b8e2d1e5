"""The four gates: each item alone keeps its gate from being met, and is named."""

from typing import Any

import pytest

from cadence.rules.gates import DOERS, Doer, Gate, Item, week_four, week_one, week_three, week_two

ONE: dict[str, Any] = {
    "baseline": 42.0,
    "target": 15.0,
    "mode_map_published": True,
    "owner": "U1",
    "champion": "U2",
}
FOUR: dict[str, Any] = {
    "next_team": "support-apac",
    "reason_for_none": None,
    "readings": 3,
    "submitted": True,
}


def missing(gate: Gate) -> list[Item]:
    assert gate.met == (not gate.missing)
    assert {*gate.done, *gate.missing} == {*gate.checks}
    assert not {*gate.done} & {*gate.missing}
    return [check.item for check in gate.missing]


@pytest.mark.parametrize(
    ("change", "items"),
    [
        ({}, []),
        ({"baseline": 0.0, "target": 0.0}, []),  # zero is a number
        ({"baseline": None}, [Item.BASELINE]),
        ({"target": None}, [Item.TARGET]),
        ({"mode_map_published": False}, [Item.MODE_MAP]),
        ({"owner": None}, [Item.OWNER]),
        ({"champion": ""}, [Item.CHAMPION]),
        ({"target": None, "owner": "", "champion": None}, [Item.TARGET, Item.OWNER, Item.CHAMPION]),
    ],
)
def test_week_one(change: dict[str, Any], items: list[Item]) -> None:
    gate = week_one(**{**ONE, **change})
    assert (gate.week, missing(gate)) == (1, items)


@pytest.mark.parametrize(
    ("runs", "results", "items"),
    [
        (1, 1, []),
        (0, 1, [Item.RUN]),
        (1, 0, [Item.RUBRIC_RESULT]),
        (0, 0, [Item.RUN, Item.RUBRIC_RESULT]),
    ],
)
def test_week_two(runs: int, results: int, items: list[Item]) -> None:
    gate = week_two(attested_runs=runs, rubric_results=results)
    assert (gate.week, missing(gate)) == (2, items)


@pytest.mark.parametrize(
    ("gaps", "without", "items"),
    [
        ((), 0, []),
        (("loop", "examples"), 0, [Item.PACKAGE]),
        ((), 2, [Item.EXCEPTION_REASONS]),
        (("loop",), 1, [Item.PACKAGE, Item.EXCEPTION_REASONS]),
    ],
)
def test_week_three(gaps: tuple[str, ...], without: int, items: list[Item]) -> None:
    gate = week_three(package_gaps=gaps, exceptions_without_reason=without)
    assert (gate.week, missing(gate)) == (3, items)
    assert gate.checks[0].details == gaps


@pytest.mark.parametrize(
    ("change", "items"),
    [
        ({}, []),
        ({"next_team": None, "reason_for_none": "a freeze until March"}, []),
        ({"next_team": None}, [Item.NEXT_TEAM]),
        ({"next_team": "", "reason_for_none": "  "}, [Item.NEXT_TEAM]),
        ({"readings": 2}, [Item.DELTAS]),
        ({"readings": 2, "readings_needed": 2}, []),
        ({"submitted": False}, [Item.SUBMITTED]),
    ],
)
def test_week_four(change: dict[str, Any], items: list[Item]) -> None:
    gate = week_four(**{**FOUR, **change})
    assert (gate.week, missing(gate)) == (4, items)


def test_every_item_says_who_can_do_it() -> None:
    gates = (
        week_one(**ONE),
        week_two(attested_runs=1, rubric_results=1),
        week_three(package_gaps=(), exceptions_without_reason=0),
        week_four(**FOUR),
    )
    checks = [check for gate in gates for check in gate.checks]
    assert sorted(check.item for check in checks) == sorted(Item)
    members = {check.item for check in checks if check.doer is Doer.MEMBER}
    assert members == {Item.RUN, Item.DELTAS, Item.EXCEPTION_REASONS}
    assert set(DOERS) == set(Item)
