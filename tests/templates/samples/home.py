from dataclasses import replace
from datetime import date

from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from templates.contexts.base import MessageContext, ViewContext
from templates.contexts.overview.home import (
    Home,
    HomeItem,
    HomeNeed,
    HomeNumber,
    HomePlaybook,
    HomeRegistry,
)
from templates.contexts.overview.statuses import GateNow, StepNow
from templates.contexts.workspaces import TextAnswer, Welcome, WelcomedPlaybook
from templates.ids import Action
from tests.templates.samples.checkins import OPEN, RAN
from tests.templates.samples.common import KPI, NO_VALUE, OVER, THURSDAY, UNDER, WEEK

NUMBER = HomeNumber(
    adoption_id=7, week_start=WEEK, playbook="Support reply", team="Support EMEA", week=2, kpi=NO_VALUE
)
PROMOTION = HomeNeed(
    title="🟢 Ready for promotion",
    text=Mrkdwn(
        "“Draft three replies” of Support reply (Support EMEA), collaborative → AI-led: 60 of 61 samples passed"
    ),
    offers=(
        Offer("Approve", Action.APPROVE_PROMOTION, "3"),
        Offer("Decline", Action.DECLINE_PROMOTION, "3"),
        Offer("Why", Action.WHY, "7:draft"),
    ),
)
WATCH = HomeNeed(
    title="🟡 Add a plan",
    text=Mrkdwn("“Send the edited reply” of Support reply (Support EMEA) is over its cap"),
    offers=(Offer("Add a plan", Action.SAY_WHAT_CHANGES, "7:send"),),
)
PLAYBOOK = HomePlaybook(
    adoption_id=7,
    slug="support-reply",
    playbook="Support reply",
    team="Support EMEA",
    week=2,
    kpi=replace(KPI, week=2),
    readings=(31, 24),
    answered=4,
    expected=6,
    steps=(
        StepNow(
            key="draft",
            title="Draft three replies",
            mode="collaborative",
            evidence=UNDER,
            decision="hold",
            judged_at=THURSDAY,
        ),
        StepNow(key="send", title="Send the edited reply", mode="ai-led", evidence=OVER),
    ),
    gate=GateNow(done=1, total=2, left=("a rubric result",)),
    own=RAN,
    menu=(
        Offer("Status", Action.SHOW_STATUS, "support-reply"),
        Offer("Why", Action.WHY, "7"),
        Offer("Playbook", Action.SHOW_PLAYBOOK, "support-reply"),
        Offer("Change my check-in", Action.CHANGE_CHECKIN, f"7:{WEEK}"),
    ),
)
SETTING_UP = replace(
    PLAYBOOK,
    week=None,
    kpi=NO_VALUE,
    readings=(),
    answered=0,
    expected=0,
    steps=(StepNow(key="draft", title="Draft three replies", mode="collaborative"),),
    gate=None,
    own=None,
    standing=("Setup: 2 of 3 items done",),
)
CHECKIN = HomeItem(kind="checkin", checkin=OPEN, alone=True)
SHOWN = HomeItem(kind="playbook", playbook=PLAYBOOK)

SAMPLES: dict[str, MessageContext | ViewContext] = {
    "home": Home(
        waiting=2, items=(CHECKIN, HomeItem(kind="number", number=NUMBER), SHOWN), next_checkin=THURSDAY
    ),
    "home-several": Home(
        waiting=2,
        several_open=WEEK,
        items=(replace(CHECKIN, alone=False), HomeItem(kind="checkin", checkin=replace(OPEN, adoption_id=9))),
    ),
    "home-curator": Home(
        waiting=1,
        items=(
            HomeItem(kind="need", need=PROMOTION),
            SHOWN,
            HomeItem(kind="owner", need=WATCH),
            HomeItem(kind="registry", registry=HomeRegistry(published=3, piloting=2, drafts=1, adoptions=7)),
        ),
        page=2,
        pages=3,
    ),
    "home-welcome": Home(
        waiting=0,
        items=(),
        welcome=True,
        offers=(
            Offer("Join Support EMEA", Action.TEAM_JOIN, "support-emea"),
            Offer("Join Billing", Action.TEAM_JOIN, "billing"),
        ),
    ),
    "home-welcome-nothing-to-press": Home(
        waiting=1,
        items=(HomeItem(kind="need", need=replace(WATCH, offers=())), SHOWN),
        welcome=True,
    ),
    "home-welcome-curator": Home(
        waiting=0,
        items=(SHOWN, HomeItem(kind="owner", need=WATCH), HomeItem(kind="curator", need=PROMOTION)),
        welcome=True,
        curates=True,
    ),
    "home-nothing": Home(waiting=0, items=(SHOWN,), next_checkin=THURSDAY),
    "home-between": Home(
        waiting=0,
        items=(
            HomeItem(
                kind="playbook", playbook=replace(PLAYBOOK, week=None, closed=1, result="met", own=None)
            ),
            HomeItem(kind="playbook", playbook=replace(PLAYBOOK, week=None, starts=date(2027, 1, 4))),
            HomeItem(kind="playbook", playbook=replace(PLAYBOOK, paused=True, owner="U01LEAD")),
            HomeItem(kind="playbook", playbook=SETTING_UP),
        ),
    ),
    "home-empty": Home(
        waiting=0,
        items=(),
        begin=("Start here: name a curator, and a channel for the weekly digest.",),
        offers=(Offer("Set up", Action.OPEN_SETTINGS),),
    ),
    "welcome": Welcome(channel="C01TEAM"),
    "welcome-team": Welcome(
        channel="C01TEAM",
        team="Support EMEA",
        runs=(WelcomedPlaybook(title="Support reply", owner="U01LEAD"),),
    ),
    "welcome-idle": Welcome(channel="C01TEAM", team="Support EMEA"),
    "text-answer": TextAnswer(),
    "text-answer-command": TextAnswer(command="/cadence status"),
}
