"""Handoffs between teams: `/cadence handoff`, its forms, and the buttons of handoffs."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

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
    settle,
    show_handoffs,
    which,
    withdraw,
)
from cadence.refusals import Refusal
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import AboutPlaybook, Entry, Request
from handlers.grammar.verbs import take_verb
from handlers.payloads import Body, Form, known_row, metadata, row_id
from templates.contexts.answers import Done
from templates.contexts.base import MessageContext
from templates.contexts.handoffs import HandoffFailForm, HandoffForm
from templates.ids import Action, Callback

Word = Literal["send", "accept", "fail", "done", "withdraw", "settle", "show"]

_WORDS: Final[dict[str, Word]] = {verb: verb for verb in get_args(Word)}
_NOUNS: Final[dict[Word, str]] = {
    "send": "description",
    "accept": "note",
    "fail": "reason",
    "done": "note",
    "withdraw": "reason",
    "settle": "note",
}
_NUMBER: Final = re.compile(r"#?([1-9][0-9]{0,8})")
_ADVICE: Final = "Shorten it, or add link=… with a link to it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff(AboutPlaybook):
    """`/cadence handoff`. Without a `verb`, or with something omitted, it opens the form.

    Args:
        to: the receiving team's slug, for `send`; `team` is the sending one's.
        number: which handoff, except for `send` and `show`; optional if only one is open.
        text: the description, the note, or the reason.
    """

    verb: Word | None = None
    to: str | None = None
    number: int | None = None
    text: str | None = None
    link: str | None = None


def read_handoff(request: Request) -> Handoff:
    """`/cadence handoff [playbook] send <team> <what> | accept|done|fail|withdraw|settle [#id] [note] | show`."""
    named = request.playbook()
    verb = (
        take_verb(request, _WORDS, named=named, wrong="There's no handoff {word}.") if request.typed else None
    )
    if verb in (None, "show"):
        named = named or request.playbook()
        return Handoff(verb=verb, playbook=named, link=request.link, team=request.team)
    return Handoff(
        verb=verb,
        playbook=named,
        to=request.next_team() if verb == "send" and request.typed else None,
        number=_number(request) if verb != "send" else None,
        text=request.sentence(_NOUNS[verb], _ADVICE),
        link=request.link,
        team=request.team,
    )


def _number(request: Request) -> int | None:
    """Take `#12` or `12`."""
    if not request.typed:
        return None
    found = _NUMBER.fullmatch(request.typed.key())
    if found is None:
        return None
    request.typed.take()
    return int(found[1])


def by_command(context: RequestContext, command: Handoff) -> None:
    """`/cadence handoff`: immediately if everything is given, else by form."""
    _VERBS[command.verb](context, command)


def _send(context: RequestContext, command: Handoff) -> None:
    if command.to is None or command.text is None:
        _open(context, command)
        return
    given = HandoffGiven(
        what=command.text,
        to=command.to,
        link=command.link,
        playbook=command.playbook,
        team=command.team,
    )
    context.say_or_ask(
        lambda: send_handoff(context.uow, given),
        unclear=WhichContract,
        ask=lambda: _open(context, command),
    )


def _open(context: RequestContext, command: Handoff) -> None:
    """The prefilled form; a person without contracts gets the list of open handoffs."""
    form = handoff_form(
        context.uow,
        playbook=command.playbook,
        team=command.team,
        to=command.to,
        what=command.text or "",
        link=command.link or "",
    )
    if form is None:
        _show(context, command)
    else:
        context.open(form)


def _show(context: RequestContext, command: Handoff) -> None:
    context.say(show_handoffs(context.uow, playbook=command.playbook, team=command.team))


def _which(context: RequestContext, command: Handoff, verb: Verb) -> int | None:
    """The handoff in question; None if several fit, which are then listed."""
    found = which(context.uow, verb=verb, playbook=command.playbook, number=command.number)
    if isinstance(found, int):
        return found
    context.say(found)
    return None


def _accept(context: RequestContext, command: Handoff) -> None:
    found = _which(context, command, "accept")
    if found is not None:
        context.say(accept(context.uow, handoff_id=found, note=command.text or ""))


def _fail(context: RequestContext, command: Handoff) -> None:
    found = _which(context, command, "fail")
    if found is not None and command.text is None:
        _ask_why(context, found)
    elif found is not None:
        context.say(fail(context.uow, handoff_id=found, reason=command.text or ""))


def _done(context: RequestContext, command: Handoff) -> None:
    found = _which(context, command, "done")
    if found is not None:
        context.say(finish(context.uow, handoff_id=found, note=command.text or ""))


def _withdraw(context: RequestContext, command: Handoff) -> None:
    found = _which(context, command, "withdraw")
    if found is not None:
        context.say(withdraw(context.uow, handoff_id=found, reason=command.text or ""))


def _settle(context: RequestContext, command: Handoff) -> None:
    found = _which(context, command, "settle")
    if found is not None:
        context.say(settle(context.uow, handoff_id=found))


_VERBS: Final[dict[str | None, Callable[[RequestContext, Handoff], None]]] = {
    None: _open,
    "send": _send,
    "show": _show,
    "accept": _accept,
    "fail": _fail,
    "done": _done,
    "withdraw": _withdraw,
    "settle": _settle,
}


def accepted(context: RequestContext, value: str, _body: Body) -> None:
    """[Accept]."""
    context.say(accept(context.uow, handoff_id=known_row(value, GONE)))


def finished(context: RequestContext, value: str, _body: Body) -> None:
    """[Done]."""
    context.say(finish(context.uow, handoff_id=known_row(value, GONE)))


def withdrawn(context: RequestContext, value: str, _body: Body) -> None:
    """[Withdraw]."""
    context.say(withdraw(context.uow, handoff_id=known_row(value, GONE)))


def settled(context: RequestContext, value: str, _body: Body) -> None:
    """[Handoffs work again]."""
    context.say(settle(context.uow, handoff_id=known_row(value, GONE)))


def open_fail(context: RequestContext, value: str, _body: Body) -> None:
    """[Can't use it]: the form that asks what is missing."""
    _ask_why(context, known_row(value, GONE))


def _ask_why(context: RequestContext, number: int) -> None:
    shown = fail_form(context.uow, handoff_id=number)
    if isinstance(shown, Done):
        context.say(shown)
    else:
        context.open(shown, ids=metadata(h=number))


def open_again(context: RequestContext, value: str, _body: Body) -> None:
    """[Hand over again], or [Hand over]: the form."""
    form = handoff_form(context.uow, adoption_id=row_id(value))
    if form is None:
        raise Refusal(
            "Your playbooks don't hand anything over anymore. See what's open with `/cadence handoff show`."
        )
    context.open(form)


def sent(context: RequestContext, form: Form) -> MessageContext:
    """The form to hand something over."""
    typed = form.read(HandoffForm)
    given = HandoffGiven(contract=typed.selected or "", what=typed.what, link=typed.link or None)
    return send_handoff(context.uow, given)


def failed(context: RequestContext, form: Form) -> MessageContext:
    """The form that says why it can't be used."""
    typed = form.read(HandoffFailForm)
    return fail(context.uow, handoff_id=form.row("h"), reason=typed.reason, lacking=typed.lacking)


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="handoff",
            task="This week",
            usage="[playbook] send <team> <what> | accept [#id] [note] | fail [#id] <reason> | done [#id] [note] | "
            "withdraw [#id] [reason] | settle [#id] | show [team=slug] [link=…]",
            summary="Hand work to another team, or answer what was handed to yours",
            examples=(
                "/cadence handoff support-reply send billing refund for case 4711",
                "/cadence handoff accept #12",
                "/cadence handoff fail #12 the invoice number is missing",
                "/cadence handoff done #12",
                "/cadence handoff withdraw #13",
                "/cadence handoff show",
            ),
            read=read_handoff,
            bare=Handoff,
            run=by_command,
            options=("team", "link"),
        ),
    ),
    buttons={
        Action.ACCEPT_HANDOFF: accepted,
        Action.FAIL_HANDOFF: open_fail,
        Action.FINISH_HANDOFF: finished,
        Action.WITHDRAW_HANDOFF: withdrawn,
        Action.SETTLE_HANDOFF: settled,
        Action.SEND_HANDOFF: open_again,
    },
    forms={Callback.HANDOFF: sent, Callback.HANDOFF_FAIL: failed},
)
