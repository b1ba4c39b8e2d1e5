"""Close a cycle by hand, pause an adoption after one, and let a paused one go on."""

from dataclasses import dataclass

from cadence.flows.core import (
    TeamRun,
    is_curator,
    note,
    of_cycle,
    once,
    require_cycle,
    require_owner_or_curator,
    rewrite_cycle_posts,
    visible_runs,
)
from cadence.flows.cycles.closing import close_instant, finish_cycle
from cadence.flows.numbers import pick_run
from cadence.mrkdwn import Mrkdwn, code, say
from cadence.refusals import Offer, Refusal
from cadence.rules.calendar import WEEKS, week_monday
from storage.queries import cycles, playbooks
from storage.tables import AdoptionState, Cycle, CycleState
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.ids import Action


@dataclass(frozen=True, slots=True)
class WhichRun:
    """The run somebody means, in words or by the id a button carries.

    `after_cycle` is the number of the closed cycle whose post the button stands under.
    """

    playbook: str | None = None
    team: str | None = None
    adoption_id: int | None = None
    after_cycle: int | None = None


def ask_which(uow: UnitOfWork, *, action: Action) -> Done:
    """A button for each run the caller may close a cycle of, or pause; five at most.

    Raises:
        Refusal: there is none.
    """
    verb = "Close" if action is Action.CLOSE_CYCLE else "Pause"
    with uow.read():
        curator = is_curator(uow)
        runs = [
            run
            for run in visible_runs(uow)
            if (curator or run.playbook.owner == uow.actor.member)
            and run.cycle is not None
            and run.adoption.state is AdoptionState.ACTIVE
        ]
        if not runs:
            raise Refusal(f"You own no running cycle to {verb.lower()}. `/cadence status` shows what runs.")
        return Done(
            text=say("*{verb} which one?*", verb=verb),
            offers=tuple(
                Offer(f"{verb} {run.playbook.title}, {run.team.title}"[:75], action, str(run.id))
                for run in runs[:5]
            ),
        )


@once
def close_by_hand(uow: UnitOfWork, which: WhichRun) -> Done:
    """Close the running cycle in its last week, before its hour.

    Raises:
        Refusal: not the owner or a curator, or before the fourth Monday; the sentence says when it closes by itself.
    """
    with uow.write():
        run = _locked(uow, which, to="close a cycle")
        cycle = require_cycle(run)
        if cycle.state is CycleState.CLOSED:
            return Done(
                text=say("Cycle {n} of {title} is closed already.", n=cycle.number, title=run.playbook.title)
            )
        last_week = week_monday(cycle.starts_on, WEEKS)
        if run.today < last_week:
            raise Refusal(
                say(
                    "Cycle {number} of {title} can be closed from {monday:%A %-d %B} on; "
                    "by itself it closes on {friday:%A %-d %B} at {at:%H:%M}. {pause} stops what is asked.",
                    number=cycle.number,
                    title=run.playbook.title,
                    monday=last_week,
                    friday=cycle.closes_on,
                    at=close_instant(run, cycle).astimezone(run.zone),
                    pause=code(f"/cadence cycle pause {run.playbook.slug}"),
                )
            )
        finish_cycle(uow, of_cycle(uow, run, cycle), cycle, by=uow.actor)
        return Done(
            text=say(
                "Cycle {number} of {title} is closed: {result}. The post comes now, with every number.",
                number=cycle.number,
                title=run.playbook.title,
                result=cycle.result,
            )
        )


@once
def pause(uow: UnitOfWork, which: WhichRun) -> Done:
    """Ask nothing of a team any more, and start no cycle, until somebody starts one again.

    A cycle to come is taken away; one that runs goes on to its close, unasked.

    Raises:
        Refusal: not the owner or a curator; the button is of a cycle after which another one has begun.
    """
    with uow.write():
        run = _locked(uow, which, to="pause a team")
        _refuse_an_old_button(run, which)
        again = Offer("Start a cycle", Action.START_CYCLE, run.playbook.slug)
        if run.adoption.state is not AdoptionState.ACTIVE:
            return Done(text=_paused(run, "is paused already"), offers=(again,))
        run.adoption.state = AdoptionState.PAUSED
        uow.session.add(run.adoption)
        taken = _take_away_next(uow, run)
        note(
            uow,
            action="paused",
            subject=f"adoption:{run.id}",
            before=AdoptionState.ACTIVE,
            after=AdoptionState.PAUSED,
        )
        uow.session.flush()
        rows = playbooks.cycles_of(uow, adoption_id=run.id)
        if rows:
            last = of_cycle(uow, run, rows[-1])
            mark = f"paused:{uow.now.timestamp()}"
            rewrite_cycle_posts(uow, last, rows[-1], mark=mark)
        return Done(
            text=_paused(run, "is paused", running=None if taken else _running(rows)), offers=(again,)
        )


def _refuse_an_old_button(run: TeamRun, which: WhichRun) -> None:
    cycle = run.cycle
    begun = cycle is not None and cycle.starts_on <= run.today
    if which.after_cycle is not None and cycle is not None and begun and cycle.number > which.after_cycle:
        raise Refusal(
            say(
                "Cycle {number} of {title} has begun since. {command} pauses it all the same.",
                number=cycle.number,
                title=run.playbook.title,
                command=code(f"/cadence cycle pause {run.playbook.slug} team={run.team.slug}"),
            )
        )


def _paused(run: TeamRun, how: str, *, running: Cycle | None = None) -> Mrkdwn:
    text = say(
        "{title} {how} in {team}: nothing is asked.", title=run.playbook.title, how=how, team=run.team.title
    )
    if running is not None:
        return say(
            "{text} Cycle {number} closes on {day:%A %-d %B} with what is there.",
            text=text,
            number=running.number,
            day=running.closes_on,
        )
    return text


def _running(rows: list[Cycle]) -> Cycle | None:
    return next((row for row in rows if row.state is CycleState.RUNNING), None)


def _take_away_next(uow: UnitOfWork, run: TeamRun) -> bool:
    """Take away the planned cycle that hasn't begun; whether there was one."""
    rows = playbooks.cycles_of(uow, adoption_id=run.id)
    planned = [row for row in rows if row.state is CycleState.RUNNING and row.starts_on > run.today]
    return any(cycles.take_away(uow, cycle_id=row.id or 0) for row in planned)


def _locked(uow: UnitOfWork, which: WhichRun, *, to: str) -> TeamRun:
    """The run meant, held until the transaction ends."""
    run = pick_run(uow, adoption_id=which.adoption_id, playbook=which.playbook, team=which.team)
    require_owner_or_curator(uow, owner=run.playbook.owner, to=to)
    playbooks.lock_adoption(uow, adoption_id=run.id)
    if run.cycle is not None:
        uow.session.refresh(run.cycle)
    return run
