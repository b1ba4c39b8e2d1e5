"""A run, a step and its evidence as they stood at an instant of the past."""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from cadence.documents import playbook_from_data
from cadence.flows.gathering import cycle_start
from cadence.flows.runs import TeamRun
from cadence.flows.windows import WINDOW_OPENED
from cadence.rules.calendar import local_day
from cadence.rules.modes import Mode
from storage import decisions, playbooks, reports, trail
from storage.tables import Cycle, LoggedException, ModeChange, StepVerdict, TrailEntry


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


class WindowThen(NamedTuple):
    """A step's evidence window as it was: who led the step, since when evidence counted, after which rows."""

    mode: Mode
    opened: datetime
    after_exception: int
    after_check_in: int


def window_of_then(
    session: Session, run: TeamRun, cycle: Cycle, row: StepVerdict, *, declared: Mode
) -> WindowThen:
    """A step's evidence window at a verdict, by what stands before the verdict in the trail."""
    entry = trail.last_id(session, workspace_id=row.workspace_id, subject=f"verdict:{row.id}")
    changes = decisions.standing(
        changes_before(
            session,
            workspace_id=row.workspace_id,
            adoption_id=row.adoption_id,
            step=row.step,
            entry=entry,
        )
    )
    mode, start = (changes[-1].after if changes else declared), cycle_start(run, cycle)
    restarts = _step_entries(
        session, row.workspace_id, row.adoption_id, row.step, action=WINDOW_OPENED, before=entry
    )
    if not restarts:
        since = [start, *(one.changed_at for one in changes)]
        return WindowThen(mode, max(since), row.after_exception, row.after_check_in)
    last = restarts[-1]
    return WindowThen(
        mode,
        max(start, datetime.fromisoformat(last.after["since"]) if "since" in last.after else last.at),
        last.after.get("after_exception", row.after_exception),
        last.after.get("after_check_in", row.after_check_in),
    )


_CHANGED = ("declaration", "demotion", "promotion", "taken-back")


def changes_before(
    session: Session, *, workspace_id: str, adoption_id: int, step: str, entry: int
) -> list[ModeChange]:
    """The step's changes of mode that stand before an entry of the trail, from how it was set up on."""
    history = decisions.mode_history(session, workspace_id=workspace_id, adoption_id=adoption_id, step=step)
    known = sum(
        len(_step_entries(session, workspace_id, adoption_id, step, action=action, before=entry))
        for action in _CHANGED
    )
    set_up = sum(one.before is None for one in history)  # that is no entry of the trail
    return history[: set_up + known]


def _step_entries(
    session: Session, workspace_id: str, adoption_id: int, step: str, *, action: str, before: int
) -> list[TrailEntry]:
    subject = f"adoption:{adoption_id}/{step}"
    rows = trail.entries(session, workspace_id=workspace_id, action=action, subject=subject)
    return [one for one in rows if (one.id or 0) < before]


def counted_then(session: Session, row: StepVerdict, after_exception: int) -> list[LoggedException]:
    """The exceptions that a verdict counted."""
    return reports.exceptions(
        session,
        workspace_id=row.workspace_id,
        adoption_id=row.adoption_id,
        step=row.step,
        cycle_id=row.cycle_id,
        after_id=after_exception,
        through_id=row.through_exception,
        for_verdict=row.id,
    )


def newest_check_in(session: Session, row: StepVerdict) -> int:
    """The newest check-in of then; verdicts of a version that didn't write it down go by the clock."""
    if row.through_check_in is not None:
        return row.through_check_in
    return reports.last_check_in_id(
        session, workspace_id=row.workspace_id, adoption_id=row.adoption_id, until=row.judged_at
    )
