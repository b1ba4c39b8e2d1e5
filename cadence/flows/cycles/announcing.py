"""The post that tells a team that a cycle was started: its number, its days, and what happens first."""

from datetime import date, timedelta
from typing import Final

from cadence.flows.core import (
    AdoptionView,
    MessageKind,
    Skip,
    adoption_about,
    due_in_week,
    expected_members,
    of_cycle,
    tell,
)
from cadence.flows.numbers import kpi_context
from cadence.nudges import Unless
from cadence.nudges.table import CHECKIN, WEEK_OPENS
from cadence.rules.calendar import local_day
from storage.queries import cycles
from storage.tables import AdoptionState, Cycle, CycleState, OutboxMessage
from storage.work import UnitOfWork
from templates.contexts.cycles import CycleAnnounced

_KIND: Final = "cycle-started"


def tell_start(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> None:
    """Tell the team's channel, in its working hours, that a cycle was started."""
    subject = {"adoption": view.id, "cycle": cycle.id}
    # With its day: a cycle that was paused before it began is deleted, and the next one can get its number and id.
    slot = f"{cycle.id}:{cycle.starts_on}"
    tell(uow, [view.team.channel], kind=_KIND, slot=slot, subject=subject)


def first_checkin(view: AdoptionView, cycle: Cycle) -> date:
    """The day of the cycle's first check-in by the team's hours: of the next week if that of the first had passed."""
    at = due_in_week(view, cycle.starts_on, CHECKIN)
    return local_day(at if at >= cycle.started_at else at + timedelta(weeks=1), view.zone)


def _post(uow: UnitOfWork, message: OutboxMessage) -> CycleAnnounced | Skip:
    """The start of a cycle; skipped on the day on which the post that opens its first week says it."""
    view = adoption_about(uow, message)
    known = {row.id: row for row in cycles.cycles_of(uow, adoption_id=view.id)}
    if view.adoption.state is AdoptionState.PAUSED:
        return Skip(Unless.PAUSED)
    cycle = known.get(int(message.subject["cycle"]))  # one that hadn't begun may have been taken away
    if cycle is None or cycle.state is CycleState.CLOSED:
        return Skip(Unless.CLOSED)
    opens = due_in_week(view, cycle.starts_on, WEEK_OPENS)
    if opens >= cycle.started_at and local_day(opens, view.zone) <= local_day(uow.now, view.zone):
        return Skip(Unless.WEEK_OPENS)
    view = of_cycle(uow, view, cycle)
    return CycleAnnounced(
        slug=view.playbook.slug,
        playbook=view.playbook.title,
        team=view.team.title,
        number=cycle.number,
        kpi=kpi_context(view, value=None),
        starts=cycle.starts_on,
        closes=cycle.closes_on,
        owner=view.playbook.owner,
        champion=view.adoption.champion,
        by=cycle.started_by,
        opens=local_day(opens, view.zone) if opens >= uow.now else None,
        first_checkin=first_checkin(view, cycle),
        members=len(expected_members(uow, view, week_start=cycle.starts_on)),
    )


STARTED = MessageKind(_KIND, _post, unless=(Unless.CLOSED, Unless.PAUSED, Unless.WEEK_OPENS))
