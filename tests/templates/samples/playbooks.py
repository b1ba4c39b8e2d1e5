from dataclasses import replace
from datetime import date

from templates.contexts.adoption import AdoptionSaved
from templates.contexts.base import MessageContext, Problem
from templates.contexts.cycles import CycleAnnounced, CyclePaused, CycleResumed, CycleShown, CycleStarted
from templates.contexts.gates import GateLine
from templates.contexts.people import Holiday, TeamHolidays, TeamShown
from templates.contexts.playbooks import (
    AdoptionLine,
    PlaybookImported,
    PlaybookLine,
    PlaybookList,
    PlaybookShown,
    PlaybookStep,
)
from templates.contexts.workspaces import SettingsSaved
from tests.templates.samples.common import DRAFT, FRIDAY, KPI, MONDAY, NO_VALUE, SEND
from tests.templates.samples.publishing import OVERRIDE

PROBLEM = Problem(
    reason="150 is not between 0% and 100%",
    right="write a share such as 0.10",
    line=17,
    where="steps[0].exception_cap",
)
SHOWN = PlaybookShown(
    slug="support-reply",
    title="Support reply",
    function="support",
    state="piloting",
    version=3,
    owner="U01LEAD",
    kpi=NO_VALUE,
    steps=(
        PlaybookStep(
            key="draft", title="Draft three replies", mode="collaborative", cap=0.1, fallback="human-led"
        ),
        PlaybookStep(key="close", title="Close the ticket", mode="human-led", cap=0.05),
    ),
    loop="Generate three drafts, edit, send, measure; refine every Friday.",
    lessons=("Load the policy file before the first draft.",),
    missing=("graded results with at least 90% passed", "a second team's setup"),
    adoptions=(
        AdoptionLine(team="Support EMEA", version="draft 3", week=2, champion="U01AGENT1"),
        AdoptionLine(team="Support APAC", version="draft 2"),
    ),
)
LINE = PlaybookLine(
    slug="support-reply",
    title="Support reply",
    function="support",
    state="piloting",
    version="draft 3",
    owner="Jana Hoffmann",
    teams=2,
)
TEAM = TeamShown(
    slug="support-emea",
    title="Support EMEA",
    function="support",
    timezone="Europe/Berlin",
    members=("U01LEAD", "U01AGENT1"),
    region="EMEA",
    country="DE",
    channel="C01SUPEMEA",
    reporter="U01LEAD",
    playbooks=("Support reply",),
    created=True,
)
CYCLE = CycleShown(
    slug="support-reply",
    playbook="Support reply",
    team="Support EMEA",
    number=2,
    week=2,
    starts=MONDAY,
    closes=FRIDAY.replace(year=2027, month=1, day=8),
    kpi=replace(KPI, week=1),
    readings=(24, None),
    steps=(DRAFT, SEND),
    gates=(
        GateLine(week=1, text="Agree who leads each step", met=True),
        GateLine(week=2, text="First check-in with runs", met=False),
        GateLine(week=3, text="package complete"),
    ),
    champion="U01AGENT1",
)

PAUSED = CyclePaused(
    playbook="Support reply",
    team="Support EMEA",
    owner="U01LEAD",
    by="U01CURATOR",
    number=2,
    closes=FRIDAY,
)
RESUMED = CycleResumed(playbook="Support reply", team="Support EMEA", by="U01LEAD", next_checkin=FRIDAY)
STARTED = CycleStarted(
    slug="support-reply",
    playbook="Support reply",
    team="Support EMEA",
    number=1,
    starts=MONDAY,
    closes=FRIDAY.replace(year=2027, month=1, day=8),
    first_checkin=FRIDAY.replace(day=17),
    kpi=NO_VALUE,
    members=6,
    champion="U01AGENT1",
)

