from dataclasses import replace

from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.refusals import Offer
from templates.contexts.base import Choice, MessageContext, ViewContext
from templates.contexts.cycles import MoveForm, Submitted, TeamMoved
from templates.contexts.overview.registry import NearlyThere, Registry, RegistryPlaybook, RegistryTeam
from templates.contexts.playbooks import (
    ChoosePlaybookForm,
    FinishingTeam,
    GapLine,
    OverrideForm,
    OverrideShown,
    PlaybookDiff,
    PlaybookPublished,
    PlaybookRetired,
    PublishBlocked,
    RetireForm,
    TeamDelta,
)
from templates.ids import Action
from tests.templates.samples.common import FRIDAY, KPI, NO_VALUE, OVER, UNDER

OVERRIDE = OverrideShown(
    member="U01CURATOR",
    reason="The board wants it in every region this quarter; the second team starts on Monday.",
    passed_over=("A second team set up within 60 min: none so far",),
)
BLOCKED = PublishBlocked(
    slug="support-reply",
    title="Support reply",
    number=1,
    revision=3,
    gaps=(
        GapLine(
            text="First response time at its target of 15 min in 2 closed cycles in a row: 1 so far, in Support EMEA",
            offer=Offer("Start another cycle", Action.START_CYCLE, "support-reply"),
        ),
        GapLine(
            text="The package is missing examples, checklist",
            offer=Offer("Edit the playbook", Action.EDIT_PLAYBOOK, "support-reply"),
        ),
    ),
    may_override=True,
    value="3:support-reply",
)
PUBLISHED = PlaybookPublished(
    slug="support-reply",
    title="Support reply",
    function="support",
    number=2,
    revision=5,
    by="U01CURATOR",
    owner="U01LEAD",
    deltas=(
        TeamDelta(team="Support EMEA", kpi=replace(KPI, value=14, cycle=2)),
        TeamDelta(team="Support APAC", kpi=NO_VALUE),
    ),
    changes=("Cap of “Send the edited reply”: 5% → 8%", "KPI target: 15 min → 12 min"),
    override=OVERRIDE,
    offers=(Offer("Start a cycle", Action.START_CYCLE, "support-reply"),),
)
SUBMITTED = Submitted(
    playbook="Support reply",
    team="Support EMEA",
    number=1,
    by="U01LEAD",
    result="met",
    gates_met=3,
    gates=4,
    gaps=(
        Mrkdwn(
            "First response time at its target of 15 min in 2 closed cycles in a row: 1 so far, in Support EMEA"
        ),
        Mrkdwn("A second team set up within 60 min: none so far"),
    ),
    offers=(Offer("Show the playbook", Action.SHOW_PLAYBOOK, "support-reply"),),
)
ORIGIN = RegistryTeam(
    team="Support EMEA",
    version="v2",
    kpi=replace(KPI, value=14, cycle=2),
    step="Send the edited reply",
    evidence=OVER,
)
LATER = RegistryTeam(
    team="Support APAC",
    version="v1",
    kpi=replace(KPI, value=17, cycle=1),
    origin=14,
    setup_minutes=41,
    step="Draft three replies",
    evidence=UNDER,
    worth="about 16 hours saved",
)
ROW = RegistryPlaybook(
    slug="support-reply",
    title="Support reply",
    function="support",
    state="scaling",
    number=2,
    owner="U01LEAD",
    teams=(ORIGIN, LATER),
    first="Support EMEA",
    overrides=(
        say(
            "Wave 2 opened before its gate held, by {who}: “{why}”",
            who=mention("U01CURATOR"),
            why=OVERRIDE.reason,
        ),
        say(
            "Published before it was ready, by {who}: “{why}”", who=mention("U01CURATOR"), why=OVERRIDE.reason
        ),
    ),
)
REGISTRY = Registry(rows=(ROW,), total=1)

SAMPLES: dict[str, MessageContext | ViewContext] = {
    "publish-blocked": BLOCKED,
    "publish-blocked-owner": replace(BLOCKED, may_override=False, gaps=BLOCKED.gaps[:1]),
    "playbook-published": PUBLISHED,
    "playbook-published-first": replace(PUBLISHED, number=1, changes=(), override=None),
    "playbook-diff": PlaybookDiff(
        slug="support-reply",
        title="Support reply",
        before="v1",
        after="draft 5",
        changes=("Cap of “Send the edited reply”: 5% → 8%", "Checklist: added read the tone guide"),
    ),
    "playbook-diff-none": PlaybookDiff(
        slug="support-reply", title="Support reply", before="v1", after="v2", changes=()
    ),
    "choose-playbook": ChoosePlaybookForm(
        heading="Publish a playbook",
        submit="Publish",
        explanation="Publishing freezes the newest draft as the next version.",
        playbooks=(
            Choice(label="Support reply", value="support-reply"),
            Choice(label="Refund decision", value="refund-decision"),
        ),
        playbook="support-reply",
    ),
    "override-form": OverrideForm(
        title="Support reply", number=1, missing=("The package is missing examples, checklist",)
    ),
    "submitted": SUBMITTED,
    "submitted-ready": replace(
        SUBMITTED, gaps=(), offers=(Offer("Publish", Action.PUBLISH, "support-reply"), SUBMITTED.offers[0])
    ),
    "submitted-again": replace(SUBMITTED, gaps=(), result=None, published=2),
    "team-moved": TeamMoved(
        slug="support-reply",
        title="Support reply",
        team="Support EMEA",
        before="v1",
        after="v2",
        by="U01LEAD",
        cycle=3,
        changes=(
            "Cap of “Send the edited reply”: 5% → 8%",
            "“Draft three replies” is now human-led (was collaborative)",
        ),
    ),
    "team-moved-later": TeamMoved(
        slug="support-reply",
        title="Support reply",
        team="Support EMEA",
        before="v1",
        after="v2",
        by="U01LEAD",
        deferred=True,
        cycle=3,
        changes=("KPI target: 15 min → 12 min",),
    ),
    "move-form": MoveForm(
        runs=(Choice(label="Support reply · Support EMEA (v1)", value="support-reply:support-emea"),),
        selected="support-reply:support-emea",
    ),
    "playbook-retired": PlaybookRetired(
        slug="support-reply",
        title="Support reply",
        by="U01CURATOR",
        reason="The new help desk answers these by itself.",
        finishing=(FinishingTeam(team="Support EMEA", number=3, closes=FRIDAY),),
    ),
    "retire-form": RetireForm(
        playbooks=(Choice(label="Support reply", value="support-reply"),), playbook="support-reply"
    ),
    "registry": REGISTRY,
    "registry-paused": replace(
        REGISTRY, rows=(replace(ROW, teams=(ORIGIN, replace(LATER, paused=True)), overrides=()),)
    ),
    "registry-page": replace(
        REGISTRY,
        rows=(
            replace(ROW, more_teams=35),
            replace(ROW, title="Refund decision", teams=(), overrides=(), state="published"),
        ),
        total=100,
        page=2,
        pages=13,
        following="all:3",
        functions=(
            Choice(label="All functions (100)", value="all"),
            Choice(label="sales (40)", value="sales"),
        ),
        retired=2,
    ),
    "registry-empty": Registry(
        rows=(),
        total=0,
        function="support",
        nearly=(
            NearlyThere(
                title="Support reply",
                state="piloting",
                gaps=2,
                offer=Offer("What's left", Action.PUBLISH, "support-reply"),
            ),
            NearlyThere(title="Refund decision", state="piloting", gaps=0, phase="Assessment"),
        ),
    ),
}
