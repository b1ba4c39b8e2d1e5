"""The modes of a step, and where a demotion leads."""

import pytest

from cadence.rules.modes import LADDER, Mode, landing, rank

HUMAN, BOTH, AI = Mode.HUMAN_LED, Mode.COLLABORATIVE, Mode.AI_LED


def test_the_ladder_goes_from_people_to_ai() -> None:
    assert LADDER == (HUMAN, BOTH, AI)
    assert [rank(mode) for mode in LADDER] == [0, 1, 2]
    assert [mode.value for mode in LADDER] == ["human-led", "collaborative", "ai-led"]


@pytest.mark.parametrize(
    ("mode", "fallback", "lands_on"),
    [
        (AI, BOTH, BOTH),
        (AI, HUMAN, HUMAN),
        (AI, AI, BOTH),  # a fallback that isn't lower can't be landed on: one level down
        (BOTH, HUMAN, HUMAN),
        (BOTH, BOTH, HUMAN),  # demoted to its fallback before, and failing again
        (BOTH, AI, HUMAN),
        (HUMAN, HUMAN, None),
        (HUMAN, BOTH, None),
        (HUMAN, AI, None),
    ],
)
def test_a_demotion_lands_lower_or_nowhere(mode: Mode, fallback: Mode, lands_on: Mode | None) -> None:
    assert landing(mode, fallback) is lands_on
    assert lands_on is None or rank(lands_on) < rank(mode)
