from dataclasses import replace

from cadence.mrkdwn import Mrkdwn, mention, say
from templates.contexts.adoption import AdoptionSettingsForm
from templates.contexts.answers import HowItWorks, InfoView
from templates.contexts.base import Choice, ChoiceGroup, GuardrailAsked, Problem, ViewContext
from templates.contexts.checkins import (
    CheckinAllForm,
    CheckinAllRow,
    CheckinForm,
    ChooseCheckinForm,
    DriftStep,
)
from templates.contexts.cycles import CycleStartForm
from templates.contexts.exceptions import ExceptionForm, ExceptionList, LoggedException
from templates.contexts.history import ExportForm
from templates.contexts.nudging import WatchAnswerForm
from templates.contexts.numbers import KpiForm
from templates.contexts.overview.statuses import WhyForm
from templates.contexts.people import AwayForm, ChooseTeamForm, HolidaysForm, TeamForm
from templates.contexts.playbooks import ImportForm
from templates.contexts.workspaces import SettingsForm
from tests.templates.samples.common import CSAT, KPI, MONDAY, NO_VALUE, OVER, STEPS, SUNDAY, THURSDAY
from tests.templates.samples.playbooks import PROBLEM

IDS = '{"a": 7, "w": "2026-12-14"}'
CHECKIN = CheckinForm(
    private_metadata=IDS,
    kind="as-declared",
    playbook="Support reply",
    team="Support EMEA",
    week=2,
    kpi=NO_VALUE,
    reporter=True,
    runs=14,
    steps=tuple(DriftStep(step=step) for step in STEPS),
)
ROW = CheckinAllRow(
    adoption_id=7, playbook="Support reply", team="Support EMEA", kpi=NO_VALUE, reporter=True, runs=14
)
CHOICES = (
    Choice(label="Support reply · Support EMEA", value="7"),
    Choice(label="Refund decision · Billing", value="8"),
)
WEEKS = (Choice(label="This week", value="2026-12-14"), Choice(label="Last week", value="2026-12-07"))
GROUPS = (
    ChoiceGroup(
        label="Support reply",
        choices=(
            Choice(label="Draft three replies", value="7:draft"),
            Choice(label="Send the edited reply", value="7:send"),
        ),
    ),
    ChoiceGroup(label="Refund decision", choices=(Choice(label="Decide", value="8:decide"),)),
)
TEAM = TeamForm(private_metadata=IDS, new=True, timezone="Europe/Berlin")
LIST = ExceptionList(
    playbook="Support reply",
    team="Support EMEA",
    step="Send the edited reply",
    evidence=OVER,
    items=(
        LoggedException(logged_at=THURSDAY, reason="It promised a refund.", critical=True),
        LoggedException(
            logged_at=THURSDAY,
            reason="Wrong tone.",
            link="https://example.slack.com/archives/C01/p1",
        ),
        LoggedException(logged_at=THURSDAY, reason="Reopened twice.", via="Help desk"),
    ),
)
TEAMS = (Choice(label="Support EMEA", value="support-emea"), Choice(label="Billing", value="billing"))
GUARDRAILS = (
    GuardrailAsked(key="csat", name="CSAT", unit="score", direction="higher", limit=4.6, typed="4.7"),
    GuardrailAsked(key="reopen-rate", name="Reopen rate", unit="percent", direction="lower", limit=5),
)

