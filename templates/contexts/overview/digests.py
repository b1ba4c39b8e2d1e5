"""The curators' weekly post."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from cadence.refusals import Offer
from templates.contexts.base import Evidence, Kpi, MessageContext, ModeChange, Picture, StepEvidence
from templates.contexts.numbers import Guardrail


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """An item that needs somebody: what to do, with its mark (`🔴 Update the rubric`), about what, its button.

    `who` it waits for, if that isn't a curator.
    """

    title: str
    text: str
    offer: Offer | None = None
    who: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Check-ins of a week: answered and asked for."""

    answered: int
    asked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestRow:
    """One team that runs a playbook, in the week of the digest.

    Args:
        phase: `pilot`, `controlled`, `wave 2`, `watched`; empty for a team that adopted it outside the waves.
        kpi: the week's number, if there is one.
        to_target: how far it is from its target, 0 if it meets it; None without a number.
        check_ins: None if none was asked for.
        step: the step that the row is about: the one demoted, else the one over its cap, else the one whose rubric is
            due, else the one nearest to its cap.
        evidence: of that step, as of the verdict that demoted it or the end of the week; runs estimated for the next
            week don't count. None if no verdict is stored, or without exceptions.
        demoted: whether a step was demoted in the week.
        over: whether a step is over its cap, `critical` if it is watched for a critical exception.
        broken: a guardrail past its limit.
        reset: the day in the week from which `evidence` counts, because counters were reset; None if they weren't.
        rubric_due: whether a step that was demoted waits for its rubric.
        demoted_on: the day of an earlier week on which `step` was demoted.
        silent: whether most of its check-ins, or its number, didn't come.
        result: of a cycle that closed in the week without meeting its target; empty without one.
        busy: many runs, and the number doesn't improve.
        better: whether the number is better than its baseline; None without one.
        paused: whether the team is paused now.
    """

    playbook: str
    team: str
    kpi: Kpi
    to_target: float | None = None
    check_ins: Coverage | None = None
    evidence: Evidence | None = None
    demoted: bool = False
    step: str = ""
    over: bool = False
    critical: bool = False
    broken: Guardrail | None = None
    reset: date | None = None
    rubric_due: bool = False
    demoted_on: date | None = None
    silent: bool = False
    result: str = ""
    busy: bool = False
    better: bool | None = None
    phase: str = ""
    paused: bool = False

    @property
    def state_names_step(self) -> bool:
        """Whether the row's state is about its step, and names it."""
        return self.demoted or self.over or (self.rubric_due and self.broken is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamChange:
    """A mode change and its day, with its playbook and team, and the evidence of its verdict; None without one."""

    playbook: str
    team: str
    change: ModeChange
    on: date
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamStep:
    """A step over its cap and its key, with its playbook and team; `critical` if it is watched for a critical
    exception."""

    playbook: str
    team: str
    step: StepEvidence
    key: str
    critical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Nudges of one kind that weren't sent, and why (`a public holiday`, `the bot was down`)."""

    nudge: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A count now and a week ago; `before` is None in the first week."""

    now: int
    before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamName:
    """A team that runs a playbook, by their titles."""

    playbook: str
    team: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest(MessageContext):
    """The week just over, for curators. Lists are worst first and may be truncated: the counts are complete.

    Args:
        week_start: the Monday of the week reported.
        decisions: of curators, of `decision_count`.
        owners_jobs: what waits for owners, of `owners_job_count`; a curator can do it as well.
        slipping: teams that need attention; the state of their row says why.
        rows: the teams, at most ten, of `team_count` that had a cycle.
        watch_count: steps over their caps.
        improved: the first teams whose number is better than its baseline, of `moved_count`; `not_improved`
            likewise, and `no_reading` those without a number in the week, of `no_reading_count`.
        over: whether the week is over; before that, check-ins that weren't asked for yet don't count.
        coverage: the week's check-ins, and `coverage_before` those of the week before; None when none was asked for.
        watched: teams whose planned cycles are over.
        waves: playbooks that have one, each with its newest wave: a phrase each.
        value: what the last four weeks were worth, as a phrase; empty if no playbook names a worth.
        setup_minutes: median of the setups timed, None without one.
        handoffs: overdue ones, then those sent back in the week, of `handoff_count`: one sentence each.
        exceptions: logged in the week and in the week before.
        notes: contradictions, heroes, overrides, promotions and what was declared by hand: one sentence each, the
            first of `note_count`.
        idle: titles of playbooks that became idle this week, of `idle_count` that nobody runs.
        chart: the rollout by month, in a month's last digest.
    """

    TEMPLATE: ClassVar[str] = "messages/overview/digest.json.j2"

    week_start: date
    decisions: tuple[Decision, ...]
    decision_count: int
    slipping: int
    rows: tuple[DigestRow, ...]
    team_count: int
    moved_count: int
    not_moved_count: int
    no_reading_count: int
    demotions: tuple[TeamChange, ...]
    demotion_count: int
    watch_count: int
    coverage: Coverage | None
    coverage_before: Coverage | None
    published: Tally
    adopted: Tally
    cycles_running: int
    cycles_completed: Tally
    exceptions: Tally
    watched: int = 0
    value: str = ""
    waves: tuple[str, ...] = ()
    owners_jobs: tuple[Decision, ...] = ()
    owners_job_count: int = 0
    over: bool = True
    improved: tuple[TeamName, ...] = ()
    not_improved: tuple[TeamName, ...] = ()
    no_reading: tuple[TeamName, ...] = ()
    setup_minutes: float | None = None
    notes: tuple[str, ...] = ()
    note_count: int = 0
    skipped: tuple[Skipped, ...] = ()
    handoffs: tuple[str, ...] = ()
    handoff_count: int = 0
    idle: tuple[str, ...] = ()
    idle_count: int = 0
    chart: Picture | None = None
    offers: tuple[Offer, ...] = ()
