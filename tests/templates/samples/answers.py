from dataclasses import replace
from datetime import timedelta

from cadence.mrkdwn import Mrkdwn, code, mention, say
from cadence.refusals import Offer
from templates.contexts.answers import Done, Help, HelpEntry, HelpGroup, HelpRest, Refused, Words
from templates.contexts.base import MessageContext
from templates.contexts.checkins import Attested, AttestedRow, SnoozeAsked, SnoozeChoice, Snoozed
from templates.contexts.exceptions import ExceptionLogged, LoggedForYou
from templates.contexts.numbers import Guardrail, Recorded, TargetReached
from templates.contexts.overview.statuses import GateNow, Status, StatusRow, StepNow
from templates.contexts.people import AwaySet, BackAgain, Muted
from templates.ids import Action
from tests.templates.samples.checkins import DRIFTED, NOT_RUN, RAILS, RAN
from tests.templates.samples.common import (
    ALL_MEASURED,
    CSAT,
    FRIDAY,
    KPI,
    MEASURED,
    MONDAY,
    NO_VALUE,
    NOTHING,
    OVER,
    SUNDAY,
    THURSDAY,
    UNDER,
)
from tests.templates.samples.waves import PHASES

RECORDED = Recorded(
    slug="support-reply", playbook="Support reply", team="Support EMEA", kpi=KPI, met=False, week_start=MONDAY
)
ROW = AttestedRow(playbook="Support reply", team="Support EMEA", week=2, kpi=KPI, answer=RAN)
LOGGED = ExceptionLogged(
    step_ref="1:send",
    playbook="Support reply",
    team="Support EMEA",
    step="Send the edited reply",
    mode="ai-led",
    critical=False,
    reason="It promised a delivery date.",
    evidence=UNDER,
    decision="hold",
)
HELD = Guardrail(name="CSAT", unit="score", direction="higher", limit=4.6, value=4.7, held=True)
STATUS = StatusRow(
    adoption_id=7,
    slug="support-reply",
    playbook="Support reply",
    team="Support EMEA",
    week=2,
    week_start=MONDAY,
    week_end=SUNDAY,
    kpi=replace(KPI, week=2),
    answered=4,
    expected=6,
    steps=(
        StepNow(key="draft", title="Draft three replies", mode="collaborative", evidence=UNDER),
        StepNow(
            key="send",
            title="Send the edited reply",
            mode="ai-led",
            evidence=OVER,
            decision="watch",
            judged_at=THURSDAY,
        ),
    ),
    gate=GateNow(done=1, total=2, left=("a rubric result",)),
    own_answer_due=True,
    guardrails=(HELD,),
    menu=(
        Offer("Why", Action.WHY, "7"),
        Offer("Playbook", Action.SHOW_PLAYBOOK, "support-reply"),
        Offer("Exceptions: Send the edited reply", Action.SEE_EXCEPTIONS, "7:send"),
    ),
)
HELP = HelpEntry(
    name="/kpi",
    usage="/kpi [playbook] <value> [note]",
    summary="Report this week's KPI, or correct it",
    who="everyone",
    examples=("/kpi support-reply 14m", "/kpi 92% week=2"),
)

