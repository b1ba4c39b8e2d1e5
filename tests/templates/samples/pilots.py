"""Usual values before a pilot: cases, reviews, ranked drafts, the limit of first cycles, owners by name."""

from dataclasses import replace
from datetime import UTC, datetime

from cadence.refusals import Offer
from templates.contexts.base import Choice, MessageContext, ViewContext
from templates.contexts.pilots import (
    ChooseOwnersForm,
    ChoosePilotForm,
    DutyOpen,
    FirstCyclesForm,
    FirstCyclesOverridden,
    OwnersForm,
    OwnersNamed,
    Pillar,
    PilotCase,
    PilotDecided,
    PilotDraft,
    PilotDrafts,
    PilotReviewForm,
    PilotReviewPost,
    PilotShown,
    Rank,
    ReviewShown,
    SendBackForm,
    StepWhy,
)
from templates.ids import Action

ASKED_AT, DECIDED_AT = datetime(2026, 2, 26, 9, 5, tzinfo=UTC), datetime(2026, 2, 27, 14, tzinfo=UTC)
CASE = PilotCase(
    frequency="5 · all day",
    friction="4 · a lot",
    structure="4 · well structured",
    worth="6 min",
    reason="comes all day, hurts a lot, inputs well structured",
    points=80,
    rank=Rank(place=1, of=3),
    pillars=(
        Pillar(
            title="When a run counts", answer="A reply that the customer didn't reopen within seven days."
        ),
        Pillar(title="Input contract", answer="Ticket text, refreshed hourly; the queue pauses without it."),
        Pillar(title="Output trust", answer="Sources linked on each draft; low confidence goes to a person."),
        Pillar(title="Operational owner", answer="The support lead owns the rules and the exception queue."),
        Pillar(title="Replication template", answer="This playbook, its checklist and its graded examples."),
    ),
    steps=(
        StepWhy(title="Draft three replies", mode="collaborative", why="tone and goodwill need a person"),
        StepWhy(title="Send the edited reply", mode="ai-led"),
    ),
)
EMPTY = replace(
    CASE,
    frequency="",
    worth="",
    reason="hurts a lot, inputs well structured",
    points=None,
    rank=None,
    pillars=tuple(replace(one, answer="") for one in CASE.pillars),
)
ASKED = ReviewShown(state="asked", asked_at=ASKED_AT, revision=3, asked_by="U01LEAD")
BACK = replace(
    ASKED,
    state="sent-back",
    decided_by="U01CURATOR",
    decided_at=DECIDED_AT,
    remark="Who owns the exception queue?",
)
APPROVED = replace(ASKED, state="approved", decided_by="U01CURATOR", decided_at=DECIDED_AT)
IMPORTED = replace(APPROVED, asked_by=None, decided_by=None)
EDIT = Offer("Edit the playbook", Action.EDIT_PLAYBOOK, "support-reply")
START = Offer("Start a cycle", Action.START_CYCLE, "support-reply")
DECIDE = (
    Offer("Approve", Action.APPROVE_PILOT, "1:3:support-reply"),
    Offer("Send back", Action.SEND_BACK_PILOT, "1:3:support-reply"),
)
SHOWN = PilotShown(
    slug="support-reply",
    title="Support reply",
    owner="U01LEAD",
    state="draft",
    revision=3,
    case=CASE,
    offers=(Offer("Ask for review", Action.ASK_REVIEW, "support-reply"), EDIT),
)
POST = PilotReviewPost(title="Support reply", owner="U01LEAD", case=CASE, review=ASKED, offers=DECIDE)
DRAFTS = PilotDrafts(
    rows=(
        PilotDraft(
            slug="support-reply",
            title="Support reply",
            owner="U01LEAD",
            points=80,
            reason=CASE.reason,
            state="asked",
            missing=0,
        ),
        PilotDraft(
            slug="inbound-routing",
            title="Inbound lead routing",
            owner="U03LEAD",
            points=48,
            reason="comes every day, hurts a lot, inputs partly structured",
            state=None,
            missing=2,
        ),
        PilotDraft(
            slug="refund",
            title="Refund decision",
            owner="U02LEAD",
            points=None,
            reason="",
            state="sent-back",
            missing=8,
        ),
    ),
    running=4,
    most=5,
)
RUNNING = ("Support reply in Support EMEA", "Variance review in Finance UK")
OWNERS = (
    ("Rules", "U01LEAD"),
    ("Model and prompt updates", "U01LEAD"),
    ("Exception queue", "U01AGENT1"),
    ("Adoption", "U01LEAD"),
    ("Training", "U01AGENT2"),
)
CHOICES = (
    Choice(label="Support reply", value="support-reply"),
    Choice(label="Refund decision", value="refund"),
)
OPEN = DutyOpen(
    title="Support reply",
    member="U01AGENT2",
    duties=("the exception queue", "training"),
    offers=(Offer("Name owners", Action.NAME_OWNERS, "support-reply"),),
)

