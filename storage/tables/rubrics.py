"""Rubric revisions, graded samples, spot audits, and the promotions based on them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from cadence.rules.modes import Mode
from storage.tables.columns import choice, document

_CURRENT = text("replaced_at IS NULL")
_OPEN = text("state = 'open'")


class RubricRevision(SQLModel, table=True):
    """A revision of a step's rubric, and what it changed. The first rubric, revision 1, is the playbook's and
    has no row.

    A revision restarts the step's evidence window.
    """

    __tablename__ = "rubric_revision"
    __table_args__ = (
        UniqueConstraint("adoption_id", "step", "number"),
        UniqueConstraint("workspace_id", "source"),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    adoption_id: int = Field(foreign_key="adoption.id", index=True)
    step: str
    number: int
    change: str
    member: str = Field(max_length=32)
    surface: str
    source: str
    revised_at: datetime


class SpotAudit(SQLModel, table=True):
    """Attested runs of a step drawn at random for one week, for the owner to grade.

    The draw is reproducible: `population` is the list of attested runs it was made from, in order
    (`[member, runs]` pairs), and `seed` initializes the generator. `drawn` are the resulting runs.
    """

    __tablename__ = "spot_audit"
    __table_args__ = (UniqueConstraint("adoption_id", "step", "week_start"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    adoption_id: int = Field(foreign_key="adoption.id", index=True)
    cycle_id: int = Field(foreign_key="cycle.id", index=True)
    step: str
    week: int
    week_start: date
    sample: int
    seed: str
    population: Any = Field(default=None, sa_type=JSON)
    drawn: Any = Field(default=None, sa_type=JSON)
    drawn_at: datetime


class RubricResult(SQLModel, table=True):
    """A graded sample of a step. A correction is a new row; the old one gets the time it was replaced.

    `risky` samples were risky, passed or not. `source` is the request that recorded it.
    """

    __tablename__ = "rubric_result"
    __table_args__ = (
        UniqueConstraint("workspace_id", "source"),
        Index(
            "uq_rubric_result_audit",
            "audit_id",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
        Index("ix_rubric_result_window", "adoption_id", "step", "graded_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    adoption_id: int = Field(foreign_key="adoption.id")
    cycle_id: int = Field(foreign_key="cycle.id", index=True)
    step: str
    revision: int
    samples: int
    passes: int
    risky: int = 0
    note: str = ""
    audit_id: int | None = Field(default=None, foreign_key="spot_audit.id")
    member: str = Field(max_length=32)
    surface: str
    token_id: int | None = None
    source: str
    graded_at: datetime
    replaced_at: datetime | None = None


class PromotionState(StrEnum):
    """The state of a step's evaluation for promotion when a cycle closed."""

    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"
    LAPSED = "lapsed"
    HELD = "held"
    INSUFFICIENT = "insufficient"


class Promotion(SQLModel, table=True):
    """A step's evaluation for promotion at the close of a cycle, with all its numbers.

    `evidence` holds the thresholds, each cycle's counts and the unmet conditions, enough to judge it again.
    """

    __tablename__ = "promotion"
    __table_args__ = (
        UniqueConstraint("cycle_id", "step"),
        Index(
            "uq_promotion_open",
            "adoption_id",
            "step",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    adoption_id: int = Field(foreign_key="adoption.id", index=True)
    cycle_id: int = Field(foreign_key="cycle.id", index=True)
    step: str
    state: PromotionState = choice(PromotionState, index=True)
    mode: Mode = choice(Mode)
    leads_to: Mode | None = choice(Mode, nullable=True, default=None)
    samples: int
    passes: int
    risky: int
    bound: float
    needed: int
    more: int
    evidence: dict[str, Any] = document()
    judged_at: datetime
    decided_by: str | None = Field(default=None, max_length=32)
    decided_at: datetime | None = None
    reason: str = ""
