from dataclasses import replace

from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from templates.contexts.base import Evidence, MessageContext, ModeChange, Picture, ViewContext
from templates.contexts.cycles import CycleClosed
from templates.contexts.numbers import Guardrail
from templates.contexts.overview.statuses import LineTried, VerdictDetail, Why, WhyMath, collapsed
from templates.contexts.standards import Demoted, Watch
from templates.ids import Action
from tests.templates.samples.common import (
    ALL_MEASURED,
    CSAT,
    DRAFT,
    FRIDAY,
    KPI,
    MEASURED,
    NEXT_CYCLE,
    OVER,
    SEND,
    THURSDAY,
    UNDER,
)
from tests.templates.samples.promotions import LOOKED
from tests.templates.samples.waves import PHASES

WATCH = Watch(
    adoption_id=7,
    step_key="send",
    playbook="Support reply",
    team="Support EMEA",
    step="Send the edited reply",
    mode="ai-led",
    evidence=OVER,
    probability=0.728,
    owner="U01LEAD",
    opened_at=THURSDAY.replace(hour=9, minute=5),
    demote_at=7,
    close_date=FRIDAY,
    top_reason="policy adherence",
    top_reason_count=3,
)
DEMOTED = Demoted(
    adoption_id=7,
    step_key="send",
    playbook="Support reply",
    team="Support EMEA",
    step="Send the edited reply",
    before="ai-led",
    after="collaborative",
    line="evidence",
    evidence=replace(OVER, exceptions=7),
    probability=0.9345,
    owner="U01LEAD",
    top_reason="policy adherence",
    top_reason_count=4,
)
CLOSED = CycleClosed(
    playbook="Support reply",
    team="Support EMEA",
    number=1,
    result="met",
    kpi=replace(KPI, value=14),
    readings=(42, 24, None, 14),
    attested=22,
    expected=24,
    steps=(DRAFT, SEND),
    guardrails=(
        Guardrail(name="CSAT", unit="score", direction="higher", limit=4.6, value=4.7, held=True),
        Guardrail(name="Reopen rate", unit="percent", direction="lower", limit=5),
    ),
    gates_met=3,
    missed=("Week 3: Complete the playbook's package for other teams. Missing: examples, checklist",),
    moved="better",
    share=-0.667,
    origin_value=12,
    changes=(
        ModeChange(step="Send the edited reply", before="ai-led", after="collaborative", week=2),
        ModeChange(step="Draft three replies", before="human-led", after="collaborative"),
    ),
    promotions=(
        Mrkdwn("Draft three replies stays collaborative; 38 of 46 samples with 1 failure: 8 more to decide."),
    ),
    lessons=("Grade twenty old replies first.", "Load the policy file before the queue."),
    next_cycle=NEXT_CYCLE,
    offers=(
        Offer("Bring it to another team", Action.ADOPT, "support-reply"),
        Offer("Submit to the registry", Action.SUBMIT, "7:3"),
        Offer("Add a lesson", Action.LEARN, "support-reply"),
    ),
    more=(Offer("Pause", Action.PAUSE, "7:1"),),
    chart=Picture(
        file="F01CHART", alt="First response time, week by week: 42 min, 24 min, no reading, 14 min."
    ),
)
VERDICT = VerdictDetail(
    decided_at=THURSDAY,
    decision="watch",
    line="none",
    trigger="exception",
    rule="balanced",
    evidence=OVER,
    probability=0.7285,
    threshold=0.9,
    min_exceptions=2,
    min_runs=20,
    demote_at=7,
    window_start=THURSDAY.replace(day=7),
    lines=(
        LineTried(line="critical", applies=True, holds=False),
        LineTried(line="evidence", applies=True, holds=False),
        LineTried(line="cap", applies=False),
    ),
)
RAISED = replace(
    VERDICT,
    trigger="close",
    rule="evidence",
    decision="demote",
    line="critical",
    critical=1,
    leads_to="collaborative",
    evidence=Evidence(exceptions=3, runs=3, attested=1, assumed=0, cap=0.05),
    demote_at=None,
    lines=(
        LineTried(line="critical", applies=True, holds=True),
        LineTried(line="evidence", applies=True, holds=True),
        LineTried(line="cap", applies=False),
    ),
)
CAPPED = replace(
    VERDICT,
    rule="strict",
    decision="demote",
    line="cap",
    trigger="check-in",
    leads_to="collaborative",
    lines=(*VERDICT.lines[:2], LineTried(line="cap", applies=True, holds=True)),
)
WEEK_BEGAN = replace(
    VERDICT, decision="hold", trigger="week", evidence=replace(OVER, exceptions=3, assumed=50, runs=80)
)
COUNTED = replace(VERDICT, trigger="runs", evidence=MEASURED)
WHY = Why(
    adoption_id=7,
    step_key="send",
    playbook="Support reply",
    team="Support EMEA",
    step="Send the edited reply",
    mode="ai-led",
    decided=VERDICT,
    rows=collapsed(
        (VERDICT, WEEK_BEGAN, replace(WEEK_BEGAN, decided_at=THURSDAY.replace(day=7)), CAPPED, RAISED)
    ),
    changed=Mrkdwn("Fri 6 Mar: <@U01LEAD> switched it from collaborative to AI-led. Reason: it held."),
    planned="Planned as AI-led: after a person has edited it, sending follows fixed rules",
)
DEMOTED_WHY = replace(WHY, mode="collaborative", changed=None, decided=CAPPED, latest=WEEK_BEGAN)

