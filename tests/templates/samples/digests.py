from dataclasses import replace
from datetime import date

from cadence.mrkdwn import mention, say
from cadence.refusals import Offer
from templates.contexts.base import MessageContext, ModeChange, Picture
from templates.contexts.numbers import Guardrail
from templates.contexts.overview.digests import (
    Coverage,
    Decision,
    Digest,
    DigestRow,
    Skipped,
    Tally,
    TeamChange,
    TeamName,
)
from templates.contexts.overview.process import ProcessMonth, ProcessMonths
from templates.ids import Action
from tests.templates.samples.common import CSAT, KPI, MEASURED, MONDAY, NO_VALUE, OVER

CSAT_BROKEN = Guardrail(name="CSAT", unit="score", direction="higher", limit=4.6, value=4.1, held=False)
DIGEST = Digest(
    week_start=MONDAY,
    decisions=(
        Decision(title="📊 Name a KPI reporter", text="Nobody in Billing reports the KPI of Refund decision"),
        Decision(
            title="🟢 Ready for promotion",
            text="“Draft” of Close (Finance), collaborative → AI-led: 60 of 61 samples passed",
            offer=Offer("Approve", Action.APPROVE_PROMOTION, "3"),
        ),
    ),
    decision_count=2,
    owners_jobs=(
        Decision(
            title="🟡 Add a plan",
            text=say(
                "“{step}” of {playbook} (Support EMEA) is over its cap", step="Send", playbook="Support reply"
            ),
            offer=Offer("Add a plan", Action.SAY_WHAT_CHANGES, "7:send"),
            who="U01LEAD",
        ),
    ),
    owners_job_count=1,
    slipping=1,
    rows=(
        DigestRow(
            playbook="Support reply",
            team="Support EMEA",
            phase="pilot",
            kpi=KPI,
            to_target=9,
            check_ins=Coverage(answered=4, asked=6),
            evidence=OVER,
            demoted=True,
            step="Send the edited reply",
            broken=CSAT_BROKEN,
            better=True,
        ),
        DigestRow(
            playbook="Support reply",
            team="Support APAC",
            phase="controlled",
            kpi=replace(KPI, value=14),
            to_target=0,
            check_ins=Coverage(answered=6, asked=6),
            evidence=OVER,
            reset=MONDAY,
            over=True,
            step="Send the edited reply",
            better=True,
        ),
        DigestRow(
            playbook="Support reply",
            team="Support AMER",
            kpi=NO_VALUE,
            evidence=OVER,
            over=True,
            step="Send the edited reply",
            critical=True,
        ),
        DigestRow(
            playbook="Refund decision",
            team="Billing",
            phase="wave 2",
            kpi=replace(CSAT, value=4.0),
            to_target=0.6,
            busy=True,
            better=False,
            check_ins=Coverage(answered=0, asked=2),
        ),
        DigestRow(playbook="Close", team="Finance", kpi=KPI, to_target=9, broken=CSAT_BROKEN, better=True),
        DigestRow(playbook="Close", team="Finance 2", kpi=KPI, to_target=9, better=False),
        DigestRow(
            playbook="Close",
            team="Finance 3",
            kpi=replace(KPI, value=15),
            to_target=0,
            better=True,
            step="Draft the entries",
            evidence=replace(OVER, exceptions=1),
        ),
        DigestRow(playbook="Close", team="Finance 4", kpi=KPI, to_target=9, better=True, result="not met"),
        DigestRow(
            playbook="Close",
            team="Finance 5",
            kpi=KPI,
            to_target=0,
            better=True,
            rubric_due=True,
            step="Post the entries",
            evidence=OVER,
            demoted_on=MONDAY,
        ),
        DigestRow(playbook="Close", team="Finance 6", kpi=NO_VALUE, silent=True),
    ),
    team_count=12,
    moved_count=1,
    improved=(TeamName(playbook="Close", team="Finance"),),
    not_moved_count=5,
    no_reading=(TeamName(playbook="Refund decision", team="Billing"),),
    not_improved=(
        TeamName(playbook="Refund decision", team="Billing"),
        TeamName(playbook="Close", team="Finance 2"),
    ),
    no_reading_count=1,
    demotions=(
        TeamChange(
            playbook="Support reply",
            team="Support EMEA",
            change=ModeChange(step="Send the edited reply", before="ai-led", after="collaborative"),
            on=MONDAY,
        ),
    ),
    demotion_count=1,
    watch_count=2,
    coverage=Coverage(answered=46, asked=50),
    coverage_before=Coverage(answered=44, asked=50),
    published=Tally(now=3, before=2),
    adopted=Tally(now=7, before=9),
    cycles_running=6,
    cycles_completed=Tally(now=4, before=4),
    idle=("Refund decision",),
    idle_count=3,
    setup_minutes=41,
    exceptions=Tally(now=5, before=2),
    notes=(
        say(
            "🟡 {title} (Support EMEA): one person reports most of the runs. {who} reported 98 of 112 runs "
            "(88%, limit 80%)",
            title="Support reply",
            who=mention("U01LEAD"),
        ),
    ),
    skipped=(
        Skipped(nudge="Check-in", reason="away", count=2),
        Skipped(nudge="KPI missing", reason="no longer useful after downtime", count=1),
    ),
)
QUIET = Digest(
    week_start=MONDAY,
    decisions=(),
    decision_count=0,
    slipping=0,
    rows=(),
    team_count=0,
    moved_count=0,
    not_moved_count=0,
    no_reading_count=0,
    demotions=(),
    demotion_count=0,
    watch_count=0,
    coverage=None,
    coverage_before=None,
    exceptions=Tally(now=0),
    published=Tally(now=0),
    adopted=Tally(now=0),
    cycles_running=0,
    cycles_completed=Tally(now=0),
)

