"""A run, a step and its evidence as they stood at an instant of the past."""

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from cadence.documents import playbook_from_data
from cadence.flows.gathering import cycle_start
from cadence.flows.runs import TeamRun
from cadence.flows.windows import VERSION_CHANGED, WINDOW_OPENED
from cadence.rules.calendar import local_day
from cadence.rules.modes import Mode
from storage import decisions, playbooks, reports, rubrics, trail
from storage.tables import Cycle, LoggedException, ModeChange, StepVerdict


def as_it_stood(
    session: Session, run: TeamRun, *, cycle: Cycle, version_id: int, moment: datetime
) -> TeamRun:
    """A team's run on a day of the past, in the cycle and on the version of then."""
    version = playbooks.version(session, workspace_id=run.workspace.id, version_id=version_id)
    return replace(
        run,
        version=version,
        spec=playbook_from_data(version.spec),
        cycle=cycle,
        today=local_day(moment, run.zone),
    )


def window_of_then(
    session: Session, run: TeamRun, cycle: Cycle, row: StepVerdict, *, declared: Mode
) -> tuple[Mode, datetime]:
    """Who led the step then, and since when evidence on it counted."""
    changes = _changes_before(session, row)
    revised = [
        one.revised_at
        for one in rubrics.revisions(
            session, workspace_id=row.workspace_id, adoption_id=row.adoption_id, step=row.step
        )
        if one.revised_at <= row.judged_at
    ]
    moved = [
        one.at
        for one in trail.entries(
            session,
            workspace_id=row.workspace_id,
            action=WINDOW_OPENED,
            subject=f"adoption:{row.adoption_id}/{row.step}",
        )
        if one.at <= row.judged_at and one.after["because"] == VERSION_CHANGED
    ]
    opened = [cycle_start(run, cycle), *(one.changed_at for one in changes), *revised, *moved]
    return (changes[-1].after if changes else declared), max(opened)


def _changes_before(session: Session, row: StepVerdict) -> list[ModeChange]:
    """The step's changes of mode up to a verdict; one at its own instant may have come of it, or of a later one."""
    before = []
    for change in decisions.mode_history(
        session, workspace_id=row.workspace_id, adoption_id=row.adoption_id, step=row.step
    ):
        later = change.verdict_id is not None and change.verdict_id >= (row.id or 0)
        if later or change.changed_at > row.judged_at:
            break
        before.append(change)
    return before


def counted_then(session: Session, row: StepVerdict, window_from: datetime) -> list[LoggedException]:
    """The exceptions that a verdict counted."""
    logged = reports.exceptions(
        session,
        workspace_id=row.workspace_id,
        adoption_id=row.adoption_id,
        step=row.step,
        since=window_from,
        after_id=row.after_exception,
    )
    return [one for one in logged if (one.id or 0) <= row.through_exception]


def newest_check_in(session: Session, row: StepVerdict) -> int:
    """The newest check-in of then; verdicts of a version that didn't write it down go by the clock."""
    if row.through_check_in is not None:
        return row.through_check_in
    return reports.last_check_in_id(
        session, workspace_id=row.workspace_id, adoption_id=row.adoption_id, until=row.judged_at
    )
