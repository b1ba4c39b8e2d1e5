"""Requests, planned and open waves."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from templates.contexts.adoption import AccessOverridden, LetInForm
from templates.contexts.base import Choice, MessageContext, Picture, ViewContext
from templates.contexts.waves import (
    AdaptedPart,
    AdaptForm,
    AdoptionRequested,
    Compared,
    ComparedTeam,
    PartsCompared,
    RequestForm,
    RolloutPhase,
    TeamParts,
    TeamWish,
    WaveAnywayForm,
    WaveForm,
    WaveLine,
    WaveOpened,
    WavePlanned,
    WavesShown,
    WaveTeamForm,
    WaveTeamLine,
)
from templates.ids import Action
from tests.templates.samples.common import NO_VALUE, OVER, THURSDAY, UNDER

PLAYBOOKS = (Choice(label="Support reply", value="support-reply"),)
TEAMS = (
    Choice(label="Support APAC · support · APAC · 2 requests", value="support-apac"),
    Choice(label="Billing · finance · EMEA", value="billing"),
)
WISHES = (
    TeamWish(team="Support APAC", votes=2, reasons=("We answer the same tickets.", "Nights are slow.")),
    TeamWish(team="Billing", votes=1, reasons=("Refund questions take too long.",)),
)
APAC = WaveTeamLine(
    team="Support APAC",
    where="support · APAC",
    differs=True,
    champion="Mei",
    room=True,
    full=0,
)
BILLING = WaveTeamLine(team="Billing", where="finance · EMEA", differs=True, champion="", room=False, full=0)
FULL = WaveTeamLine(
    team="Support US",
    where="support · EMEA",
    differs=False,
    champion="Sam",
    room=False,
    full=2,
)
FIRST = WaveLine(
    number=1,
    phase="controlled",
    state="planned",
    reason="Same queue, other shifts.",
    planned_by="U01LEAD",
    planned_at=THURSDAY,
    teams=(APAC, BILLING, FULL),
    confirm=(
        Choice(label="Support APAC", value="1"),
        Choice(label="Billing", value="2"),
        Choice(label="Support US", value="3"),
    ),
    missing=(
        "The owner hasn't answered the assessment",
        "3 of 5 training samples",
        "Billing: no champion",
        "Billing: nobody confirmed that it has room",
        "Support US: 2 running cycles, the limit is 2",
    ),
)
SECOND = replace(
    FIRST,
    number=2,
    phase="broad",
    teams=(APAC,),
    confirm=FIRST.confirm[:1],
    missing=(
        "Support US: 19 min, target 15 min · “Send the edited reply” 3 in 50 runs, 6% (cap 5%)",
        "Billing: no cycle closed yet",
    ),
    gate="1 of 3 teams of wave 1 met the target within the caps (2 needed)",
)
OPEN = replace(
    FIRST,
    state="open",
    confirm=(),
    missing=(),
    teams=(APAC, replace(BILLING, champion="Ana", room=True)),
    opened_by="U01CURATOR",
    opened_at=THURSDAY + timedelta(days=1),
)
OVERRIDDEN = replace(
    OPEN, override="The night shift starts on Monday.", passed_over=("3 of 5 training samples",)
)
OFFERS = (
    Offer("Open wave 2", Action.OPEN_WAVE, "2"),
    Offer("Change the plan", Action.PLAN_WAVE, "support-reply"),
    Offer("Cancel the wave", Action.CANCEL_WAVE, "2"),
)
PLANNED = WavePlanned(playbook="Support reply", owner="U01LEAD", wave=FIRST, offers=OFFERS)
PHASES = (
    RolloutPhase("Pilot", "one team hits the target 2 cycles in a row", done=True),
    RolloutPhase("Assessment", "the owner sorts what worked from what won't scale", done=True),
    RolloutPhase("Cutover", "the pilot against what production needs", done=True),
    RolloutPhase(
        "Controlled",
        "2 or 3 more teams, each with a trained champion",
        then=Mrkdwn("add 3 training samples with `/cadence train support-reply add`"),
    ),
    RolloutPhase("Broad", "more waves, each once the last one holds"),
    RolloutPhase(
        "Published",
        "in the registry, once a second team has set it up",
        ready=Mrkdwn("a curator publishes it with `/cadence playbook publish support-reply`"),
    ),
)
SHOWN = WavesShown(
    playbook="Support reply",
    slug="support-reply",
    phase="controlled",
    waves=(OPEN, SECOND),
    wishes=WISHES,
    may_plan=True,
    offers=OFFERS,
    phases=PHASES,
)


def _compared(team: str, phase: str, value: float | None, **more: Any) -> ComparedTeam:
    kpi = replace(NO_VALUE, value=value)
    return ComparedTeam(team=team, phase=phase, kpi=kpi, since="Mar 2026", months=9, **more)


COMPARED = Compared(
    playbook="Support reply",
    kpi=replace(NO_VALUE, value=19),
    rows=(
        _compared("Support APAC", "controlled", 19, setup_minutes=52, step="Send the reply", evidence=OVER),
        _compared("Support EMEA", "pilot", 14, step="Draft it", evidence=UNDER, answered=12, asked=12),
        replace(_compared("Billing", "", None), months=0),
    ),
    met=1,
    closed=2,
    offers=(Offer("Post it with a chart", Action.POST_COMPARISON, "support-reply"),),
)
PRICED = replace(
    COMPARED,
    rows=(
        replace(COMPARED.rows[0], worth="about 16 hours saved"),
        replace(COMPARED.rows[1], worth="about $1,200"),
        COMPARED.rows[2],
    ),
)
PARTS = PartsCompared(
    playbook="Support reply",
    adaptable=("tone guide", "queue"),
    fixed=("rubric", "caps"),
    teams=(
        TeamParts(
            team="Support APAC",
            parts=(AdaptedPart(part="tone guide", text="We write formally.", member="U02LEAD", at=THURSDAY),),
        ),
        TeamParts(team="Support EMEA", parts=()),
    ),
    offers=(Offer("Compare teams", Action.COMPARE, "support-reply"),),
)
ADAPT = AdaptForm(
    playbook="Support reply",
    team="Support APAC",
    parts=(Choice(label="tone guide", value="tone guide"), Choice(label="queue", value="queue")),
)

SAMPLES: dict[str, MessageContext | ViewContext] = {
    "adoption-requested": AdoptionRequested(
        playbook="Support reply",
        wishes=WISHES[:1],
        offers=(Offer("Plan a wave", Action.PLAN_WAVE, "support-reply"),),
    ),
    "adoption-requested-by-several": AdoptionRequested(playbook="Support reply", wishes=WISHES),
    "wave-planned": PLANNED,
    "wave-planned-broad": replace(PLANNED, wave=SECOND),
    "wave-planned-ready": replace(
        PLANNED,
        wave=replace(
            SECOND, missing=(), gate="2 of 3 teams of wave 1 met the target within the caps (2 needed)"
        ),
    ),
    "wave-planned-opened": replace(PLANNED, wave=OPEN, offers=()),
    "wave-planned-canceled": replace(
        PLANNED, wave=replace(FIRST, state="canceled", teams=(), confirm=(), missing=()), offers=()
    ),
    "wave-opened": WaveOpened(playbook="Support reply", slug="support-reply", wave=OPEN),
    "wave-opened-anyway": WaveOpened(
        playbook="Support reply", slug="support-reply", wave=OVERRIDDEN, left_out=("Support US",)
    ),
    "waves-shown": SHOWN,
    "waves-shown-none": replace(SHOWN, phase="pilot", waves=(), wishes=(), offers=()),
    "waves-shown-overridden": replace(SHOWN, waves=(OVERRIDDEN,), note="Wave 1 is open.", offers=OFFERS[1:2]),
    "form-request": RequestForm(playbooks=PLAYBOOKS, teams=TEAMS),
    "form-request-filled": RequestForm(
        playbooks=PLAYBOOKS,
        teams=TEAMS,
        playbook="support-reply",
        team="support-apac",
        reason="We answer the same tickets.",
    ),
    "form-wave": WaveForm(
        heading="Plan wave 1",
        playbook="Support reply",
        told="The controlled phase: 2 or 3 teams, one in another function or region than the pilot.",
        choices=TEAMS,
    ),
    "form-wave-change": WaveForm(
        heading="Change wave 2",
        playbook="Support reply",
        told="A broad wave: up to 20 teams.",
        choices=TEAMS,
        wished=WISHES,
        teams=("support-apac",),
        reason="They asked first.",
    ),
    "form-wave-team": WaveTeamForm(playbook="Support reply", team="Support APAC", number=1),
    "form-wave-team-filled": WaveTeamForm(
        playbook="Support reply",
        team="Support APAC",
        number=1,
        running=("Ticket triage",),
        champion="U02LEAD",
        room=True,
    ),
    "form-wave-anyway": WaveAnywayForm(playbook="Support reply", number=2, missing=SECOND.missing),
    "form-let-in": LetInForm(playbook="Support reply", team="Support APAC", champion="U02LEAD"),
    "compared": COMPARED,
    "compared-with-worth": PRICED,
    "compared-with-chart": replace(
        COMPARED, chart=Picture(file="F01CHART", alt="First response time by team"), offers=()
    ),
    "compared-before-a-close": replace(
        COMPARED, kpi=NO_VALUE, rows=COMPARED.rows[2:], met=0, closed=0, offers=()
    ),
    "parts-compared": PARTS,
    "parts-compared-nothing": replace(PARTS, adaptable=(), fixed=(), teams=PARTS.teams[1:]),
    "form-adapt": ADAPT,
    "form-adapt-filled": replace(
        ADAPT,
        fixed=("rubric", "caps"),
        adapted=PARTS.teams[0].parts,
        part="tone guide",
        text="We write formally.",
    ),
    "access-overridden": AccessOverridden(
        playbook="Support reply",
        team="Support APAC",
        curator="U01CURATOR",
        reason="Their contract ends in May.",
    ),
}