PROCESS = ProcessMonths(
    rows=(
        ProcessMonth(first=date(2026, 1, 5), published=0, adopted=1, completed=0, exceptions=1, runs=12),
        ProcessMonth(first=date(2026, 2, 2), published=1, adopted=3, completed=1, exceptions=6, runs=140),
        ProcessMonth(
            first=date(2026, 3, 2),
            published=1,
            adopted=12,
            completed=4,
            exceptions=31,
            runs=1_240,
            so_far=True,
        ),
    ),
    chart_comes=True,
)

SAMPLES: dict[str, MessageContext] = {
    "process-months": PROCESS,
    "process-months-measured": replace(
        PROCESS, rows=(replace(PROCESS.rows[0], measured=12), replace(PROCESS.rows[1], measured=90))
    ),
    "process-months-chart": replace(
        PROCESS, chart=Picture(file="F0MONTHS", alt="By month"), chart_comes=False
    ),
    "digest-of-a-months-end": replace(DIGEST, chart=Picture(file="F0MONTHS", alt="By month")),
    "digest-asked-for": replace(QUIET, offers=(Offer("Show the months", Action.SHOW_PROCESS, "all"),)),
    "digest": DIGEST,
    "digest-measured": replace(
        DIGEST, rows=tuple(replace(one, evidence=one.evidence and MEASURED) for one in DIGEST.rows)
    ),
    "digest-quiet": QUIET,
    "digest-of-waves-and-worth": replace(
        QUIET,
        watched=2,
        waves=(
            "Support reply wave 1 of 2 holds (2 of 3 teams met), wave 2 can open",
            "Inbound routing wave 1 planned (controlled, 2 teams)",
        ),
        value="about 46 hours saved (from 460 runs that counted) in 4 weeks, estimated",
    ),
    "digest-coverage-down": replace(
        DIGEST, coverage=Coverage(answered=8, asked=12), decisions=DIGEST.decisions[:1], decision_count=1
    ),
    "digest-handoffs": replace(
        DIGEST,
        handoffs=(
            say(
                "Refund for case 4711 waits for Billing, overdue since Wed 16 Dec (Support reply, Support EMEA)"
            ),
            say("Billing sent back case 4709 (Support reply, Support EMEA): two cases carry that number"),
        ),
        handoff_count=2,
    ),
    "digest-coverage-same": replace(DIGEST, coverage=DIGEST.coverage_before),
    "digest-fewer-exceptions": replace(DIGEST, exceptions=Tally(now=1, before=2)),
    "digest-same-exceptions": replace(DIGEST, exceptions=Tally(now=5, before=5)),
    "digest-before-anybody-was-asked": replace(DIGEST, coverage=None, over=False),
    "digest-of-the-running-week": replace(DIGEST, over=False),
    "digest-two-teams-slip": replace(DIGEST, slipping=2),
}
