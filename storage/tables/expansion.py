"""From one team to many: the pilot's review, the assessment and cutover, champions' training, waves, months."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from cadence.rules.trend import Course
from storage.tables.columns import choice, document

_ASKED = text("state = 'asked'")
_CURRENT = text("replaced_at IS NULL")
_NOT_ENDED = text("ended_at IS NULL")
_NOT_WITHDRAWN = text("withdrawn_at IS NULL")
_NOT_REMOVED = text("removed_at IS NULL")


class ReviewState(StrEnum):
    """A curator's review of a draft before its pilot."""

    ASKED = "asked"
    APPROVED = "approved"
    SENT_BACK = "sent-back"


class PilotReview(SQLModel, table=True):
    """A request to review a draft's case and pillars, and the decision; `version_id` is the revision judged.

    The newest row of a playbook counts.
    """

    __tablename__ = "pilot_review"
    __table_args__ = (
        Index(
            "uq_pilot_review_asked", "playbook_id", unique=True, sqlite_where=_ASKED, postgresql_where=_ASKED
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    playbook_id: int = Field(foreign_key="playbook.id", index=True)
    version_id: int = Field(foreign_key="playbook_version.id")
    state: ReviewState = choice(ReviewState, default=ReviewState.ASKED)
    asked_by: str = Field(max_length=32)
    surface: str
    asked_at: datetime
    decided_by: str | None = Field(default=None, max_length=32)
    decided_at: datetime | None = None
    remark: str = ""


class DutyKind(StrEnum):
    """What one person each is responsible for once a playbook runs in production."""

    RULES = "rules"
    UPDATES = "updates"
    EXCEPTIONS = "exceptions"
    ADOPTION = "adoption"
    TRAINING = "training"


class Duty(SQLModel, table=True):
    """The person responsible for a duty of a playbook; naming another ends the row."""

    __tablename__ = "duty"
    __table_args__ = (
        Index(
            "uq_duty_current",
            "playbook_id",
            "duty",
            unique=True,
            sqlite_where=_NOT_ENDED,
            postgresql_where=_NOT_ENDED,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    playbook_id: int = Field(foreign_key="playbook.id", index=True)
    duty: DutyKind = choice(DutyKind)
    member: str = Field(max_length=32, index=True)
    named_by: str = Field(max_length=32)
    named_at: datetime
    ended_at: datetime | None = None


class PracticeKind(StrEnum):
    """How a practice of the pilot is sorted; only the core belongs to the package."""

    CORE = "core"
    PILOT_ONLY = "pilot-only"
    HEROIC = "heroic"
    SYSTEMATIZE = "systematize"


class Assessment(SQLModel, table=True):
    """The owner's answers after the pilot. A correction is a new row; the old one gets the time it was
    replaced.

    `reviewer` reviewed every output of the pilot, if one person did. `practices` is a list of
    `{"text": …, "kind": PracticeKind}`.
    """

    __tablename__ = "assessment"
    __table_args__ = (
        UniqueConstraint("workspace_id", "source"),
        Index(
            "uq_assessment_current",
            "playbook_id",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id")
    playbook_id: int = Field(foreign_key="playbook.id", index=True)
    adoption_id: int = Field(foreign_key="adoption.id")
    manual_work: str
    changed_for_ai: str
    local_knowledge: str
    feedback: str
    reviewer: str | None = Field(default=None, max_length=32)
    practices: Any = Field(default_factory=list, sa_type=JSON)
    member: str = Field(max_length=32)
    surface: str
    source: str
    assessed_at: datetime
    replaced_at: datetime | None = None


class CutoverState(StrEnum):
    """Where a playbook's cutover from pilot to production is: asked for by the owner, or decided by a curator."""

    ASKED = "asked"
    HELD = "held"
    PASSED = "passed"
    OVERRIDDEN = "overridden"


class Cutover(SQLModel, table=True):
    """A request for the cutover, or the decision on it, with the figures required and measured at that time.

    The newest row counts.
    """

    __tablename__ = "cutover"

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    playbook_id: int = Field(foreign_key="playbook.id", index=True)
    adoption_id: int = Field(foreign_key="adoption.id")
    version_id: int = Field(foreign_key="playbook_version.id")
    state: CutoverState = choice(CutoverState)
    figures: dict[str, Any] = document()
    member: str = Field(max_length=32)
    surface: str
    decided_at: datetime


class TrainingSample(SQLModel, table=True):
    """A real output of a step with the owner's grade. Champions grade it too, without seeing the owner's."""

    __tablename__ = "training_sample"

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    playbook_id: int = Field(foreign_key="playbook.id", index=True)
    step: str
    text: str
    passed: bool
    note: str = ""
    added_by: str = Field(max_length=32)
    added_at: datetime
    removed_at: datetime | None = None


class TrainingGrade(SQLModel, table=True):
    """A champion's grade of a training sample. Grading it again is a new row; the old one gets the time it was
    replaced."""

    __tablename__ = "training_grade"
    __table_args__ = (
        Index(
            "uq_training_grade_current",
            "adoption_id",
            "sample_id",
            "member",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    adoption_id: int = Field(foreign_key="adoption.id")
    sample_id: int = Field(foreign_key="training_sample.id", index=True)
    member: str = Field(max_length=32)
    passed: bool
    graded_at: datetime
    replaced_at: datetime | None = None


class LessonsRead(SQLModel, table=True):
    """A champion has read the lessons of earlier teams."""

    __tablename__ = "lessons_read"
    __table_args__ = (UniqueConstraint("adoption_id", "member"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    adoption_id: int = Field(foreign_key="adoption.id")
    member: str = Field(max_length=32)
    read_at: datetime


class WavePhase(StrEnum):
    """The phases after the pilot: two or three teams, then waves of any size."""

    CONTROLLED = "controlled"
    BROAD = "broad"


class WaveState(StrEnum):
    """A wave is planned, then opened; a planned one can be canceled."""

    PLANNED = "planned"
    OPEN = "open"
    CANCELED = "canceled"


class Wave(SQLModel, table=True):
    """A set of teams that adopt a playbook at the same time.

    `number` is 1 for the controlled phase, 2 and up for the broad one. `gate` are the figures on which it was
    opened.
    """

    __tablename__ = "wave"
    __table_args__ = (UniqueConstraint("playbook_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    playbook_id: int = Field(foreign_key="playbook.id")
    number: int
    phase: WavePhase = choice(WavePhase)
    state: WaveState = choice(WaveState, default=WaveState.PLANNED)
    reason: str
    planned_by: str = Field(max_length=32)
    planned_at: datetime
    opened_by: str | None = Field(default=None, max_length=32)
    opened_at: datetime | None = None
    gate: dict[str, Any] = document()


class WaveTeam(SQLModel, table=True):
    """A team in a wave, with its champion. `has_capacity` is the champion's or owner's word that it has room."""

    __tablename__ = "wave_team"
    __table_args__ = (
        Index(
            "uq_wave_team_current",
            "wave_id",
            "team_id",
            unique=True,
            sqlite_where=_NOT_REMOVED,
            postgresql_where=_NOT_REMOVED,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    wave_id: int = Field(foreign_key="wave.id")
    team_id: int = Field(foreign_key="team.id", index=True)
    champion: str | None = Field(default=None, max_length=32)
    has_capacity: bool = False
    added_by: str = Field(max_length=32)
    added_at: datetime
    removed_at: datetime | None = None


class AdoptionRequest(SQLModel, table=True):
    """A member's vote that their team wants a playbook, with the reason."""

    __tablename__ = "adoption_request"
    __table_args__ = (
        Index(
            "uq_adoption_request_current",
            "playbook_id",
            "team_id",
            "member",
            unique=True,
            sqlite_where=_NOT_WITHDRAWN,
            postgresql_where=_NOT_WITHDRAWN,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    playbook_id: int = Field(foreign_key="playbook.id")
    team_id: int = Field(foreign_key="team.id", index=True)
    member: str = Field(max_length=32)
    reason: str
    surface: str
    asked_at: datetime
    withdrawn_at: datetime | None = None


class Adaptation(SQLModel, table=True):
    """How a team changed an adaptable part of a playbook. A change is a new row; the old one gets the time it
    was replaced. An empty `text` is back to the playbook's."""

    __tablename__ = "adaptation"
    __table_args__ = (
        Index(
            "uq_adaptation_current",
            "adoption_id",
            "part",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    adoption_id: int = Field(foreign_key="adoption.id")
    part: str
    text: str
    member: str = Field(max_length=32)
    surface: str
    adapted_at: datetime
    replaced_at: datetime | None = None


class CourseChange(SQLModel, table=True):
    """A change of an adoption's course after its cycles, judged when a week ended, with its numbers."""

    __tablename__ = "course_change"
    __table_args__ = (UniqueConstraint("adoption_id", "week_start"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id", index=True)
    adoption_id: int = Field(foreign_key="adoption.id")
    week_start: date
    course: Course = choice(Course)
    evidence: dict[str, Any] = document()
    judged_at: datetime
