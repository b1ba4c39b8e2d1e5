"""Look at every step for promotion, once, when a cycle closes; keep what that rests on (SPEC §5)."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session

from cadence.documents import Step
from cadence.flows.announcing import curators_read, tell
from cadence.flows.drift_state import drift_open
from cadence.flows.noting import note_rule
from cadence.flows.promotion_evidence import (
    counted_cycles,
    graded_cycles,
    promotion_policy,
    rubric_in_force,
)
from cadence.flows.proposals import PROPOSED, lapse_open
from cadence.flows.runs import TeamRun, current_modes, mode_of
from cadence.rules.kpi import Outcome
from cadence.rules.modes import LADDER
from cadence.rules.promotions import (
    GradedCycle,
    PromotionDecision,
    PromotionPolicy,
    PromotionVerdict,
    judge_promotion,
)
from storage import decisions, rubrics
from storage.tables import Cycle, Promotion, PromotionState

NEWER: Final = "a newer cycle closed, and the step was looked at again"
"""Why a proposal of an earlier cycle lapses."""
_STATES: Final = {
    PromotionDecision.PROPOSE: PromotionState.OPEN,
    PromotionDecision.HOLD: PromotionState.HELD,
    PromotionDecision.INSUFFICIENT: PromotionState.INSUFFICIENT,
}


def judge_promotions(session: Session, run: TeamRun, cycle: Cycle, *, now: datetime) -> list[Promotion]:
    """Look at every step that AI doesn't lead yet, in the transaction that closes the cycle.

    Proposals of an earlier cycle that nobody decided lapse: this look takes their place.
    """
    lapse_open(session, run, why=NEWER, now=now)
    modes = current_modes(session, run)
    return [
        _judge(session, run, cycle, step, now=now)
        for step in run.spec.steps
        if mode_of(modes, step) is not LADDER[-1]
    ]


def look_again(session: Session, run: TeamRun, cycle: Cycle, step: Step, *, now: datetime) -> None:
    """Look again at a step that was looked at while a demotion stood which has been taken back since."""
    row = rubrics.overtaken_promotion(
        session, workspace_id=run.workspace.id, cycle_id=cycle.id or 0, step=step.key
    )
    if row is not None and mode_of(current_modes(session, run), step) is not LADDER[-1]:
        lapse_open(session, run, step=step.key, why=NEWER, now=now)
        _judge(session, run, cycle, step, again=row, now=now)


def _judge(
    session: Session, run: TeamRun, cycle: Cycle, step: Step, *, again: Promotion | None = None, now: datetime
) -> Promotion:
    demotion = decisions.last_demotion(
        session, workspace_id=run.workspace.id, adoption_id=run.id, step=step.key
    )
    verdict = judge_promotion(
        mode=mode_of(current_modes(session, run), step),
        cycles=graded_cycles(session, run, step),
        policy=promotion_policy(step),
        drift_open=drift_open(session, run, step),
        rubric_revision=rubric_in_force(session, run, step),
        demoted_on=demotion.rubric if demotion else None,
    )
    row = Promotion(
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        cycle_id=cycle.id or 0,
        step=step.key,
        state=_STATES[verdict.decision],
        mode=verdict.mode,
        leads_to=verdict.leads_to,
        samples=verdict.samples,
        passes=verdict.passes,
        risky=verdict.risky,
        bound=verdict.bound,
        needed=verdict.needed,
        more=verdict.more,
        evidence=_evidence(verdict) | _exceptions(session, run, step),
        judged_at=now,
    )
    if again is not None:
        row = again.sqlmodel_update(row.model_dump(exclude={"id"}))
    session.add(row)
    session.flush()
    note_rule(
        session,
        run,
        action="promotion-judged",
        subject=f"promotion:{row.id}",
        now=now,
        after={"step": step.key, "decision": verdict.decision, "cycle": cycle.id},
    )
    if row.state is PromotionState.OPEN:
        _propose(session, run, row, now=now)
    return row


def _evidence(verdict: PromotionVerdict) -> dict[str, Any]:
    return {
        "policy": asdict(verdict.policy),
        "cycles": [asdict(one) for one in verdict.cycles],
        "drift_open": verdict.drift_open,
        "rubric_revision": verdict.rubric_revision,
        "demoted_on": verdict.demoted_on,
        "unmet": [asdict(one) for one in verdict.unmet],
    }


def _exceptions(session: Session, run: TeamRun, step: Step) -> dict[str, Any]:
    """The step's exceptions and runs over those cycles, as they were judged when each closed."""
    ids = [one.id or 0 for one in counted_cycles(session, run, step)[-step.promote.cycles :]]
    rows = decisions.closing_verdicts(session, workspace_id=run.workspace.id, cycle_ids=ids, step=step.key)
    return {
        "exceptions": sum(one.exceptions for one in rows),
        "runs": sum(max(one.attested + one.assumed, one.exceptions) for one in rows),
        "cap": step.exception_cap,
    }


def judge_again(row: Promotion) -> PromotionVerdict:
    """Judge a stored promotion from nothing but its row; the same rule gives the same verdict."""
    kept = row.evidence
    return judge_promotion(
        mode=row.mode,
        cycles=[GradedCycle(**{**one, "kpi": Outcome(one["kpi"])}) for one in kept["cycles"]],
        policy=PromotionPolicy(**kept["policy"]),
        drift_open=kept["drift_open"],
        rubric_revision=kept["rubric_revision"],
        demoted_on=kept["demoted_on"],
    )


def _propose(session: Session, run: TeamRun, row: Promotion, *, now: datetime) -> None:
    tell(
        session,
        run.workspace,
        [run.playbook.owner, *curators_read(session, run.workspace)],
        kind=PROPOSED,
        slot=row.id,
        subject={"promotion": row.id, "adoption": run.id},
        now=now,
    )
