"""Spreading to other teams (setup, its checklist, lessons, overrides), and drift from the standard."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from cadence.rules.drift import DriftEvent
from cadence.rules.modes import Mode
from storage.tables.columns import choice, document

_CURRENT = text("unticked_at IS NULL")


class SetupEnd(StrEnum):
    """How a setup ended: somebody confirmed it, or the first run was attested."""

    SAID = "said"
    FIRST_RUN = "first-run"


class Setup(SQLModel, table=True):
    """A team's setup of a playbook, timed from its start to its end."""

    __tablename__ = "setup"
    __table_args__ = (UniqueConstraint("adoption_id"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    adoption_id: int = Field(foreign_key="adoption.id")
    version_id: int = Field(foreign_key="playbook_version.id")
    started_by: str = Field(max_length=32)
    started_at: datetime
    done_by: str | None = Field(default=None, max_length=32)
    done_at: datetime | None = None
    ended: SetupEnd | None = choice(SetupEnd, nullable=True, default=None)


class ChecklistTick(SQLModel, table=True):
    """An item of the checklist that was ticked; unticking ends the row."""

    __tablename__ = "checklist_tick"
    __table_args__ = (
        Index(
            "uq_checklist_tick_current",
            "setup_id",
            "item",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    setup_id: int = Field(foreign_key="setup.id", index=True)
    item: int
    member: str = Field(max_length=32)
    ticked_at: datetime
    unticked_at: datetime | None = None


class Lesson(SQLModel, table=True):
    """A team's lesson, stored with the playbook's version and shown to the next team."""

    __tablename__ = "lesson"
    __table_args__ = (UniqueConstraint("workspace_id", "source"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    playbook_id: int = Field(foreign_key="playbook.id", index=True)
    version_id: int = Field(foreign_key="playbook_version.id")
    adoption_id: int | None = Field(default=None, foreign_key="adoption.id", index=True)
    cycle_id: int | None = Field(default=None, foreign_key="cycle.id", index=True)
    text: str
    member: str = Field(max_length=32)
    surface: str
    source: str
    learned_at: datetime


class OverrideKind(StrEnum):
    """What a curator overrode."""

    PUBLISH = "publish"
    CAPACITY = "capacity"
    FIRST_CYCLES = "first-cycles"
    CUTOVER = "cutover"
    WAVE = "wave"
    ACCESS = "access"


class Override(SQLModel, table=True):
    """A curator's exemption from a rule, with a reason. It stays visible."""

    __tablename__ = "override"

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    kind: OverrideKind = choice(OverrideKind)
    playbook_id: int = Field(foreign_key="playbook.id", index=True)
    version_id: int | None = Field(default=None, foreign_key="playbook_version.id")
    adoption_id: int | None = Field(default=None, foreign_key="adoption.id")
    passed_over: dict[str, Any] = document()
    reason: str
    member: str = Field(max_length=32)
    overridden_at: datetime


class StepDrift(SQLModel, table=True):
    """An event of a step's drift: found by the rule with its numbers, settled by a person.

    Check-ins up to `after_check_in` existed before it.
    """

    __tablename__ = "step_drift"
    __table_args__ = (Index("ix_step_drift_step", "adoption_id", "step"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    adoption_id: int = Field(foreign_key="adoption.id")
    cycle_id: int = Field(foreign_key="cycle.id", index=True)
    step: str
    event: DriftEvent = choice(DriftEvent)
    declared: Mode = choice(Mode)
    used: Mode | None = choice(Mode, nullable=True, default=None)
    evidence: dict[str, Any] = document()
    member: str | None = Field(default=None, max_length=32)
    reason: str = ""
    cause: str = ""
    after_check_in: int = 0
    at: datetime
