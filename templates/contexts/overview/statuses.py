"""`/cadence status` and why a verdict was given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import ChoiceGroup, Evidence, Id, Kpi, MessageContext, ViewContext
from templates.contexts.numbers import Guardrail
from templates.contexts.promotions import PromotionLooked
from templates.contexts.waves import RolloutPhase
from templates.ids import Callback, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class StepNow:
    """A step of a playbook: its evidence, None before a first cycle; its last verdict, `decision`, if any."""

    key: str
    title: str
    mode: str
    evidence: Evidence | None = None
    decision: str | None = None
    judged_at: datetime | None = None

    @property
    def state(self) -> str:
        """`over` its cap, `demoted`, `watch`, `on-track`, or `idle` without any runs yet."""
        found = self.evidence
        if found is not None and found.ratio is not None and found.ratio > found.cap:
            return "over"
        if self.decision == "demote":
            return "demoted"
        if self.decision == "watch" and found is not None and found.exceptions:
            return "watch"
        return "on-track" if found is not None and (found.known or found.exceptions) else "idle"

    @property
    def estimated(self) -> int:
        """Its estimated runs, if they count beside something reported."""
        found = self.evidence
        return found.assumed if found is not None and (found.known or found.exceptions) else 0

    @property
    def on_track(self) -> bool:
        """Whether nothing about it needs a look."""
        return self.state in ("on-track", "idle")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateNow:
    """The week's gate: how many of its items are done, and what is left."""

    done: int
    total: int
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """One adoption this week.

    Args:
        week_start: of the period shown: the week, or the closed cycle.
        starts: the Monday of the cycle to come.
        gate: None while gates aren't judged.
        answered: check-ins in, of `expected`.
        closed: the number of the closed cycle, if no other one has begun; `result` is its result.
        next_cycle: the Monday on which the next one starts.
        paused: no check-ins until `owner` (a Slack ID) or a curator ends the pause, by the command `ends_pause`.
        own_answer_due: the reader's own check-in is open.
        own_answer_comes: when it comes, in their own zone, if it hasn't been sent or is snoozed.
        guardrails: with the newest reading of the cycle.
        standing: the progress of the setup if there is no cycle; the origin team's number: a sentence each.
        menu: what is seldom needed, at most five.
        month: the number of the watch period since the last cycle; None if it isn't watched.
    """

    adoption_id: Id
    slug: str
    playbook: str
    team: str
    week: int | None
    week_start: date
    week_end: date
    kpi: Kpi
    answered: int
    expected: int
    steps: tuple[StepNow, ...]
    starts: date | None = None
    gate: GateNow | None = None
    own_answer_due: bool = False
    own_answer_comes: datetime | None = None
    paused: bool = False
    ends_pause: str = ""
    owner: str | None = None
    closed: int | None = None
    result: str | None = None
    next_cycle: date | None = None
    standing: tuple[str, ...] = ()
    guardrails: tuple[Guardrail, ...] = ()
    menu: tuple[Offer, ...] = ()
    month: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(MessageContext):
    """This week, one adoption after the other; may be empty.

    `more` adoptions aren't among the rows; then those that need a decision come first. `handoffs` to be
    accepted: a sentence each. `phases`: the playbook's path to many teams, for its owner and curators if it is
    the only one shown. `begin`: the next step, if there is nothing to show.
    """

    TEMPLATE: ClassVar[str] = "answers/overview/status.json.j2"

    rows: tuple[StatusRow, ...]
    more: int = 0
    handoffs: tuple[str, ...] = ()
    phases: tuple[RolloutPhase, ...] = ()
    begin: Mrkdwn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyForm(PlainForm, callback=Callback.WHY, title="Why this mode?", submit="Show"):
    """The step whose verdicts are requested, in at least one group."""

    groups: tuple[ChoiceGroup, ...]
    selected: str | None = ask.choice(
        "Which step?",
        among="groups",
        name=Field.STEP,
        cut=(
            "Showing the first 40 playbooks. For any other, type `/cadence why` with the playbook and the step."
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTried:
    """One line of the demote rule and its outcome.

    `applies` is False if the rule excludes the line or its time hasn't come (the cap line before the close);
    `holds` is whether its condition is true, and None if it wasn't evaluated.
    """

    line: str
    applies: bool
    holds: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictDetail:
    """One verdict with every number behind it.

    Args:
        decision: `demote`, `watch` or `hold`.
        line: the line that decided: `critical`, `evidence`, `cap` or `none`.
        trigger: what triggered it: `exception`, `check-in`, `runs` that a tool counted, `close`, `undo` or `week`.
        overtaken: it counted an exception that was undone since.
        evidence: x, N with its attested and assumed parts, and the cap.
        critical: how many of the exceptions are critical.
        probability: P(rate > cap) under Beta(x+½, N−x+½).
        threshold: the probability the evidence line needs, 0–1.
        min_exceptions: the x the evidence line needs with this evidence.
        min_runs: the N the cap line needs.
        demote_at: the count at which the evidence line would demote with this N; None if none would.
        leads_to: the mode it demoted to.
        window_start: evidence counts from here.
        lines: each line of the rule, in the order tried.
    """

    decided_at: datetime
    decision: str
    line: str
    trigger: str
    rule: str
    evidence: Evidence
    probability: float
    threshold: float
    min_exceptions: int
    min_runs: int
    demote_at: int | None
    window_start: datetime
    lines: tuple[LineTried, ...]
    critical: int = 0
    leads_to: str | None = None
    overtaken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRow:
    """Verdicts in a row with the same decision on the same exceptions: the newest, and the first of `times`."""

    newest: VerdictDetail
    first: VerdictDetail
    times: int


def collapsed(verdicts: Sequence[VerdictDetail]) -> tuple[VerdictRow, ...]:
    """Rows of a table of verdicts, newest first: repeats of a decision on the same exceptions are one row."""
    groups = groupby(verdicts, key=lambda one: (one.decision, one.evidence.exceptions, one.overtaken))
    rows = [list(group) for _, group in groups]
    return tuple(VerdictRow(newest=row[0], first=row[-1], times=len(row)) for row in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Why(MessageContext):
    """Why a step is in its mode, and its last verdicts.

    Args:
        decided: the verdict behind the mode if one demoted the step, else the newest; None without any.
        rows: the last verdicts, newest first, repeats as one.
        latest: the newest verdict, if another one decided.
        changed: who changed the mode last, when and why.
        reset: when counters were reset last, and by what other than a change of the mode.
        now: the evidence since, if no verdict counts it yet.
        drifts: sentences, the events of the step's drift, newest first.
        promotion: the last evaluation for promotion.
        planned: why the playbook gives it the mode it plans, if it says so.
        check: what its automated check found this cycle.
    """

    TEMPLATE: ClassVar[str] = "answers/overview/why.json.j2"

    adoption_id: Id
    step_key: str
    playbook: str
    team: str
    step: str
    mode: str
    decided: VerdictDetail | None = None
    latest: VerdictDetail | None = None
    rows: tuple[VerdictRow, ...] = ()
    drifts: tuple[str, ...] = ()
    promotion: PromotionLooked | None = None
    check: str = ""
    changed: Mrkdwn | None = None
    reset: Mrkdwn | None = None
    now: Evidence | None = None
    planned: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyMath(ViewContext):
    """The arithmetic of a verdict and of the last evaluation for promotion."""

    TEMPLATE: ClassVar[str] = "modals/overview/why_math.json.j2"

    playbook: str
    team: str
    step: str
    verdict: VerdictDetail | None = None
    promotion: PromotionLooked | None = None
