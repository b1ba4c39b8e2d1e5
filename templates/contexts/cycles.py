"""A cycle: started, shown, moved to another version, submitted, closed."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import Choice, Kpi, MessageContext, ModeChange, Picture, StepEvidence
from templates.contexts.gates import GateLine
from templates.contexts.numbers import Guardrail
from templates.contexts.waves import RolloutPhase
from templates.ids import Callback, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTeamForm(PlainForm, callback=Callback.NEXT_TEAM, title="Next team"):
    """The next team to adopt the playbook, or why no team is next."""

    TEMPLATE: ClassVar[str] = "modals/cycles/next_team.json.j2"

    playbook: str
    team: str
    number: int
    teams: tuple[Choice, ...] = ()
    selected: str | None = ask.choice(
        "Next team", among="teams", name=Field.TEAM, when="teams", optional=True
    )
    reason: str = ask.lines("No next team? Say why", most=500, optional=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleShown(MessageContext):
    """A running or closed cycle. `readings` one a week in order; `result` is None while it runs.

    `month` is the number of a watch period since the last cycle. `resumes` is the owner's Slack ID while it is
    paused, and `ends_pause` the command.
    """

    TEMPLATE: ClassVar[str] = "answers/cycles/cycle_shown.json.j2"

    slug: str
    playbook: str
    team: str
    number: int
    week: int | None
    starts: date
    closes: date
    kpi: Kpi
    readings: tuple[float | None, ...]
    steps: tuple[StepEvidence, ...]
    gates: tuple[GateLine, ...] = ()
    champion: str | None = None
    champion_left: bool = False
    result: str | None = None
    month: int | None = None
    resumes: str = ""
    ends_pause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleStarted(MessageContext):
    """A cycle was started, or resumed.

    Args:
        first_checkin: the day of the members' first check-in, or the next one.
        asked: it was resumed, and this week's check-in was already sent.
    """

    TEMPLATE: ClassVar[str] = "answers/cycles/cycle_started.json.j2"

    slug: str
    playbook: str
    team: str
    number: int
    starts: date
    closes: date
    first_checkin: date
    kpi: Kpi
    members: int
    champion: str | None = None
    resumed: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CyclePaused(MessageContext):
    """To the team's channel: nothing is asked for until the owner or a curator resumes it.

    Args:
        by: Slack ID of the person who paused it.
        number: of the running cycle, and the day on which it `closes`; None without one.
        over: the pause has ended.
    """

    TEMPLATE: ClassVar[str] = "messages/cycles/cycle_paused.json.j2"

    playbook: str
    team: str
    owner: str
    by: str
    number: int | None = None
    closes: date | None = None
    over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleResumed(MessageContext):
    """To the team's channel: a pause is over.

    Args:
        by: Slack ID of the person who resumed it.
        next_checkin: its day.
        came: this week's check-in was sent, and is open to those who haven't answered.
    """

    TEMPLATE: ClassVar[str] = "messages/cycles/cycle_resumed.json.j2"

    playbook: str
    team: str
    by: str
    next_checkin: date
    came: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleAnnounced(MessageContext):
    """To the team's channel: a cycle was started.

    Args:
        by: Slack ID of the person who started it.
        opens: the day of the post that opens its first week; None if its time has passed.
        members: how many get the first check-in.
    """

    TEMPLATE: ClassVar[str] = "messages/cycles/cycle_started.json.j2"

    slug: str
    playbook: str
    team: str
    number: int
    kpi: Kpi
    starts: date
    closes: date
    owner: str
    by: str
    first_checkin: date
    members: int
    champion: str | None = None
    opens: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleStartForm(PlainForm, callback=Callback.CYCLE_START, title="Start a cycle", submit="Start"):
    """A cycle, of at least one playbook and one team."""

    playbooks: tuple[Choice, ...]
    teams: tuple[Choice, ...]
    playbook: str | None = ask.choice("Playbook", among="playbooks")
    team: str | None = ask.choice("Team", among="teams")
    starts: date | None = ask.day(
        "First day",
        "A Monday. The cycle closes on the fourth Friday.",
        name=Field.DATE,
    )
    champion: str | None = ask.member("Champion", "Keeps the rollout going.", optional=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted(MessageContext):
    """A playbook that was submitted to the registry, for the curators.

    Args:
        result: of its cycle: `met`, `not met` or `insufficient`; None while it runs.
        gaps: what is missing to publish it.
        published: the number of the published version if no draft is open.
    """

    TEMPLATE: ClassVar[str] = "messages/cycles/submitted.json.j2"

    playbook: str
    team: str
    number: int
    by: str
    result: str | None
    gates_met: int
    gates: int
    gaps: tuple[Mrkdwn, ...] = ()
    published: int | None = None
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamMoved(MessageContext):
    """A team is on another version, named as people say them.

    Args:
        deferred: the running cycle, number `cycle`, keeps its version, because the KPI's numbers differ.
        changes: differences of the new version, planned modes included.
    """

    TEMPLATE: ClassVar[str] = "messages/cycles/team_moved.json.j2"

    slug: str
    title: str
    team: str
    before: str
    after: str
    by: str
    deferred: bool = False
    cycle: int | None = None
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveForm(
    PlainForm,
    callback=Callback.MOVE,
    title="Move a team",
    submit="Move",
    intro=("The team switches to another version. Its steps' counters reset, and its channel is notified."),
):
    """Move a team to a version. Inputs: `adoption` (the value is the caller's own) and `version`."""

    runs: tuple[Choice, ...]
    selected: str | None = ask.choice("Playbook and team", among="runs", name=Field.ADOPTION)
    version: str = ask.text("Version", "A published one such as v2, or draft for the newest draft.", most=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleClosed(MessageContext):
    """The result of four weeks.

    Args:
        number: of the cycle, from 1.
        result: `met`, `not met` or `insufficient`.
        kpi: `value` is the median of the weekly readings, None when there were none.
        readings: one a week, in order, None where there was none.
        gates_met: of `gates`; None while gates aren't judged.
        missed: the missing items of each missed gate.
        moved: `better`, `worse` or `same` than the baseline; None without a value.
        share: the change as a share of the baseline; None for a baseline of 0.
        origin_value: the latest value of the playbook's first team, for a later team.
        attested: members' weekly answers, of `expected`.
        steps: exceptions in the cycle against the cap.
        changes: modes that changed in the cycle.
        promotions: a line for each step that was evaluated for promotion.
        lessons: as logged.
        next_cycle: its Monday; None if none is planned: `paused` or `retired` says why. `begun` once it has
            begun.
        watched: a watch period follows instead of a cycle.
        value: what the cycle was worth, as a phrase; empty if the playbook names no worth.
        phases: the playbook's path to many teams, once its pilot is finished.
        offers: buttons, at most five, the first being the thing to do.
        more: entries of the menu, seldom used.
        chart: the KPI's chart, None until it is uploaded.
        names_team: the headline names the team, for readers of many teams' posts.
    """

    TEMPLATE: ClassVar[str] = "messages/cycles/cycle_closed.json.j2"

    playbook: str
    team: str
    number: int
    result: str
    kpi: Kpi
    readings: tuple[float | None, ...]
    attested: int
    expected: int
    steps: tuple[StepEvidence, ...]
    guardrails: tuple[Guardrail, ...] = ()
    gates_met: int | None = None
    gates: int = 4
    missed: tuple[str, ...] = ()
    moved: str | None = None
    share: float | None = None
    origin_value: float | None = None
    changes: tuple[ModeChange, ...] = ()
    promotions: tuple[Mrkdwn, ...] = ()
    lessons: tuple[str, ...] = ()
    next_cycle: date | None = None
    begun: bool = False
    names_team: bool = False
    watched: bool = False
    value: str = ""
    paused: bool = False
    retired: bool = False
    phases: tuple[RolloutPhase, ...] = ()
    offers: tuple[Offer, ...] = ()
    more: tuple[Offer, ...] = ()
    chart: Picture | None = None
