from dataclasses import replace

from cadence.mrkdwn import Mrkdwn
from templates.contexts.base import MessageContext, ViewContext
from templates.contexts.promotions import (
    CycleLooked,
    DeclineForm,
    Promoted,
    PromotionDeclined,
    PromotionLooked,
    PromotionNumbers,
    PromotionProposed,
)
from tests.templates.samples.common import THURSDAY

NUMBERS = PromotionNumbers(
    cycles=2,
    samples=61,
    passes=60,
    risky=0,
    bound=0.9247,
    accuracy=0.9,
    max_risk=0.02,
    confidence=0.95,
    exceptions=1,
    runs=86,
    cap=0.1,
    answered=47,
    expected=50,
    kpi_met=2,
)
PROPOSED = PromotionProposed(
    promotion_id=3,
    adoption_id=7,
    step_key="draft",
    playbook="Support reply",
    team="Support EMEA",
    step="Draft three replies",
    before="collaborative",
    after="ai-led",
    numbers=NUMBERS,
    owner="U01LEAD",
    curators_only=True,
)
LOOKED = PromotionLooked(
    looked_at=THURSDAY,
    state="insufficient",
    before="collaborative",
    after="ai-led",
    numbers=replace(NUMBERS, samples=38, passes=37, bound=0.8806),
    needed=46,
    judged=(
        CycleLooked(
            number=1,
            samples=20,
            passes=20,
            risky=0,
            over_cap=0,
            answered=24,
            expected=25,
            result="met",
        ),
        CycleLooked(
            number=2,
            samples=18,
            passes=17,
            risky=0,
            over_cap=0,
            answered=23,
            expected=25,
            result="met",
        ),
    ),
    unmet=(Mrkdwn("38 of 46 samples with 1 failure: 8 more to decide"),),
)

SAMPLES: dict[str, MessageContext | ViewContext] = {
    "promotion-proposed": PROPOSED,
    "promotion-checked": replace(
        PROPOSED, check="Automated check “policy-check”: 211 of 214 passed in cycle 1"
    ),
    "promotion-proposed-owner": replace(
        PROPOSED, before="human-led", after="collaborative", curators_only=False
    ),
    "promotion-approved": replace(PROPOSED, state="approved", decided_by="U01CURATOR", decided_at=THURSDAY),
    "promotion-proposed-declined": replace(
        PROPOSED,
        state="declined",
        decided_by="U01CURATOR",
        decided_at=THURSDAY,
        reason="Not before the audit.",
    ),
    "promotion-lapsed": replace(
        PROPOSED, state="lapsed", decided_at=THURSDAY, reason="the rubric was revised"
    ),
    "promoted": Promoted(
        adoption_id=7,
        step_key="draft",
        playbook="Support reply",
        team="Support EMEA",
        step="Draft three replies",
        before="collaborative",
        after="ai-led",
        numbers=NUMBERS,
        approved_by="U01CURATOR",
    ),
    "promotion-declined": PromotionDeclined(
        adoption_id=7,
        step_key="draft",
        playbook="Support reply",
        team="Support EMEA",
        step="Draft three replies",
        before="collaborative",
        after="ai-led",
        declined_by="U01CURATOR",
        reason="Not before the audit.",
    ),
    "form-promotion-decline": DeclineForm(
        playbook="Support reply",
        team="Support EMEA",
        step="Draft three replies",
        before="collaborative",
        after="ai-led",
    ),
}
