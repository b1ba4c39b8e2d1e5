from dataclasses import replace
from datetime import date

from cadence.rules.audits import PlaceInWeek
from templates.contexts.base import Choice, ChoiceGroup, MessageContext, ViewContext
from templates.contexts.rubrics import (
    AuditedStep,
    AuditForm,
    DrawnRun,
    Pooled,
    RevisionForm,
    RiskyGrade,
    RubricForm,
    RubricNow,
    RubricRevised,
    RubricUpdate,
    RunToGrade,
    SampleRecorded,
    SpotAuditDue,
)
from tests.templates.samples.common import MONDAY, THURSDAY, WEEK

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
    samples=38,
    passes=37,
    risky=0,
    bound=0.8806,
    accuracy=0.9,
    max_risk=0.02,
    needed=46,
    more=8,
    counted=(1, 2),
    cycle=2,
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
AUDIT = SpotAuditDue(
    adoption_id=7,
    week_start=WEEK,
    playbook="Support reply",
    team="Support EMEA",
    week=2,
    steps=(
        AuditedStep(
            audit_id=5,
            step="Draft three replies",
            runs=(
                DrawnRun(member="U01AGENT1", found=PlaceInWeek(date(2026, 12, 14), 3)),
                DrawnRun(member="U01AGENT1", found=PlaceInWeek(date(2026, 12, 17), 1)),
                DrawnRun(member="U01AGENT2", found=PlaceInWeek(date(2026, 12, 14), 2)),
            ),
        ),
    ),
)
CHECKED = replace(AUDIT.steps[0], check="Automated check “policy-check”: 211 of 214 passed in cycle 1")
LINKED = replace(AUDIT.steps[0].runs[0], link="https://desk.example.com/tickets/4711")
GRADED = replace(
    AUDIT.steps[0],
    runs=(LINKED, *AUDIT.steps[0].runs[1:]),
    samples=3,
    passes=2,
    risky=1,
    grader="U01LEAD",
    graded_at=THURSDAY,
)
GRADES = (
    Choice(label="Passed", value="pass"),
    Choice(label="Failed", value="fail"),
    Choice(label="Passed, but risky", value="risky-pass"),
    Choice(label="Failed, and risky", value="risky-fail"),
)
TO_GRADE = RunToGrade(
    audit_id=5,
    place=0,
    step="Draft three replies",
    member="Ada",
    found=PlaceInWeek(date(2026, 12, 14), 3),
)

SAMPLES: dict[str, MessageContext | ViewContext] = {
    "spot-audit-checked": replace(AUDIT, steps=(CHECKED,)),
    "sample-recorded": RECORDED,
    "sample-recorded-enough": replace(
        RECORDED,
        pooled=replace(POOLED, samples=61, passes=60, bound=0.9247, more=0),
        risky=1,
        escalated_to="U01LEAD",
    ),
    "sample-recorded-risky": replace(
        RECORDED,
        risky=1,
        pooled=replace(POOLED, samples=29, passes=28, risky=1, bound=0.847, needed=50, more=21, counted=(2,)),
    ),
    "sample-recorded-spoiled": replace(RECORDED, pooled=replace(POOLED, spoiled=1, earliest=3)),
    "sample-recorded-demoted": replace(RECORDED, demoted=True, note=""),
    "sample-recorded-ai-led": replace(RECORDED, mode="ai-led", leads_to=None),
    "rubric-revised": REVISED,
    "rubric-revised-ai-led": replace(REVISED, mode="ai-led", leads_to=None),
    "risky-grade": RISKY,
    "risky-grade-dropped": replace(RISKY, dropped=True),
    "risky-grade-by-hand": replace(RISKY, samples=20, passes=19, risky=2, audited=False, note="Two refunds."),
    "spot-audit": AUDIT,
    "spot-audit-graded": replace(AUDIT, steps=(GRADED,)),
    "spot-audit-half-graded": replace(AUDIT, steps=(GRADED, replace(AUDIT.steps[0], step="Send"))),
    "form-audit": AuditForm(
        playbook="Support reply",
        team="Support EMEA",
        grades=GRADES,
        runs=(
            TO_GRADE,
            replace(TO_GRADE, place=1, chosen="risky-fail", link="https://desk.example.com/tickets/4711"),
        ),
        criteria=("tone", "accuracy"),
    ),
    "form-rubric": RubricForm(groups=GROUPS),
    "form-rubric-filled": RubricForm(
        groups=GROUPS, selected="7:draft", samples=20, passes=19, risky=1, note="Twenty replies."
    ),
    "form-rubric-revision": RevisionForm(groups=GROUPS, selected="7:send"),
    "form-rubric-revision-updated": RevisionForm(
        groups=GROUPS,
        selected="7:send",
        now=RubricNow(
            step="Send the edited reply",
            threshold=0.9,
            criteria=("tone", "accuracy", "policy adherence"),
            updates=(
                RubricUpdate(on=MONDAY, change="Reject refunds unless the policy names the case."),
                RubricUpdate(on=MONDAY, change="Two sentences at most."),
            ),
        ),
    ),
}
