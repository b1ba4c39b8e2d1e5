from dataclasses import replace

from cadence.mrkdwn import Mrkdwn, say
from templates.contexts.base import MessageContext, ViewContext
from templates.contexts.history import Trace, TraceRow
from templates.contexts.standards import (
    BackToPlanForm,
    Drift,
    DriftNumbers,
    DriftReported,
    ModeDeclared,
    ModeForm,
    Samples,
)
from tests.templates.samples.common import MONDAY, THURSDAY
from tests.templates.samples.forms import GROUPS

DRIFT = Drift(
    adoption_id=7,
    step_key="draft",
    playbook="Support reply",
    team="Support EMEA",
    step="Draft three replies",
    declared="collaborative",
    used="human-led",
    numbers=DriftNumbers(
        attested=9, drifted=3, weeks=(1, 2), share=1 / 3, limit=0.2, limit_weeks=2, awaited=0
    ),
    owner="U01LEAD",
)
REPORTED = DriftReported(
    adoption_id=7,
    step_key="draft",
    playbook="Support reply",
    team="Support EMEA",
    step="Draft three replies",
    declared="collaborative",
    used="human-led",
    numbers=replace(DRIFT.numbers, attested=3, drifted=1, weeks=(1,)),
)
DECLARED = ModeDeclared(
    adoption_id=7,
    step_key="draft",
    playbook="Support reply",
    team="Support EMEA",
    step="Draft three replies",
    before="collaborative",
    after="human-led",
    member="U01LEAD",
    reason="The drafts need an editor while the policy file is rewritten.",
    raised=False,
)
TRACE = Trace(
    rows=(
        TraceRow(
            at=THURSDAY,
            member="U01LEAD",
            surface="form",
            what="changed who leads the step",
            about="“Draft three replies”, Support reply (Support EMEA)",
            was="collaborative",
            became="human-led",
        ),
        TraceRow(
            at=THURSDAY,
            member=None,
            surface="by rule",
            what="checked the step",
            about="“Draft three replies”, Support reply (Support EMEA)",
            became="over the cap, after an exception",
        ),
    ),
    playbook="Support reply",
    step="draft",
    since=MONDAY,
    older="41|support-reply|draft||2026-12-14",
)
BACK_TO_PLAN = BackToPlanForm(
    private_metadata='{"a": 7, "s": "draft"}',
    playbook="Support reply",
    team="Support EMEA",
    step="Draft three replies",
    declared="collaborative",
    used="human-led",
)

SAMPLES: dict[str, MessageContext | ViewContext] = {
    "drift": DRIFT,
    "drift-in-two-modes": replace(DRIFT, also="ai-led"),
    "drift-reported": REPORTED,
    "drift-reported-corrected": replace(REPORTED, people=0, ended="corrected"),
    "drift-reported-settled": replace(REPORTED, declared="human-led", people=0, ended="settled"),
    "drift-reported-alert": replace(
        REPORTED, people=2, ended="alert", numbers=replace(DRIFT.numbers, attested=3, drifted=2)
    ),
    "drift-alone": replace(DRIFT, alone=True),
    "drift-one-week": replace(
        DRIFT, numbers=replace(DRIFT.numbers, drifted=2, weeks=(1,), attested=3, awaited=3)
    ),
    "drift-declared": replace(
        DRIFT,
        decision="declared",
        decided_by="U01LEAD",
        decided_at=THURSDAY,
        reason="Nobody trusts the drafts yet.",
        after="human-led",
    ),
    "drift-demoted": replace(DRIFT, decision="declared", decided_at=THURSDAY, after="human-led"),
    "drift-back-to-plan": replace(
        DRIFT,
        decision="back_to_plan",
        decided_by="U01LEAD",
        decided_at=THURSDAY,
        reason="Two drafts a day are made together.",
        after="collaborative",
    ),
    "drift-withdrawn": replace(DRIFT, decision="withdrawn", decided_at=THURSDAY, after="collaborative"),
    "mode-declared": DECLARED,
    "mode-raised-on-samples": replace(
        DECLARED,
        before="human-led",
        after="ai-led",
        raised=True,
        samples=Samples(passes=19, samples=20, cycle=1),
    ),
    "mode-raised": replace(DECLARED, before="human-led", after="ai-led", raised=True),
    "trace": TRACE,
    "trace-everything": replace(TRACE, playbook=None, step=None, since=None, older=None),
    "trace-undo": replace(TRACE, undo="41"),
    "trace-nothing": Trace(rows=()),
    "form-back-to-plan": BACK_TO_PLAN,
    "form-mode": ModeForm(groups=GROUPS),
    "form-mode-drift": ModeForm(
        groups=GROUPS,
        selected="7:draft",
        chosen="human-led",
        drift=Mrkdwn("as human-led, not collaborative as planned: 2 of 8 check-ins (limit 20%) in week 1"),
    ),
    "form-mode-filled": ModeForm(
        groups=GROUPS,
        selected="7:draft",
        chosen="human-led",
        reason="Nobody trusts the drafts yet.",
        plan=say("The plan for “{step}” is collaborative: {why}", step="Draft", why="tone needs a person"),
    ),
}
