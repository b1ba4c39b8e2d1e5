"""The table of nudges is the one that people read and the one that messages are composed by."""

from pathlib import Path

import pytest

from cadence.nudges import DAY_CLOSES, DAY_OPENS, MORNING, NUDGES, TABLE, Nudge, Timing, documented

MESSAGES = (Path(__file__).parent.parent.parent / "docs" / "messages.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.kind)
def test_the_docs_have_each_row_as_it_is(row: Nudge) -> None:
    assert documented(row) in MESSAGES.splitlines()


def test_the_docs_have_no_other_rows() -> None:
    table = MESSAGES.partition("| nudge | to | when | not sent if |\n|---|---|---|---|\n")[2].partition(
        "\n\n"
    )[0]
    assert table.splitlines() == [documented(row) for row in TABLE]


def test_the_docs_say_between_which_hours_and_when_a_held_message_comes() -> None:
    words = " ".join(MESSAGES.split())
    assert f"nothing arrives before {DAY_OPENS:%H:%M}, after {DAY_CLOSES:%H:%M}, on a weekend" in words
    assert f"A message that has to wait comes at {MORNING:%H:%M} on the next working day" in words


def test_nudges_have_distinct_kinds_and_titles() -> None:
    assert len({row.kind for row in TABLE}) == len({row.title for row in TABLE}) == len(TABLE)
    assert all((row.hour is None) == (row.timing is Timing.EVENT) == bool(row.on) for row in TABLE)
    assert {row.timing for row in NUDGES} == {Timing.WEEKLY}
