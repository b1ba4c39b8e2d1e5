"""The team a playbook was won with, and its number: what a later team's is held against."""

from sqlmodel import Session

from cadence.documents import playbook_from_data
from cadence.flows.runs import TeamRun
from storage import adoptions, playbooks
from storage.tables import Adoption


def origin_of(session: Session, run: TeamRun) -> Adoption | None:
    """The playbook's first adoption; None when the run is that one itself."""
    first = adoptions.first_of(session, workspace_id=run.workspace.id, playbook_id=run.playbook.id or 0)
    return None if first is None or first.id == run.adoption.id else first


def origin_value(session: Session, run: TeamRun) -> float | None:
    """The KPI value of the origin's latest closed cycle, in the KPI's unit.

    None for the origin itself, before it closed a cycle with readings, and when that cycle counted another KPI.
    """
    origin = origin_of(session, run)
    if origin is None:
        return None
    cycles = playbooks.cycles_of(session, workspace_id=run.workspace.id, adoption_id=origin.id or 0)
    closed = next((one for one in reversed(cycles) if one.kpi_value is not None), None)
    if closed is None:
        return None
    version = playbooks.version(session, workspace_id=run.workspace.id, version_id=closed.version_id)
    theirs, ours = playbook_from_data(version.spec).kpi, run.spec.kpi
    same = (theirs.name, theirs.unit, theirs.direction) == (ours.name, ours.unit, ours.direction)
    return closed.kpi_value if same else None
