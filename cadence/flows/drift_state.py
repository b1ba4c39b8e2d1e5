"""Whether a step's drift waits for its owner."""

from sqlmodel import Session

from cadence.documents import Step
from cadence.flows.runs import TeamRun
from cadence.rules.drift import open_drift
from storage import drifts


def drift_open(session: Session, run: TeamRun, step: Step) -> bool:
    """Whether a drift was found that the owner has neither declared nor recommitted."""
    rows = drifts.events(session, workspace_id=run.workspace.id, adoption_id=run.id, step=step.key)
    return open_drift([row.event for row in rows])