SAMPLES: dict[str, MessageContext | ViewContext] = {
    "watch": WATCH,
    "watch-under-again": replace(
        WATCH, ended="under", ended_at=THURSDAY, latest=UNDER, answer="Shorter drafts.", answered_by="U01LEAD"
    ),
    "watch-under-by-estimates": replace(
        WATCH,
        ended="under",
        ended_at=THURSDAY,
        latest=replace(OVER, runs=OVER.runs + 40, assumed=40),
        by_estimates=True,
    ),
    "watch-demoted": replace(
        WATCH, ended="demoted", ended_at=THURSDAY, latest=OVER, leads_to="collaborative"
    ),
    "watch-closed": replace(WATCH, ended="closed", ended_at=THURSDAY, opened_at=THURSDAY.replace(day=3)),
    "watch-restarted": replace(WATCH, ended="restarted", ended_at=THURSDAY),
    "watch-replaced": replace(WATCH, ended="replaced", ended_at=THURSDAY),
    "watch-gone": replace(WATCH, ended="gone"),
    "watch-answered": replace(WATCH, answer="We load the new policy file today.", answered_by="U01LEAD"),
    "watch-human-led": replace(WATCH, mode="human-led", demote_at=None, close_date=None, top_reason=None),
    "watch-critical-human-led": replace(
        WATCH,
        mode="human-led",
        evidence=Evidence(exceptions=1, runs=40, attested=0, assumed=40, cap=0.05),
        demote_at=None,
        close_date=None,
        critical_reason="Promised a refund that the policy rules out.",
        top_reason=None,
    ),
    "watch-measured": replace(WATCH, evidence=MEASURED),
    "watch-measured-under-again": replace(WATCH, ended="under", ended_at=THURSDAY, latest=ALL_MEASURED),
    "watch-evidence-only": replace(WATCH, close_date=None),
    "watch-close-only": replace(WATCH, demote_at=None),
    "demoted": DEMOTED,
    "demoted-measured": replace(DEMOTED, evidence=replace(MEASURED, exceptions=7)),
    "demoted-critical": replace(
        DEMOTED,
        line="critical",
        evidence=Evidence(exceptions=1, runs=1, attested=0, assumed=1, cap=0.05),
        critical_reason="Promised a refund that the policy rules out.",
    ),
    "demoted-dropped": replace(DEMOTED, dropped=True),
    "demoted-undone": replace(DEMOTED, undone_by="U01AGENT1", undone_at=THURSDAY),
    "demoted-rubric-updated": replace(DEMOTED, revised_by="U01LEAD", revised_at=THURSDAY),
    "demoted-strict": replace(DEMOTED, line="strict", top_reason=None),
    "demoted-at-the-close": replace(DEMOTED, line="cap", after="human-led"),
    "cycle-closed": CLOSED,
    "cycle-closed-for-curators": replace(CLOSED, names_team=True),
    "cycle-closed-pilot": replace(
        CLOSED,
        phases=(
            replace(PHASES[0], done=True),
            replace(PHASES[1], done=False, then=Mrkdwn("answer it with `/cadence assess support-reply`")),
            *(replace(one, done=False, then="") for one in PHASES[2:]),
        ),
        offers=(Offer("Answer the assessment", Action.ASSESS, "support-reply"), *CLOSED.offers),
    ),
    "cycle-closed-measured": replace(
        CLOSED, steps=(replace(DRAFT, evidence=ALL_MEASURED), replace(SEND, evidence=MEASURED))
    ),
    "cycle-closed-worth": replace(
        CLOSED, value="about 46 hours saved, estimated from 460 runs that counted, at 6 min each"
    ),
    "cycle-closed-watched": replace(CLOSED, watched=True),
    "cycle-closed-insufficient": replace(
        CLOSED,
        result="insufficient",
        kpi=replace(CSAT, value=None, baseline=None),
        readings=(None, None, None, None),
        guardrails=(
            Guardrail(name="CSAT", unit="score", direction="higher", limit=4.6, value=4.1, held=False),
        ),
        expected=0,
        attested=0,
        gates_met=None,
        missed=(),
        moved=None,
        share=None,
        origin_value=None,
        next_cycle=None,
        lessons=(),
        promotions=(),
        changes=(),
        offers=(),
    ),
    "cycle-closed-worse": replace(
        CLOSED,
        result="not met",
        kpi=replace(KPI, value=50),
        moved="worse",
        share=0.19,
        origin_value=None,
        gates_met=4,
        missed=(),
        next_cycle=None,
        paused=True,
    ),
    "cycle-closed-no-baseline": replace(CLOSED, kpi=replace(KPI, baseline=None), moved=None, share=None),
    "why": WHY,
    "why-demoted": DEMOTED_WHY,
    "why-checked": replace(WHY, check="Automated check “policy-check”: 211 of 214 passed in cycle 1"),
    "why-measured": replace(WHY, decided=COUNTED, rows=collapsed((COUNTED,))),
    "why-demoted-critical": replace(DEMOTED_WHY, decided=RAISED, latest=None, rows=collapsed((RAISED,))),
    "why-promotion": replace(WHY, rows=WHY.rows[:1], promotion=LOOKED),
    "why-promotion-declined": replace(
        WHY,
        decided=None,
        rows=(),
        promotion=replace(
            LOOKED,
            state="declined",
            unmet=(),
            decided_by="U01CURATOR",
            decided_at=THURSDAY,
            reason="Not before the audit.",
        ),
    ),
    "why-undone": replace(
        WHY,
        decided=replace(VERDICT, trigger="undo"),
        rows=collapsed((replace(VERDICT, trigger="undo"), replace(VERDICT, overtaken=True))),
    ),
    "why-math": WhyMath(
        playbook=WHY.playbook, team=WHY.team, step=WHY.step, verdict=VERDICT, promotion=LOOKED
    ),
    "why-math-raised": WhyMath(playbook=WHY.playbook, team=WHY.team, step=WHY.step, verdict=RAISED),
    "why-math-measured": WhyMath(playbook=WHY.playbook, team=WHY.team, step=WHY.step, verdict=COUNTED),
    "why-nothing": replace(WHY, decided=None, rows=(), changed=None),
    "why-drift": replace(
        WHY,
        drifts=(
            "Fri 18 Dec: <@U01LEAD> decided to go back to collaborative: two drafts a day are made together",
            "Thu 17 Dec: drift found. The step ran as human-led, not "
            "collaborative as planned: 3 of 9 check-ins (33%, limit 20%) in week 1.",
        ),
    ),
}
