"""Which check-in a bare command means: the one that is open, or the one that can be changed."""

from dataclasses import dataclass
from datetime import date

from cadence.flows.checkins.missed_checkins import open_runs as owed_runs
from cadence.flows.checkins.rows import missed_last_week
from cadence.flows.core import TeamRun, meant_week, require_workspace, zone_of
from cadence.flows.numbers import pick_run
from cadence.rules.calendar import local_day, monday_of
from storage.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Chosen:
    """A check-in: whose run, and the Monday of its week."""

    adoption_id: int
    week_start: date


def choose_checkin(uow: UnitOfWork, *, playbook: str | None, team: str | None, week: int | None) -> Chosen:
    """The check-in a person means when they don't say more.

    Raises:
        NeedsChoice: several runs fit.
        NeedsWeek: early in a week, with last week's unanswered, it could be either.
        Refusal: no cycle is running.
    """
    with uow.read():
        only = None
        if playbook is None and team is None and week is None:
            workspace = require_workspace(uow)
            start = monday_of(local_day(uow.now, zone_of(uow, workspace, uow.actor.member)))
            still_open = open_runs(uow, week_start=start)
            only = still_open[0] if len(still_open) == 1 else None
        run = only or pick_run(uow, adoption_id=None, playbook=playbook, team=team)
        meant = meant_week(
            uow,
            run,
            week=week,
            is_missing=lambda _before: missed_last_week(uow, run, member=uow.actor.member),
        )
        return Chosen(run.id, meant.start)


def open_runs(uow: UnitOfWork, *, week_start: date) -> list[TeamRun]:
    """The runs whose check-in the caller still owes for a week."""
    return owed_runs(uow, member=uow.actor.member, week_start=week_start)
