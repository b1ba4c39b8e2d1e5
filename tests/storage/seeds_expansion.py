"""One row of each table of the expansion: pilot reviews, cutovers, training, waves, months."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlmodel import Session

from cadence.rules.trend import Course
from storage.tables import (
    Adaptation,
    AdoptionRequest,
    Assessment,
    CourseChange,
    Cutover,
    CutoverState,
    Duty,
    DutyKind,
    LessonsRead,
    PilotReview,
    TrainingGrade,
    TrainingSample,
    Wave,
    WavePhase,
    WaveState,
    WaveTeam,
)

if TYPE_CHECKING:
    from tests.storage.seeds import Planted


def plant_expansion(session: Session, ids: "Planted") -> "Planted":
    """Save a row of each table, with the planted playbook, adoption and team."""
    from tests.storage.seeds import MEMBER, MONDAY, NOW

    here: dict[str, Any] = {"workspace_id": ids.workspace}
    playbook = here | {"playbook_id": ids.playbook}
    adoption = here | {"adoption_id": ids.adoption}
    typed: dict[str, Any] = {"member": MEMBER, "surface": "command"}
    sample = TrainingSample(
        **playbook, step="send", text="Dear customer", passed=True, added_by=MEMBER, added_at=NOW
    )
    wave = Wave(
        **playbook,
        number=1,
        phase=WavePhase.CONTROLLED,
        reason="two regions",
        planned_by=MEMBER,
        planned_at=NOW,
    )
    opened = Wave(
        **playbook,
        number=2,
        phase=WavePhase.BROAD,
        state=WaveState.OPEN,
        reason="they asked",
        planned_by=MEMBER,
        planned_at=NOW,
        opened_by=MEMBER,
        opened_at=NOW,
    )
    session.add_all([sample, wave, opened])
    session.flush()
    assessment = Assessment(
        **playbook,
        **typed,
        adoption_id=ids.adoption,
        manual_work="copying numbers",
        changed_for_ai="shorter tickets",
        local_knowledge="refund rules",
        feedback="the Friday review",
        source=f"assessment-{ids.workspace}",
        assessed_at=NOW,
    )
    earlier = Cutover(
        **playbook,
        **typed,
        adoption_id=ids.adoption,
        version_id=ids.version,
        state=CutoverState.PASSED,
        decided_at=NOW,
    )
    session.add(earlier)
    session.flush()
    cutover = Cutover(
        **playbook,
        **typed,
        adoption_id=ids.adoption,
        version_id=ids.version,
        state=CutoverState.ASKED,
        decided_at=NOW,
    )
    session.add_all(
        [
            assessment,
            cutover,
            PilotReview(**playbook, version_id=ids.version, asked_by=MEMBER, surface="command", asked_at=NOW),
            Duty(**playbook, duty=DutyKind.RULES, member=MEMBER, named_by=MEMBER, named_at=NOW),
            Duty(**playbook, duty=DutyKind.TRAINING, member="U0GONE", named_by=MEMBER, named_at=NOW),
            TrainingGrade(**adoption, sample_id=sample.id or 0, member=MEMBER, passed=True, graded_at=NOW),
            LessonsRead(**adoption, member=MEMBER, read_at=NOW),
            WaveTeam(**here, wave_id=wave.id or 0, team_id=ids.team, added_by=MEMBER, added_at=NOW),
            WaveTeam(**here, wave_id=opened.id or 0, team_id=ids.team, added_by=MEMBER, added_at=NOW),
            AdoptionRequest(**playbook, **typed, team_id=ids.team, reason="same queue", asked_at=NOW),
            Adaptation(**adoption, **typed, part="tone guide", text="formal", adapted_at=NOW),
            CourseChange(**adoption, week_start=MONDAY, course=Course.PLATEAU, judged_at=NOW),
        ]
    )
    session.flush()
    return replace(ids, sample=sample.id or 0, assessment=assessment.id or 0, cutover=cutover.id or 0)
