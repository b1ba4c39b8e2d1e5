"""The tables, by noun. Importing this package registers all of them on `SQLModel.metadata`."""

from storage.tables.decisions import ModeChange, StepVerdict, TrailEntry
from storage.tables.delivery import MessageState, OutboxMessage, RateLimit
from storage.tables.drafts import FormDraft
from storage.tables.handoffs import Handoff, HandoffState
from storage.tables.homes import Home, HomeChange
from storage.tables.installations import SlackBot, SlackInstallation, SlackState
from storage.tables.people import Away, Curator, JoinRequest, JoinState, Member, Team, TeamMember, Workspace
from storage.tables.playbooks import (
    Adoption,
    AdoptionState,
    AdoptionStep,
    Cycle,
    CycleState,
    Playbook,
    PlaybookState,
    PlaybookVersion,
)
from storage.tables.reports import Attestation, CheckIn, DriftedStep, LoggedException, Reading
from storage.tables.requests import AnsweredRequest
from storage.tables.rubrics import Promotion, PromotionState, RubricResult, RubricRevision, SpotAudit
from storage.tables.spreading import (
    ChecklistTick,
    Lesson,
    Override,
    OverrideKind,
    Setup,
    SetupEnd,
    StepDrift,
)

__all__ = [
    "Adoption",
    "AdoptionState",
    "AdoptionStep",
    "AnsweredRequest",
    "Attestation",
    "Away",
    "CheckIn",
    "ChecklistTick",
    "Curator",
    "Cycle",
    "CycleState",
    "DriftedStep",
    "FormDraft",
    "Handoff",
    "HandoffState",
    "Home",
    "HomeChange",
    "JoinRequest",
    "JoinState",
    "Lesson",
    "LoggedException",
    "Member",
    "MessageState",
    "ModeChange",
    "OutboxMessage",
    "Override",
    "OverrideKind",
    "Playbook",
    "PlaybookState",
    "PlaybookVersion",
    "Promotion",
    "PromotionState",
    "RateLimit",
    "Reading",
    "RubricResult",
    "RubricRevision",
    "Setup",
    "SetupEnd",
    "SlackBot",
    "SlackInstallation",
    "SlackState",
    "SpotAudit",
    "StepDrift",
    "StepVerdict",
    "Team",
    "TeamMember",
    "TrailEntry",
    "Workspace",
]
