"""The table of nudges is the one that people read and the one that messages are composed by."""

import ast
from pathlib import Path

import pytest

from cadence.flows.outbox import composing
from cadence.nudges import NUDGES, TABLE, URGENCY, Nudge, Timing, Unless, Urgency, documented

ROOT = Path(__file__).parent.parent.parent
FLOWS = ROOT / "cadence" / "flows"
OF_ANY_MESSAGE = frozenset(
    {
        Unless.AWAY,
        Unless.HOLIDAY,
        Unless.NO_DAY,
        Unless.NO_HOURS,
        Unless.DOWNTIME,
        Unless.NEWER_DUE,
        Unless.NEWER_SAID,
        Unless.GONE,
        Unless.LEFT,
        Unless.NO_PART,
        Unless.UNINSTALLED,
        Unless.OVER,
        Unless.DECIDED,
        Unless.RETIRED,
        Unless.STARTED,
        Unless.NOT_THEIRS,
        Unless.NO_POST,
        Unless.NO_READING,
        Unless.NO_ORIGINAL,
        Unless.CORRECTED,
        Unless.UNDONE,
    }
)
"""Reasons that no row of the table names: they hold for any message, or for one that isn't in it."""


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.kind)
def test_the_readme_has_each_row_as_it_is(row: Nudge) -> None:
    assert documented(row) in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()


def test_the_readme_has_no_other_rows() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.partition("| nudge | to | when | not sent if |\n|---|---|---|---|\n")[2].partition("\n\n")[0]
    assert table.splitlines() == [documented(row) for row in TABLE]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.kind)
def test_each_row_is_composed(row: Nudge) -> None:
    assert row.kind in composing._COMPOSERS
    assert URGENCY[row.kind] is Urgency.NUDGE


def test_rows_are_told_apart() -> None:
    assert len({row.kind for row in TABLE}) == len({row.title for row in TABLE}) == len(TABLE)
    assert all((row.hour is None) == (row.timing is Timing.EVENT) == bool(row.on) for row in TABLE)
    assert {row.timing for row in NUDGES} == {Timing.WEEKLY}


def test_every_condition_belongs_to_a_row_and_to_a_message() -> None:
    of_rows = {reason for row in TABLE for reason in row.unless}
    assert of_rows == {one for one in Unless if one not in OF_ANY_MESSAGE}
    used = {
        node.attr
        for file in FLOWS.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Unless"
    }
    used |= {"HOLIDAY", "NO_DAY"}  # by the planner
    assert used - {"is_quiet"} == {one.name for one in Unless}
