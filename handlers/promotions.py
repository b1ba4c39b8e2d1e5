"""Promotions: [Approve] and [Decline] under a proposal."""

from typing import Final

from cadence.flows.promotions import GONE, approve, decline, decline_form
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.payloads import Body, Form, known_row, metadata
from templates.contexts.answers import Done
from templates.contexts.base import MessageContext
from templates.contexts.promotions import DeclineForm
from templates.ids import Action, Callback


def approved(context: RequestContext, value: str, _body: Body) -> None:
    """[Approve]."""
    context.say(approve(context.uow, promotion_id=known_row(value, GONE)))


def open_decline(context: RequestContext, value: str, _body: Body) -> None:
    """[Decline]: the form that asks why."""
    shown = decline_form(context.uow, promotion_id=known_row(value, GONE))
    if isinstance(shown, Done):
        context.say(shown)
    else:
        context.open(shown, ids=metadata(p=known_row(value, GONE)))


def declined(context: RequestContext, form: Form) -> MessageContext:
    """The form."""
    return decline(context.uow, promotion_id=form.row("p"), reason=form.read(DeclineForm).reason)


FEATURE: Final = Feature(
    buttons={Action.APPROVE_PROMOTION: approved, Action.DECLINE_PROMOTION: open_decline},
    forms={Callback.DECLINE_PROMOTION: declined},
)
