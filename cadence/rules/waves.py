"""Whether a wave of teams can open (SPEC §6).

Controlled: two or three teams with the same workflow and a different context, each with a champion and stated
capacity, once the pilot was assessed and cut over. Broad: a wave opens when the wave before it closed a cycle with
the KPI met and exceptions under the cap in at least two thirds of its teams.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CONTROLLED_TEAMS: Final = (2, 3)
"""Fewest and most teams of the controlled phase."""
BROAD_TEAMS: Final = 20
"""Most teams of a broad wave: their setups all start on one day."""
TRAINING_SAMPLES: Final = 5
"""Fewest training samples a champion can be trained on."""
TEAMS_BY_COMMAND: Final = 3
"""Teams besides the pilot team that can adopt a playbook one by one; the next ones need a wave."""


@dataclass(frozen=True, slots=True)
class StepAtClose:
    """A step's exceptions against its cap, as judged last for a cycle: `exceptions` in `runs`."""

    title: str
    exceptions: int
    runs: int
    cap: float

    @property
    def share(self) -> float:
        """Exceptions per run, 0 to 1."""
        return self.exceptions / max(self.runs, self.exceptions, 1)

    @property
    def is_over(self) -> bool:
        """Whether it is over its cap. At the cap is under it."""
        return self.share > self.cap


@dataclass(frozen=True, slots=True)
class TeamFacts:
    """A team of the previous wave, as of its newest closed cycle since that wave opened.

    Args:
        team: its title.
        closed: whether it has closed a cycle.
        met: whether the KPI met its target; None without a reading.
        steps: each step that was judged in that cycle.
        value: the cycle's number, and `target`, in the KPI's unit.
        unit: of both.
        note: why the cycle doesn't count as met although its number may look so; empty otherwise.
    """

    team: str
    closed: bool = False
    met: bool | None = None
    steps: tuple[StepAtClose, ...] = ()
    value: float | None = None
    target: float | None = None
    unit: str = ""
    note: str = ""

    @property
    def over(self) -> tuple[StepAtClose, ...]:
        """The steps over their caps."""
        return tuple(step for step in self.steps if step.is_over)

    @property
    def holds(self) -> bool:
        """Whether it closed a cycle with the KPI met and no step over its cap."""
        return self.closed and self.met is True and not self.over


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """Whether a broad wave can open, with the numbers.

    Args:
        opens: `held` teams of `teams` are enough.
        needed: how many have to hold.
        missing: the teams that don't hold, in the given order.
    """

    opens: bool
    held: int
    teams: int
    needed: int
    missing: tuple[TeamFacts, ...]


def judge_gate(teams: Sequence[TeamFacts]) -> GateVerdict:
    """Judge the gate of a broad wave by the teams of the wave before it (SPEC §6, "Broad").

    At least two thirds of them, rounded up, must have closed a cycle with the KPI met and exceptions under the cap.
    Without any team nothing has been shown, so it stays closed.
    """
    needed = max(1, -(-2 * len(teams) // 3))
    missing = tuple(one for one in teams if not one.holds)
    held = len(teams) - len(missing)
    return GateVerdict(held >= needed, held, len(teams), needed, missing)


@dataclass(frozen=True, slots=True)
class TeamPlanned:
    """A team of a planned wave.

    Args:
        team: its title.
        function: `support`, …
        region: as typed; empty if the team has none.
        champion: whether one is named.
        has_room: whether somebody of the team said it has room.
        running: its running cycles.
    """

    team: str
    function: str
    region: str
    champion: bool
    has_room: bool
    running: int


@dataclass(frozen=True, slots=True)
class TeamReady:
    """A planned team against the criteria of the controlled phase (SPEC §6).

    Args:
        differs: its function or region isn't the pilot team's.
        champion: one is named.
        has_room: it said so, and it isn't at the limit of running cycles.
        is_full: it is at the limit.
    """

    team: str
    differs: bool
    champion: bool
    has_room: bool
    is_full: bool

    @property
    def is_ready(self) -> bool:
        """Whether the team itself misses nothing; a different context is needed of one team only."""
        return self.champion and self.has_room


def judge_team(planned: TeamPlanned, *, function: str, region: str, most: int) -> TeamReady:
    """Judge a planned team: a different context, a champion, stated capacity.

    Args:
        function: the pilot team's.
        region: the pilot team's.
        most: the limit of running cycles a team.
    """
    differs = planned.function != function or planned.region.casefold() != region.casefold()
    is_full = planned.running >= most
    return TeamReady(planned.team, differs, planned.champion, planned.has_room and not is_full, is_full)


@dataclass(frozen=True, slots=True)
class PilotFacts:
    """The playbook before its controlled phase.

    Args:
        assessed: the owner answered the assessment.
        cut_over: the cutover passed or was overridden.
        samples: training samples.
    """

    assessed: bool
    cut_over: bool
    samples: int


@dataclass(frozen=True, slots=True)
class ControlledVerdict:
    """Whether the controlled wave can open, and what is missing.

    Args:
        few: fewer teams than it needs; `many`: more.
        samples: how many training samples there are, of `TRAINING_SAMPLES`.
        without_champion: titles of teams.
        without_room: titles of teams.
        same_context: every team has the pilot team's function and region.
    """

    assessed: bool
    cut_over: bool
    samples: int
    few: bool
    many: bool
    without_champion: tuple[str, ...]
    without_room: tuple[str, ...]
    same_context: bool

    @property
    def opens(self) -> bool:
        """Whether nothing is missing."""
        gaps = (self.few, self.many, self.without_champion, self.without_room, self.same_context)
        return self.assessed and self.cut_over and self.samples >= TRAINING_SAMPLES and not any(gaps)


def judge_controlled(pilot: PilotFacts, teams: Sequence[TeamReady]) -> ControlledVerdict:
    """Judge the gate of the controlled wave (SPEC §6, "Controlled").

    The pilot was assessed and cut over, there are at least five training samples, and two or three teams are ready:
    each with a champion and room, one of them in another function or region.
    """
    least, most = CONTROLLED_TEAMS
    return ControlledVerdict(
        assessed=pilot.assessed,
        cut_over=pilot.cut_over,
        samples=pilot.samples,
        few=len(teams) < least,
        many=len(teams) > most,
        without_champion=tuple(one.team for one in teams if not one.champion),
        without_room=tuple(one.team for one in teams if not one.has_room),
        same_context=not any(one.differs for one in teams),
    )


def needs_wave(*, has_waves: bool, others: int) -> bool:
    """Whether a team can adopt a playbook only in an open wave.

    Args:
        has_waves: a wave of the playbook is planned or open.
        others: teams besides the pilot team that run it.
    """
    return has_waves or others >= TEAMS_BY_COMMAND
