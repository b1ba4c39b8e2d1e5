"""What the standard decided: watches, demotions, drift, modes declared by hand."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from cadence.rules.percent import percent_of
from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import MODES, ChoiceGroup, Evidence, Id, MessageContext
from templates.filters import plural
from templates.ids import Callback, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftNumbers:
    """The numbers behind a drift.

    Args:
        attested: attestations of the step.
        drifted: those in another mode than declared.
        weeks: of the cycle in which there was one, in order.
        share: drifted of those attested and still awaited, 0–1.
        limit: the share above which a step drifts, 0–1.
        limit_weeks: the weeks from which it does, when `limit_people` attested another mode.
        limit_attestations: the attestations from which the share counts.
        awaited: missing check-ins, which count as planned until they arrive.
    """

    attested: int
    drifted: int
    weeks: tuple[int, ...]
    share: float
    limit: float
    limit_weeks: int
    limit_people: int = 2
    limit_attestations: int = 5
    awaited: int = 0

    @property
    def percent(self) -> str:
        """The share as a percentage on the right side of the limit; empty for few attestations."""
        return percent_of(self.drifted, self.attested + self.awaited, limit=self.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift(MessageContext):
    """A step is run in another mode than planned; later, the decision. It names nobody who attested.

    Buttons carry `{adoption_id}:{step_key}`, and `:{mode}` for the one that declares.

    Args:
        declared: the mode declared when it was found.
        used: the mode most attested instead.
        also: the other mode attested instead, if there are two.
        alone: only one person reported it, so only the owner reads this.
        owner: Slack ID, who changes the plan or goes back to it.
        decision: `declared`, `back_to_plan` or `withdrawn` once it is settled.
        decided_by: Slack ID; None when the rule changed the mode or the answers were corrected.
        after: the mode declared then.
    """

    TEMPLATE: ClassVar[str] = "messages/standards/drift.json.j2"

    adoption_id: Id
    step_key: str
    playbook: str
    team: str
    step: str
    declared: str
    used: str
    numbers: DriftNumbers
    owner: str
    also: str | None = None
    alone: bool = False
    decision: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str = ""
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReported(MessageContext):
    """One person reported another mode than planned: a DM to the owner that names nobody.

    Buttons carry `{adoption_id}:{step_key}`, and `:{mode}` for the one that declares.

    Args:
        declared: the step's mode now.
        used, also: as in `Drift`.
        people: how many report another mode now.
        ended: `corrected`, `settled` (the count restarted since) or `alert` (it became one) once it is over.
    """

    TEMPLATE: ClassVar[str] = "messages/standards/drift_reported.json.j2"

    adoption_id: Id
    step_key: str
    playbook: str
    team: str
    step: str
    declared: str
    used: str
    numbers: DriftNumbers
    also: str | None = None
    people: int = 1
    ended: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Graded samples of a step in a cycle, by its number."""

    passes: int
    samples: int
    cycle: int

    @property
    def words(self) -> str:
        """`19 of 20 graded samples passed in cycle 1`."""
        return f"{self.passes:,} of {plural(self.samples, 'graded sample')} passed in cycle {self.cycle}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeDeclared(MessageContext):
    """A person declared a step's mode. `raised`: without a promotion, on `samples` at best."""

    TEMPLATE: ClassVar[str] = "messages/standards/mode_declared.json.j2"

    adoption_id: Id
    step_key: str
    playbook: str
    team: str
    step: str
    before: str
    after: str
    member: str
    reason: str
    raised: bool
    samples: Samples | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackToPlanForm(PlainForm, callback=Callback.BACK_TO_PLAN, title="Back to the plan"):
    """The owner says what changes so that a step is run as planned again."""

    TEMPLATE: ClassVar[str] = "modals/standards/back_to_plan.json.j2"

    playbook: str
    team: str
    step: str
    declared: str
    used: str
    also: str | None = None
    note: str = ask.lines("What will you change?", "Your team and the curators will see this.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeForm(PlainForm, callback=Callback.MODE, title="Change who leads", submit="Change"):
    """Declare a step's mode. A step's value is `{adoption_id}:{step_key}`.

    `drift` describes how the step is run, with the numbers, while that is unsettled. `plan` is why the playbook
    gives the chosen step its mode.
    """

    TEMPLATE: ClassVar[str] = "modals/standards/mode.json.j2"

    groups: tuple[ChoiceGroup, ...]
    selected: str | None = ask.choice("Step", among="groups", name=Field.STEP)
    chosen: str | None = ask.choice(
        "Who leads it from now on?",
        "Only curators can make a step AI-led.",
        among=MODES,
        name=Field.MODE,
    )
    reason: str = ask.lines("Why?", "Your team and the curators will see this. The step's counters reset.")
    drift: Mrkdwn | None = None
    plan: Mrkdwn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch(MessageContext):
    """A step over its cap: what would demote it, and a question to the owner.

    Buttons carry `{adoption_id}:{step_key}`.

    Args:
        probability: P(rate > cap) under the posterior, 0–1.
        demote_at: the count of exceptions at which the evidence line demotes now; None if it can't.
        close_date: when the cap line will demote unless the ratio is back under; None under `rule: evidence`
            and between cycles.
        critical_reason: what was logged, when a critical exception on a step that people lead is all it can do.
        top_reason: the most frequent reason, `top_reason_count` times; None when no reason came twice.
        owner: Slack ID, asked for a plan.
        answer: the plan, by `answered_by`, if there is one.
        opened_at: when the step was first over its cap; the counts are those of the last verdict over the
            cap.
        ended: how the watch ended: `under` the cap again, `demoted`, `closed` with its cycle, `restarted`
            count, or the step is `gone`; `replaced` by a newer alert on a critical exception; None while it is open.
        by_estimates: nothing was reported in between: it is `under` by runs estimated for another week.
        latest: the counts it ended with; `leads_to` is the mode it was demoted to.
    """

    TEMPLATE: ClassVar[str] = "messages/standards/watch.json.j2"

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
    by_estimates: bool = False
    ended_at: datetime | None = None
    latest: Evidence | None = None
    leads_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Demoted(MessageContext):
    """A step now runs in another mode.

    Args:
        line: the deciding line: `critical`, `evidence`, `cap` (at the close) or `strict`.
        probability: P(rate > cap), 0–1.
        threshold: the probability the evidence line needs, 0–1.
        min_runs: the runs the cap line needs.
        critical_reason: what was logged, when `line` is `critical`.
        top_reason: the most frequent reason otherwise.
        owner: Slack ID, asked to update the rubric.
        dropped: the team's version no longer has the step.
        undone_by: Slack ID of who undid the exception behind it, and when (`undone_at`).
        revised_by: Slack ID of who updated the rubric since, and when (`revised_at`).
    """

    TEMPLATE: ClassVar[str] = "messages/standards/demoted.json.j2"

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
    revised_by: str | None = None
    revised_at: datetime | None = None
