"""Promotions: [Approve] and [Decline] under a proposal."""

from slack_bolt import App

from cadence.flows.promotions import GONE, approve, decline, decline_form
from cadence.refusals import Refusal
from handlers.context import Services, Turn
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, metadata, row_id
from templates.contexts.answers import Done
from templates.contexts.base import MessageContext
from templates.ids import Action, Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the buttons and the form."""
    register_button(app, services, Action.APPROVE_PROMOTION, approved)
    register_button(app, services, Action.DECLINE_PROMOTION, open_decline)
    register_form(app, services, Callback.DECLINE_PROMOTION, declined)


def _id(value: str) -> int:
    found = row_id(value)
    if found is None:
        raise Refusal(GONE)
    return found


def approved(turn: Turn, value: str, _body: Body) -> None:
    """[Approve]."""
    turn.say(approve(turn.uow, promotion_id=_id(value)))


def open_decline(turn: Turn, value: str, _body: Body) -> None:
    """[Decline]: the form that asks why."""
    shown = decline_form(turn.uow, promotion_id=_id(value))
    if isinstance(shown, Done):
        turn.say(shown)
    else:
        turn.open(shown, ids=metadata(p=_id(value)))


def declined(turn: Turn, form: Form) -> MessageContext:
    """The form."""
    reason = form.text(Field.REASON)
    return decline(turn.uow, promotion_id=form.row("p"), reason=reason)
