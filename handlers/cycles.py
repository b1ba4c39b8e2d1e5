"""Cycles: start one, show one."""

from dataclasses import replace

from slack_bolt import App

from cadence.flows.adoption import CapacityFull, capacity_form
from cadence.flows.core import roles
from cadence.flows.cycles import CycleGiven, show_cycle, start_cycle
from cadence.flows.nudging import cycle_form
from handlers.context import Services, Turn
from handlers.grammar import commands
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, metadata, read_week
from templates.contexts.base import MessageContext, ViewContext
from templates.ids import Action, Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the buttons and the forms."""
    register_button(app, services, Action.START_CYCLE, by_button)
    register_button(app, services, Action.START_ANYWAY, anyway_by_button)
    register_form(app, services, Callback.CYCLE_START, submitted)
    register_form(app, services, Callback.CAPACITY, anyway_submitted)


def by_role(turn: Turn, _command: commands.Cycle) -> None:
    """`/cadence cycle`: the form for owners and curators, the cycle shown for everybody else."""
    if roles(turn.uow) & {"owner", "curator"}:
        start(turn, commands.StartCycle())
    else:
        show(turn, commands.ShowCycle())


def start(turn: Turn, command: commands.StartCycle) -> None:
    """`/cadence cycle start`: at once when the playbook is said, else by form."""
    if command.playbook is None:
        turn.open(cycle_form(turn.uow, playbook=None))
        return
    given = CycleGiven(playbook=command.playbook, team=command.team, starts_on=command.day)
    turn.say(start_cycle(turn.uow, given))


def by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Start a cycle], of a playbook or of `playbook:team`."""
    playbook, _, team = value.partition(":")
    turn.open(cycle_form(turn.uow, playbook=playbook or None, team=team or None))


def submitted(turn: Turn, form: Form) -> MessageContext | ViewContext:
    """The form; a curator whose team is full is asked for a reason in its place."""
    given = CycleGiven(
        playbook=form.option(Field.PLAYBOOK) or "",
        team=form.option(Field.TEAM),
        starts_on=form.day(Field.DATE),
        champion=form.member(Field.CHAMPION),
    )
    try:
        return start_cycle(turn.uow, given)
    except CapacityFull as full:
        if not full.may_override:
            raise
    return _anyway_form(turn, given)


def _anyway_form(turn: Turn, given: CycleGiven) -> ViewContext:
    form = capacity_form(turn.uow, playbook=given.playbook, team=given.team or "")
    day = given.starts_on.isoformat() if given.starts_on else None
    return replace(form, private_metadata=metadata(p=given.playbook, t=given.team, d=day, c=given.champion))


def anyway_by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Start it anyway] under a refusal: the form that asks a curator why."""
    playbook, _, rest = value.partition(":")
    team, _, day = rest.partition(":")
    given = CycleGiven(playbook, team=team, starts_on=read_week(day) if day else None)
    turn.open(_anyway_form(turn, given))


def anyway_submitted(turn: Turn, form: Form) -> MessageContext:
    """A curator's reason."""
    given = CycleGiven(
        playbook=str(form.ids.get("p", "")),
        team=str(form.ids.get("t", "")),
        starts_on=form.week("d"),
        champion=form.ids.get("c"),
        override=form.text(Field.REASON),
    )
    return start_cycle(turn.uow, given)


def show(turn: Turn, command: commands.ShowCycle) -> None:
    """`/cadence cycle show`."""
    turn.say(show_cycle(turn.uow, playbook=command.playbook, team=command.team, day=command.day))
