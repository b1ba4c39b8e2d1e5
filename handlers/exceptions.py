"""Exceptions: `/exception`, its form, and the list behind an alert."""

from slack_bolt import App

from cadence.flows.exception_forms import counted_exceptions, exception_form
from cadence.flows.exceptions import ExceptionGiven, log_exception
from cadence.flows.finding import NeedsChoice
from handlers.grammar import commands
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, row_id, split_ref
from handlers.turns import Services, Turn
from templates.contexts.base import MessageContext
from templates.ids import Action, Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the buttons and the form."""
    register_button(app, services, Action.LOG_EXCEPTION, by_button)
    register_button(app, services, Action.SEE_EXCEPTIONS, see)
    register_form(app, services, Callback.EXCEPTION, submitted)


def by_command(turn: Turn, command: commands.LogException) -> None:
    """`/exception`: logs at once; opens the form when bare, or when it isn't clear which run is meant."""
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
    turn.say_or_ask(
        lambda: log_exception(turn.db, turn.caller, given, now=turn.now),
        unclear=NeedsChoice,
        ask=lambda: open_form(turn, command),
    )


def open_form(turn: Turn, command: commands.LogException) -> None:
    """Open the form with what was typed."""
    form = exception_form(
        turn.db,
        turn.caller,
        now=turn.now,
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
        turn.db,
        turn.caller,
        now=turn.now,
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
    turn.open(counted_exceptions(turn.db, turn.caller, adoption_id=adoption_id, step=step, now=turn.now))


def submitted(turn: Turn, form: Form) -> MessageContext:
    """The form."""
    adoption_id, step = split_ref(form.option(Field.STEP) or "")
    given = ExceptionGiven(
        adoption_id=adoption_id,
        step=step,
        reason=form.text(Field.REASON),
        critical="critical" in form.options(Field.CRITICAL),
        link=form.text(Field.LINK) or None,
    )
    return log_exception(turn.db, turn.by(form), given, now=turn.now)
