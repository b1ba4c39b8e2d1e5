"""The ways to listen to Slack: a command, a button, a shortcut, a submitted form.

Every listener goes through here, so that a `Refusal` becomes a sentence where the person looks, whatever
they pressed; and so that nothing a listener does is anything but: parse, one call, answer.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter
from typing import Any, TypeVar

import structlog
from slack_bolt import Ack, App, BoltResponse, Respond
from slack_sdk import WebClient

from cadence.flows.core import Repeated
from cadence.refusals import Refusal
from cadence.typed import visible
from handlers.context import SHORTCUT, Services, Turn, turn_of
from handlers.payloads import Body, Form, button_value
from handlers.views import (
    SLACK_TROUBLE,
    NotMade,
    answer_view,
    as_view,
    form_around,
    form_errors,
    inputs,
    on_home,
    on_top,
    renew,
)
from storage.engine import Clash, is_busy, is_unreachable
from templates.contexts.answers import Refused
from templates.contexts.base import MessageContext, ViewContext
from templates.ids import Action, Callback, Shortcut
from templates.render import Rendered, render

T = TypeVar("T")

log = structlog.get_logger(__name__)

BUSY = "The database is busy, so we couldn't do that. Nothing was changed; try again in a moment."
UNREACHABLE = "We can't reach our database right now. Nothing was saved; try again in a minute."


def register_failures(app: App, services: Services) -> None:
    """Answer a request that failed outside of our listeners, such as while finding out whose workspace it is.

    Events get a 503 while the database is away, so that Slack sends them again.
    """

    def failed(error: Exception, body: dict[str, Any], respond: Respond) -> BoltResponse:
        outcome = _Outcome()
        said = _sentence(services, error, outcome)
        if "event" in body:
            return BoltResponse(status=503 if outcome.word == "unavailable" else 500)
        message = render(said)
        if "command" in body:
            answer = {"text": message.text, "blocks": message.blocks, "response_type": "ephemeral"}
            return BoltResponse(status=200, body=answer)
        if body.get("type") == "view_submission":
            fields = inputs(body["view"])
            if fields:  # what was typed stays
                return BoltResponse(
                    status=200, body={"response_action": "errors", "errors": {fields[0]: said.text}}
                )
            return BoltResponse(status=200, body={"response_action": "update", "view": answer_view(said)})
        if body.get("response_url"):
            with suppress(*SLACK_TROUBLE):
                _took(respond, message)
        return BoltResponse(status=200)

    app.error(failed)


class _Unshown(Exception):
    """Slack didn't take the answer. What was asked for is done all the same; the cause is chained."""


