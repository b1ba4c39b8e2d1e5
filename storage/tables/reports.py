"""Reports: check-ins, readings, exceptions.

A correction is a new row; the old one gets the time it was replaced.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from cadence.rules.modes import Mode
from storage.tables.columns import choice


class Attestation(StrEnum):
    """How the playbook was run this week, according to a member."""

    AS_DECLARED = "as-declared"
    DRIFTED = "drifted"
    NOT_RUN = "not-run"


_CURRENT = text("replaced_at IS NULL")


class CheckIn(SQLModel, table=True):
    """One member's answer for one week of one adoption."""

    __tablename__ = "check_in"
    __table_args__ = (
        Index("ix_check_in_week", "workspace_id", "week_start"),
        Index(
            "uq_check_in_current",
            "adoption_id",
            "week_start",
            "member",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id")
    adoption_id: int = Field(foreign_key="adoption.id", index=True)
    cycle_id: int = Field(foreign_key="cycle.id", index=True)
    week: int
    week_start: date
    member: str = Field(index=True, max_length=32)
    attestation: Attestation = choice(Attestation)
    runs: int
    complete_inputs: int | None = None
    value_events: int | None = None
    note: str = ""
    surface: str
    answered_at: datetime
    replaced_at: datetime | None = None


class DriftedStep(SQLModel, table=True):
    """The mode in which a step was actually run, as attested in a check-in."""

    __tablename__ = "drifted_step"

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    check_in_id: int = Field(foreign_key="check_in.id", index=True)
    step: str
    mode: Mode = choice(Mode)


class Reading(SQLModel, table=True):
    """One week's number of the KPI, in its unit, with the text it was typed as.

    With a `guardrail` it is that guardrail's number; for the KPI it is empty. If a tool reported it with the
    token `token_id`, `happened_at` is when it was measured.
    """

    __tablename__ = "reading"
    __table_args__ = (
        Index("ix_reading_week", "workspace_id", "week_start"),
        Index(
            "uq_reading_current",
            "adoption_id",
            "week_start",
            "guardrail",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id")
    adoption_id: int = Field(foreign_key="adoption.id", index=True)
    cycle_id: int = Field(foreign_key="cycle.id", index=True)
    week: int
    week_start: date
    guardrail: str = ""
    value: float
    typed: str
    note: str = ""
    member: str = Field(max_length=32)
    surface: str
    token_id: int | None = None
    happened_at: datetime | None = None
    reported_at: datetime
    replaced_at: datetime | None = None


class LoggedException(SQLModel, table=True):
    """One run in which a step went wrong.

    `source` is the request that logged it, so that a retry logs nothing twice. Once it was undone,
    `withdrawn_after` is the id of the newest verdict at that time: verdicts up to that one counted it, later
    ones don't. If a tool reported it with the token `token_id`, `happened_at` is when it happened; one from
    before the step's evidence window isn't counted in it.
    """

    __tablename__ = "exception"
    __table_args__ = (
        UniqueConstraint("workspace_id", "source"),
        Index("ix_exception_window", "adoption_id", "step", "logged_at"),
        Index("ix_exception_logged", "workspace_id", "logged_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id")
    adoption_id: int = Field(foreign_key="adoption.id")
    cycle_id: int = Field(foreign_key="cycle.id", index=True)
    step: str
    critical: bool = False
    reason: str
    link: str | None = None
    member: str = Field(max_length=32)
    surface: str
    token_id: int | None = None
    source: str
    happened_at: datetime | None = None
    logged_at: datetime
    withdrawn_at: datetime | None = None
    withdrawn_after: int | None = None
