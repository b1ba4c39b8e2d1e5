"""`/cadence status` and why a verdict was given."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import ChoiceGroup, Evidence, Kpi, MessageContext, StepEvidence
from templates.contexts.numbers import Guardrail
from templates.contexts.promotions import PromotionLooked
from templates.ids import Callback, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictSummary:
    """The decision of a step's last verdict."""

    step: str
    decision: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """One adoption this week.

    Args:
        starts: the Monday of the cycle to come.
        gate: what this week must produce, in a sentence; None while gates aren't judged.
        gate_met: whether the bot's data meets it.
        answered: check-ins in, of `expected`.
        closed: the number of the closed cycle, if no other one has begun; `result` is its result.
        next_cycle: the Monday on which the next one starts.
        paused: no check-ins until `owner` (a Slack ID) or a curator starts a cycle.
        own_answer_due: the reader's own check-in is open.
        own_answer_comes: when it comes, in their own zone, if it hasn't been sent or is snoozed.
        guardrails: with the newest reading of the cycle.
        standing: the progress of the setup if there is no cycle; the origin team's number: a sentence each.
    """

    slug: str
    playbook: str
    team: str
    week: int | None
    week_start: date
    week_end: date
    kpi: Kpi
    answered: int
    expected: int
    steps: tuple[StepEvidence, ...]
    starts: date | None = None
    verdicts: tuple[VerdictSummary, ...] = ()
    gate: str | None = None
    gate_met: bool = False
    own_answer_due: bool = False
    own_answer_comes: datetime | None = None
    paused: bool = False
    owner: str | None = None
    closed: int | None = None
    result: str | None = None
    next_cycle: date | None = None
    standing: tuple[str, ...] = ()
    guardrails: tuple[Guardrail, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(MessageContext):
    """This week, one adoption after the other; may be empty.

    `more` adoptions aren't among the rows; then those that need a decision come first. `handoffs` to be
    accepted: a sentence each.
    """

    TEMPLATE: ClassVar[str] = "answers/overview/status.json.j2"

    rows: tuple[StatusRow, ...]
    more: int = 0
    handoffs: tuple[str, ...] = ()


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
        decision: `demote`, `watch`, `hold`, `propose` or `insufficient`.
        trigger: what triggered it: `exception`, `check-in`, `close`, `undo` or `week`.
        overtaken: it counted an exception that was undone since.
        evidence: x, N with its attested and assumed parts, and the cap.
        probability: P(rate > cap) under Beta(x+½, N−x+½).
        threshold: the probability the evidence line needs, 0–1.
        min_exceptions: the x the evidence line needs.
        min_runs: the N the cap line needs.
        demote_at: the count at which the evidence line would demote with this N; None if none would.
        window_start: evidence counts from here.
        lines: each line of the rule, in the order tried.
    """

    decided_at: datetime
    decision: str
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
    overtaken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Why(MessageContext):
    """The last verdicts of a step, newest first; at most five are shown.

    `drifts` are sentences: the events of its drift, newest first. `promotion` is the last evaluation.
    `changed` says who changed the mode last, when and why.
    """

    TEMPLATE: ClassVar[str] = "answers/overview/why.json.j2"

    playbook: str
    team: str
    step: str
    mode: str
    verdicts: tuple[VerdictDetail, ...]
    drifts: tuple[str, ...] = ()
    promotion: PromotionLooked | None = None
    changed: Mrkdwn | None = None