SAMPLES: dict[str, MessageContext | ViewContext] = {
    "pilot": SHOWN,
    "pilot-unanswered": replace(
        SHOWN, case=EMPTY, missing=("frequency (case)", "when a run counts", "input contract"), offers=(EDIT,)
    ),
    "pilot-asked": replace(SHOWN, review=ASKED, offers=(*DECIDE, EDIT)),
    "pilot-sent-back": replace(SHOWN, review=BACK),
    "pilot-approved": replace(SHOWN, review=APPROVED, offers=(START, EDIT)),
    "pilot-imported": replace(SHOWN, review=IMPORTED, offers=()),
    "pilot-published": replace(SHOWN, state="published", review=APPROVED, offers=(EDIT,)),
    "pilot-drafts": DRAFTS,
    "pilot-drafts-full": replace(DRAFTS, running=5),
    "pilot-drafts-none": PilotDrafts(rows=(), running=0, most=5),
    "form-choose-pilot": ChoosePilotForm(playbooks=CHOICES),
    "pilot-review": POST,
    "pilot-review-approved": replace(POST, review=APPROVED, offers=()),
    "pilot-review-sent-back": replace(POST, review=BACK, offers=()),
    "pilot-review-lapsed": replace(POST, lapsed=True, offers=()),
    "pilot-review-retired": replace(POST, lapsed=True, retired_by="U01CURATOR", offers=()),
    "pilot-decided-approved": PilotDecided(title="Support reply", review=APPROVED, offers=(START,)),
    "pilot-decided-sent-back": PilotDecided(
        title="Support reply",
        review=BACK,
        offers=(EDIT, Offer("Ask again", Action.ASK_REVIEW, "support-reply")),
    ),
    "form-send-back": SendBackForm(title="Support reply", owner="U01LEAD"),
    "form-pilot-review": PilotReviewForm(
        heading="Support reply", owner="U01LEAD", case=CASE, value="1:3:support-reply"
    ),
    "form-first-cycles": FirstCyclesForm(
        playbook="Refund decision", team="Support APAC", running=RUNNING, most=2
    ),
    "form-first-cycles-team": FirstCyclesForm(
        playbook="Refund decision",
        team="Support APAC",
        running=RUNNING[:1],
        most=1,
        of_team=("Support reply", "Ticket triage"),
    ),
    "first-cycles-overridden": FirstCyclesOverridden(
        playbook="Refund decision",
        team="Support APAC",
        running=RUNNING,
        most=2,
        curator="U01CURATOR",
        reason="The refund season starts next week.",
    ),
    "form-choose-owners": ChooseOwnersForm(playbooks=CHOICES),
    "form-owners": OwnersForm(
        heading="Support reply",
        slug="support-reply",
        rules="U01LEAD",
        updates="U01LEAD",
        exceptions="U01AGENT1",
        adoption="U01LEAD",
        training="U01AGENT2",
    ),
    "owners-named": OwnersNamed(slug="support-reply", title="Support reply", changed=True, owners=OWNERS),
    "owners-unchanged": OwnersNamed(
        slug="support-reply", title="Support reply", changed=False, owners=OWNERS
    ),
    "duty-open": OPEN,
    "duty-open-named": replace(OPEN, duties=(), offers=()),
}
