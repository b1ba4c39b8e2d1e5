"""Close a cycle by hand, pause an adoption, and resume it."""

from dataclasses import dataclass
from typing import Final

from cadence.flows.core import (
    AdoptionView,
    adoption_by_id,
    is_curator,
    is_watch,
    of_cycle,
    once,
    require_cycle,
    require_not_retired,
    require_owner_or_curator,
    rewrite_checkins,
    rewrite_cycle_posts,
    visible_adoptions,
)
from cadence.flows.cycles.closing import close_instant, finish_cycle
from cadence.flows.cycles.resuming import pause_mark, resumed, tell_pause
from cadence.flows.numbers import pick_adoption
from cadence.mrkdwn import Mrkdwn, code, say
from cadence.refusals import Offer, Refusal
from cadence.rules.calendar import WEEKS, week_monday
from storage.queries import adoptions, cycles
from storage.tables import AdoptionState, Cycle, CycleState
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.cycles import CycleStarted
from templates.ids import Action


@dataclass(frozen=True, slots=True)
class WhichRun:
    """The adoption a request is about, in words or by the id a button carries.

    `after_cycle` is the number of the closed cycle whose post has the button.
    """

    playbook: str | None = None
    team: str | None = None
    adoption_id: int | None = None
    after_cycle: int | None = None


_VERBS: Final = {
    Action.CLOSE_CYCLE: "Close",
    Action.PAUSE: "Pause",
    Action.RESUME: "Resume",
    Action.WATCH_WEEKLY: "Watch",
}


def ask_which(uow: UnitOfWork, *, action: Action) -> Done:
    """A button for each adoption whose cycle the caller can close, pause, resume or only watch; five at most.

    Raises:
        Refusal: there is no such cycle, or it is too early to close any.
    """
    verb = _VERBS[action]
    with uow.read():
        curator = is_curator(uow)
        runs = [
            view
            for view in visible_adoptions(uow)
            if (curator or view.playbook.owner == uow.actor.member)
            and view.cycle is not None
            and _can(view, action)
        ]
        if not runs:
            what = "paused" if action is Action.RESUME else "running"
            raise Refusal(
                f"You don't own a {what} cycle to {verb.lower()}. See what's running with `/cadence status`."
            )
        early = [_too_early(view) for view in runs] if action is Action.CLOSE_CYCLE else []
        if early and all(early):
            raise Refusal(early[0] or "")
        return Done(
            text=say("*Which one should we {verb}?*", verb=verb.lower()),
            offers=tuple(
                Offer(f"{verb} {view.playbook.title}, {view.team.title}"[:75], action, str(view.id))
                for view in runs[:5]
            ),
        )


def _can(view: AdoptionView, action: Action) -> bool:
    """Whether the action fits an adoption's state."""
    state = view.adoption.state
    if action is Action.RESUME:
        return view.can_resume
    if action is Action.WATCH_WEEKLY:
        return not view.is_watched
    return state is AdoptionState.ACTIVE and (action is Action.PAUSE or not view.is_watched)


@once
def close_by_hand(uow: UnitOfWork, which: WhichRun) -> Done:
    """Close the running cycle in its last week, before its hour.

    Raises:
        Refusal: not the owner or a curator, or before the fourth Monday; the sentence says when it closes by itself.
    """
    with uow.write():
        view = locked(uow, which, to="close a cycle")
        cycle = require_cycle(view)
        if is_watch(cycle):
            raise Refusal(
                say(
                    "{title} is watched weekly in {team}, so there's no cycle to close. To stop check-ins, "
                    "type {pause}.",
                    title=view.playbook.title,
                    team=view.team.title,
                    pause=code(f"/cadence cycle pause {view.playbook.slug}"),
                )
            )
        if cycle.state is CycleState.CLOSED:
            return Done(
                text=say("Cycle {n} of {title} is already closed.", n=cycle.number, title=view.playbook.title)
            )
        if early := _too_early(view):
            raise Refusal(early)
        finish_cycle(uow, of_cycle(uow, view, cycle), cycle, by_hand=True)
        return Done(
            text=say(
                "Cycle {number} of {title} is closed: {result}. The summary with every number is coming to "
                "the team's channel.",
                number=cycle.number,
                title=view.playbook.title,
                result=cycle.result,
            )
        )


def _too_early(view: AdoptionView) -> Mrkdwn | None:
    """From when a cycle can be closed; None in its last week."""
    cycle = require_cycle(view)
    last_week = week_monday(cycle.starts_on, WEEKS)
    if view.today >= last_week:
        return None
    return say(
        "You can close cycle {number} of {title} from {monday:%A %-d %B}. It closes by itself "
        "on {friday:%A %-d %B} at {at:%H:%M}. To stop check-ins now, type {pause}.",
        number=cycle.number,
        title=view.playbook.title,
        monday=last_week,
        friday=cycle.closes_on,
        at=close_instant(view, cycle).astimezone(view.zone),
        pause=code(f"/cadence cycle pause {view.playbook.slug}"),
    )


