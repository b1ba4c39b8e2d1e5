"""How the page receives somebody who opens it for the first time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GuideStep:
    """One step of the guide.

    Args:
        at: the part of the page it points at: "person", "strip", "write" or "player".
        title: what it is.
        text: what one can do with it.
    """

    at: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Welcome:
    """Where a visit begins, and the guide that is shown once.

    Args:
        member: as whom.
        channel: in which channel.
        guide: the steps, first to last.
    """

    member: str
    channel: str
    guide: tuple[GuideStep, ...] = ()
