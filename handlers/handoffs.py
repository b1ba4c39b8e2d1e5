"""Handoffs between teams: `/cadence handoff`, its forms, and the buttons under what was handed over."""

from collections.abc import Callable
from typing import Final

from slack_bolt import App

from cadence.flows.handoffs import (
    GONE,
    HandoffGiven,
    Verb,
    WhichContract,
    accept,
    fail,
    fail_form,
    finish,
    handoff_form,
    send_handoff,
    show_handoffs,
    which,
    withdraw,
)
from cadence.refusals import Refusal
from handlers.context import Services, Turn
from handlers.grammar import commands
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, metadata, row_id
from templates.contexts.answers import Done
from templates.contexts.base import MessageContext
from templates.ids import Action, Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the buttons and the forms."""
    register_button(app, services, Action.ACCEPT_HANDOFF, accepted)
    register_button(app, services, Action.FAIL_HANDOFF, open_fail)
    register_button(app, services, Action.FINISH_HANDOFF, finished)
    register_button(app, services, Action.WITHDRAW_HANDOFF, withdrawn)
    register_button(app, services, Action.SEND_HANDOFF, open_again)
    register_form(app, services, Callback.HANDOFF, sent)
    register_form(app, services, Callback.HANDOFF_FAIL, failed)


def by_command(turn: Turn, command: commands.Handoff) -> None:
    """`/cadence handoff`: at once when all is said, else by form."""
    _VERBS[command.verb](turn, command)


def _send(turn: Turn, command: commands.Handoff) -> None:
    if command.to is None or command.text is None:
        _open(turn, command)
        return
    given = HandoffGiven(
        what=command.text,
        to=command.to,
        link=command.link,
        playbook=command.playbook,
        team=command.team,
    )
    turn.say_or_ask(
        lambda: send_handoff(turn.uow, given),
        unclear=WhichContract,
        ask=lambda: _open(turn, command),
    )


def _open(turn: Turn, command: commands.Handoff) -> None:
    """The form with what was typed; who has nothing to hand over sees what waits for them."""
    form = handoff_form(
        turn.uow,
        playbook=command.playbook,
        team=command.team,
        to=command.to,
        what=command.text or "",
        link=command.link or "",
    )
    if form is None:
        _show(turn, command)
    else:
        turn.open(form)


def _show(turn: Turn, command: commands.Handoff) -> None:
    turn.say(show_handoffs(turn.uow, playbook=command.playbook, team=command.team))


def _which(turn: Turn, command: commands.Handoff, verb: Verb) -> int | None:
    """The handoff that is meant; None when several fit, which are then listed."""
    found = which(turn.uow, verb=verb, playbook=command.playbook, number=command.number)
    if isinstance(found, int):
        return found
    turn.say(found)
    return None


def _accept(turn: Turn, command: commands.Handoff) -> None:
    found = _which(turn, command, "accept")
    if found is not None:
        turn.say(accept(turn.uow, handoff_id=found, note=command.text or ""))


def _fail(turn: Turn, command: commands.Handoff) -> None:
    found = _which(turn, command, "fail")
    if found is not None and command.text is None:
        _ask_why(turn, found)
    elif found is not None:
        turn.say(fail(turn.uow, handoff_id=found, reason=command.text or ""))


def _done(turn: Turn, command: commands.Handoff) -> None:
    found = _which(turn, command, "done")
    if found is not None:
        turn.say(finish(turn.uow, handoff_id=found, note=command.text or ""))


def _withdraw(turn: Turn, command: commands.Handoff) -> None:
    found = _which(turn, command, "withdraw")
    if found is not None:
        turn.say(withdraw(turn.uow, handoff_id=found, reason=command.text or ""))


_VERBS: Final[dict[str | None, Callable[[Turn, commands.Handoff], None]]] = {
    None: _open,
    "send": _send,
    "show": _show,
    "accept": _accept,
    "fail": _fail,
    "done": _done,
    "withdraw": _withdraw,
}


def _id(value: str) -> int:
    found = row_id(value)
    if found is None:
        raise Refusal(GONE)
    return found


def accepted(turn: Turn, value: str, _body: Body) -> None:
    """[Accept]."""
    turn.say(accept(turn.uow, handoff_id=_id(value)))


def finished(turn: Turn, value: str, _body: Body) -> None:
    """[Done]."""
    turn.say(finish(turn.uow, handoff_id=_id(value)))


def withdrawn(turn: Turn, value: str, _body: Body) -> None:
    """[Withdraw]."""
    turn.say(withdraw(turn.uow, handoff_id=_id(value)))


def open_fail(turn: Turn, value: str, _body: Body) -> None:
    """[Can't use it]: the form that asks what is missing."""
    _ask_why(turn, _id(value))


def _ask_why(turn: Turn, number: int) -> None:
    shown = fail_form(turn.uow, handoff_id=number)
    if isinstance(shown, Done):
        turn.say(shown)
    else:
        turn.open(shown, ids=metadata(h=number))


def open_again(turn: Turn, value: str, _body: Body) -> None:
    """[Hand over again], or [Hand over]: the form."""
    form = handoff_form(turn.uow, adoption_id=row_id(value))
    if form is None:
        raise Refusal("Your playbooks hand nothing over any more. `/cadence handoff show` lists what waits.")
    turn.open(form)


def sent(turn: Turn, form: Form) -> MessageContext:
    """The form to hand over."""
    given = HandoffGiven(
        contract=form.option(Field.CONTRACT) or "",
        what=form.text(Field.WHAT),
        link=form.text(Field.LINK) or None,
    )
    return send_handoff(turn.uow, given)


def failed(turn: Turn, form: Form) -> MessageContext:
    """The form that says why it can't be used."""
    return fail(
        turn.uow,
        handoff_id=form.row("h"),
        reason=form.text(Field.REASON),
        lacking=form.options(Field.LACKING),
    )
