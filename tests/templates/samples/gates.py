from dataclasses import replace
from datetime import date

from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from templates.contexts.base import Choice, MessageContext, ViewContext
from templates.contexts.cycles import NextTeamForm
from templates.contexts.gates import GateCheck, GateDue, WeekOpens
from templates.ids import Action
from tests.templates.samples.common import FRIDAY, KPI, NO_VALUE, STEPS

WHO = Mrkdwn("<@U01LEAD>")
RUBRIC = Offer("Record a rubric result", Action.RUBRIC_RECORD, "7")
OPENS = WeekOpens(
    playbook="Support reply",
    team="Support EMEA",
    number=1,
    week=2,
    task="Run it and capture the rubric",
    kpi=KPI,
    checks=(
        GateCheck(text="First check-in with runs", met=True),
        GateCheck(text="First rubric result", met=False, who=WHO),
    ),
    closes=FRIDAY,
    offers=(RUBRIC,),
)
DUE = GateDue(playbook="Support reply", team="Support EMEA", week=2, checks=OPENS.checks, offers=(RUBRIC,))
NEXT = NextTeamForm(
    playbook="Support reply",
    team="Support EMEA",
    number=1,
    teams=(Choice(label="Support AMER", value="support-amer"), Choice(label="Billing", value="billing")),
    selected="billing",
)

SAMPLES: dict[str, MessageContext | ViewContext] = {
    "week-opens": OPENS,
    "week-opens-first": replace(
        OPENS,
        week=1,
        task="Start running it as planned",
        checkin=date(2026, 11, 26),
        kpi=NO_VALUE,
        checks=(
            GateCheck(text="Agree who leads each step", met=True),
            GateCheck(text="Name a champion", met=True),
        ),
        steps=STEPS,
        lessons=("Load the policy file before the queue.",),
        own_lessons=("Grade in pairs.",),
        offers=(),
    ),
    "week-opens-again": replace(
        OPENS, number=2, week=1, task="Next goal: First response time at or under 15 min", checks=()
    ),
    "week-opens-late": replace(
        OPENS,
        week=4,
        earlier=(
            "First rubric result",
            "Complete the playbook's package for other teams. Missing: examples, checklist",
        ),
    ),
    "gate-due": DUE,
    "gate-due-closed": replace(DUE, closed=True, offers=()),
    "gate-due-met": replace(DUE, checks=OPENS.checks[:1], met=True, offers=()),
    "form-next-team": NEXT,
    "form-next-team-none": replace(NEXT, teams=(), selected=None, reason="Two teams are enough for now."),
}
