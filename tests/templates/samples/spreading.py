from dataclasses import replace
from datetime import timedelta

from cadence.mrkdwn import Mrkdwn
from templates.contexts.adoption import AdoptForm, CapacityForm, CapacityOverridden
from templates.contexts.base import Choice, MessageContext, ViewContext
from templates.contexts.lessons import LearnForm
from templates.contexts.setup import ChecklistForm, ChecklistItem, SetupPost
from tests.templates.samples.common import MONDAY, THURSDAY

PLAYBOOKS = (Choice(label="Support reply", value="support-reply"),)
TEAMS = (Choice(label="Support APAC", value="support-apac"), Choice(label="Billing", value="billing"))
RUNNING = SetupPost(
    adoption_id=8,
    slug="support-reply",
    team_slug="support-apac",
    playbook="Support reply",
    team="Support APAC",
    state="running",
    version="v2",
    planned=60,
    items=(
        ChecklistItem(
            text="connect the ticket queue", value="8:0:off", ticked_by="U01AGENT1", ticked_at=THURSDAY
        ),
        ChecklistItem(text="load the policy file", value="8:1:on"),
        ChecklistItem(text="grade 20 past replies", value="8:2:on"),
    ),
    champion="U01AGENT1",
    minutes=20,
    started_by="U01LEAD",
    started_at=THURSDAY,
    fixed=("rubric", "caps"),
    adaptable=("tone guide",),
    lessons=("Load the policy file before the first draft.", "Grade in pairs."),
)
DONE = replace(
    RUNNING,
    state="done",
    minutes=41,
    items=tuple(
        replace(item, ticked_by="U01AGENT1", ticked_at=THURSDAY + timedelta(minutes=at))
        for at, item in enumerate(RUNNING.items)
    ),
)

CHECKLIST = ChecklistForm(
    playbook="Support reply",
    team="Support APAC",
    open_items=(
        Choice(label="load the policy file", value="1"),
        Choice(label="grade 20 past replies", value="2"),
    ),
)

SAMPLES: dict[str, MessageContext | ViewContext] = {
    "setup-waiting": replace(
        RUNNING,
        state="waiting",
        minutes=None,
        started_by=None,
        started_at=None,
        items=tuple(replace(item, ticked_by=None, ticked_at=None) for item in RUNNING.items),
    ),
    "setup-running": RUNNING,
    "setup-done": replace(
        DONE, owner="U01LEAD", then=Mrkdwn("Next, <@U01LEAD> or a curator can start the first cycle.")
    ),
    "setup-done-untrained": replace(
        DONE,
        owner="U01LEAD",
        then=Mrkdwn(
            "The first cycle can start once <@U01AGENT1> is trained. Left: grade 5 training samples."
        ),
    ),
    "setup-champion-left": replace(RUNNING, champion_left=True, owner="U01LEAD"),
    "setup-over-the-plan": replace(DONE, minutes=95, cycle_starts=MONDAY),
    "setup-by-first-run": replace(RUNNING, state="done", minutes=900, by_first_run=True, cycle_starts=MONDAY),
    "setup-retired": replace(RUNNING, state="retired"),
    "setup-adapted": replace(RUNNING, adapted=("tone guide: We write formally.",)),
    "setup-bare": replace(RUNNING, items=(), fixed=(), adaptable=(), lessons=(), champion=None),
    "form-checklist": CHECKLIST,
    "form-checklist-long": replace(CHECKLIST, left=2),
    "form-adopt": AdoptForm(playbooks=PLAYBOOKS, teams=TEAMS),
    "form-adopt-filled": AdoptForm(
        playbooks=PLAYBOOKS,
        teams=TEAMS,
        playbook="support-reply",
        team="support-apac",
        champion="U01AGENT1",
    ),
    "form-learn": LearnForm(playbooks=PLAYBOOKS),
    "form-learn-filled": LearnForm(
        playbooks=PLAYBOOKS, playbook="support-reply", note="Load the policy file before the first draft."
    ),
    "form-capacity": CapacityForm(
        playbook="Support reply", team="Support APAC", running=("Refund decision", "Ticket triage"), most=2
    ),
    "capacity-overridden": CapacityOverridden(
        playbook="Support reply",
        team="Support APAC",
        running=("Refund decision", "Ticket triage"),
        most=2,
        curator="U01CURATOR",
        reason="The triage cycle ends on Friday.",
    ),
}
