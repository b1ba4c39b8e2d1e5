"""Exceptions: `/exception`, its form, and the list behind an alert."""

from dataclasses import replace

from slack_bolt import App

from cadence.flows.core import NeedsChoice
from cadence.flows.exceptions import (
    ExceptionGiven,
    NeedsConfirming,
    counted_exceptions,
    exception_form,
    log_exception,
    undo_exception,
)
from handlers.context import Services, Turn
from handlers.grammar import commands
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, metadata, row_id, split_ref
from templates.contexts.base import MessageContext, ViewContext
from templates.contexts.forms import ExceptionForm
from templates.ids import Action, Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the buttons and the form."""
    register_button(app, services, Action.LOG_EXCEPTION, by_button)
    register_button(app, services, Action.SEE_EXCEPTIONS, see)
    register_button(app, services, Action.UNDO_EXCEPTION, undo)
    register_form(app, services, Callback.EXCEPTION, submitted)


def by_command(turn: Turn, command: commands.LogException) -> None:
    """`/exception`: logs at once; opens the form when bare, or when it isn't clear which run is meant."""
    if command.undo:
        turn.say(undo_exception(turn.uow))
        return
    if command.step is None or command.reason is None:
        open_form(turn, command)
        return
    given = ExceptionGiven(
        step=command.step,
        reason=command.reason,
        critical=command.critical,
        playbook=command.playbook,
        team=command.team,
        link=command.link,
    )
    try:
        turn.say(log_exception(turn.uow, given))
    except NeedsChoice:
        open_form(turn, command)
    except NeedsConfirming as asked:
        turn.open(_confirming(turn, given, asked), ids=metadata(agreed=sorted(asked.agreed)))


def _confirming(turn: Turn, given: ExceptionGiven, asked: NeedsConfirming) -> ExceptionForm:
    """The form with what was given, which says what it will do."""
    return exception_form(
        turn.uow,
        adoption_id=asked.adoption_id,
        step=given.step,
        reason=given.reason,
        link=given.link or "",
        critical=given.critical,
        notice=asked.text,
    )


def open_form(turn: Turn, command: commands.LogException) -> None:
    """Open the form with what was typed."""
    form = exception_form(
        turn.uow,
        playbook=command.playbook,
        step=command.step,
        reason=command.reason or "",
        link=command.link or "",
        critical=command.critical,
    )
    turn.open(form)


def by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Log it on …] under a refusal: the form, on the step that was probably meant, with what was typed."""
    where, _, rest = value.partition(":")
    step, _, reason = rest.partition(":")
    form = exception_form(
        turn.uow,
        adoption_id=row_id(where),
        playbook=where or None,
        step=step or None,
        reason=reason.removeprefix("critical "),
        critical=reason.startswith("critical "),
    )
    turn.open(form)


def see(turn: Turn, value: str, _body: Body) -> None:
    """[See the exceptions]: those that count now."""
    adoption_id, step = split_ref(value)
    turn.open(counted_exceptions(turn.uow, adoption_id=adoption_id, step=step))


def undo(turn: Turn, value: str, _body: Body) -> None:
    """[Undo]: the exception no longer counts."""
    turn.say(undo_exception(turn.uow, exception_id=row_id(value) or 0))


def submitted(turn: Turn, form: Form) -> MessageContext | ViewContext:
    """The form; once more, when it takes a second click."""
    agreed = form.ids.get("agreed")
    adoption_id, step = split_ref(form.option(Field.STEP) or "")
    given = ExceptionGiven(
        adoption_id=adoption_id,
        step=step,
        reason=form.text(Field.REASON),
        critical="critical" in form.options(Field.CRITICAL),
        link=form.text(Field.LINK) or None,
        agreed=frozenset(map(str, agreed)) if isinstance(agreed, list) else frozenset(),
    )
    try:
        return log_exception(turn.uow.by(turn.by(form)), given)
    except NeedsConfirming as asked:
        ids = metadata(**{**form.ids, "agreed": sorted(asked.agreed)})
        return replace(_confirming(turn, given, asked), private_metadata=ids)
