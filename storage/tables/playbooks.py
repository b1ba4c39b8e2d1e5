"""Playbooks, their revisions and adoptions, and the four-week cycles."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel, UniqueConstraint

from cadence.rules.modes import Mode
from cadence.rules.verdicts import Rule
from storage.tables.columns import choice, document


class PlaybookState(StrEnum):
    """A playbook's stage, from one team to many."""

    DRAFT = "draft"
    PILOTING = "piloting"
    PUBLISHED = "published"
    SCALING = "scaling"
    RETIRED = "retired"


class AdoptionState(StrEnum):
    """The state of a team's adoption of a playbook."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class CycleState(StrEnum):
    """A cycle runs until its fourth Friday, then is closed."""

    RUNNING = "running"
    CLOSED = "closed"


class CycleKind(StrEnum):
    """A cycle of the rollout, or four more weeks of check-ins after the last planned one.

    Watch weeks have check-ins, numbers, exceptions and verdicts, but no gates, closing post or promotions.
    """

    ROLLOUT = "rollout"
    WATCH = "watch"


class Playbook(SQLModel, table=True):
    """A runnable plan for one workflow; its content is in its versions."""

    __tablename__ = "playbook"
    __table_args__ = (
        UniqueConstraint("workspace_id", "slug"),
        Index("ix_playbook_owner", "workspace_id", "owner"),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id")
    slug: str
    title: str
    function: str
    owner: str
    state: PlaybookState = choice(PlaybookState, default=PlaybookState.DRAFT)
    created_at: datetime


class PlaybookVersion(SQLModel, table=True):
    """One revision of a playbook, never changed; publishing gives it a number."""

    __tablename__ = "playbook_version"
    __table_args__ = (UniqueConstraint("playbook_id", "revision"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    playbook_id: int = Field(foreign_key="playbook.id", index=True)
    revision: int
    number: int | None = None
    spec: dict[str, Any] = document()
    created_by: str
    created_at: datetime
    published_at: datetime | None = None


class Adoption(SQLModel, table=True):
    """One team running one playbook version.

    `hours` are the weekdays and hours of its nudges, by kind, if they differ from the workspace's. After
    `planned_cycles` cycles it is only watched: its weekly check-ins go on; None while no end is planned.
    """

    __tablename__ = "adoption"
    __table_args__ = (UniqueConstraint("playbook_id", "team_id"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    playbook_id: int = Field(foreign_key="playbook.id", index=True)
    version_id: int = Field(foreign_key="playbook_version.id")
    team_id: int = Field(foreign_key="team.id", index=True)
    champion: str | None = None
    state: AdoptionState = choice(AdoptionState, default=AdoptionState.ACTIVE)
    rule: Rule | None = choice(Rule, nullable=True, default=None)
    hours: dict[str, Any] = document()
    planned_cycles: int | None = None
    created_at: datetime


class AdoptionStep(SQLModel, table=True):
    """The mode of a step in one adoption now, and since when evidence on it counts.

    A change of the mode, the rubric (`rubric` is the revision in force) or the playbook version restarts
    evidence. What came before is determined by sequence, never by the clock: exceptions, check-ins, runs
    that tools counted, graded samples and spot audits up to these ids, and cycles up to this number, existed
    at that moment. `since` is for display. A projection: it can be rebuilt from `mode_change`,
    `rubric_revision` and the trail.
    """

    __tablename__ = "adoption_step"
    __table_args__ = (UniqueConstraint("adoption_id", "step"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    adoption_id: int = Field(foreign_key="adoption.id", index=True)
    step: str
    mode: Mode = choice(Mode)
    since: datetime
    after_exception: int = 0
    after_check_in: int = 0
    after_measured: int = 0
    after_result: int = 0
    after_audit: int = 0
    after_cycle: int = 0
    rubric: int = 1


class Cycle(SQLModel, table=True):
    """Four weeks of one adoption, from a Monday to the fourth Friday in the team's time zone.

    `guardrails` are their values at the close, by name. `next_team_id`, or why no team is next, is the result
    of week 4.
    """

    __tablename__ = "cycle"
    __table_args__ = (UniqueConstraint("adoption_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    adoption_id: int = Field(foreign_key="adoption.id", index=True)
    version_id: int = Field(foreign_key="playbook_version.id")
    number: int
    kind: CycleKind = choice(CycleKind, default=CycleKind.ROLLOUT)
    starts_on: date
    closes_on: date
    state: CycleState = choice(CycleState, default=CycleState.RUNNING, index=True)
    started_by: str
    started_at: datetime
    closed_at: datetime | None = None
    result: str | None = None
    kpi_value: float | None = None
    guardrails: dict[str, Any] = document()
    next_team_id: int | None = Field(default=None, foreign_key="team.id")
    no_next_team: str = ""
    submitted_by: str | None = Field(default=None, max_length=32)
    submitted_at: datetime | None = None
