"""Keep a rubric result, and tell who hears of risky ones."""

from collections.abc import Sequence

from sqlmodel import Session

from cadence.documents import Step
from cadence.flows.callers import Caller
from cadence.flows.cycle_rewrites import rewrite_cycle_posts
from cadence.flows.gates import gates_due
from cadence.flows.runs import TeamRun
from storage import ledger, playbooks, trail
from storage.ledger import Owed
from storage.tables import RubricResult


def save_result(
    session: Session,
    caller: Caller,
    run: TeamRun,
    step: Step,
    row: RubricResult,
    *,
    before: RubricResult | None = None,
    grades: Sequence[str] | None = None,
    links: Sequence[str | None] = (),
) -> RubricResult:
    """Save a rubric result, its trail and, when there are more risky ones, the message to who hears of them."""
    cycle = playbooks.cycle(session, workspace_id=run.workspace.id, cycle_id=row.cycle_id)
    stood = gates_due(session, run, cycle)
    session.add(row)
    session.flush()
    if gates_due(session, run, cycle) != stood:
        rewrite_cycle_posts(session, caller, run, cycle, mark=f"graded:{row.id}", now=row.graded_at)
    subject = f"audit:{row.audit_id}" if row.audit_id else f"adoption:{run.id}/{step.key}"
    trail.record(
        session,
        workspace_id=run.workspace.id,
        at=row.graded_at,
        member=caller.member,
        action="rubric-result",
        subject=subject,
        surface=caller.surface,
        before=_counts(before) if before else None,
        after={**_counts(row), "revision": row.revision, "grades": grades, "links": list(links)},
        correlation_id=caller.request,
    )
    if row.risky > (before.risky if before else 0) and (contact := escalation(step)) is not None:
        owed = Owed(
            key=f"risky-grade:{run.workspace.id}:{row.id}:{contact}",
            kind="risky-grade",
            recipient=contact,
            subject={"adoption": run.id, "result": row.id},
            due_at=row.graded_at,
        )
        ledger.owe(
            session,
            workspace_id=run.workspace.id,
            owed=[owed],
            now=row.graded_at,
            correlation_id=caller.request,
        )
    return row


def _counts(row: RubricResult) -> dict[str, object]:
    return {
        "id": row.id,
        "step": row.step,
        "samples": row.samples,
        "passes": row.passes,
        "risky": row.risky,
        "note": row.note,
    }


def escalation(step: Step) -> str | None:
    """Who hears at once of a risky grade of a step; None when nobody is named."""
    return step.verify.escalate_to if step.verify else None
