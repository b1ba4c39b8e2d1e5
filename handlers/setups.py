"""Setup: the buttons of the checklist."""

from slack_bolt import App

from cadence.flows.setup import finish_setup, start_setup, tick
from cadence.refusals import Refusal
from handlers.context import Services, Turn
from handlers.listeners import register_button
from handlers.payloads import Body, row_id, split_ref
from templates.ids import Action

_OLD = "This button is too old to be understood. The checklist is in the team's channel."


def register(app: App, services: Services) -> None:
    """Listen for the buttons."""
    register_button(app, services, Action.START_SETUP, start)
    register_button(app, services, Action.TICK_ITEM, ticked)
    register_button(app, services, Action.SETUP_DONE, done)


def _adoption(value: str) -> int:
    found = row_id(value)
    if found is None:
        raise Refusal(_OLD)
    return found


def start(turn: Turn, value: str, _body: Body) -> None:
    """[Start setup]."""
    turn.say(start_setup(turn.uow, adoption_id=_adoption(value)))


def ticked(turn: Turn, value: str, _body: Body) -> None:
    """[Tick] and [Untick]: the message itself shows what came of it."""
    adoption_id, rest = split_ref(value)
    number, _, on = rest.partition(":")
    item = row_id(number)
    if item is None or on not in ("on", "off"):
        raise Refusal(_OLD)
    tick(turn.uow, adoption_id=adoption_id, item=item, on=on == "on")


def done(turn: Turn, value: str, _body: Body) -> None:
    """[Setup done]."""
    turn.say(finish_setup(turn.uow, adoption_id=_adoption(value)))