SAMPLES: dict[str, ViewContext] = {
    "form-checkin": CHECKIN,
    "form-checkin-all-guardrails": CheckinAllForm(
        private_metadata=IDS,
        rows=(replace(ROW, guardrails=GUARDRAILS), replace(ROW, adoption_id=8, reporter=False)),
    ),
    "form-checkin-member": replace(CHECKIN, reporter=False, runs=None, week=None),
    "form-checkin-drifted": replace(
        CHECKIN,
        kind="drifted",
        steps=(DriftStep(step=STEPS[0]), DriftStep(step=STEPS[1], chosen="human-led", changed=True)),
    ),
    "form-checkin-not-run": replace(CHECKIN, kind="not-run"),
    "form-checkin-change": replace(
        CHECKIN,
        kind="drifted",
        answered=True,
        details=True,
        value="22m",
        inputs_complete=13,
        note="As last week.",
    ),
    "form-checkin-all": CheckinAllForm(
        private_metadata=IDS, rows=(ROW, replace(ROW, adoption_id=8, reporter=False, runs=None))
    ),
    "form-checkin-doubtful": replace(CHECKIN, value="840m", doubt=840),
    "form-checkin-all-doubtful": CheckinAllForm(
        private_metadata=IDS,
        rows=(replace(ROW, value="1m", doubt=1), replace(ROW, adoption_id=8, reporter=False)),
    ),
    "form-kpi": KpiForm(
        private_metadata=IDS,
        playbook="Support reply",
        team="Support EMEA",
        kpi=KPI,
        value="14m",
        note="Quiet.",
    ),
    "form-kpi-guardrails": KpiForm(
        playbook="Support reply", team="Support EMEA", kpi=KPI, guardrails=GUARDRAILS
    ),
    "form-checkin-guardrails": replace(CHECKIN, guardrails=GUARDRAILS[:1]),
    "form-kpi-choose": KpiForm(adoptions=CHOICES, selected="8", weeks=WEEKS, week="2026-12-07"),
    "form-kpi-choose-guardrail": KpiForm(
        adoptions=CHOICES, named=1, guardrails=GUARDRAILS[:1], only_guardrails=True
    ),
    "form-exception": ExceptionForm(groups=GROUPS),
    "form-exception-filled": ExceptionForm(
        groups=GROUPS,
        selected="7:send",
        critical=True,
        reason="Wrong tone.",
        link="https://example.com/1",
        effect="A critical exception demotes “Send the edited reply” to collaborative right away.",
    ),
    "form-exception-confirm": ExceptionForm(
        groups=GROUPS,
        selected="7:send",
        critical=True,
        reason="Promised a refund.",
        notice=Mrkdwn("A critical exception demotes “Send the edited reply” to collaborative right away."),
    ),
    "form-choose-checkin": ChooseCheckinForm(
        choices=(
            Choice(label="Both of this week, as planned", value="all:2026-12-14"),
            Choice(label="Support reply · Support EMEA, this week", value="7:2026-12-14"),
            Choice(label="Refund decision · Billing, this week", value="8:2026-12-14"),
        )
    ),
    "form-export": ExportForm(
        playbooks=(
            Choice(label="Support reply", value="support-reply"),
            Choice(label="Refund decision", value="refund-decision"),
        ),
        curator=True,
    ),
    "form-export-owner": ExportForm(playbooks=(Choice(label="Support reply", value="support-reply"),)),
    "form-import": ImportForm(),
    "form-import-problems": ImportForm(
        typed=('playbook: support-reply\ntitle: "A \\ B"', "steps:"),
        problems=(
            PROBLEM,
            Problem(reason="there is no key `ownr` here", right="did you mean `owner`?", line=5),
        ),
    ),
    "form-cycle-start": CycleStartForm(
        playbooks=(Choice(label="Support reply", value="support-reply"),),
        teams=(Choice(label="Support EMEA", value="support-emea"),),
        starts=MONDAY,
        team="support-emea",
        champion="U01AGENT1",
    ),
    "form-team": TEAM,
    "form-team-change": replace(
        TEAM,
        new=False,
        slug="support-emea",
        title="Support EMEA",
        function="support",
        region="EMEA",
        country="DE",
        channel="C01SUPEMEA",
        members=("U01LEAD", "U01AGENT1"),
        reporter="U01LEAD",
    ),
    "form-settings": SettingsForm(
        min_runs="20",
        timezone="Europe/Berlin",
        rule="balanced",
        curators=("U01CURATOR",),
        curator_channel="C01CURATORS",
    ),
    "form-settings-full": SettingsForm(
        timezone="Europe/Berlin",
        rule="balanced",
        curators=("U01CURATOR",),
        curator_channel="C01CURATORS",
        country="DE-BY",
        min_runs="30",
        working_days=("mon", "tue", "wed", "thu"),
        hours="check-in: Thu 10:00\ndigest: Mon 11:00",
    ),
    "form-adoption-settings": AdoptionSettingsForm(
        private_metadata=IDS,
        playbook="Support reply",
        team="Support EMEA",
        team_slug="support-emea",
        state="active",
        week=2,
        inherited="balanced",
        may_set_rule=True,
        champion="U01AGENT1",
        reporter="U01LEAD",
        hours="check-in: Thu 10:00",
    ),
    "form-adoption-settings-owner": AdoptionSettingsForm(
        private_metadata=IDS,
        playbook="Support reply",
        team="Support EMEA",
        team_slug="support-emea",
        state="paused",
        ends_pause="/cadence cycle start support-reply team=support-emea",
        week=None,
        inherited="balanced",
        rule="strict",
    ),
    "form-adoption-settings-before": AdoptionSettingsForm(
        private_metadata=IDS,
        playbook="Support reply",
        team="Support EMEA",
        team_slug="support-emea",
        state="active",
        week=None,
        starts=MONDAY,
        inherited="balanced",
    ),
    "form-settings-first": SettingsForm(min_runs="20", timezone="UTC", rule="strict"),
    "form-watch-answer": WatchAnswerForm(
        playbook="Support reply", team="Support EMEA", step="Send the edited reply", evidence=OVER
    ),
    "form-watch-answer-change": WatchAnswerForm(
        playbook="Support reply", team="Support EMEA", step="Send", evidence=OVER, answer="The policy file."
    ),
    "form-choose-team": ChooseTeamForm(heading="Join a team", submit="Join", teams=TEAMS),
    "form-holidays": HolidaysForm(teams=TEAMS),
    "form-holidays-of-a-team": HolidaysForm(teams=TEAMS, team="support-emea", country="DE-BY"),
    "form-away": AwayForm(since=MONDAY, until=SUNDAY),
    "form-away-others": AwayForm(since=MONDAY, until=SUNDAY, members=("U01AGENT1",)),
    "form-why": WhyForm(groups=GROUPS, selected="8:decide"),
    "view-how-it-works": HowItWorks(),
    "view-loading": InfoView.loading("Support reply, a long title"),
    "view-info": InfoView(
        title="About", paragraphs=("Plain & simple.", say("Ask {who}.", who=mention("U01LEAD")))
    ),
    "view-exceptions": LIST,
    "view-exceptions-none": replace(LIST, items=()),
    "view-exceptions-earlier": replace(LIST, items=(), earlier=LIST.items),
    "form-kpi-score": KpiForm(playbook="Refund decision", team="Billing", kpi=CSAT),
}
