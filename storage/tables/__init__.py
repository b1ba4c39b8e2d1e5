"""The tables, by noun. Importing this package registers all of them on `SQLModel.metadata`."""

from storage.tables.decisions import ModeChange, StepVerdict, TrailEntry
from storage.tables.delivery import MessageState, OwedMessage
from storage.tables.people import Away, Curator, Member, Team, TeamMember, Workspace
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

__all__ = [
    "Adoption",
    "AdoptionState",
    "AdoptionStep",
    "Attestation",
    "Away",
    "CheckIn",
    "Curator",
    "Cycle",
    "CycleState",
    "DriftedStep",
    "LoggedException",
    "Member",
    "MessageState",
    "ModeChange",
    "OwedMessage",
    "Playbook",
    "PlaybookState",
    "PlaybookVersion",
    "Reading",
    "StepVerdict",
    "Team",
    "TeamMember",
    "TrailEntry",
    "Workspace",
]
