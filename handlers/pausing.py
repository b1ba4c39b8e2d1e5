"""The end of a cycle by hand, and the pause after it."""

from dataclasses import replace

from slack_bolt import App

from cadence.flows.cycles import WhichRun, ask_which, close_by_hand, pause
from cadence.refusals import Refusal
from handlers.context import Services, Turn
from handlers.grammar import commands
from handlers.listeners import register_button
from handlers.payloads import Body, row_id
from templates.ids import Action


def register(app: App, services: Services) -> None:
    """Listen for the buttons."""
    register_button(app, services, Action.CLOSE_CYCLE, close_by_button)
    register_button(app, services, Action.PAUSE, pause_by_button)


def close(turn: Turn, command: commands.CloseCycle) -> None:
    """`/cadence cycle close`: at once when the playbook is said, else the choice."""
    if command == commands.CloseCycle():
        turn.say(ask_which(turn.uow, action=Action.CLOSE_CYCLE))
        return
    which = WhichRun(command.playbook, command.team)
    turn.say(close_by_hand(turn.uow, which))


def pause_(turn: Turn, command: commands.PauseCycle) -> None:
    """`/cadence cycle pause`: at once when the playbook is said, else the choice."""
    if command == commands.PauseCycle():
        turn.say(ask_which(turn.uow, action=Action.PAUSE))
        return
    turn.say(pause(turn.uow, WhichRun(command.playbook, command.team)))


def close_by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Close …]."""
    turn.say(close_by_hand(turn.uow, _run(value)))


def pause_by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Pause]; under a closing post it means the pause after that cycle."""
    where, _, number = value.partition(":")
    which = replace(_run(where), after_cycle=int(number) if number.isdecimal() else None)
    turn.say(pause(turn.uow, which))


def _run(value: str) -> WhichRun:
    adoption_id = row_id(value)
    if adoption_id is None:
        raise Refusal("This button is too old to be understood. `/cadence status` shows what stands.")
    return WhichRun(adoption_id=adoption_id)
