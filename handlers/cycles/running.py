"""Running cycles: start, show, close early, pause."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from cadence.flows.adoption import CapacityFull, capacity_form
from cadence.flows.core import roles
from cadence.flows.cycles import (
    CycleGiven,
    WhichRun,
    ask_which,
    close_by_hand,
    cycle_form,
    over_limit_form,
    pause,
    resume_by_hand,
    show_cycle,
    start_cycle,
    watch,
)
from cadence.flows.pilots import FirstCyclesFull, NotApproved, review_form
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import AboutPlaybook, Entry, Request
from handlers.grammar.amounts import starts_amount
from handlers.grammar.dates import find_day, read_day
from handlers.payloads import OLD_BUTTON, Body, Form, known_row, metadata, read_week, row_id
from templates.contexts.adoption import CapacityForm
from templates.contexts.base import MessageContext, ViewContext
from templates.contexts.cycles import CycleStartForm
from templates.contexts.pilots import FirstCyclesForm
from templates.ids import Action, Callback


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCycle(AboutPlaybook):
    """`/cadence cycle start`. `day` is the day it should start."""

    day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCycle(AboutPlaybook):
    """`/cadence cycle show`. `day` is any day of the cycle meant.

    `or_start`: only the group was typed, which opens the form for those who can start a cycle.
    """

    day: date | None = None
    or_start: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseCycle(AboutPlaybook):
    """`/cadence cycle close`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseCycle(AboutPlaybook):
    """`/cadence cycle pause`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeCycle(AboutPlaybook):
    """`/cadence cycle resume`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchCycle(AboutPlaybook):
    """`/cadence cycle watch`."""


def read_start(request: Request) -> StartCycle:
    """`/cadence cycle start <playbook> [date]`."""
    named = request.playbook()
    day = _day(request, named, past=False)
    return StartCycle(playbook=request.the_playbook(named), day=day, team=request.team)


def read_show(request: Request) -> ShowCycle:
    """`/cadence cycle show <playbook> [date]`."""
    named = request.playbook()
    day = _day(request, named, past=True)
    return ShowCycle(playbook=request.the_playbook(named), day=day, team=request.team)


def _day(request: Request, named: str | None, *, past: bool) -> date | None:
    """Take the rest as a day. Words that aren't one are an unknown playbook, unless one is already named."""
    if not request.typed:
        return None
    text = request.typed.rest()
    day = find_day(text, request.today, past=past)
    if day is None and named is None and not starts_amount(request.typed):
        raise request.no_playbook()
    request.typed.words = []
    return day or read_day(text, request.today, past=past)


def read_close(request: Request) -> CloseCycle:
    """`/cadence cycle close <playbook>`."""
    return CloseCycle(playbook=request.only_playbook(), team=request.team)


def read_pause(request: Request) -> PauseCycle:
    """`/cadence cycle pause <playbook>`."""
    return PauseCycle(playbook=request.only_playbook(), team=request.team)


def read_resume(request: Request) -> ResumeCycle:
    """`/cadence cycle resume <playbook>`."""
    return ResumeCycle(playbook=request.only_playbook(), team=request.team)


def read_watch(request: Request) -> WatchCycle:
    """`/cadence cycle watch <playbook>`."""
    return WatchCycle(playbook=request.only_playbook(), team=request.team)


def start(context: RequestContext, command: StartCycle) -> None:
    """`/cadence cycle start`: immediately if the playbook is given, else by form."""
    if command.playbook is None:
        context.open(cycle_form(context.uow, playbook=None))
        return
    given = CycleGiven(playbook=command.playbook, team=command.team, starts_on=command.day)
    context.say(start_cycle(context.uow, given))


