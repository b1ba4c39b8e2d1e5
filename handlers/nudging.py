"""The buttons of nudges to owners (missing members, a watch), and asking an authorized person."""

from datetime import timedelta
from typing import Final

from cadence.flows.nudging import answer_watch, ask, nudge_again, still_missing, watch_form
from cadence.refusals import Refusal
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.payloads import Body, Form, metadata, split_ref, split_week
from templates.contexts.base import MessageContext
from templates.contexts.nudging import WatchAnswerForm
from templates.contexts.people import AwayForm
from templates.ids import Action, Callback


def nudge(context: RequestContext, value: str, _body: Body) -> None:
    """[Nudge once more]."""
    adoption_id, week = split_week(value)
    context.say(nudge_again(context.uow, adoption_id=adoption_id, week_start=week))


def they_are_away(context: RequestContext, value: str, _body: Body) -> None:
    """[They're away]: the form, prefilled with missing members."""
    adoption_id, week = split_week(value)
    missing = still_missing(context.uow, adoption_id=adoption_id, week_start=week)
    if not missing:
        raise Refusal("Everyone has checked in since.")
    form = AwayForm(since=week, until=max(context.today, week + timedelta(days=4)), members=missing[:20])
    context.open(form, ids=metadata(a=adoption_id))


def ask_them(context: RequestContext, value: str, _body: Body) -> None:
    """[Ask them] in a refusal: a DM to somebody who can do it."""
    member, _, what = value.partition(":")
    context.say(ask(context.uow, member=member, what=what))


def open_answer(context: RequestContext, value: str, _body: Body) -> None:
    """[Add a plan] on a watch."""
    adoption_id, step = split_ref(value)
    form = watch_form(context.uow, adoption_id=adoption_id, step=step)
    context.open(form, ids=metadata(a=adoption_id, s=step))


def answered(context: RequestContext, form: Form) -> MessageContext:
    """The owner's answer."""
    return answer_watch(
        context.uow,
        adoption_id=form.row("a"),
        step=str(form.ids.get("s", "")),
        text=form.read(WatchAnswerForm).answer,
    )


FEATURE: Final = Feature(
    buttons={
        Action.NUDGE_AGAIN: nudge,
        Action.THEY_ARE_AWAY: they_are_away,
        Action.ASK_THEM: ask_them,
        Action.SAY_WHAT_CHANGES: open_answer,
    },
    forms={Callback.WATCH_ANSWER: answered},
)
