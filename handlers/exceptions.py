"""Exceptions: `/exception`, its form, and the list behind an alert."""

import re
from dataclasses import dataclass, replace
from typing import Final

from pydantic import TypeAdapter, ValidationError

from cadence.flows.core import NeedsChoice
from cadence.flows.exceptions import (
    ExceptionGiven,
    NeedsConfirming,
    counted_exceptions,
    exception_form,
    log_exception,
    undo_exception,
)
from cadence.mrkdwn import code, say
from cadence.refusals import Offer, Refusal
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import AboutPlaybook, Entry, Request
from handlers.grammar.errors import clip, quoted, shown
from handlers.grammar.request import LONGEST_TEXT
from handlers.grammar.steps import UnknownStep, take_step
from handlers.payloads import OLD_BUTTON, Body, Form, metadata, row_id, split_ref
from templates.contexts.base import MessageContext, ViewContext
from templates.contexts.exceptions import ExceptionForm
from templates.ids import Action, Callback

_ADVICE: Final = "Shorten it, or put it in a thread and add `link=` with its link."
_LONGEST_VALUE: Final = 2_000
"""Characters of a button's value, as many as Slack takes; a button that can't hold it all isn't offered."""
_CRITICAL_FIRST: Final = re.compile(r"^critical(?:\s+|$)")
_YES: Final = frozenset({"yes", "y", "true", "1"})
_NO: Final = frozenset({"no", "n", "false", "0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LogException(AboutPlaybook):
    """`/exception`: one run in which a step went wrong; `undo` undoes the last one."""

    undo: bool = False
    step: str | None = None
    critical: bool = False
    reason: str | None = None
    link: str | None = None


_KEPT: Final = TypeAdapter(LogException)


def read_exception(request: Request) -> LogException:
    """`/exception [playbook] <step> [critical] <reason>`, or `/exception undo`; `critical=yes` can stand anywhere."""
    if request.typed.key() == "undo" and len(request.typed.words) == 1 and "undo" not in request.steps(None):
        request.typed.take()
        return LogException(undo=True)
    named = request.the_playbook(request.playbook())
    critical = "critical" not in request.steps(named) and _critical(request)
    critical = _agreed(request, critical)
    if not request.typed:
        return LogException(critical=critical, link=request.link, playbook=named, team=request.team)
    try:
        step = take_step(request, named)
    except UnknownStep as unknown:
        raise _giving_back(request, unknown, critical=critical) from None
    critical = _agreed(request, _critical(request)) or critical
    reason = request.sentence("reason", _ADVICE)
    return LogException(
        step=step,
        critical=critical,
        reason=reason,
        link=request.link,
        playbook=named or request.home_of([step]),
        team=request.team,
    )


def _giving_back(request: Request, unknown: UnknownStep, *, critical: bool) -> UnknownStep:
    """The refusal with the input, to copy, and a button that logs it on the right step."""
    near, playbook = unknown.near, unknown.playbook
    reason, found = _CRITICAL_FIRST.subn("", unknown.reason or "")
    critical = _agreed(request, critical or found > 0)
    meant = LogException(
        playbook=playbook,
        step=near,
        critical=critical,
        reason=reason or None,
        link=request.link,
        team=request.team,
    )
    options = (f"{name}={value}" for name, value in request.options.items() if name != "critical")
    kept = " ".join(filter(None, ("critical" if critical else "", reason, *options)))
    text = say("{text} You wrote: {kept}.", text=unknown.text, kept=quoted(kept)) if kept else unknown.text
    return UnknownStep(text, reason=meant.reason, near=near, playbook=playbook, offer=_offer(request, meant))


def _offer(request: Request, meant: LogException) -> Offer | None:
    """The button that opens the form for what was meant; None if nothing can be logged, or if it is too long."""
    names, playbook, step = request.vocabulary, meant.playbook, meant.step
    value = _KEPT.dump_json(meant, exclude_defaults=True).decode()
    too_long = len(value) > _LONGEST_VALUE or len(meant.reason or "") > LONGEST_TEXT
    if playbook is None or too_long or not names.accepts_reports(playbook, step, meant.team):
        return None
    label = f"Log it on “{clip(names.step_title(playbook, step), 50)}”" if step else "Choose the step"
    return Offer(label=label, action=Action.LOG_EXCEPTION, value=value)


def _critical(request: Request) -> bool:
    """Take the word `critical`; in quotes it is part of the reason."""
    if request.typed.key() != "critical" or not request.typed.words[0].text[:1].isalpha():
        return False
    request.typed.take()
    return True


def _agreed(request: Request, said: bool) -> bool:
    """Whether it is critical: the word `critical`, or `critical=yes`.

    Raises:
        Refusal: the option is neither yes nor no, or it says no next to the word.
    """
    typed = request.options.get("critical")
    if typed is None:
        return said
    if typed.casefold() not in _YES | _NO:
        raise Refusal(
            say(
                "{typed} isn't a yes or a no. Try {yes} or {no}.",
                typed=shown(f"critical={typed}"),
                yes=code("critical=yes"),
                no=code("critical=no"),
            )
        )
    if said and typed.casefold() in _NO:
        raise Refusal(
            say("You typed {one} and {two}. Which one?", one=code("critical"), two=shown(f"critical={typed}"))
        )
    return typed.casefold() in _YES


def by_command(context: RequestContext, command: LogException) -> None:
    """`/exception`: logs immediately; opens the form without arguments, or if it isn't clear which
    adoption is meant."""
    if command.undo:
        context.say(undo_exception(context.uow))
        return
    if command.step is None or command.reason is None:
        open_form(context, command)
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
        context.say(log_exception(context.uow, given))
    except NeedsChoice:
        open_form(context, command)
    except NeedsConfirming as asked:
        context.open(_confirming(context, given, asked), ids=metadata(agreed=sorted(asked.agreed)))


def _confirming(context: RequestContext, given: ExceptionGiven, asked: NeedsConfirming) -> ExceptionForm:
    """The prefilled form, which says what it will do."""
    return exception_form(
        context.uow,
        adoption_id=asked.adoption_id,
        step=given.step,
        reason=given.reason,
        link=given.link or "",
        critical=given.critical,
        notice=asked.text,
    )


def open_form(context: RequestContext, command: LogException) -> None:
    """Open the prefilled form."""
    form = exception_form(
        context.uow,
        playbook=command.playbook,
        team=command.team,
        step=command.step,
        reason=command.reason or "",
        link=command.link or "",
        critical=command.critical,
    )
    context.open(form)


def by_button(context: RequestContext, value: str, _body: Body) -> None:
    """The prefilled form: [Log it on …] in a refusal keeps what was typed, [Log an exception] on a grade its step."""
    if value.startswith("{"):
        try:
            open_form(context, _KEPT.validate_json(value))
        except ValidationError as error:
            raise Refusal(OLD_BUTTON) from error
        return
    adoption_id, step = split_ref(value)
    context.open(exception_form(context.uow, adoption_id=adoption_id, step=step))


def step_chosen(context: RequestContext, value: str, body: Body) -> None:
    """Another step: the form says what a critical exception would do to that one."""
    view = body.get("view") or {}
    form, (adoption_id, step) = Form.of(view), split_ref(value)
    typed = form.read(ExceptionForm)
    preview = exception_form(
        context.uow,
        adoption_id=adoption_id,
        step=step,
        reason=typed.reason,
        link=typed.link,
        critical=typed.critical,
    )
    context.update(str(view.get("id") or ""), preview, ids=metadata(**form.ids))


def see(context: RequestContext, value: str, _body: Body) -> None:
    """[View exceptions]: those that count now."""
    adoption_id, step = split_ref(value)
    context.open(counted_exceptions(context.uow, adoption_id=adoption_id, step=step))


def undo(context: RequestContext, value: str, _body: Body) -> None:
    """[Undo] on the answer that says it was logged: what was undone stands in its place."""
    context.say_instead(undo_exception(context.uow, exception_id=row_id(value) or 0))


def undo_last(context: RequestContext, value: str, _body: Body) -> None:
    """[Undo your last exception] below a trace, which stays."""
    context.say(undo_exception(context.uow, exception_id=row_id(value) or 0))


def submitted(context: RequestContext, form: Form) -> MessageContext | ViewContext:
    """The form; shown again if it needs a second click."""
    agreed = form.ids.get("agreed")
    typed = form.read(ExceptionForm)
    adoption_id, step = split_ref(typed.selected or "")
    given = ExceptionGiven(
        adoption_id=adoption_id,
        step=step,
        reason=typed.reason,
        critical=typed.critical,
        link=typed.link or None,
        agreed=frozenset(map(str, agreed)) if isinstance(agreed, list) else frozenset(),
    )
    try:
        return log_exception(context.uow.by(context.by(form)), given)
    except NeedsConfirming as asked:
        ids = metadata(**{**form.ids, "agreed": sorted(asked.agreed)})
        return replace(_confirming(context, given, asked), private_metadata=ids)


FEATURE: Final = Feature(
    commands=(
        Entry(
            slash="/exception",
            name="exception",
            task="Exceptions and steps",
            usage="[playbook] <step> [critical] <reason> [link=…] [team=slug]",
            summary="Log a run that went wrong",
            examples=(
                "/exception send tone was off",
                "/exception support-reply send critical promised a refund",
                "/exception undo",
            ),
            read=read_exception,
            bare=LogException,
            run=by_command,
            options=("critical", "link", "team"),
            words=("undo",),
        ),
    ),
    buttons={
        Action.LOG_EXCEPTION: by_button,
        Action.CHOOSE_STEP: step_chosen,
        Action.SEE_EXCEPTIONS: see,
        Action.UNDO_EXCEPTION: undo,
        Action.UNDO_LAST_EXCEPTION: undo_last,
    },
    forms={Callback.EXCEPTION: submitted},
)
