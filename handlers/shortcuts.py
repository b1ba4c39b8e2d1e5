"""Shortcuts: what Slack's menus offer on a message ("Log as exception") and anywhere ("Check in")."""

from dataclasses import dataclass, replace
from typing import Final

from slack_bolt import App

from cadence.flows.checkins import MessageSeen, choose_checkin_form, exception_from
from cadence.flows.nudging import checkin_all_form, checkin_form, kpi_form
from cadence.refusals import Refusal
from cadence.typed import visible
from handlers.context import Services, Turn, shortcut_ids
from handlers.listeners import register_form, register_shortcut
from handlers.payloads import Body, Form, read_week, split_week
from templates.contexts.base import ViewContext
from templates.contexts.forms import ChooseCheckinForm
from templates.ids import Callback, Field, Shortcut


@dataclass(frozen=True, slots=True)
class Declared:
    """A shortcut as the manifest declares it.

    Args:
        name: what people read in the menu: 24 characters at most.
        description: one sentence: 150 characters at most.
        on_message: it stands in the menu of a message; otherwise in the menu of the composer.
    """

    callback: Shortcut
    name: str
    description: str
    on_message: bool = False


SHORTCUTS: Final = (
    Declared(
        Shortcut.LOG_EXCEPTION,
        "Log as exception",
        "Logs this message as an exception of a step, and keeps its link as evidence.",
        on_message=True,
    ),
    Declared(Shortcut.CHECK_IN, "Check in", "Answers this week's check-in."),
    Declared(Shortcut.REPORT_NUMBER, "Report a number", "Records this week's number."),
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
    register_form(app, services, Callback.CHOOSE_CHECKIN, chosen)


def log_exception(turn: Turn, body: Body) -> None:
    """ "Log as exception" on a message: the form, with the message's link and words filled in."""
    message, channel = body.get("message") or {}, body.get("channel") or {}
    seen = MessageSeen(
        channel=str(channel.get("id") or ""),
        channel_name=str(channel.get("name") or ""),
        ts=str(message.get("ts") or body.get("message_ts") or ""),
        thread_ts=str(message.get("thread_ts") or "") or None,
        author=str(message.get("user") or ""),
        text=visible(str(message.get("text") or "")),
    )
    turn.open(exception_from(turn.uow, seen), ids=shortcut_ids())


def check_in(turn: Turn, _body: Body) -> None:
    """ "Check in": the form of the one that is open; when there are several, it is asked which."""
    form = choose_checkin_form(turn.uow)
    turn.open(_answering(turn, form.choices[0].value) if len(form.choices) == 1 else form)


def chosen(turn: Turn, form: Form) -> ViewContext:
    """Which check-in: its form takes the place of the question."""
    value = form.option(Field.CHECKIN)
    if not value:
        raise Refusal("Choose a check-in.", field=Field.CHECKIN)
    return _answering(turn, value)


def _answering(turn: Turn, value: str) -> ViewContext:
    """The form of `{adoption_id}:{week_start}`, or of every open check-in of `all:{week_start}`."""
    which, _, week = value.partition(":")
    if which == ChooseCheckinForm.ALL:
        every = checkin_all_form(turn.uow, week_start=read_week(week))
        return replace(every, private_metadata=shortcut_ids(w=week))
    adoption_id, start = split_week(value)
    one = checkin_form(turn.uow, adoption_id=adoption_id, week_start=start, kind=None)
    return replace(one, private_metadata=shortcut_ids(a=adoption_id, w=start.isoformat(), k=one.kind))


def report_number(turn: Turn, _body: Body) -> None:
    """ "Report a number": the form for this week's number."""
    form = kpi_form(turn.uow, adoption_id=None)
    turn.open(form, ids=shortcut_ids(a=form.selected))
