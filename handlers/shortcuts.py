"""Shortcuts: Slack's menu entries for a message ("Log as exception") and anywhere ("Check in")."""

from dataclasses import dataclass, replace
from typing import Final

from slack_bolt import App

from cadence.flows.checkins import checkin_all_form, checkin_form, choose_checkin_form
from cadence.flows.exceptions import MessageSeen, exception_from
from cadence.flows.numbers import kpi_form
from cadence.typed import visible
from handlers.context import RequestContext, Services, shortcut_ids
from handlers.listeners import register_forms, register_shortcut
from handlers.payloads import Body, Form, read_week, split_week
from templates.contexts.base import ViewContext
from templates.contexts.checkins import ChooseCheckinForm
from templates.ids import Callback, Shortcut


@dataclass(frozen=True, slots=True)
class Declared:
    """A shortcut as the manifest declares it.

    Args:
        name: shown in the menu: 24 characters at most.
        description: one sentence: 150 characters at most.
        on_message: it is in the menu of a message; otherwise in the menu of the composer.
    """

    callback: Shortcut
    name: str
    description: str
    on_message: bool = False


SHORTCUTS: Final = (
    Declared(
        Shortcut.LOG_EXCEPTION,
        "Log as exception",
        "Log this message as an exception and keep its link.",
        on_message=True,
    ),
    Declared(Shortcut.CHECK_IN, "Check in", "Answer this week's check-in."),
    Declared(Shortcut.REPORT_NUMBER, "Report a number", "Report this week's KPI."),
)


def register(app: App, services: Services) -> None:
    """Listen for the shortcuts, and for the form that asks which check-in is meant."""
    runs = {
        Shortcut.LOG_EXCEPTION: log_exception,
        Shortcut.CHECK_IN: check_in,
        Shortcut.REPORT_NUMBER: report_number,
    }
    for one in SHORTCUTS:
        register_shortcut(app, services, one.callback, runs[one.callback], on_message=one.on_message)
    register_forms(app, services, {Callback.CHOOSE_CHECKIN: chosen})


def log_exception(context: RequestContext, body: Body) -> None:
    """ "Log as exception" on a message: the form, prefilled with the message's link and text."""
    message, channel = body.get("message") or {}, body.get("channel") or {}
    seen = MessageSeen(
        channel=str(channel.get("id") or ""),
        channel_name=str(channel.get("name") or ""),
        ts=str(message.get("ts") or body.get("message_ts") or ""),
        thread_ts=str(message.get("thread_ts") or "") or None,
        author=str(message.get("user") or ""),
        text=visible(str(message.get("text") or "")),
    )
    context.open(exception_from(context.uow, seen), ids=shortcut_ids())


def check_in(context: RequestContext, _body: Body) -> None:
    """ "Check in": the form of the open one; if there are several, a question which."""
    form = choose_checkin_form(context.uow)
    context.open(_answering(context, form.choices[0].value) if len(form.choices) == 1 else form)


def chosen(context: RequestContext, form: Form) -> ViewContext:
    """The chosen check-in: its form replaces the question."""
    return _answering(context, form.read(ChooseCheckinForm).selected or "")


def _answering(context: RequestContext, value: str) -> ViewContext:
    """The form of `{adoption_id}:{week_start}`, or of every open check-in of `all:{week_start}`."""
    which, _, week = value.partition(":")
    if which == ChooseCheckinForm.ALL:
        every = checkin_all_form(context.uow, week_start=read_week(week))
        return replace(every, private_metadata=shortcut_ids(w=week))
    adoption_id, start = split_week(value)
    one = checkin_form(context.uow, adoption_id=adoption_id, week_start=start, kind=None)
    return replace(one, private_metadata=shortcut_ids(a=adoption_id, w=start.isoformat(), k=one.kind))


def report_number(context: RequestContext, _body: Body) -> None:
    """ "Report a number": the form for this week's number."""
    form = kpi_form(context.uow, adoption_id=None)
    context.open(form, ids=shortcut_ids(a=form.selected))
