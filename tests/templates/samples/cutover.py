from dataclasses import replace

from cadence.refusals import Offer
from templates.contexts.base import Choice, Kpi, MessageContext, ViewContext
from templates.contexts.cutover import (
    AssessmentForm,
    AssessmentShown,
    ChooseCutoverForm,
    CutoverHeld,
    CutoverPassed,
    CutoverShown,
    HoldForm,
    MoveAnywayForm,
    PracticeGroup,
    PracticesForm,
    PracticeToSort,
    RequirementLine,
)
from templates.ids import Action
from tests.templates.samples.common import THURSDAY

INPUTS = RequirementLine(
    title="Complete inputs",
    needed="95%",
    measured="154 of 160 runs (96%)",
    source="check-ins, cycle 2",
    met=True,
)
OWNERSHIP = RequirementLine(
    title="Ownership", needed="5 names", measured="3 of 5", source="owners by name", met=False
)
LINES = (
    INPUTS,
    RequirementLine(
        title="Rubric accuracy",
        needed="90%",
        measured="55 of 60 samples (92%)",
        source="graded samples, cycle 2",
        met=True,
    ),
    RequirementLine(
        title="Check-ins", needed="80%", measured="11 of 12", source="check-ins, cycle 2", met=True
    ),
    OWNERSHIP,
    RequirementLine(title="Assessment", needed="answered", measured="answered", source="the owner", met=True),
)
MET = tuple(replace(one, met=True) for one in LINES)
DECIDE = (
    Offer("Move to production", Action.APPROVE_CUTOVER, "support-reply"),
    Offer("Hold", Action.HOLD_CUTOVER, "support-reply"),
    Offer("Show the assessment", Action.SHOW_ASSESSMENT, "support-reply"),
)
SHOWN = CutoverShown(
    slug="support-reply",
    playbook="Support reply",
    team="Support EMEA",
    lines=LINES,
    cycle=2,
    kpi=Kpi(name="First response time", unit="minutes", direction="lower", target=15, value=14, baseline=42),
    missing=("training",),
    reviewer="U01LEAD",
    heroic=("Jana checks every draft at night",),
    offers=(Offer("Ask for cutover", Action.ASK_CUTOVER, "support-reply"),),
)
ASSESSMENT = AssessmentShown(
    slug="support-reply",
    playbook="Support reply",
    manual_work="Copying order numbers from the shop.",
    changed_for_ai="Tickets are tagged before they are drafted.",
    local_knowledge="Which refunds the desk may grant.",
    feedback="The Friday review of rejected drafts.",
    practices=(
        PracticeGroup(kind="core", texts=("Tag the ticket first", "Grade ten replies every Friday")),
        PracticeGroup(kind="pilot-only", texts=("Only English tickets",)),
        PracticeGroup(kind="heroic", texts=("Jana checks every draft at night",)),
        PracticeGroup(kind="systematize", texts=()),
    ),
    member="U01LEAD",
    assessed_at=THURSDAY,
    reviewer="U01LEAD",
)
PASSED = CutoverPassed(
    slug="support-reply", playbook="Support reply", team="Support EMEA", curator="U01CURATOR", lines=MET
)

SAMPLES: dict[str, MessageContext | ViewContext] = {
    "form-assessment": AssessmentForm(playbook="Support reply", team="Support EMEA"),
    "form-practices": PracticesForm(
        assessment_id=4,
        playbook="Support reply",
        practices=(
            PracticeToSort(text="Tag the ticket first", kind="core"),
            PracticeToSort(text="Jana checks every draft at night"),
        ),
    ),
    "assessment-shown": ASSESSMENT,
    "assessment-shown-unsorted": replace(
        ASSESSMENT, practices=(), unsorted=("Tag the ticket first",), reviewer=None
    ),
    "cutover-shown": SHOWN,
    "cutover-shown-not-yet": replace(
        SHOWN,
        lines=(
            replace(
                INPUTS,
                measured="no closed cycle yet",
                source="check-ins",
                met=False,
            ),
        ),
        cycle=None,
        kpi=None,
        missing=(),
        reviewer=None,
        heroic=(),
        offers=(),
    ),
    "cutover-asked": replace(
        SHOWN,
        lines=MET,
        state="asked",
        by="U01LEAD",
        at=THURSDAY,
        missing=(),
        reviewer=None,
        heroic=(),
        offers=DECIDE,
    ),
    "cutover-shown-held": replace(
        SHOWN, state="held", by="U01CURATOR", at=THURSDAY, reason="Name who trains the next teams."
    ),
    "cutover-shown-in-production": replace(
        SHOWN, lines=MET, state="production", by="U01CURATOR", at=THURSDAY, missing=(), offers=()
    ),
    "cutover-shown-moved-anyway": replace(
        SHOWN,
        state="production",
        by="U01CURATOR",
        at=THURSDAY,
        overridden=True,
        reason="The season starts on Monday.",
        offers=(),
    ),
    "cutover-passed": PASSED,
    "cutover-passed-anyway": replace(PASSED, lines=LINES, reason="The season starts on Monday."),
    "cutover-held": CutoverHeld(
        slug="support-reply",
        playbook="Support reply",
        curator="U01CURATOR",
        reason="Name who trains the next teams.",
        missing=(OWNERSHIP,),
    ),
    "form-cutover-hold": HoldForm(playbook="Support reply"),
    "form-cutover-anyway": MoveAnywayForm(
        playbook="Support reply", missing=("Ownership: 3 of 5 (needs 5 names)",)
    ),
    "form-cutover-choose": ChooseCutoverForm(
        heading="Assess a pilot", playbooks=(Choice(label="Support reply", value="support-reply"),)
    ),
}
