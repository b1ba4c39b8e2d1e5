"""The modes of a step, and where a demotion leads (SPEC §1, §5)."""

from enum import StrEnum


class Mode(StrEnum):
    """Who leads a step."""

    HUMAN_LED = "human-led"
    COLLABORATIVE = "collaborative"
    AI_LED = "ai-led"


LADDER: tuple[Mode, ...] = (Mode.HUMAN_LED, Mode.COLLABORATIVE, Mode.AI_LED)


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
