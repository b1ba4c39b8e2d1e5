"""Setup: the buttons and the form of the checklist."""

from typing import Final

from cadence.flows.setup import ItemsOpen, check_off, checklist_form, finish_setup, start_setup, tick
from cadence.refusals import Refusal
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.payloads import Body, Form, known_row, metadata, row_id, split_ref
from templates.contexts.base import MessageContext
from templates.contexts.setup import ChecklistForm
from templates.ids import Action, Callback

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
    """[Setup done]: finishes it, or asks which of the open items are done."""
    adoption_id = known_row(value, _OLD)
    context.say_or_ask(
        lambda: finish_setup(context.uow, adoption_id=adoption_id),
        unclear=ItemsOpen,
        ask=lambda: context.open(
            checklist_form(context.uow, adoption_id=adoption_id), ids=metadata(adoption=adoption_id)
        ),
    )


def checked(context: RequestContext, form: Form) -> MessageContext:
    """The form with the open items."""
    items = [known_row(item, _OLD) for item in form.read(ChecklistForm).items]
    return check_off(context.uow, adoption_id=form.row("adoption"), items=items)


FEATURE: Final = Feature(
    buttons={Action.START_SETUP: start, Action.TICK_ITEM: ticked, Action.SETUP_DONE: done},
    forms={Callback.CHECKLIST: checked},
)
