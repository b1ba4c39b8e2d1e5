"""One row of each table of standards and spreading."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlmodel import Session

from cadence.rules.drift import DriftEvent
from cadence.rules.modes import Mode
from storage.tables import (
    ChecklistTick,
    FormDraft,
    Handoff,
    HandoffState,
    Lesson,
    Override,
    OverrideKind,
    Promotion,
    PromotionState,
    RubricResult,
    RubricRevision,
    Setup,
    SpotAudit,
    StepDrift,
)

if TYPE_CHECKING:
    from tests.storage.seeds import Planted


def plant_standards(session: Session, ids: "Planted") -> "Planted":
    """One of each: revision, audit and its result, promotion, setup with a tick, lesson, override, drift."""
    from tests.storage.seeds import MEMBER, MONDAY, NOW

    belongs: dict[str, Any] = {"workspace_id": ids.workspace, "adoption_id": ids.adoption}
    typed: dict[str, Any] = {"member": MEMBER, "surface": "command", "source": f"standard-{ids.workspace}"}
    audit = SpotAudit(
        **belongs,
        cycle_id=ids.cycle,
        step="send",
        week=1,
        week_start=MONDAY,
        sample=5,
        seed="seed",
        population=[[MEMBER, 14]],
        drawn=[[MEMBER, 3]],
        drawn_at=NOW,
    )
    setup = Setup(
        **belongs, version_id=ids.version, started_by=MEMBER, started_at=NOW, done_by=MEMBER, done_at=NOW
    )
    proposal = Promotion(
        **belongs,
        cycle_id=ids.cycle,
        step="send",
        state=PromotionState.OPEN,
        mode=Mode.COLLABORATIVE,
        leads_to=Mode.AI_LED,
        samples=61,
        passes=60,
        risky=0,
        bound=0.92,
        needed=46,
        more=0,
        judged_at=NOW,
    )
    drift = StepDrift(
        **belongs,
        cycle_id=ids.cycle,
        step="send",
        event=DriftEvent.FOUND,
        declared=Mode.AI_LED,
        used=Mode.HUMAN_LED,
        at=NOW,
    )
    handoffs = [
        Handoff(
            **belongs,
            version_id=ids.version,
            place=0,
            team_id=ids.team,
            what="a case",
            sent_by=MEMBER,
            surface="command",
            source=f"{state}-{ids.workspace}",
            sent_at=NOW,
            due_at=NOW,
            state=state,
            decided_at=None if state is HandoffState.SENT else NOW,
            fallback_id=ids.mode_change if state is HandoffState.FAILED else None,
        )
        for state in (HandoffState.SENT, HandoffState.FAILED, HandoffState.DONE)
    ]
    session.add_all([audit, setup, proposal, *handoffs])
    override = Override(
        workspace_id=ids.workspace,
        kind=OverrideKind.PUBLISH,
        playbook_id=ids.playbook,
        version_id=ids.version,
        reason="the board asked",
        member=MEMBER,
        overridden_at=NOW,
    )
    session.add_all([audit, setup, proposal, override])
    session.flush()
    graded = RubricResult(
        **belongs,
        cycle_id=ids.cycle,
        step="send",
        revision=2,
        samples=20,
        passes=19,
        audit_id=audit.id,
        graded_at=NOW,
        **typed,
    )
    session.add(graded)
    session.add_all(
        [
            RubricRevision(**belongs, step="send", number=2, change="tone", revised_at=NOW, **typed),
            ChecklistTick(
                workspace_id=ids.workspace, setup_id=setup.id or 0, item=0, member=MEMBER, ticked_at=NOW
            ),
            Lesson(
                **belongs,
                playbook_id=ids.playbook,
                version_id=ids.version,
                cycle_id=ids.cycle,
                text="Load the policy file first",
                learned_at=NOW,
                **typed,
            ),
            drift,
            FormDraft(workspace_id=ids.workspace, member=MEMBER, subject="playbook", updated_at=NOW),
        ]
    )
    session.flush()
    return replace(
        ids,
        audit=audit.id or 0,
        promotion=proposal.id or 0,
        result=graded.id or 0,
        drift=drift.id or 0,
        setup=setup.id or 0,
        override=override.id or 0,
        handoff=handoffs[0].id or 0,
    )
