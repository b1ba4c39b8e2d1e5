from dataclasses import replace

from templates.contexts.base import Choice, ChoiceGroup, MessageContext, ViewContext
from templates.contexts.rubrics import (
    Pooled,
    RevisionForm,
    RiskyGrade,
    RubricForm,
    RubricRevised,
    SampleRecorded,
)

GROUPS = (
    ChoiceGroup(
        label="Support reply · Support EMEA",
        choices=(
            Choice(label="Draft three replies (collaborative)", value="7:draft"),
            Choice(label="Send the edited reply (AI-led)", value="7:send"),
        ),
    ),
)
POOLED = Pooled(
    samples=38, passes=37, risky=0, bound=0.8806, accuracy=0.9, max_risk=0.02, needed=46, more=8, cycles=2
)
RECORDED = SampleRecorded(
    adoption_id=7,
    step_key="draft",
    playbook="Support reply",
    team="Support EMEA",
    step="Draft three replies",
    mode="collaborative",
    samples=20,
    passes=19,
    risky=0,
    revision=1,
    pooled=POOLED,
    leads_to="ai-led",
    note="Twenty replies of last Friday.",
)
REVISED = RubricRevised(
    playbook="Support reply",
    team="Support EMEA",
    step="Send the edited reply",
    mode="collaborative",
    revision=2,
    change="Refunds are rejected unless the policy names the case.",
    leads_to="ai-led",
    needed=29,
    cycles=2,
)
RISKY = RiskyGrade(
    adoption_id=7,
    step_key="draft",
    playbook="Support reply",
    team="Support EMEA",
    step="Draft three replies",
    mode="collaborative",
    samples=5,
    passes=4,
    risky=1,
    max_risk=0.02,
    grader="U01LEAD",
    audited=True,
)

SAMPLES: dict[str, MessageContext | ViewContext] = {
    "sample-recorded": RECORDED,
    "sample-recorded-enough": replace(
        RECORDED,
        pooled=replace(POOLED, samples=61, passes=60, bound=0.9247, more=0),
        risky=1,
        escalated_to="U01LEAD",
    ),
    "sample-recorded-demoted": replace(RECORDED, demoted=True, note=""),
    "sample-recorded-ai-led": replace(RECORDED, mode="ai-led", leads_to=None, duplicate=True),
    "rubric-revised": REVISED,
    "rubric-revised-twice": replace(REVISED, mode="ai-led", leads_to=None, duplicate=True),
    "risky-grade": RISKY,
    "risky-grade-by-hand": replace(RISKY, samples=20, passes=19, risky=2, audited=False, note="Two refunds."),
    "form-rubric": RubricForm(groups=GROUPS),
    "form-rubric-filled": RubricForm(
        groups=GROUPS, selected="7:draft", samples=20, passes=19, risky=1, note="Twenty replies."
    ),
    "form-rubric-revision": RevisionForm(groups=GROUPS, selected="7:send"),
}
