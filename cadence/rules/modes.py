"""The modes of a step, and where a demotion leads (SPEC §1, §5)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Mode(StrEnum):
    """Who leads a step."""

    HUMAN_LED = "human-led"
    COLLABORATIVE = "collaborative"
    AI_LED = "ai-led"


LADDER: tuple[Mode, ...] = (Mode.HUMAN_LED, Mode.COLLABORATIVE, Mode.AI_LED)


WORDS: Final[Mapping[Mode, str]] = {
    Mode.HUMAN_LED: "human-led",
    Mode.COLLABORATIVE: "collaborative",
    Mode.AI_LED: "AI-led",
}
"""The modes as people read them."""


def rank(mode: Mode) -> int:
    """0 for human-led, 1 for collaborative, 2 for AI-led."""
    return LADDER.index(mode)


def landing(mode: Mode, fallback: Mode) -> Mode | None:
    """The mode after a demotion: the fallback while that is lower, else one level down, `None` from
    human-led.

    The playbook's fallback is meant for the declared mode; a step that was demoted to it and fails again
    needs a lower one.
    """
    if rank(mode) == 0:
        return None
    return fallback if rank(fallback) < rank(mode) else LADDER[rank(mode) - 1]
