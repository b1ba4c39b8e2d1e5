"""Evidence that tools report: their tokens, the runs they counted, and the results of automated checks."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel, UniqueConstraint


class ApiToken(SQLModel, table=True):
    """A token by which a tool reports evidence or reads figures, or by which a person's assistant acts for
    them.

    It is limited to a playbook, to a team, or to both; a person's token has a `member` instead. `key` is the
    public part, by which the row is found. Of the secret only `secret_hash` is kept, the SHA-256 in hex.
    """

    __tablename__ = "api_token"
    __table_args__ = (UniqueConstraint("workspace_id", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id")
    key: str = Field(max_length=32)
    secret_hash: str = Field(max_length=64, repr=False)
    name: str
    playbook_id: int | None = Field(default=None, foreign_key="playbook.id")
    team_id: int | None = Field(default=None, foreign_key="team.id")
    member: str | None = Field(default=None, max_length=32)
    may_write: bool
    may_read: bool
    made_by: str = Field(max_length=32)
    made_at: datetime
    last_used_at: datetime | None = None
    revoked_by: str | None = Field(default=None, max_length=32)
    revoked_at: datetime | None = None


class MeasuredRuns(SQLModel, table=True):
    """Runs of one week that a tool counted, in addition to those it reported before.

    Args:
        step: the step they ran; "" if each run went through every step.
        member: whose runs they were; "" if the tool doesn't know.
        source: unique for what the tool reported, so that a repetition counts nothing twice.
        happened_at: when they ran, according to the tool.
        replaced_by: the id of the row that corrects this one; rows up to that one counted it.
    """

    __tablename__ = "measured_runs"
    __table_args__ = (
        UniqueConstraint("workspace_id", "source"),
        Index(  # all that a sum reads: tools can count a run at a time
            "ix_measured_runs_counted",
            *("adoption_id", "week_start", "step", "member", "workspace_id", "runs", "replaced_by"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id")
    adoption_id: int = Field(foreign_key="adoption.id")
    cycle_id: int = Field(foreign_key="cycle.id", index=True)
    step: str = ""
    week: int
    week_start: date
    member: str = Field(default="", max_length=32)
    runs: int
    token_id: int | None = Field(default=None, foreign_key="api_token.id")
    surface: str
    source: str
    happened_at: datetime
    recorded_at: datetime
    replaced_by: int | None = None


class CheckResult(SQLModel, table=True):
    """What a step's automated check found: how many of its samples passed.

    It is shown next to people's grades, and doesn't count as a graded sample.
    """

    __tablename__ = "check_result"
    __table_args__ = (
        UniqueConstraint("workspace_id", "source"),
        Index("ix_check_result_step", "adoption_id", "step", "happened_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id")
    adoption_id: int = Field(foreign_key="adoption.id")
    cycle_id: int = Field(foreign_key="cycle.id", index=True)
    step: str
    name: str
    samples: int
    passes: int
    note: str = ""
    link: str | None = None
    token_id: int | None = Field(default=None, foreign_key="api_token.id")
    surface: str
    source: str
    happened_at: datetime
    recorded_at: datetime
