"""Watch a team weekly: once its running cycle closes, only its check-ins go on, without gates."""

from cadence.flows.core import (
    AdoptionView,
    adoption_by_id,
    is_watch,
    once,
    require_not_retired,
    rewrite_cycle_posts,
    rewrite_last_closing,
    rollout_cycles,
)
from cadence.flows.cycles.pausing import WhichRun, locked, refuse_an_old_button
from cadence.flows.cycles.resuming import resume
from cadence.flows.cycles.starting import add_cycle
from cadence.mrkdwn import Mrkdwn, code, say
from cadence.refusals import Offer, Refusal
from cadence.rules.calendar import next_monday
from storage.queries import cycles
from storage.tables import AdoptionState, Cycle, CycleKind, CycleState
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.ids import Action


@once
def watch(uow: UnitOfWork, which: WhichRun) -> Done:
    """Plan no more cycles for a team: after the running one, or at once, it is watched weekly.

    Raises:
        Refusal: not the owner or a curator, the playbook is retired, or the team hasn't run a cycle yet.
    """
    with uow.write():
        view = locked(uow, which, to="watch a team")
        require_not_retired(view.playbook)
        refuse_an_old_button(view, which, verb="watch")
        begun = [row for row in rollout_cycles(uow, view) if row.starts_on <= view.today]
        if not begun:
            raise Refusal(
                say(
                    "{team} hasn't run a cycle of {title} yet, so there's nothing to watch. Start one with "
                    "{command}.",
                    team=view.team.title,
                    title=view.playbook.title,
                    command=code(f"/cadence cycle start {view.playbook.slug}"),
                )
            )
        was_paused = view.adoption.state is AdoptionState.PAUSED
        _plan(uow, view, done=len(begun))
        view = adoption_by_id(uow, adoption_id=view.id)
        running = next((row for row in begun if row.state is CycleState.RUNNING), None)
        if running is None:
            _begin(uow, view)
        uow.session.flush()
        mark = f"watched:{uow.now.timestamp()}"
        rewrite_last_closing(uow, view, mark=mark)
        if running is not None:
            rewrite_cycle_posts(uow, view, running, mark=mark)
        text = _told(uow, view, running)
        if was_paused:
            text = say("{text} That ends the pause.", text=text)
        return Done(text=text, offers=(_again(view),))


def _again(view: AdoptionView) -> Offer:
    return Offer("Start a cycle", Action.START_CYCLE, f"{view.playbook.slug}:{view.team.slug}")


def _plan(uow: UnitOfWork, view: AdoptionView, *, done: int) -> None:
    """Save that no more cycles are planned, and end a pause."""
    adoption = view.adoption
    before, adoption.planned_cycles = adoption.planned_cycles, done
    uow.session.add(adoption)
    uow.record(
        action="watched", subject=f"adoption:{view.id}", before={"cycles": before}, after={"cycles": done}
    )
    if adoption.state is AdoptionState.PAUSED:
        resume(uow, view)
    uow.session.flush()


def _begin(uow: UnitOfWork, view: AdoptionView) -> None:
    """Turn the cycle to come into a watch period; without one, begin a period this week, or after a closed
    cycle's last week."""
    rows = cycles.cycles_of(uow, adoption_id=view.id)
    upcoming = next((row for row in rows if row.state is CycleState.RUNNING), None)
    if upcoming is not None:
        upcoming.kind = CycleKind.WATCH
        uow.session.add(upcoming)
        return
    covered = cycles.cycle_on(uow, adoption_id=view.id, day=view.week_start) is not None
    starts_on = next_monday(view.today) if covered else view.week_start
    add_cycle(
        uow,
        view.adoption,
        number=rows[-1].number + 1,
        starts_on=starts_on,
        by=uow.actor.member,
        kind=CycleKind.WATCH,
    )


def _told(uow: UnitOfWork, view: AdoptionView, running: Cycle | None) -> Mrkdwn:
    watched = [row for row in cycles.cycles_of(uow, adoption_id=view.id) if is_watch(row)]
    begins = None if running else watched[-1].starts_on
    when = (
        say("once cycle {number} closes on {day:%A %-d %B}", number=running.number, day=running.closes_on)
        if running
        else "from now on"
        if begins is None or begins <= view.today
        else say("from {day:%A %-d %B}", day=begins)
    )
    return say(
        "{title} is watched weekly in {team} {when}: check-ins, the KPI, exceptions and demotions go on, "
        "without gates and promotions.",
        title=view.playbook.title,
        team=view.team.title,
        when=when,
    )