def register_command(
    app: App, services: Services, name: str, run: Callable[[Turn, str], None], *, finds_repeats: bool = False
) -> None:
    """Listen for a slash command; the answer travels back in the acknowledgement.

    `finds_repeats`: `run` looks by itself whether its request came before, in a statement it makes anyhow.
    """

    def listener(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        answers: list[MessageContext] = []
        text = visible(body.get("text") or "")
        turn = turn_of(services, body, client, "command", answers.append)
        message: Rendered | None = None
        with _observed(services, name) as outcome:
            try:
                _by_participant(
                    turn, lambda: run(turn, text), anybody=_is_help(text), finds_repeats=finds_repeats
                )
            except Repeated as before:
                outcome.word, message = "repeated", _rendered(before)
            except Exception as error:  # noqa: BLE001 - every error becomes a sentence
                _tell(turn, _sentence(services, error, outcome), error, answers.append)
        if message is None and answers:
            message = render(answers[-1])
        if message is None:
            ack()
            return
        ack(text=message.text, blocks=message.blocks, response_type="ephemeral")

    app.command(name)(listener)


def register_button(
    app: App, services: Services, action: Action, run: Callable[[Turn, str, Body], None]
) -> None:
    """Listen for a button or a menu; the answer is shown to the person only."""

    def listener(ack: Ack, body: dict[str, Any], client: WebClient, respond: Respond) -> None:
        def show(message: Rendered) -> None:
            if not (body.get("response_url") and _took(respond, message)):
                on_top(client, body["trigger_id"], as_view(message), inside=form_around(body))

        turn = turn_of(services, body, client, "button", _or_unshown(show))
        _pressed(turn, action, lambda: run(turn, button_value(body), body), show)
        if on_home(body):
            services.homes.clicked(turn.caller.workspace_id, turn.caller.member)
        ack()

    app.action(action)(listener)


def register_shortcut(
    app: App, services: Services, shortcut: Shortcut, run: Callable[[Turn, Body], None], *, on_message: bool
) -> None:
    """Listen for a shortcut; the answer is a modal. Only one on a message has a conversation as well."""

    def listener(ack: Ack, body: dict[str, Any], client: WebClient, respond: Respond) -> None:
        def show(message: Rendered) -> None:
            try:
                on_top(client, body["trigger_id"], as_view(message), inside=None)
            except Refusal:
                if not (body.get("response_url") and _took(respond, message)):
                    raise

        turn = turn_of(services, body, client, SHORTCUT, _or_unshown(show))
        _pressed(turn, shortcut, lambda: run(turn, body), show)
        ack()

    listen = app.message_shortcut if on_message else app.global_shortcut
    listen(shortcut)(listener)


def register_form(
    app: App,
    services: Services,
    callback: Callback,
    run: Callable[[Turn, Form], MessageContext | ViewContext | None],
) -> None:
    """Listen for a submitted form. What `run` returns is shown in its place; None closes it."""

    def listener(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        form = Form.of(body["view"])
        turn = turn_of(services, body, client, "form", lambda _context: None)
        shown: MessageContext | ViewContext | None
        with _observed(services, callback) as outcome:
            try:
                shown = _by_participant(turn, lambda: run(turn, form))
            except Repeated as before:
                outcome.word, message = "repeated", _rendered(before)
                if message is None:
                    ack()
                else:
                    ack(response_action="update", view=as_view(message))
                return
            except Exception as error:  # noqa: BLE001 - every error becomes a sentence
                shown = _sentence(services, error, outcome)
                if inputs(body["view"]) and outcome.word != "error":
                    refusal = error if isinstance(error, Refusal) else Refusal(shown.text)
                    ack(
                        response_action="errors",
                        errors=form_errors(turn.db, turn.caller, body["view"], refusal),
                    )
                    return
        if shown is None:
            ack()
        elif isinstance(shown, ViewContext):
            ack(response_action="update", view=render(shown))
        else:
            ack(response_action="update", view=answer_view(shown))

    app.view(callback)(listener)


def _took(respond: Respond, message: Rendered) -> bool:
    """Answer in the conversation; False when Slack doesn't take the response URL, as after its five uses."""
    taken = respond(
        text=message.text, blocks=message.blocks, response_type="ephemeral", replace_original=False
    )
    if taken.status_code != HTTPStatus.OK:
        log.warning("response URL not taken", status=taken.status_code)
    return taken.status_code == HTTPStatus.OK


def _or_unshown(show: Callable[[Rendered], None]) -> Callable[[MessageContext], None]:
    """Tell an answer that Slack doesn't take from a request that failed: the latter changed nothing."""

    def said(context: MessageContext) -> None:
        try:
            show(render(context))
        except (*SLACK_TROUBLE, Refusal) as silent:
            raise _Unshown from silent

    return said


def _pressed(turn: Turn, kind: str, run: Callable[[], None], show: Callable[[Rendered], None]) -> None:
    """Do what was pressed or chosen; why it can't be done is said where the person looks."""
    with _observed(turn.services, kind) as outcome:
        try:
            _by_participant(turn, run)
        except _Unshown as silent:
            _note_unshown(silent)
        except Repeated as before:
            outcome.word, message = "repeated", _rendered(before)
            if message is not None:
                with suppress(*SLACK_TROUBLE, Refusal):
                    show(message)
        except Exception as error:  # noqa: BLE001 - every error becomes a sentence
            try:
                _tell(turn, _sentence(turn.services, error, outcome), error, turn.say)
            except _Unshown as silent:
                _note_unshown(silent)


def _note_unshown(silent: _Unshown) -> None:
    """Log that there was no way left to answer; nothing of ours is wrong."""
    why = silent.__cause__
    log.warning("answer not shown", error=str(why) if isinstance(why, Refusal) else type(why).__name__)


def _tell(turn: Turn, said: Refused, error: Exception, say: Callable[[MessageContext], None]) -> None:
    """Say what went wrong: in the view that says "One moment", if that is what the person is looking at."""
    if isinstance(error, NotMade):
        if error.view_id:
            with suppress(*SLACK_TROUBLE):
                renew(turn.client, error.view_id, answer_view(said))
        return
    say(said)


def _is_help(text: str) -> bool:
    """Whether a command only asks how commands are written, which anybody may know."""
    return text.split(maxsplit=1)[:1] == ["help"]


def _by_participant(
    turn: Turn, run: Callable[[], T], *, anybody: bool = False, finds_repeats: bool = False
) -> T:
    """Do what somebody asks for who takes part here (SPEC §8): every command, button, shortcut and form.

    Raises:
        NotAllowed: they don't.
    """
    if not anybody:
        turn.require_part()
    return _once(turn, run, finds_repeats=finds_repeats)


def _once(turn: Turn, run: Callable[[], T], *, finds_repeats: bool = False) -> T:
    """Do what was asked, unless this very request was carried out before.

    Two people at the same moment: whoever comes second runs again and finds what the first one made.

    Raises:
        Repeated: it was carried out before, perhaps by a copy of it just now.
        Refusal: it can't be done.
    """
    try:
        if not finds_repeats:
            turn.require_new()
        return run()
    except Clash:
        turn.require_new()
        return run()
    except Refusal:
        turn.require_new()  # what its copy did just now may be what is in the way
        raise


def _rendered(before: Repeated) -> Rendered | None:
    """What was answered the first time."""
    return Rendered(**before.answer) if before.answer is not None else None


@dataclass(slots=True)
class _Outcome:
    """How a request ended.

    Ok, repeated (answered as before), refused (the person is told why), unavailable, or error (a mistake of ours).
    """

    word: str = "ok"


@contextmanager
def _observed(services: Services, kind: str) -> Iterator[_Outcome]:
    begun, outcome = perf_counter(), _Outcome()
    try:
        yield outcome
    finally:
        services.observe(kind, outcome.word, perf_counter() - begun)


def _sentence(services: Services, error: Exception, outcome: _Outcome) -> Refused:
    """What a person is told of an error; a mistake of ours gets a short code, and the log the rest."""
    why = error.__cause__ if isinstance(error, NotMade) and error.__cause__ is not None else error
    if isinstance(why, Refusal):
        outcome.word = "refused"
        return Refused(text=why.text, offer=why.offer)
    if is_busy(why):
        outcome.word = "unavailable"
        log.warning("database busy", error=type(why).__name__)
        return Refused(text=BUSY)
    if is_unreachable(why):
        outcome.word = "unavailable"
        log.warning("database unreachable", error=type(why).__name__)
        return Refused(text=UNREACHABLE)
    outcome.word = "error"
    code = services.code_for(why)
    return Refused(
        text=f"Something went wrong on our side, and nothing was changed. If it happens again, quote {code}."
    )
