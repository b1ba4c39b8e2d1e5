"""End a pause, and tell the team's channel when one begins and ends."""

from datetime import date, timedelta
from typing import Final, NamedTuple

from cadence.flows.checkins import next_checkin, send_missed_checkin
from cadence.flows.core import (
    AdoptionView,
    MessageKind,
    Skip,
    adoption_about,
    expected_members,
    is_watch,
    rewrite_checkins,
    rewrite_cycle_posts,
    rewrite_last_closing,
    tell,
)
from cadence.flows.numbers import kpi_context
from cadence.nudges import CHECKIN, Unless
from cadence.rules.calendar import monday_of
from storage.tables import AdoptionState, Cycle, CycleState, MessageState, OutboxMessage
from storage.work import UnitOfWork
from templates.contexts.cycles import CyclePaused, CycleResumed, CycleStarted

_PAUSED: Final = "cycle-paused"
_RESUMED: Final = "cycle-resumed"


class NextAsked(NamedTuple):
    """How a resumed cycle goes on: the day of the next check-in, for how many, and whether this week's came."""

    day: date
    members: int
    came: bool


def resumed(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> CycleStarted:
    """Resume a team's cycle that was paused in the middle, and say how it goes on."""
    resume(uow, view)
    return started(view, cycle, _next_asked(uow, view), resumed=True)


def resume(uow: UnitOfWork, view: AdoptionView) -> None:
    """End a team's pause, and ask for the week's check-in if it was missed."""
    view.adoption.state = AdoptionState.ACTIVE
    uow.session.add(view.adoption)
    uow.record(
        action="resumed",
        subject=f"adoption:{view.id}",
        before=AdoptionState.PAUSED,
        after=AdoptionState.ACTIVE,
    )
    uow.session.flush()
    asked = expected_members(uow, view, week_start=view.week_start)
    send_missed_checkin(uow, view.workspace, *asked)
    mark = pause_mark(uow, view, "resumed")
    rewrite_last_closing(uow, view, mark=mark)
    if view.cycle is not None and view.cycle.state is CycleState.RUNNING:
        rewrite_cycle_posts(uow, view, view.cycle, mark=mark)
    rewrite_checkins(uow, view, mark=mark)
    if rewrite_pause_post(uow, view, mark=mark):
        tell(uow, [view.team.channel], kind=_RESUMED, slot=f"{view.id}:{mark}", subject=_subject(uow, view))


def pause_mark(uow: UnitOfWork, view: AdoptionView, what: str) -> str:
    """Identifies the beginning or the end of a pause; several can fall into one instant."""
    return f"{what}:{view.id}:{uow.now.timestamp()}:{uow.correlation_id}"


def started(view: AdoptionView, cycle: Cycle, asked: NextAsked, *, resumed: bool = False) -> CycleStarted:
    """The answer to a start, or to the end of a pause."""
    return CycleStarted(
        slug=view.playbook.slug,
        playbook=view.playbook.title,
        team=view.team.title,
        number=cycle.number,
        starts=cycle.starts_on,
        closes=cycle.closes_on,
        first_checkin=asked.day,
        kpi=kpi_context(view, value=None),
        members=asked.members,
        champion=view.adoption.champion,
        resumed=resumed,
        asked=asked.came,
    )


def _next_asked(uow: UnitOfWork, view: AdoptionView) -> NextAsked:
    thursday = view.week_start + timedelta(days=3)
    usual = thursday if view.today <= thursday else thursday + timedelta(weeks=1)
    asked = expected_members(uow, view, week_start=view.week_start)
    first = next_checkin(uow, view.workspace, asked) or usual
    came = any(
        row.state is MessageState.SENT
        for member in asked
        for row in uow.messages(CHECKIN.kind, member, view.week_start)
    )
    if not asked:  # too late for this week's check-in
        asked = expected_members(uow, view, week_start=monday_of(usual))
    return NextAsked(first, len(asked), came)


def tell_pause(uow: UnitOfWork, view: AdoptionView, *, mark: str) -> None:
    """Tell the team's channel, in its working hours, that nothing is asked for until somebody resumes it."""
    tell(uow, [view.team.channel], kind=_PAUSED, slot=f"{view.id}:{mark}", subject=_subject(uow, view))


def rewrite_pause_post(uow: UnitOfWork, view: AdoptionView, *, mark: str) -> bool:
    """Rewrite the post on the newest pause after it changed; whether the team had been told of it."""
    newest = uow.messages(_PAUSED, view.id)[-1:]
    uow.rewrite_messages(newest, mark=mark)
    return any(one.state is MessageState.SENT for one in newest)


def _subject(uow: UnitOfWork, view: AdoptionView) -> dict[str, object]:
    return {"adoption": view.id, "by": uow.actor.member}


def _is_newest(uow: UnitOfWork, message: OutboxMessage) -> bool:
    return uow.messages(message.kind, message.subject["adoption"])[-1].id == message.id


def _paused_post(uow: UnitOfWork, message: OutboxMessage) -> CyclePaused | Skip:
    """The pause; skipped if it ended before it was told."""
    context = _pause(uow, message)
    return Skip(Unless.OVER) if context.over else context


def _pause(uow: UnitOfWork, message: OutboxMessage) -> CyclePaused:
    view = adoption_about(uow, message)
    cycle = view.cycle
    running = cycle is not None and view.week is not None and cycle.state is CycleState.RUNNING
    return CyclePaused(
        playbook=view.playbook.title,
        team=view.team.title,
        owner=view.playbook.owner,
        by=str(message.subject["by"]),
        number=cycle.number if cycle and running and not is_watch(cycle) else None,
        closes=cycle.closes_on if cycle and running and not is_watch(cycle) else None,
        over=not view.is_paused or not _is_newest(uow, message),
    )


def _resumed_post(uow: UnitOfWork, message: OutboxMessage) -> CycleResumed | Skip:
    """The end of a pause; skipped if it was paused again, or its cycle closed, before it was told."""
    view = adoption_about(uow, message)
    if view.is_paused:
        return Skip(Unless.PAUSED)
    cycle = view.cycle
    if cycle is None or cycle.state is CycleState.CLOSED:
        return Skip(Unless.CLOSED)
    asked = _next_asked(uow, view)
    return CycleResumed(
        playbook=view.playbook.title,
        team=view.team.title,
        by=str(message.subject["by"]),
        next_checkin=asked.day,
        came=asked.came,
    )


KINDS: Final = (
    MessageKind(_PAUSED, _paused_post, rewrite=_pause, unless=(Unless.OVER,)),
    MessageKind(_RESUMED, _resumed_post, unless=(Unless.PAUSED, Unless.CLOSED)),
)
