"""The table of nudges is the one that people read and the one that messages are composed by."""

from pathlib import Path

import pytest

from cadence.nudges import NUDGES, TABLE, Nudge, Timing, documented

MESSAGES = (Path(__file__).parent.parent.parent / "docs" / "messages.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.kind)
def test_the_docs_have_each_row_as_it_is(row: Nudge) -> None:
    assert documented(row) in MESSAGES.splitlines()


def test_the_docs_have_no_other_rows() -> None:
    table = MESSAGES.partition("| nudge | to | when | not sent if |\n|---|---|---|---|\n")[2].partition(
        "\n\n"
    )[0]
    assert table.splitlines() == [documented(row) for row in TABLE]


def test_nudges_have_distinct_kinds_and_titles() -> None:
    assert len({row.kind for row in TABLE}) == len({row.title for row in TABLE}) == len(TABLE)
    assert all((row.hour is None) == (row.timing is Timing.EVENT) == bool(row.on) for row in TABLE)
    assert {row.timing for row in NUDGES} == {Timing.WEEKLY}
