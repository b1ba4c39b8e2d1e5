"""The registry."""

from slack_bolt import App

from cadence.documents import Function
from cadence.flows.overview import show_registry
from handlers.context import Services, Turn
from handlers.grammar import commands
from handlers.listeners import register_button
from handlers.payloads import Body, row_id
from templates.ids import Action


def register(app: App, services: Services) -> None:
    """Listen for the menu and the button."""
    register_button(app, services, Action.SHOW_REGISTRY, by_button)
    register_button(app, services, Action.TURN_REGISTRY, by_button)


def show(turn: Turn, command: commands.Registry) -> None:
    """`/cadence registry`."""
    turn.say(show_registry(turn.uow, function=command.function))


def by_button(turn: Turn, value: str, _body: Body) -> None:
    """A function of the menu, or [Next page]: `{function}:{page}`; what isn't one means all, from the start."""
    function, _, page = value.partition(":")
    known = function if function in set(Function) else None
    turn.say(show_registry(turn.uow, function=known, page=row_id(page) or 1))
