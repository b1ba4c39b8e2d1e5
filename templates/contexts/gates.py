"""The week's gate: what opens a week, what is due on its Friday, and the form of week 4."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from cadence.refusals import Offer
from templates.contexts.base import Choice, Kpi, MessageContext, StepMode, ViewContext


@dataclass(frozen=True, slots=True, kw_only=True)
class GateCheck:
    """One thing a gate asks for; `who` can do it, while it is missing."""

    text: str
    met: bool
    who: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekOpens(MessageContext):
    """The team channel's Monday post.

    Args:
        number: of the cycle.
        task: what a team does in this week.
        checks: of this week's gate; in week 1 of a later cycle only what is missing.
        earlier: what earlier weeks' gates still lack, as people read it.
        steps: the mode map, shown in week 1.
        lessons: of other teams, shown in weeks 1 and 4.
        own_lessons: the team's own, shown then too.
        closes: the day this week's gate is looked at.
        offers: a button for what is missing, at most five.
    """

    TEMPLATE: ClassVar[str] = "messages/week_opens.json.j2"

    playbook: str
    team: str
    number: int
    week: int
    task: str
    kpi: Kpi
    checks: tuple[GateCheck, ...]
    closes: date
    earlier: tuple[str, ...] = ()
    steps: tuple[StepMode, ...] = ()
    lessons: tuple[str, ...] = ()
    own_lessons: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDue(MessageContext):
    """To the owner, on Friday: what this week's gate still lacks, at least one thing. `met` once nothing is.

    `closed`: its cycle is, so nothing can be done about it any more.
    """

    TEMPLATE: ClassVar[str] = "messages/gate_due.json.j2"

    playbook: str
    team: str
    week: int
    checks: tuple[GateCheck, ...]
    met: bool = False
    closed: bool = False
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTeamForm(ViewContext):
    """The team that takes the playbook up next, or why there is none. Inputs: `team`, `reason`, both optional."""

    TEMPLATE: ClassVar[str] = "modals/next_team.json.j2"

    playbook: str
    team: str
    number: int
    teams: tuple[Choice, ...] = ()
    selected: str | None = None
    reason: str = ""
