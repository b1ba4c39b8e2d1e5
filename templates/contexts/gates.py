"""The week's gate: what opens a week, and what is due on its Friday."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from cadence.refusals import Offer
from templates.contexts.base import Kpi, MessageContext, StepMode


@dataclass(frozen=True, slots=True, kw_only=True)
class GateCheck:
    """One item of a gate; `who` can do it, if it is missing."""

    text: str
    met: bool
    who: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekOpens(MessageContext):
    """The team channel's Monday post.

    Args:
        number: of the cycle.
        task: what a team does in this week.
        checks: of this week's gate; in week 1 of a later cycle only missing ones.
        earlier: missing items of earlier weeks' gates, for display.
        steps: the mode map, shown in week 1.
        lessons: of other teams, shown in weeks 1 and 4.
        own_lessons: the team's own, shown then too.
        closes: the day on which this week's gate is checked.
        checkin: the day of the week's check-in, in week 1 and once the gate is done; None once it came.
        offers: buttons for missing items, at most five.
    """

    TEMPLATE: ClassVar[str] = "messages/gates/week_opens.json.j2"

    playbook: str
    team: str
    number: int
    week: int
    task: str
    kpi: Kpi
    checks: tuple[GateCheck, ...]
    closes: date
    checkin: date | None = None
    earlier: tuple[str, ...] = ()
    steps: tuple[StepMode, ...] = ()
    lessons: tuple[str, ...] = ()
    own_lessons: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDue(MessageContext):
    """To the owner, on Friday: the missing items of this week's gate, at least one. `met` once none is.

    `closed`: its cycle is closed, so nothing can be done about it any more.
    """

    TEMPLATE: ClassVar[str] = "messages/gates/gate_due.json.j2"

    playbook: str
    team: str
    week: int
    checks: tuple[GateCheck, ...]
    met: bool = False
    closed: bool = False
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLine:
    """One week's gate; `met` is None while it isn't due."""

    week: int
    text: str
    met: bool | None = None
