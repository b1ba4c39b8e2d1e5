"""The rubric of a step: graded samples, revisions, spot audits."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from cadence.rules.audits import PlaceInWeek
from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import Choice, ChoiceGroup, Id, MessageContext, ViewContext
from templates.ids import Callback, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricForm(PlainForm, callback=Callback.RUBRIC, title="Record grades", submit="Record"):
    """A graded sample of a step in at least one group."""

    groups: tuple[ChoiceGroup, ...]
    selected: str | None = ask.choice(
        "Which step did you grade?",
        among="groups",
        name=Field.STEP,
        cut=(
            "Showing the first 40 playbooks. For any other, type `/cadence rubric` with the playbook and the step."
        ),
    )
    samples: int | None = ask.whole(
        "Results graded", "How many results of this step you checked against the rubric.", least=1
    )
    passes: int | None = ask.whole("Passed", "How many met every criterion.")
    risky: int | None = ask.whole(
        "Risky", "How many could have caused harm, even if they passed. Leave blank for none.", optional=True
    )
    note: str = ask.lines("Note", optional=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricUpdate:
    """A change to a step's rubric, and the day it was made."""

    on: date
    change: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricNow:
    """A step's rubric as it is.

    Args:
        threshold: the share of graded results that must pass, 0–1; None if the playbook has no rubric yet.
        criteria: of the playbook.
        updates: made since, newest first.
    """

    step: str
    threshold: float | None
    criteria: tuple[str, ...]
    updates: tuple[RubricUpdate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionForm(PlainForm, callback=Callback.REVISE_RUBRIC, title="Update the rubric", submit="Update"):
    """A new rubric revision of a step in at least one group; `now` is the rubric of the selected one."""

    TEMPLATE: ClassVar[str] = "modals/rubrics/rubric_revision.json.j2"

    groups: tuple[ChoiceGroup, ...]
    selected: str | None = ask.choice(
        "Which step's rubric changed?",
        among="groups",
        name=Field.STEP,
        cut=(
            "Showing the first 40 playbooks. For any other, type `/cadence rubric` with the playbook, the step and "
            "`revise`."
        ),
    )
    change: str = ask.lines(
        "What changed?",
        "Such as: reject refunds unless the policy names the case.",
        name=Field.REASON,
    )
    now: RubricNow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """The graded samples that count for a step, over the cycles that decide.

    Args:
        bound: the lower bound on the true pass rate with 95% confidence, 0–1.
        accuracy: the share that must pass, 0–1; `max_risk` the highest risky one.
        needed: how many samples decide, given the failures and risky ones so far; `more` are missing.
        counted: the numbers of the cycles that have samples; `cycle` the running one's, 0 without one.
        spoiled: the cycle whose shares no further sample can fix, so that nothing is proposed before
            `earliest` closes, or None.
    """

    samples: int
    passes: int
    risky: int
    bound: float
    accuracy: float
    max_risk: float
    needed: int
    more: int
    counted: tuple[int, ...] = ()
    cycle: int = 0
    spoiled: int | None = None
    earliest: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRecorded(MessageContext):
    """A recorded sample, and the step's current evidence.

    Args:
        samples: of this sample; `passes` and `risky` too.
        revision: the rubric revision it was graded by.
        leads_to: the mode the step could be proposed for; None at the top of the ladder.
        demoted: the step was demoted on this rubric revision; the rubric has to be revised first.
        escalated_to: who is told about the risky ones.
    """

    TEMPLATE: ClassVar[str] = "answers/rubrics/sample_recorded.json.j2"

    adoption_id: Id
    step_key: str
    playbook: str
    team: str
    step: str
    mode: str
    samples: int
    passes: int
    risky: int
    revision: int
    pooled: Pooled
    leads_to: str | None = None
    demoted: bool = False
    note: str = ""
    escalated_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricRevised(MessageContext):
    """A step's rubric has a new revision; its evidence window starts again."""

    TEMPLATE: ClassVar[str] = "answers/rubrics/rubric_revised.json.j2"

    playbook: str
    team: str
    step: str
    mode: str
    revision: int
    change: str
    leads_to: str | None = None
    needed: int = 0
    cycles: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskyGrade(MessageContext):
    """Somebody graded results of a step as risky: sent immediately to the person responsible.

    Args:
        grader: Slack ID.
        audited: it was a spot audit of runs drawn at random.
        dropped: the team's version no longer has the step.
    """

    TEMPLATE: ClassVar[str] = "messages/rubrics/risky_grade.json.j2"

    adoption_id: Id
    step_key: str
    playbook: str
    team: str
    step: str
    mode: str
    samples: int
    passes: int
    risky: int
    max_risk: float
    grader: str
    note: str = ""
    audited: bool = False
    dropped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnRun:
    """A drawn run: whose, where in the week to look for it, and the link that its grader gave."""

    member: str
    found: PlaceInWeek
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedStep:
    """One step's spot audit; graded when `samples` is set.

    Args:
        runs: what was drawn, a member's runs together and in their order.
        samples: how many were graded; `passes` and `risky` of them.
        grader: Slack ID, at `graded_at`.
        check: what its automated check found in the cycle.
    """

    audit_id: Id
    step: str
    runs: tuple[DrawnRun, ...]
    samples: int | None = None
    passes: int = 0
    risky: int = 0
    grader: str | None = None
    graded_at: datetime | None = None
    check: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotAuditDue(MessageContext):
    """The week's runs drawn at random, for the owner to grade. [Grade them] carries `{adoption_id}:{week_start}`."""

    TEMPLATE: ClassVar[str] = "messages/rubrics/spot_audit.json.j2"

    adoption_id: Id
    week_start: str
    playbook: str
    team: str
    week: int | None
    steps: tuple[AuditedStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunToGrade:
    """One run in the form: inputs `grade:{audit_id}:{place}` and `link:{audit_id}:{place}`.

    `member` is a name; `chosen` and `link` are the earlier input.
    """

    audit_id: Id
    place: int
    step: str
    member: str
    found: PlaceInWeek
    chosen: str | None = None
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditForm(ViewContext):
    """The runs drawn for a week, to be graded together; `left` are those that didn't fit."""

    TEMPLATE: ClassVar[str] = "modals/rubrics/audit.json.j2"

    playbook: str
    team: str
    grades: tuple[Choice, ...]
    runs: tuple[RunToGrade, ...]
    criteria: tuple[str, ...] = ()
    left: int = 0
