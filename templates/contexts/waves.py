"""Waves of teams: requests, plans, openings, teams side by side, adapted parts."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import Choice, Evidence, Kpi, MessageContext, Picture
from templates.ids import Callback


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestForm(PlainForm, callback=Callback.REQUEST, title="Request a playbook", submit="Request"):
    """A member's request that their team gets a playbook, of at least one."""

    playbooks: tuple[Choice, ...]
    teams: tuple[Choice, ...]
    playbook: str | None = ask.choice("Playbook", among="playbooks", needed="Choose a playbook.")
    team: str | None = ask.choice("Your team", among="teams", needed="Choose a team.")
    reason: str = ask.lines(
        "Why does your team want it?", "The playbook's owner and the curators will see this."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamWish:
    """A team that asks for a playbook: how many people asked, and their reasons, oldest first."""

    team: str
    votes: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionRequested(MessageContext):
    """Teams that ask for a playbook for the first time, for its owner.

    Args:
        offers: what the owner can do next.
    """

    TEMPLATE: ClassVar[str] = "messages/waves/adoption_requested.json.j2"

    playbook: str
    wishes: tuple[TeamWish, ...]
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveTeamLine:
    """A team of a wave against the criteria of its phase.

    Args:
        where: its function and region, `support · APAC`.
        differs: they aren't the pilot team's.
        champion: a name; empty without one.
        room: it has room.
        full: how many cycles it runs, if that is the limit; else 0.
    """

    team: str
    where: str
    differs: bool
    champion: str
    room: bool
    full: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveLine:
    """A wave.

    Args:
        phase: `controlled` or `broad`.
        state: `planned`, `open` or `canceled`.
        confirm: the teams of a planned wave, in the menu that confirms one.
        missing: what its gate still needs, one line each; empty once it holds.
        gate: the gate in a sentence; empty for the controlled wave.
        passed_over: what was missing when a curator opened it anyway; `override` is the reason.
    """

    number: int
    phase: str
    state: str
    reason: str
    planned_by: str
    planned_at: datetime
    teams: tuple[WaveTeamLine, ...]
    confirm: tuple[Choice, ...] = ()
    missing: tuple[str | Mrkdwn, ...] = ()
    gate: str | Mrkdwn = ""
    opened_by: str | None = None
    opened_at: datetime | None = None
    override: str = ""
    passed_over: tuple[str | Mrkdwn, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WavePlanned(MessageContext):
    """A planned wave, for curators and the owner; rewritten until it opened or was canceled.

    Args:
        offers: what its reader can do, the next thing first.
    """

    TEMPLATE: ClassVar[str] = "messages/waves/wave_planned.json.j2"

    playbook: str
    owner: str
    wave: WaveLine
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveOpened(MessageContext):
    """A wave opened: the teams that adopt the playbook, and those left out because they have no champion."""

    TEMPLATE: ClassVar[str] = "messages/waves/wave_opened.json.j2"

    playbook: str
    slug: str
    wave: WaveLine
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RolloutPhase:
    """A phase of a playbook's rollout, and what it is `about`.

    Args:
        then: what comes next, in the current one.
        ready: how to do it already, although it isn't the current one.
    """

    name: str
    about: str
    done: bool = False
    then: str | Mrkdwn = ""
    ready: str | Mrkdwn = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WavesShown(MessageContext):
    """The waves of a playbook and the requests for it.

    Args:
        phase: `pilot`, `controlled` or `broad`.
        waves: open ones, then the planned one.
        note: what just happened, if anything.
        may_plan: whether the reader can plan waves.
        offers: what the reader can do, the next thing first.
        phases: the playbook's path to many teams; empty once it is retired.
    """

    TEMPLATE: ClassVar[str] = "answers/waves/waves_shown.json.j2"

    playbook: str
    slug: str
    phase: str
    waves: tuple[WaveLine, ...]
    wishes: tuple[TeamWish, ...]
    note: str | Mrkdwn = ""
    may_plan: bool = False
    offers: tuple[Offer, ...] = ()
    phases: tuple[RolloutPhase, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveForm(PlainForm, callback=Callback.WAVE, submit="Save"):
    """The plan of a wave, or a change to it.

    Args:
        heading: the form's title, 24 characters at most.
        told: what kind of wave it is.
        choices: the teams that don't run the playbook; those that ask for it first.
        wished: the requests, above the teams; empty without any.
    """

    TEMPLATE: ClassVar[str] = "modals/waves/wave.json.j2"

    heading: str
    playbook: str
    told: str
    choices: tuple[Choice, ...]
    wished: tuple[TeamWish, ...] = ()
    teams: tuple[str, ...] = ask.several(
        "Teams",
        "Teams that asked for it come first. Teams that already run it aren't listed.",
        among="choices",
        needed="Choose the teams.",
        cut="_Only the first 100 teams are listed._",
    )
    reason: str = ask.lines("Why these teams next?", "The curators, the owner and the teams will see this.")

    def modal_title(self) -> str:
        """Which wave it is."""
        return self.heading


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveTeamForm(PlainForm, callback=Callback.WAVE_TEAM, title="Confirm a team", submit="Save"):
    """A planned team's champion and capacity.

    Args:
        running: titles of the playbooks whose cycles it runs.
    """

    TEMPLATE: ClassVar[str] = "modals/waves/wave_team.json.j2"

    playbook: str
    team: str
    number: int
    running: tuple[str, ...] = ()
    champion: str | None = ask.member(
        "Champion", "A member of the team. Without one it isn't let in.", optional=True
    )
    room: bool = ask.check(
        "Capacity",
        among=(Choice(label="The team has room for another rollout", value="room"),),
        optional=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveAnywayForm(PlainForm, callback=Callback.WAVE_ANYWAY, title="Open it anyway?", submit="Open anyway"):
    """A curator's override of a wave's gate; `missing` is what the gate still needed."""

    TEMPLATE: ClassVar[str] = "modals/waves/wave_anyway.json.j2"

    playbook: str
    number: int
    missing: tuple[str | Mrkdwn, ...]
    reason: str = ask.lines("Why now?", "The wave's teams and the curators will see this.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedTeam:
    """A team that runs a playbook, beside the others.

    Args:
        phase: `pilot`, `controlled`, `wave 2`, or empty for a team let in by hand.
        kpi: its value is that of the last closed cycle, None before one.
        setup_minutes: None if it wasn't timed.
        step: the step nearest to its cap, with its `evidence`; None without exceptions.
        answered: check-ins of the last cycle, of `asked`.
        since: the month it adopted the playbook, `Mar 2026`.
        months: full months since then.
        worth: what its last closed cycle was worth, `about 16 hours saved`; empty if the playbook names no worth.
    """

    team: str
    phase: str
    kpi: Kpi
    setup_minutes: int | None = None
    step: str = ""
    evidence: Evidence | None = None
    answered: int = 0
    asked: int = 0
    since: str = ""
    months: int = 0
    worth: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(MessageContext):
    """The teams of a playbook side by side, worst first; `more` aren't shown.

    Args:
        chart: shown in the post, once it was uploaded.
        offers: what the reader can do next.
    """

    TEMPLATE: ClassVar[str] = "messages/waves/compared.json.j2"

    playbook: str
    kpi: Kpi
    rows: tuple[ComparedTeam, ...]
    met: int
    closed: int
    more: int = 0
    chart: Picture | None = None
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptedPart:
    """A part of a playbook as a team runs it."""

    part: str
    text: str
    member: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamParts:
    """The parts that a team adapted; none if it runs the playbook as written."""

    team: str
    parts: tuple[AdaptedPart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsCompared(MessageContext):
    """What each team adapted, and what nobody can."""

    TEMPLATE: ClassVar[str] = "answers/waves/parts_compared.json.j2"

    playbook: str
    adaptable: tuple[str, ...]
    fixed: tuple[str, ...]
    teams: tuple[TeamParts, ...]
    more: int = 0
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptForm(PlainForm, callback=Callback.ADAPT, title="Adapt a part", submit="Save"):
    """How a team does an adaptable part of a playbook.

    Args:
        adapted: what the team adapted so far.
    """

    TEMPLATE: ClassVar[str] = "modals/waves/adapt.json.j2"

    playbook: str
    team: str
    parts: tuple[Choice, ...]
    fixed: tuple[str, ...] = ()
    adapted: tuple[AdaptedPart, ...] = ()
    part: str | None = ask.choice("Part", among="parts", needed="Choose a part.")
    text: str = ask.lines(
        "How does your team do it?",
        "Other teams can see this. Leave it empty to go back to the playbook's way.",
        optional=True,
    )
