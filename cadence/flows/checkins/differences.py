"""Answers beside what tools counted: for the member at once, for the owner when the week is over."""

from collections.abc import Iterable
from datetime import date, timedelta

from cadence.flows.core import (
    AdoptionView,
    Skip,
    adoption_about,
    adoption_by_id,
    cycle_of_week,
    expected_members,
    shown_week,
    week_of,
)
from cadence.nudges import Unless
from cadence.rules.calendar import week_number
from cadence.rules.differences import Difference, differ, differences, runs_of_workflow
from storage.outbox.queueing import NewMessage
from storage.queries import checkins, machines, people
from storage.queries.checkins import Answer
from storage.tables import OutboxMessage
from storage.work import UnitOfWork
from templates.contexts.checkins import RunsDiffer, RunsSideBySide

RUNS_DIFFER = "runs-differ"
USEFUL = timedelta(days=6)
"""By then the next week is almost over, with counts of its own."""


def counted_otherwise(uow: UnitOfWork, view: AdoptionView, row: Answer) -> int | None:
    """The runs of a member that tools counted so far, if they contradict their answer; else None."""
    found = _measured(uow, view, week_start=row.week_start)
    runs = runs_of_workflow(found.get(row.member, {}))
    return runs if runs and not found.get("") and differ(row.runs, runs) else None


def uncounted(uow: UnitOfWork, view: AdoptionView, members: Iterable[str], *, week_start: date) -> set[str]:
    """Those of some members of whom no tool has counted runs of a week."""
    found = _measured(uow, view, week_start=week_start)
    return set() if found.get("") else set(members) - found.keys()


def ask_about_runs(uow: UnitOfWork, *, adoption_id: int, week_start: date) -> int:
    """Queue the owner's message about a week that is over; once per adoption and week."""
    with uow.write():
        view = adoption_by_id(uow, adoption_id=adoption_id)
        return uow.send_new(
            NewMessage(
                RUNS_DIFFER,
                view.playbook.owner,
                {"adoption": view.id, "week": week_start.isoformat()},
                about=(view.id, week_start),
                useful=USEFUL,
            )
        )


def runs_differ(uow: UnitOfWork, message: OutboxMessage) -> RunsDiffer | Skip:
    """Show the owner where people and tools contradict each other about a week."""
    view, week = adoption_about(uow, message), week_of(message)
    found = _differences(uow, view, week_start=week)
    if not found:
        return Skip(Unless.RUNS_AGREE)
    cycle = cycle_of_week(uow, view, week)
    named = people.members(uow, member_ids=[one.member for one in found if one.member])
    return RunsDiffer(
        slug=view.playbook.slug,
        playbook=view.playbook.title,
        team=view.team.title,
        week=shown_week(cycle, week_number(cycle.starts_on, week)) if cycle else None,
        week_start=week,
        rows=tuple(
            RunsSideBySide(
                name=named[one.member].name if one.member in named else one.member,
                reported=one.reported,
                measured=one.measured,
            )
            for one in found
        ),
    )


def _differences(uow: UnitOfWork, view: AdoptionView, *, week_start: date) -> tuple[Difference, ...]:
    answered = checkins.answers(uow, adoption_id=view.id, first=week_start, last=week_start)
    return differences(
        {member: runs for member, week, runs in answered if week == week_start},
        _measured(uow, view, week_start=week_start),
        expected=expected_members(uow, view, week_start=week_start),
    )


def _measured(uow: UnitOfWork, view: AdoptionView, *, week_start: date) -> dict[str, dict[str, int]]:
    """The runs that tools counted in a week, by member and step."""
    found: dict[str, dict[str, int]] = {}
    if view.is_measured:
        for row in machines.runs_counted(uow, adoption_id=view.id, since=week_start):
            if row.week_start == week_start and row.runs:
                found.setdefault(row.member, {})[row.step] = row.runs
    return found