SAMPLES: dict[str, MessageContext] = {
    "playbook-shown": SHOWN,
    "playbook-shown-bare": replace(SHOWN, loop="", lessons=(), missing=(), adoptions=()),
    "playbook-shown-published": replace(
        SHOWN,
        state="scaling",
        number=2,
        published_on=MONDAY,
        published_by="U01CURATOR",
        draft=4,
        may_revise=True,
        overrides=(OVERRIDE,),
        adoptions=(AdoptionLine(team="Support EMEA", version="v2", week=2, champion="U01AGENT1"),),
    ),
    "playbook-shown-draft": replace(
        SHOWN,
        state="draft",
        adoptions=(),
        may_revise=True,
        pilot=True,
        steps=(replace(SHOWN.steps[0], why="tone and goodwill need a person"), SHOWN.steps[1]),
        owners=(("Rules", "U01LEAD"), ("Training", "U01AGENT1")),
    ),
    "playbook-list": PlaybookList(
        rows=(LINE, replace(LINE, slug="refund-decision", title="Refund decision", teams=1)), total=2
    ),
    "playbook-list-cut": PlaybookList(rows=(LINE,), total=40, function="support"),
    "playbook-list-empty": PlaybookList(rows=(), total=0),
    "playbook-imported": PlaybookImported(
        slug="support-reply", title="Support reply", version=1, new=True, missing=("examples",)
    ),
    "playbook-created": PlaybookImported(
        slug="support-reply", title="Support reply", version=1, new=True, missing=("examples",), by_form=True
    ),
    "playbook-created-draft": PlaybookImported(
        slug="support-reply",
        title="Support reply",
        version=1,
        new=True,
        missing=("examples",),
        by_form=True,
        pilot=True,
    ),
    "playbook-revised": PlaybookImported(
        slug="support-reply",
        title="Support reply",
        version=2,
        new=False,
        changes=("kpi.target: 15 → 12",),
    ),
    "playbook-revised-published": PlaybookImported(
        slug="support-reply",
        title="Support reply",
        version=5,
        new=False,
        published=2,
        changes=("Cap of “Send the edited reply”: 5% → 8%",),
    ),
    "playbook-unchanged": PlaybookImported(slug="support-reply", title="Support reply", version=2, new=False),
    "team-created": TEAM,
    "team-empty": replace(
        TEAM,
        created=False,
        changed=True,
        members=(),
        channel=None,
        reporter=None,
        playbooks=(),
        region="",
        country="",
    ),
    "team-shown": replace(TEAM, created=False),
    "cycle-shown": CYCLE,
    "cycle-shown-paused": replace(
        CYCLE, resumes="U01LEAD", ends_pause="/cadence cycle resume support-reply team=support-emea"
    ),
    "cycle-shown-watched": replace(CYCLE, month=2, gates=()),
    "cycle-shown-closed": replace(CYCLE, result="met", gates=(), steps=(), readings=(), champion=None),
    "cycle-shown-between": replace(CYCLE, week=None),
    "cycle-started": STARTED,
    "cycle-resumed": replace(STARTED, resumed=True),
    "cycle-announced": CycleAnnounced(
        slug="support-reply",
        playbook="Support reply",
        team="Support EMEA",
        number=1,
        kpi=NO_VALUE,
        starts=MONDAY,
        closes=FRIDAY.replace(year=2027, month=1, day=8),
        owner="U01LEAD",
        champion="U01AGENT1",
        by="U01CURATOR",
        opens=MONDAY,
        first_checkin=FRIDAY.replace(day=17),
        members=6,
    ),
    "cycle-paused": PAUSED,
    "cycle-paused-between": replace(PAUSED, number=None, closes=None),
    "cycle-paused-over": replace(PAUSED, over=True),
    "cycle-resumed-post": RESUMED,
    "cycle-resumed-post-open": replace(RESUMED, came=True),
    "cycle-announced-late": CycleAnnounced(
        slug="support-reply",
        playbook="Support reply",
        team="Support EMEA",
        number=2,
        kpi=replace(NO_VALUE, baseline=None),
        starts=MONDAY,
        closes=FRIDAY,
        owner="U01LEAD",
        by="U01LEAD",
        first_checkin=FRIDAY,
        members=0,
    ),
    "cycle-started-nobody": CycleStarted(
        slug="support-reply",
        playbook="Support reply",
        team="Support EMEA",
        number=1,
        starts=MONDAY,
        closes=FRIDAY,
        first_checkin=FRIDAY,
        kpi=replace(NO_VALUE, baseline=None),
        members=0,
    ),
    "settings-saved": SettingsSaved(
        curators=("U01CURATOR",), timezone="Europe/Berlin", rule="balanced", curator_channel="C01CURATORS"
    ),
    "team-holidays": TeamHolidays(
        slug="support-emea",
        team="Support EMEA",
        country="DE-BY",
        own=True,
        changed=True,
        days=(
            Holiday(on=date(2026, 12, 25), name="Christmas Day"),
            Holiday(on=date(2027, 1, 6), name="Epiphany"),
        ),
    ),
    "team-holidays-workspace": TeamHolidays(
        slug="support-emea", team="Support EMEA", country="DE", own=False, days=()
    ),
    "team-holidays-none": TeamHolidays(
        slug="support-emea", team="Support EMEA", country="", own=False, days=()
    ),
    "settings-saved-full": SettingsSaved(
        curators=("U01CURATOR",),
        timezone="Europe/Berlin",
        rule="strict",
        country="DE",
        min_runs=30,
        working_days=("mon", "tue", "wed", "thu"),
        hours=("check-in: Wed 09:00",),
    ),
    "adoption-saved": AdoptionSaved(
        playbook="Support reply",
        team="Support EMEA",
        rule="strict",
        own_rule=True,
        changed=True,
        champion="U01AGENT1",
        hours=("check-in: Wed 09:00",),
    ),
    "adoption-saved-same": AdoptionSaved(
        playbook="Support reply", team="Support EMEA", rule="balanced", own_rule=False, changed=False
    ),
    "settings-shown": SettingsSaved(curators=(), timezone="UTC", rule="strict", saved=False),
}
