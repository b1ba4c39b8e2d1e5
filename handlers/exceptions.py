"""Exceptions: `/exception`, its form, and the list behind an alert."""

import re
from dataclasses import dataclass, replace
from typing import Final

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
from handlers.grammar.steps import UnknownStep, take_step
from handlers.payloads import Body, Form, metadata, row_id, split_ref
from templates.contexts.base import MessageContext, ViewContext
from templates.contexts.exceptions import ExceptionForm
from templates.ids import Action, Callback

_ADVICE: Final = "Shorten it, or put it in a thread and add `link=` with its link."
_LONGEST_KEPT: Final = 1_000
"""Characters of a button's value: the ids, and the typed words, so that nobody has to retype them."""
_CRITICAL_FIRST: Final = re.compile(r"critical(?:\s+|$)")
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


def read_exception(request: Request) -> LogException:
    """`/exception [playbook] <step> [critical] <reason>`, or `/exception undo`; `critical=yes` can stand anywhere."""
    _refuse_week(request)
    request.refuse_misspelled()
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
    near, reason, playbook, text, offer = unknown.near, unknown.reason, unknown.playbook, unknown.text, None
    kept = f"critical {reason or ''}".strip() if critical else reason
    if playbook:
        title = request.vocabulary.step_title(playbook, near) if near else ""
        label = f"Log it on “{clip(title, 50)}”" if near else "Choose the step"
        value = f"{playbook}:{near or ''}:{kept or ''}"[:_LONGEST_KEPT]
        offer = Offer(label=label, action=Action.LOG_EXCEPTION, value=value)
    if kept:
        text = say("{text} You wrote: {kept}.", text=text, kept=quoted(kept))
    return UnknownStep(text, reason=reason, near=near, playbook=playbook, offer=offer)


def _refuse_week(request: Request) -> None:
    """Refuse `week=N`, which other reports accept; it must not end up in the reason."""
    week = next((word for word in request.typed.words if word.option and word.option[0] == "week"), None)
    if week is not None:
        raise Refusal(
            say("An exception counts from when it's logged. Leave out {week}.", week=shown(week.text))
        )


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
        step=command.step,
        reason=command.reason or "",
        link=command.link or "",
        critical=command.critical,
    )
    context.open(form)


def by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Log it on …] in a refusal: the form, prefilled with the suggested step and the input."""
    where, _, rest = value.partition(":")
    step, _, reason = rest.partition(":")
    form = exception_form(
        context.uow,
        adoption_id=row_id(where),
        playbook=where or None,
        step=step or None,
        reason=_CRITICAL_FIRST.sub("", reason),
        critical=_CRITICAL_FIRST.match(reason) is not None,
    )
    context.open(form)


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