@once
def pause(uow: UnitOfWork, which: WhichRun) -> Done:
    """Stop asking a team and start no cycle, until somebody starts one again.

    An upcoming cycle is deleted; a running one continues to its close without check-ins.

    Raises:
        Refusal: not the owner or a curator; the button belongs to a cycle after which another one has begun.
    """
    with uow.write():
        view = locked(uow, which, to="pause a team")
        refuse_an_old_button(view, which, verb="pause")
        if view.adoption.state is not AdoptionState.ACTIVE:
            return Done(text=_paused(view, "is already paused"), offers=(_again(view),))
        view.adoption.state = AdoptionState.PAUSED
        uow.session.add(view.adoption)
        taken = _take_away_next(uow, view)
        uow.record(
            action="paused",
            subject=f"adoption:{view.id}",
            before=AdoptionState.ACTIVE,
            after=AdoptionState.PAUSED,
        )
        uow.session.flush()
        rows, mark = cycles.cycles_of(uow, adoption_id=view.id), pause_mark(uow, view, "paused")
        if rows:
            last = of_cycle(uow, view, rows[-1])
            rewrite_cycle_posts(uow, last, rows[-1], mark=mark)
        rewrite_checkins(uow, view, mark=mark)
        if not rows or rows[-1].state is CycleState.RUNNING:  # else the closing post says it
            tell_pause(uow, view, mark=mark)
        return Done(
            text=_paused(view, "is paused", running=None if taken else _running(rows)),
            offers=(_again(adoption_by_id(uow, adoption_id=view.id)),),
        )


def _again(view: AdoptionView) -> Offer:
    """[Resume] while there is something to resume, else [Watch it again] or [Start a cycle]."""
    if view.can_resume:
        return Offer("Resume", Action.RESUME, str(view.id))
    if view.is_watched:
        return Offer("Watch it again", Action.WATCH_WEEKLY, str(view.id))
    return Offer("Start a cycle", Action.START_CYCLE, f"{view.playbook.slug}:{view.team.slug}")


@once
def resume_by_hand(uow: UnitOfWork, which: WhichRun) -> CycleStarted | Done:
    """Resume a paused team's cycle, or its watch period, today.

    Raises:
        Refusal: not the owner or a curator, or there is no cycle to resume. That of a retired playbook can be
            finished.
    """
    with uow.write():
        view = locked(uow, which, to="resume a team")
        if view.adoption.state is not AdoptionState.PAUSED:
            return Done(
                text=say("{title} isn't paused in {team}.", title=view.playbook.title, team=view.team.title)
            )
        if not view.can_resume:
            require_not_retired(view.playbook)
            going_on = "go on watching it" if view.is_watched else "start the next cycle"
            going_on = going_on if view.cycle else "start its first cycle"
            raise Refusal(
                say(
                    "{title} is paused in {team}, and nothing is running that could be resumed. To {so}, type "
                    "{command}.",
                    title=view.playbook.title,
                    team=view.team.title,
                    so=going_on,
                    command=code(view.ends_pause),
                ),
                offer=_again(view),
            )
        return resumed(uow, view, require_cycle(view))


def refuse_an_old_button(view: AdoptionView, which: WhichRun, *, verb: str) -> None:
    """Check that no cycle has begun since the one whose post has the button.

    Raises:
        Refusal: one has.
    """
    cycle = view.cycle
    begun = cycle is not None and cycle.starts_on <= view.today
    if which.after_cycle is not None and cycle is not None and begun and cycle.number > which.after_cycle:
        raise Refusal(
            say(
                "Cycle {number} of {title} has started since. To {verb} it anyway, type {command}.",
                number=cycle.number,
                title=view.playbook.title,
                verb=verb,
                command=code(f"/cadence cycle {verb} {view.playbook.slug} team={view.team.slug}"),
            )
        )


def _paused(view: AdoptionView, how: str, *, running: Cycle | None = None) -> Mrkdwn:
    text = say(
        "{title} {how} in {team}. We won't ask for check-ins.",
        title=view.playbook.title,
        how=how,
        team=view.team.title,
    )
    if running is not None:
        return say(
            "{text} Cycle {number} closes on {day:%A %-d %B} with what was reported.",
            text=text,
            number=running.number,
            day=running.closes_on,
        )
    return text


def _running(rows: list[Cycle]) -> Cycle | None:
    return next((row for row in rows if row.state is CycleState.RUNNING and not is_watch(row)), None)


def _take_away_next(uow: UnitOfWork, view: AdoptionView) -> bool:
    """Delete the planned cycle that hasn't begun; returns whether there was one."""
    rows = cycles.cycles_of(uow, adoption_id=view.id)
    planned = [row for row in rows if row.state is CycleState.RUNNING and row.starts_on > view.today]
    return any(cycles.take_away(uow, cycle_id=row.id or 0) for row in planned)


def locked(uow: UnitOfWork, which: WhichRun, *, to: str) -> AdoptionView:
    """The adoption in question, locked until the transaction ends."""
    view = pick_adoption(uow, adoption_id=which.adoption_id, playbook=which.playbook, team=which.team)
    require_owner_or_curator(uow, playbook=view.playbook, to=to)
    adoptions.lock_adoption(uow, adoption_id=view.id)
    if view.cycle is not None:
        uow.session.refresh(view.cycle)
    return view