def by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Start a cycle], of a playbook or of `playbook:team`."""
    playbook, _, team = value.partition(":")
    context.open(cycle_form(context.uow, playbook=playbook or None, team=team or None))


def submitted(context: RequestContext, form: Form) -> MessageContext | ViewContext:
    """The form; a curator is then asked to review a draft, or for a reason to start it over a limit."""
    typed = form.read(CycleStartForm)
    given = CycleGiven(
        playbook=typed.playbook or "",
        team=typed.team,
        starts_on=typed.starts,
        champion=typed.champion,
    )
    return _started(context, given)


def _started(context: RequestContext, given: CycleGiven) -> MessageContext | ViewContext:
    """The cycle that started; else what a curator is asked first: the review, or the reason to go over a limit."""
    try:
        return start_cycle(context.uow, given)
    except NotApproved as draft:
        if not draft.may_review:
            raise
        found = review_form(context.uow, draft.slug)
        return (
            replace(found, private_metadata=metadata(ref=found.value))
            if isinstance(found, ViewContext)
            else found
        )
    except FirstCyclesFull as full:
        if not full.may_override:
            raise
        return _first_form(context, given)
    except CapacityFull as full:
        if not full.may_override:
            raise
        return _anyway_form(context, given)


def _anyway_form(context: RequestContext, given: CycleGiven) -> ViewContext:
    form = capacity_form(context.uow, playbook=given.playbook, team=given.team or "")
    return replace(form, private_metadata=_as_ids(given))


def _first_form(context: RequestContext, given: CycleGiven) -> ViewContext:
    form = over_limit_form(context.uow, given)
    return replace(form, private_metadata=_as_ids(given, both=bool(form.of_team)))


def _as_ids(given: CycleGiven, *, both: bool = False) -> str:
    day = given.starts_on.isoformat() if given.starts_on else None
    return metadata(p=given.playbook, t=given.team, d=day, c=given.champion, b=both or None)


def _from_ids(form: Form) -> CycleGiven:
    return CycleGiven(
        playbook=str(form.ids.get("p", "")),
        team=str(form.ids.get("t", "")),
        starts_on=form.week("d"),
        champion=form.ids.get("c"),
    )


def _of_button(value: str) -> CycleGiven:
    playbook, _, rest = value.partition(":")
    team, _, day = rest.partition(":")
    return CycleGiven(playbook, team=team, starts_on=read_week(day) if day else None)


def anyway_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Start anyway] in a refusal: the form that asks a curator for the reason."""
    context.open(_anyway_form(context, _of_button(value)))


def anyway_submitted(context: RequestContext, form: Form) -> MessageContext:
    """A curator's reason."""
    return start_cycle(context.uow, replace(_from_ids(form), override=form.read(CapacityForm).reason))


def first_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Start anyway] in a refusal for the limit of first cycles: the form that asks for the reason."""
    context.open(_first_form(context, _of_button(value)))


def first_submitted(context: RequestContext, form: Form) -> MessageContext:
    """A curator's reason; it also overrides the team's own limit if the form showed that."""
    reason = form.read(FirstCyclesForm).reason
    given = replace(_from_ids(form), over_limit=reason, override=reason if form.ids.get("b") else None)
    return start_cycle(context.uow, given)


def show(context: RequestContext, command: ShowCycle) -> None:
    """`/cadence cycle show`, or `/cadence cycle` alone: the form for owners and curators, the cycle for others."""
    if command.or_start and roles(context.uow) & {"owner", "curator"}:
        start(context, StartCycle())
        return
    context.say(show_cycle(context.uow, playbook=command.playbook, team=command.team, day=command.day))


def close(context: RequestContext, command: CloseCycle) -> None:
    """`/cadence cycle close`: immediately if the playbook is given, else a choice."""
    if command == CloseCycle():
        context.say(ask_which(context.uow, action=Action.CLOSE_CYCLE))
        return
    which = WhichRun(command.playbook, command.team)
    context.say(close_by_hand(context.uow, which))


def pause_(context: RequestContext, command: PauseCycle) -> None:
    """`/cadence cycle pause`: immediately if the playbook is given, else a choice."""
    if command == PauseCycle():
        context.say(ask_which(context.uow, action=Action.PAUSE))
        return
    context.say(pause(context.uow, WhichRun(command.playbook, command.team)))


def resume_(context: RequestContext, command: ResumeCycle) -> None:
    """`/cadence cycle resume`: immediately if the playbook is given, else a choice."""
    if command == ResumeCycle():
        context.say(ask_which(context.uow, action=Action.RESUME))
        return
    context.say(resume_by_hand(context.uow, WhichRun(command.playbook, command.team)))


def watch_(context: RequestContext, command: WatchCycle) -> None:
    """`/cadence cycle watch`: immediately if the playbook is given, else a choice."""
    if command == WatchCycle():
        context.say(ask_which(context.uow, action=Action.WATCH_WEEKLY))
        return
    context.say(watch(context.uow, WhichRun(command.playbook, command.team)))


def close_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Close …]."""
    context.say(close_by_hand(context.uow, _run(value)))


