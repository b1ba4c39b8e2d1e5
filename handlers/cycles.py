"""Cycles: start one, show one."""

from slack_bolt import App

from cadence.flows.asking import cycle_form
from cadence.flows.callers import roles
from cadence.flows.cycles import CycleGiven, show_cycle, start_cycle
from handlers.grammar import commands
from handlers.payloads import Body, Form
from handlers.turns import Services, Turn, register_button, register_form
from templates.contexts.base import MessageContext
from templates.ids import Action, Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the button and the form."""
    register_button(app, services, Action.START_CYCLE, by_button)
    register_form(app, services, Callback.CYCLE_START, submitted)


def by_role(turn: Turn, _command: commands.Cycle) -> None:
    """`/cadence cycle`: the form for owners and curators, the cycle shown for everybody else."""
    if roles(turn.db, turn.caller) & {"owner", "curator"}:
        start(turn, commands.StartCycle())
    else:
        show(turn, commands.ShowCycle())


def start(turn: Turn, command: commands.StartCycle) -> None:
    """`/cadence cycle start`: at once when the playbook is said, else by form."""
    if command.playbook is None:
        turn.open(cycle_form(turn.db, turn.caller, playbook=None, now=turn.now))
        return
    given = CycleGiven(playbook=command.playbook, team=command.team, starts_on=command.day)
    turn.say(start_cycle(turn.db, turn.caller, given, now=turn.now))


def by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Start a cycle]."""
    turn.open(cycle_form(turn.db, turn.caller, playbook=value or None, now=turn.now))


def submitted(turn: Turn, form: Form) -> MessageContext:
    """The form."""
    given = CycleGiven(
        playbook=form.option(Field.PLAYBOOK) or "",
        team=form.option(Field.TEAM),
        starts_on=form.day(Field.DATE),
        champion=form.member(Field.CHAMPION),
    )
    return start_cycle(turn.db, turn.caller, given, now=turn.now)


def show(turn: Turn, command: commands.ShowCycle) -> None:
    """`/cadence cycle show`."""
    turn.say(
        show_cycle(
            turn.db,
            turn.caller,
            playbook=command.playbook,
            team=command.team,
            day=command.day,
            now=turn.now,
        )
    )
