from dataclasses import replace
from datetime import timedelta

from templates.contexts.base import Choice, MessageContext, ViewContext
from templates.contexts.handoffs import (
    HandoffAnswered,
    HandoffFailForm,
    HandoffFallback,
    HandoffForm,
    HandoffNames,
    HandoffPost,
    HandoffRow,
    Handoffs,
    Switched,
)
from tests.templates.samples.common import THURSDAY

SENT = HandoffNames(
    number=12,
    playbook="Support reply",
    team="Support EMEA",
    to="Billing",
    what="Refund for case 4711",
    sent_by="U01AGENT1",
    sent_at=THURSDAY,
    due_at=THURSDAY + timedelta(hours=24),
    sla="24 hours",
    link="https://example.com/cases/4711",
)
ACCEPTED = replace(
    SENT,
    state="accepted",
    decided_by="U01AGENT2",
    decided_at=THURSDAY + timedelta(hours=3),
    reason="Paid out on Friday.",
)
FAILED = replace(
    SENT,
    state="failed",
    decided_by="U01AGENT2",
    decided_at=THURSDAY + timedelta(hours=3),
    reason="Two cases carry that number.",
    lacking=("tagged ticket",),
)
DONE = replace(ACCEPTED, state="done", reason="Paid out, see the case.")
WITHDRAWN = replace(
    SENT, state="withdrawn", decided_by="U01AGENT1", decided_at=THURSDAY, reason="Wrong case."
)
POST = HandoffPost(
    handoff=SENT,
    inputs=("tagged ticket",),
    outputs=("refund decision",),
    on_failure="reopen the ticket",
)
FALLBACK = HandoffFallback(
    number=12,
    adoption_id=7,
    step_key="send",
    step="Send the edited reply",
    before="ai-led",
    after="human-led",
    playbook="Support reply",
    team="Support EMEA",
    to="Billing",
    what="Refund for case 4711",
    reason="Two cases carry that number.",
    again="7",
)
BACK = HandoffAnswered(
    handoff=FAILED,
    on_failure="reopen the ticket",
    owner="U01LEAD",
    fallback="human-led",
    declare="7::human-led",
    again="7",
)
ROW = HandoffRow(handoff=SENT, may_answer=True)

SAMPLES: dict[str, MessageContext | ViewContext] = {
    "handoff": POST,
    "handoff-due-next-year": replace(POST, handoff=replace(SENT, due_at=THURSDAY + timedelta(days=28))),
    "handoff-overdue": replace(POST, overdue=True),
    "handoff-overdue-at-the-others": replace(POST, overdue=True, may_answer=False),
    "handoff-accepted": replace(POST, handoff=ACCEPTED),
    "handoff-accepted-by-others": replace(POST, handoff=ACCEPTED, may_answer=False),
    "handoff-done": replace(POST, handoff=DONE),
    "handoff-overdue-sent-by-them": replace(POST, overdue=True, may_answer=False, may_withdraw=True),
    "handoff-withdrawn": replace(POST, handoff=WITHDRAWN, overdue=True),
    "handoff-failed": replace(POST, handoff=FAILED, overdue=True),
    "handoff-answered": replace(BACK, handoff=ACCEPTED, fallback=None, declare=None, again=None),
    "handoff-answered-done": replace(BACK, handoff=DONE, fallback=None, declare=None, again=None),
    "handoff-answered-withdrawn": replace(BACK, handoff=WITHDRAWN, fallback=None, declare=None, again=None),
    "handoff-answered-failed": BACK,
    "handoff-answered-failed-to-owner": replace(BACK, owner=None),
    "handoff-answered-failed-switched": replace(
        BACK,
        owner=None,
        fallback=None,
        declare=None,
        switched=Switched(step="Send the edited reply", after="human-led", before="ai-led"),
        settle="12",
    ),
    "handoff-fallback": FALLBACK,
    "handoff-fallback-over": replace(FALLBACK, held=False),
    "handoff-fallback-ended": replace(
        FALLBACK, before="human-led", after="ai-led", ended=True, held=False, reason="accepted"
    ),
    "handoff-fallback-settled": replace(
        FALLBACK, before="human-led", after="ai-led", ended=True, held=False, member="U01LEAD"
    ),
    "handoff-answered-failed-by-hand-already": replace(BACK, fallback=None, declare=None),
    "handoffs": Handoffs(
        rows=(
            replace(ROW, overdue=True),
            replace(ROW, handoff=replace(SENT, number=13, link=None), may_answer=False),
            replace(ROW, handoff=replace(SENT, number=14), may_withdraw=True),
            HandoffRow(handoff=ACCEPTED, may_answer=True),
            HandoffRow(handoff=FAILED),
        ),
        waiting=3,
        overdue=1,
        in_hand=1,
    ),
    "handoffs-which-done": Handoffs(
        rows=(
            HandoffRow(handoff=ACCEPTED, may_answer=True),
            HandoffRow(handoff=replace(ACCEPTED, number=13)),
        ),
        waiting=0,
        overdue=0,
        in_hand=2,
        asked="done",
    ),
    "handoffs-which": Handoffs(
        rows=(ROW, replace(ROW, handoff=replace(SENT, number=13))), waiting=2, overdue=0, asked="accept"
    ),
    "handoffs-none": Handoffs(rows=(), waiting=0, overdue=0, playbook="Support reply"),
    "form-handoff": HandoffForm(
        choices=(Choice(label="Billing: refund decision · Support reply (Support EMEA)", value="7:3:0"),)
    ),
    "form-handoff-filled": HandoffForm(
        choices=(Choice(label="Billing: refund decision · Support reply (Support EMEA)", value="7:3:0"),),
        selected="7:3:0",
        what="Refund for case 4711",
        link="https://example.com/cases/4711",
        absent=("legal", "payments-us"),
    ),
    "form-handoff-fail": HandoffFailForm(
        playbook="Support reply",
        team="Support EMEA",
        what="Refund for case 4711",
        on_failure="reopen the ticket",
        choices=(Choice(label="tagged ticket", value="0"), Choice(label="case number", value="1")),
    ),
}