SAMPLES: dict[str, MessageContext] = {
    "recorded": RECORDED,
    "recorded-correction": replace(
        RECORDED, kpi=replace(KPI, value=14, baseline=None), met=True, replaced=22
    ),
    "recorded-correction-of-another": replace(RECORDED, replaced=31, replaced_of="U01AGENT1"),
    "recorded-guardrails": replace(RECORDED, guardrails=(HELD, replace(HELD, value=4.1, held=False))),
    "recorded-guardrail-of-another": replace(
        RECORDED, guardrails=(replace(HELD, replaced=4.1, replaced_of="U01AGENT1"),)
    ),
    "recorded-guardrail-only": replace(RECORDED, kpi=replace(KPI, value=None), guardrails=(HELD,)),
    "recorded-late": replace(RECORDED, result="met"),
    "attested": Attested(rows=(ROW,)),
    "attested-otherwise": Attested(rows=(replace(ROW, answer=replace(RAN, counted=19)),)),
    "attested-counted": Attested(rows=(replace(ROW, answer=replace(RAN, value_events=11)),)),
    "attested-guardrails": Attested(rows=(replace(ROW, answer=replace(RAN, guardrails=RAILS)),)),
    "attested-correction": Attested(rows=(replace(ROW, answer=DRIFTED, previous=RAN),)),
    "attested-several": Attested(rows=(ROW, replace(ROW, playbook="Refund decision", answer=NOT_RUN))),
    "exception-logged": LOGGED,
    "exception-logged-measured": replace(LOGGED, evidence=MEASURED),
    "exception-logged-undo": replace(LOGGED, undo="41"),
    "exception-logged-watch": replace(
        LOGGED,
        decision="watch",
        demote_at=7,
        evidence=OVER,
        link="https://example.slack.com/archives/C01/p1?thread_ts=1&cid=C01",
    ),
    "exception-logged-watch-human-led": replace(LOGGED, decision="watch", mode="human-led", evidence=OVER),
    "exception-logged-critical-human-led": replace(
        LOGGED, critical=True, severe=True, decision="watch", mode="human-led"
    ),
    "exception-logged-critical": replace(
        LOGGED, critical=True, decision="demote", after="collaborative", evidence=OVER
    ),
    "exception-logged-restarted": replace(
        LOGGED, evidence=replace(LOGGED.evidence, attested=0, assumed=86, restarted=True, missing=False)
    ),
    "logged-for-you": LoggedForYou(
        playbook="Support reply",
        team="Support EMEA",
        step="Send the edited reply",
        step_ref="1:send",
        reason="It promised a delivery date.",
        undo="41",
    ),
    "logged-for-you-undone": LoggedForYou(
        playbook="Support reply",
        team="Support EMEA",
        step="Send the edited reply",
        step_ref="1:send",
        reason="It promised a delivery date.",
        link="https://example.com/t/1",
    ),
    "exception-logged-before": replace(LOGGED, duplicate=True, logged_by="U01AGENT1", logged_at=THURSDAY),
    "exception-logged-twice": replace(LOGGED, duplicate=True),
    "status": Status(rows=(STATUS,)),
    "status-watched": Status(rows=(replace(STATUS, month=3, gate=None),)),
    "status-phases": Status(rows=(STATUS,), phases=PHASES),
    "status-measured": Status(
        rows=(
            replace(
                STATUS,
                steps=(
                    replace(STATUS.steps[0], evidence=ALL_MEASURED),
                    replace(STATUS.steps[1], evidence=MEASURED),
                ),
            ),
        )
    ),
    "status-several": Status(
        rows=(
            replace(STATUS, gate=None, own_answer_comes=THURSDAY),
            replace(
                STATUS,
                week=None,
                kpi=NO_VALUE,
                expected=0,
                answered=0,
                gate=None,
                own_answer_due=False,
                steps=(
                    StepNow(
                        key="draft",
                        title="Draft three replies",
                        mode="human-led",
                        evidence=NOTHING,
                        decision="demote",
                        judged_at=THURSDAY,
                    ),
                ),
            ),
        )
    ),
    "status-many": Status(rows=(replace(STATUS, own_answer_due=False), replace(STATUS, gate=None)), more=230),
    "status-paused": Status(
        rows=(
            replace(
                STATUS,
                paused=True,
                ends_pause="/cadence cycle resume support-reply team=support-emea",
                owner="U01LEAD",
                own_answer_due=False,
            ),
        )
    ),
    "status-starts": Status(
        rows=(replace(STATUS, week=None, starts=STATUS.week_start, expected=0, own_answer_due=False),)
    ),
    "status-closed": Status(
        rows=(
            replace(
                STATUS,
                kpi=replace(KPI, value=14, cycle=1),
                closed=1,
                result="met",
                next_cycle=STATUS.week_end,
                gate=None,
                own_answer_due=False,
            ),
        )
    ),
    "status-nothing": Status(
        rows=(), begin=say("Ask {owner} to start Support reply.", owner=mention("U01LEAD"))
    ),
    "status-handoffs": Status(
        rows=(STATUS,),
        handoffs=(
            Mrkdwn("#12 Refund for case 4711: Support EMEA → Billing, overdue since Thu 17 Dec, 10:42"),
            Mrkdwn("#13 Case 4712: Support EMEA → Billing, accept by Fri 18 Dec, 10:42"),
        ),
    ),
    "refused": Refused(
        text=say(
            "There's no step {key} in Support reply. Did you mean {guess}?",
            key=code("sned"),
            guess=code("send"),
        ),
        offer=Offer("Log it on “Send the edited reply”", Action.LOG_EXCEPTION, "7:send"),
    ),
    "refused-plain": Refused(text="12 < 13 quarts isn't a number of minutes."),
    "done": Done(
        text=say("{who} is asked.", who=mention("U01LEAD")),
        offers=(Offer("Show status", Action.SHOW_STATUS, "me"),),
    ),
    "help": Help(
        groups=(
            HelpGroup(
                task="This week",
                entries=(
                    HELP,
                    replace(
                        HELP,
                        name="/cadence away",
                        usage="/cadence away",
                        summary="Pause your nudges while you're away",
                    ),
                ),
            ),
            HelpGroup(
                task="Exceptions and steps",
                entries=(
                    replace(HELP, name="/exception", usage="/exception", summary="Log a run that went wrong"),
                ),
            ),
        ),
        others=(
            HelpRest(who="owners and curators", names=("/cadence cycle start", "/cadence rubric")),
            HelpRest(who="curators", names=("/cadence playbook retire",)),
        ),
    ),
    "target-reached": TargetReached(
        slug="support-reply",
        playbook="Support reply",
        team="Support EMEA",
        week=2,
        kpi=replace(KPI, value=14),
        closes=FRIDAY,
        guardrails=(HELD,),
    ),
    "target-reached-corrected": TargetReached(
        slug="support-reply",
        playbook="Support reply",
        team="Support EMEA",
        week=2,
        kpi=replace(KPI, value=30),
        closes=FRIDAY,
        told=14,
        met=False,
    ),
    "target-reached-still": TargetReached(
        slug="support-reply",
        playbook="Support reply",
        team="Support EMEA",
        week=2,
        kpi=replace(KPI, value=13),
        closes=FRIDAY,
        told=14,
    ),
    "help-words": Words(),
    "help-topic": Help(groups=(HelpGroup(task="This week", entries=(HELP,)),), topic="kpi"),
    "away": AwaySet(since=FRIDAY, until=FRIDAY.replace(year=2027, month=1, day=2)),
    "away-one-day": AwaySet(since=FRIDAY, until=FRIDAY, is_guess=True),
    "away-over": BackAgain(
        was_away=True,
        until=SUNDAY,
        ahead=((MONDAY, SUNDAY), (FRIDAY.replace(year=2027), FRIDAY.replace(year=2027))),
    ),
    "away-canceled": BackAgain(was_away=False, canceled=((MONDAY, SUNDAY),)),
    "away-not": BackAgain(was_away=False),
    "away-over-other": BackAgain(was_away=True, member="U01AGENT1"),
    "away-other": AwaySet(since=MONDAY, until=SUNDAY, members=("U01AGENT1",)),
    "away-others": AwaySet(since=MONDAY, until=SUNDAY, members=("U01AGENT1", "U01AGENT2")),
    "snoozed": Snoozed(until=THURSDAY),
    "muted": Muted(muted=True),
    "unmuted": Muted(muted=False),
    "snooze-asked": SnoozeAsked(
        week_start="2026-12-14",
        choices=(
            SnoozeChoice(until="hour", at=THURSDAY + timedelta(hours=1)),
            SnoozeChoice(until="tomorrow", at=THURSDAY + timedelta(days=1)),
        ),
    ),
    "snooze-asked-before-it-came": SnoozeAsked(
        week_start="2026-12-14",
        choices=(SnoozeChoice(until="friday", at=THURSDAY + timedelta(days=1)),),
        due=THURSDAY,
    ),
    "snoozed-before-it-came": Snoozed(until=THURSDAY + timedelta(days=1), came=False),
    "recorded-score": replace(RECORDED, kpi=CSAT, met=True),
    "recorded-slip": replace(RECORDED, kpi=replace(KPI, value=42 * 20)),
}
