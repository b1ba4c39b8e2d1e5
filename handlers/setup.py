"""Setup: the buttons of the checklist."""

from typing import Final

from cadence.flows.setup import finish_setup, start_setup, tick
from cadence.refusals import Refusal
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.payloads import Body, known_row, row_id, split_ref
from templates.ids import Action

_OLD = "This button has expired. The checklist is in the team's channel."


def start(context: RequestContext, value: str, _body: Body) -> None:
    """[Start setup]."""
    context.say(start_setup(context.uow, adoption_id=known_row(value, _OLD)))


def ticked(context: RequestContext, value: str, _body: Body) -> None:
    """[Check off] and [Uncheck]: the message itself shows the result."""
    adoption_id, rest = split_ref(value)
    number, _, on = rest.partition(":")
    item = row_id(number)
    if item is None or on not in ("on", "off"):
        raise Refusal(_OLD)
    tick(context.uow, adoption_id=adoption_id, item=item, on=on == "on")


def done(context: RequestContext, value: str, _body: Body) -> None:
    """[Setup done]."""
    context.say(finish_setup(context.uow, adoption_id=known_row(value, _OLD)))


FEATURE: Final = Feature(
    buttons={Action.START_SETUP: start, Action.TICK_ITEM: ticked, Action.SETUP_DONE: done}
)
