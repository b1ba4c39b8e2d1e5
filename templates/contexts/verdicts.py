"""Verdicts on steps and the close of a cycle: alerts, and why they came to be."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from templates.contexts.base import Evidence, Id, Kpi, MessageContext, ModeChange, StepEvidence
from templates.contexts.promotions import PromotionLooked


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch(MessageContext):
    """A step is over its cap: what would demote it, and a question to the owner.

    Buttons carry `{adoption_id}:{step_key}`.

    Args:
        probability: P(rate > cap) under the posterior, 0–1.
        demote_at: the count of exceptions at which the evidence line demotes now; None when it can't.
        close_date: when the cap line will demote unless the ratio is back under; None under `rule: evidence`
            and between cycles.
        critical_reason: what was logged, when a critical exception on a step that people lead is all it can do.
        top_reason: the most frequent reason, `top_reason_count` times; None when no reason came twice.
        owner: Slack ID, asked what will change.
        answer: what the owner said, by `answered_by`, once they did.
        opened_at: when the step was first over its cap; the counts are those of the last time it was judged so.
        ended: how the watch ended: `under` the cap again, `demoted`, `closed` with its cycle, `restarted` count, or
            the step is `gone`; None while it goes on.
        latest: the counts it ended with; `leads_to` is the mode it was demoted to.
    """

    TEMPLATE: ClassVar[str] = "messages/watch.json.j2"

    adoption_id: Id
    step_key: str
    playbook: str
    team: str
    step: str
    mode: str
    evidence: Evidence
    probability: float
    owner: str
    demote_at: int | None = None
    close_date: date | None = None
    critical_reason: str | None = None
    top_reason: str | None = None
    top_reason_count: int = 0
    answer: str | None = None
    answered_by: str | None = None
    opened_at: datetime | None = None
    ended: str | None = None
    ended_at: datetime | None = None
    latest: Evidence | None = None
    leads_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Demoted(MessageContext):
    """A step now runs in another mode.

    Args:
        line: what decided: `critical`, `evidence`, `cap` (at the close) or `strict`.
        probability: P(rate > cap), 0–1.
        threshold: the probability the evidence line needs, 0–1.
        min_runs: the runs the cap line needs.
        critical_reason: what was logged, when `line` is `critical`.
        top_reason: the most frequent reason otherwise.
        owner: Slack ID, asked to refine the rubric.
        dropped: the team's version no longer has the step.
        undone_by: Slack ID of who took back the exception behind it, and when (`undone_at`).
        offers: further buttons, at most five.
    """

    TEMPLATE: ClassVar[str] = "messages/demoted.json.j2"

    adoption_id: Id
    step_key: str
    playbook: str
    team: str
    step: str
    before: str
    after: str
    line: str
    evidence: Evidence
    probability: float
    owner: str
    threshold: float = 0.9
    min_runs: int = 20
    critical_reason: str | None = None
    top_reason: str | None = None
    top_reason_count: int = 0
    dropped: bool = False
    undone_by: str | None = None
    undone_at: datetime | None = None
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """A number that must not get worse. `value` is None without a reading, `held` then too."""

    name: str
    unit: str
    direction: str
    limit: float
    value: float | None = None
    held: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleClosed(MessageContext):
    """The result of four weeks.

    Args:
        number: of the cycle, from 1.
        result: `met`, `not met` or `insufficient`.
        kpi: `value` is the median of the weekly readings, None when there were none.
        readings: one a week, in order, None where there was none.
        gates_met: of `gates`; None while gates aren't judged.
        missed: what each missed gate lacked.
        moved: `better`, `worse` or `same` than the baseline; None without a value.
        share: the change as a share of the baseline; None for a baseline of 0.
        origin_value: what the playbook's first team closed at last, for a later team.
        attested: members' weekly answers that came, of `expected`.
        steps: exceptions in the cycle against the cap.
        changes: modes that changed in the cycle.
        promotions: a line for each step that was looked at for promotion.
        lessons: as logged.
        next_cycle: its Monday; None when none is planned: `paused` or `retired` says why. `begun` once it has come.
        offers: buttons, at most five.
    """

    TEMPLATE: ClassVar[str] = "messages/cycle_closed.json.j2"

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
    paused: bool = False
    retired: bool = False
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTried:
    """One line of the demote rule and its outcome.

    `applies` is False where the rule leaves the line out or its time hasn't come (the cap line before the
    close); `holds` is whether its condition is true, and None where it wasn't looked at.
    """

    line: str
    applies: bool
    holds: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictDetail:
    """One verdict with every number behind it.

    Args:
        decision: `demote`, `watch`, `hold`, `propose` or `insufficient`.
        trigger: what was looked at: `exception`, `check-in`, `close`, `undo` or `week`.
        overtaken: it counted an exception that was taken back since.
        evidence: x, N with its attested and assumed parts, and the cap.
        probability: P(rate > cap) under Beta(x+½, N−x+½).
        threshold: the probability the evidence line needs, 0–1.
        min_exceptions: the x the evidence line needs.
        min_runs: the N the cap line needs.
        demote_at: the count at which the evidence line would demote with this N; None when none does.
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

    `drifts` are sentences: what was found of its drift and what became of it, newest first.
    `promotion` is the last look at one. `changed` says who changed the mode last, when and why.
    """

    TEMPLATE: ClassVar[str] = "answers/why.json.j2"

    playbook: str
    team: str
    step: str
    mode: str
    verdicts: tuple[VerdictDetail, ...]
    drifts: tuple[str, ...] = ()
    promotion: PromotionLooked | None = None
    changed: Mrkdwn | None = None
