"""Which check-in a bare command means: the one that is open, or the one that can be changed."""

from dataclasses import dataclass
from datetime import date, datetime

from cadence.flows.callers import Caller
from cadence.flows.checkin_rows import missed_last_week
from cadence.flows.kpis import pick_run
from cadence.flows.people import open_runs, zone_of
from cadence.flows.runs import require_workspace
from cadence.flows.weeks import meant_week
from cadence.rules.calendar import local_day, monday_of
from storage.engine import Database


@dataclass(frozen=True, slots=True)
class Chosen:
    """A check-in: whose run, and the Monday of its week."""

    adoption_id: int
    week_start: date


def choose_checkin(
    db: Database,
    caller: Caller,
    *,
    playbook: str | None,
    team: str | None,
    week: int | None,
    now: datetime,
) -> Chosen:
    """The check-in a person means when they don't say more.

    Raises:
        NeedsChoice: several runs fit.
        NeedsWeek: early in a week, with last week's unanswered, it could be either.
        Refusal: no cycle is running.
    """
    with db.read() as session:
        only = None
        if playbook is None and team is None and week is None:
            workspace = require_workspace(session, caller.workspace_id)
            start = monday_of(local_day(now, zone_of(session, workspace, caller.member)))
            still_open = open_runs(session, caller, week_start=start, now=now)
            only = still_open[0] if len(still_open) == 1 else None
        run = only or pick_run(session, caller, now=now, adoption_id=None, playbook=playbook, team=team)
        meant = meant_week(
            session,
            run,
            week=week,
            is_missing=lambda _before: missed_last_week(session, run, member=caller.member),
        )
        return Chosen(run.id, meant.start)
