"""Decisions with the numbers behind them, and the trail."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel

from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision, Line, Rule
from storage.tables.columns import choice


class StepVerdict(SQLModel, table=True):
    """A verdict on a step: counts, rule and thresholds, enough to judge it again.

    It counted the exceptions with ids above `after_exception`, up to `through_exception`, and the check-ins
    up to `through_check_in` (None in verdicts of a version that didn't store it), under the playbook's
    revision `version_id`. Check-ins up to `after_check_in` and runs counted by tools up to `after_measured`
    cover runs before the window opened; runs up to `through_measured` were counted. `alerted` is
    true if an alert of a step over its cap went out with it.
    """

    __tablename__ = "verdict"

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    adoption_id: int = Field(foreign_key="adoption.id", index=True)
    cycle_id: int = Field(foreign_key="cycle.id", index=True)
    step: str
    decision: Decision = choice(Decision)
    line: Line = choice(Line)
    mode: Mode = choice(Mode)
    fallback: Mode = choice(Mode)
    lands_on: Mode | None = choice(Mode, nullable=True, default=None)
    exceptions: int
    critical: int
    measured: int = 0
    attested: int
    assumed: int
    closing: bool
    ratio: float
    probability: float
    demote_at: int | None = None
    cap: float
    rule: Rule = choice(Rule)
    min_runs: int
    confidence: float
    min_exceptions: int
    window_from: datetime
    after_exception: int = 0
    through_exception: int = 0
    after_check_in: int = 0
    through_check_in: int | None = None
    after_measured: int = 0
    through_measured: int = 0
    version_id: int | None = Field(default=None, foreign_key="playbook_version.id")
    closes_on: date
    top_reason: str | None = None
    top_reason_count: int = 0
    cause: str
    alerted: bool = False
    judged_at: datetime


class ModeChange(SQLModel, table=True):
    """A promotion, demotion or declaration, with its evidence and the rubric revision in force at the time.

    Check-ins up to `after_check_in` existed before it. If a demotion's exception is undone, a change of kind
    `taken-back` follows; its `takes_back` is the demotion's id.
    """

    __tablename__ = "mode_change"

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    adoption_id: int = Field(foreign_key="adoption.id", index=True)
    step: str
    kind: str
    before: Mode | None = choice(Mode, nullable=True, default=None)
    after: Mode = choice(Mode)
    verdict_id: int | None = Field(default=None, foreign_key="verdict.id")
    promotion_id: int | None = Field(default=None, foreign_key="promotion.id")
    takes_back: int | None = None
    rubric: int = 1
    reason: str = ""
    member: str | None = None
    after_check_in: int = 0
    after_measured: int = 0
    changed_at: datetime


class TrailEntry(SQLModel, table=True):
    """Who did what, when and from where, with the values before and after. Append-only."""

    __tablename__ = "trail"
    __table_args__ = (Index("ix_trail_member", "workspace_id", "member"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    at: datetime
    member: str | None = Field(default=None, max_length=32)
    action: str = Field(index=True)
    subject: str = Field(index=True)
    surface: str
    before: Any = Field(default=None, sa_type=JSON)
    after: Any = Field(default=None, sa_type=JSON)
    correlation_id: str = ""