def pause_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Pause]; on a closing post it means the pause after that cycle."""
    context.say(pause(context.uow, _after(value)))


def resume_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Resume]."""
    context.say(resume_by_hand(context.uow, _run(value)))


def watch_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Watch weekly instead]; on a closing post it means after that cycle."""
    context.say(watch(context.uow, _after(value)))


def _after(value: str) -> WhichRun:
    where, _, number = value.partition(":")
    return replace(_run(where), after_cycle=row_id(number))


def _run(value: str) -> WhichRun:
    return WhichRun(adoption_id=known_row(value, OLD_BUTTON))


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="cycle start",
            task="Rollout",
            usage="<playbook> [date] [team=slug]",
            summary="Start a four-week cycle on a Monday",
            who="owner",
            examples=(
                "/cadence cycle start support-reply next monday",
                "/cadence cycle start support-reply 2026-12-21",
            ),
            read=read_start,
            bare=StartCycle,
            run=start,
            options=("team",),
        ),
        Entry(
            name="cycle show",
            task="Rollout",
            usage="<playbook> [date] [team=slug]",
            summary="See a cycle's weeks, gates and KPI",
            examples=("/cadence cycle show support-reply",),
            read=read_show,
            bare=ShowCycle,
            run=show,
            options=("team",),
            group=lambda: ShowCycle(or_start=True),
        ),
        Entry(
            name="cycle close",
            task="Rollout",
            usage="<playbook> [team=slug]",
            summary="Close a cycle early in its last week",
            who="owner",
            examples=("/cadence cycle close support-reply",),
            read=read_close,
            bare=CloseCycle,
            run=close,
            options=("team",),
        ),
        Entry(
            name="cycle pause",
            task="Rollout",
            usage="<playbook> [team=slug]",
            summary="Pause a playbook's check-ins until you resume it",
            who="owner",
            examples=("/cadence cycle pause support-reply",),
            read=read_pause,
            bare=PauseCycle,
            run=pause_,
            options=("team",),
        ),
        Entry(
            name="cycle resume",
            task="Rollout",
            usage="<playbook> [team=slug]",
            summary="Resume a paused playbook today",
            who="owner",
            examples=("/cadence cycle resume support-reply",),
            read=read_resume,
            bare=ResumeCycle,
            run=resume_,
            options=("team",),
        ),
        Entry(
            name="cycle watch",
            task="Rollout",
            usage="<playbook> [team=slug]",
            summary="Keep only the weekly check-in after this cycle",
            who="owner",
            examples=("/cadence cycle watch support-reply",),
            read=read_watch,
            bare=WatchCycle,
            run=watch_,
            options=("team",),
        ),
    ),
    buttons={
        Action.START_CYCLE: by_button,
        Action.START_ANYWAY: anyway_by_button,
        Action.START_FIRST: first_by_button,
        Action.CLOSE_CYCLE: close_by_button,
        Action.PAUSE: pause_by_button,
        Action.RESUME: resume_by_button,
        Action.WATCH_WEEKLY: watch_by_button,
    },
    forms={
        Callback.CYCLE_START: submitted,
        Callback.CAPACITY: anyway_submitted,
        Callback.FIRST_CYCLES: first_submitted,
    },
)
