"""After a pilot: the assessment and its practices; what production needs, measured; the decision."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from cadence.refusals import Offer
from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import Choice, Id, Kpi, MessageContext, ViewContext
from templates.ids import Callback, Field

KINDS: Final = (
    Choice(label="Core: part of the package", value="core"),
    Choice(label="Pilot conditions: only true here", value="pilot-only"),
    Choice(label="Heroic effort: won't last", value="heroic"),
    Choice(label="To be systematized", value="systematize"),
)
"""How a practice of the pilot is sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentForm(PlainForm, callback=Callback.ASSESSMENT, title="Assess the pilot", submit="Save"):
    """Four questions about the pilot, and what worked."""

    playbook: str
    team: str
    manual_work: str = ask.lines(
        "Which manual work won't scale?", "Such as copying numbers by hand.", name=Field.MANUAL_WORK
    )
    changed_for_ai: str = ask.lines("What did you change to fit the AI?", name=Field.CHANGED_FOR_AI)
    local_knowledge: str = ask.lines("What does only this team know?", name=Field.LOCAL_KNOWLEDGE)
    feedback: str = ask.lines("Which feedback kept it improving?", name=Field.FEEDBACK)
    reviewer: str | None = ask.member(
        "Who reviewed every output?", "Leave blank if nobody did.", optional=True, name=Field.REVIEWER
    )
    practices: str = ask.lines(
        "What worked?",
        "One practice a line, up to 10. Next, you sort them: only the core goes into the package.",
        optional=True,
        name=Field.PRACTICES,
        most=2_000,
    )

    def intro(self) -> str:
        """The pilot."""
        return f"The pilot of {self.playbook} in {self.team}. Answer for the team that comes next."


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeToSort:
    """One practice in the form: the input `practice:{place}`; `kind` is its current one."""

    text: str
    kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticesForm(ViewContext):
    """The practices of an assessment, each with a menu of kinds."""

    TEMPLATE: ClassVar[str] = "modals/cutover/practices.json.j2"

    assessment_id: Id
    playbook: str
    practices: tuple[PracticeToSort, ...]
    kinds: tuple[Choice, ...] = KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeGroup:
    """The practices of one kind: `core`, `pilot-only`, `heroic` or `systematize`."""

    kind: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentShown(MessageContext):
    """The owner's assessment of a pilot.

    Args:
        reviewer: Slack ID of the one person who reviewed every output.
        practices: by kind; `unsorted` have none yet.
        member: who answered it, at `assessed_at`.
    """

    TEMPLATE: ClassVar[str] = "answers/cutover/assessment_shown.json.j2"

    slug: str
    playbook: str
    manual_work: str
    changed_for_ai: str
    local_knowledge: str
    feedback: str
    practices: tuple[PracticeGroup, ...]
    member: str
    assessed_at: datetime
    reviewer: str | None = None
    unsorted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementLine:
    """One requirement of the cutover in words: what is needed, what was measured, and where that comes from."""

    title: str
    needed: str
    measured: str
    source: str
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoverShown(MessageContext):
    """What production needs against what the pilot measured.

    Args:
        state: `open`, `asked`, `held` or `production`.
        cycle: the number of the pilot's cycle that was measured; None before the first has closed.
        kpi: of that cycle, for information; None without a result.
        missing: roles without a person, in words.
        reviewer: who reviewed every output: a scaling constraint.
        heroic: practices that depend on heroic effort: a risk.
        by, at: who asked or decided, and when.
        reason: of a hold or an override.
        overridden: it was moved although something was missing.
    """

    TEMPLATE: ClassVar[str] = "answers/cutover/cutover_shown.json.j2"

    slug: str
    playbook: str
    team: str
    lines: tuple[RequirementLine, ...]
    state: str = "open"
    cycle: int | None = None
    kpi: Kpi | None = None
    missing: tuple[str, ...] = ()
    reviewer: str | None = None
    heroic: tuple[str, ...] = ()
    by: str | None = None
    at: datetime | None = None
    reason: str = ""
    overridden: bool = False
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoverPassed(MessageContext):
    """The announcement that a playbook moved to production; `reason` is set if it was moved anyway.

    `lines` are the figures of the decision.
    """

    TEMPLATE: ClassVar[str] = "messages/cutover/cutover_passed.json.j2"

    slug: str
    playbook: str
    team: str
    curator: str
    lines: tuple[RequirementLine, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoverHeld(MessageContext):
    """The owner's message that a curator held the cutover; `missing` are the requirements not met."""

    TEMPLATE: ClassVar[str] = "messages/cutover/cutover_held.json.j2"

    slug: str
    playbook: str
    curator: str
    reason: str
    missing: tuple[RequirementLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldForm(PlainForm, callback=Callback.HOLD_CUTOVER, title="Hold the cutover", submit="Hold"):
    """Why a cutover has to wait."""

    playbook: str
    reason: str = ask.lines("What has to happen first?", "The owner gets this with the figures.")

    def intro(self) -> str:
        """The playbook."""
        return f"{self.playbook} stays in its pilot for now. The owner can ask again."


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveAnywayForm(
    PlainForm, callback=Callback.CUTOVER_ANYWAY, title="Move anyway", submit="Move to production"
):
    """Why a playbook moves to production although something is missing."""

    TEMPLATE: ClassVar[str] = "modals/cutover/move_anyway.json.j2"

    playbook: str
    missing: tuple[str, ...]
    reason: str = ask.lines("Why now?", "The team and the curators will see this. It stays in the trail.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseCutoverForm(PlainForm, callback=Callback.CHOOSE_CUTOVER, submit="Continue"):
    """Choose a playbook, of at least one, to assess or to move to production."""

    heading: str
    playbooks: tuple[Choice, ...]
    playbook: str | None = ask.choice("Playbook", among="playbooks", needed="Choose a playbook.")

    def modal_title(self) -> str:
        """What it is chosen for."""
        return self.heading
