"""Listening to Slack: commands, buttons, shortcuts, submitted forms.

Every listener goes through here, so that a `Refusal` becomes a sentence where the person looks, and so that a
listener only parses, makes one call and answers.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from time import perf_counter
from typing import Any, TypeVar

import structlog
from slack_bolt import Ack, App, BoltResponse, Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from cadence.flows.core import Repeated, named
from cadence.refusals import Refusal
from cadence.typed import visible
from handlers.context import SHORTCUT, RequestContext, Services, context_of
from handlers.payloads import Body, Form, button_value, member_of
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
from storage.engine import Conflict, is_busy, is_unreachable
from templates.contexts.answers import Refused
from templates.contexts.base import MessageContext, ViewContext
from templates.ids import Action, Callback, Shortcut
from templates.plain import plain_text
from templates.render import Rendered, render

T = TypeVar("T")

log = structlog.get_logger(__name__)

BUSY = "We're a little busy right now. Nothing was changed. Try again in a moment."
OUTDATED = "This menu has expired. Open a newer message, or the Home tab."
UNREACHABLE = "We can't reach our database right now. Nothing was saved. Try again in a minute."


def register_failures(app: App, services: Services) -> None:
    """Answer a request that failed outside of the listeners, such as while finding out its workspace.

    Events get a 503 while the database can't be reached, so that Slack sends them again.
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
            if fields:  # the form keeps its input
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
    """Slack refused the answer. The request was carried out anyway; the cause is chained."""


Typed = Callable[[RequestContext, str], None]
"""A command's handler, called with its text."""


def register_commands(app: App, services: Services, commands: Mapping[str, Typed]) -> None:
    """Listen for slash commands, all with one listener, as for buttons; the answer travels back in the
    acknowledgement."""
    listeners = {name: _command_listener(services, name, run) for name, run in commands.items()}

    def typed(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        listeners[body["command"]](ack, body, client)

    app.command(_one_of(listeners))(typed)


def _command_listener(
    services: Services, name: str, run: Typed
) -> Callable[[Ack, dict[str, Any], WebClient], None]:
    def listener(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        answers: list[MessageContext] = []
        text = visible(body.get("text") or "")
        context = context_of(services, body, client, "command", answers.append)
        message: Rendered | None = None
        with _observed(services, name) as outcome:
            try:
                _by_participant(context, lambda: run(context, text), anybody=_is_help(text))
            except Repeated as before:
                outcome.word, message = "repeated", _rendered(before)
            except Exception as error:  # noqa: BLE001 - every error becomes a sentence
                _tell(context, _sentence(services, error, outcome), error, answers.append)
        if message is None and answers:
            message = render(answers[-1])
        if message is None:
            ack()
            return
        ack(text=message.text, blocks=message.blocks, response_type="ephemeral")

    return listener


Pressed = Callable[[RequestContext, str, Body], None]
"""A button's handler, called with its value and the whole request."""
Submitted = Callable[[RequestContext, Form], MessageContext | ViewContext | None]
"""A form's handler. Its result is shown in the form's place; None closes it."""
Listener = Callable[[Ack, dict[str, Any], WebClient, Respond], None]


def register_buttons(app: App, services: Services, buttons: Mapping[Action, Pressed]) -> None:
    """Listen for buttons and menus; the answer is shown to the person only.

    Bolt tries its listeners one by one, which for hundreds takes longer than most requests; so one listens for
    all of these.
    """
    listeners = {action: _button_listener(services, action, run) for action, run in buttons.items()}

    def pressed(ack: Ack, body: dict[str, Any], client: WebClient, respond: Respond) -> None:
        listeners[body["actions"][0]["action_id"]](ack, body, client, respond)

    app.action(_one_of(listeners))(pressed)


def _one_of(ids: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"\A(?:{'|'.join(map(re.escape, ids))})\Z")


NOBODY = "Choose the person this step acts for: a member of this workspace, such as the one who started it."
"""The refusal of a workflow's step that names no person."""


def register_step(
    app: App,
    services: Services,
    callback_id: str,
    run: Callable[[RequestContext, Mapping[str, Any]], MessageContext],
    *,
    person: str,
) -> None:
    """Listen for a step of a workflow; it ends with what was recorded, or with the sentence of a refusal.

    If the database can't be reached, the event fails, so that Slack sends it again.

    Args:
        person: the input that names the person it acts for.
    """

    def listener(body: dict[str, Any], client: WebClient) -> None:
        said: list[MessageContext] = []
        event = body["event"]
        execution, inputs = str(event["function_execution_id"]), event.get("inputs") or {}
        member = member_of(inputs.get(person))
        context = context_of(
            services,
            {**body, "user": {"id": member}, "trigger_id": execution},
            client,
            "workflow",
            said.append,
        )
        context = replace(context, uow=context.uow.by(replace(context.caller, member=member)))
        with _observed(services, f"step {callback_id}") as outcome:
            try:
                if not member:
                    raise Refusal(NOBODY)
                answer: Rendered | None = render(_by_participant(context, lambda: run(context, inputs)))
            except Repeated as before:
                outcome.word, answer = "repeated", _rendered(before)
            except Refusal as refused:
                outcome.word = "refused"
                sentence = named(context.uow, refused.plain)
                with _ended(callback_id):
                    client.functions_completeError(function_execution_id=execution, error=sentence)
                return
        outputs = {"answer": plain_text(answer.blocks) if answer else ""}
        with _ended(callback_id):
            client.functions_completeSuccess(function_execution_id=execution, outputs=outputs)

    app.function(callback_id)(listener)


@contextmanager
def _ended(callback_id: str) -> Iterator[None]:
    """Log that Slack no longer waits for a step; if it can't be reached, the event fails and is sent again."""
    try:
        yield
    except SlackApiError as refused:
        log.warning("a workflow's step had ended already", step=callback_id, error=refused.response["error"])


def register_menu(app: App, services: Services, buttons: Mapping[Action, Pressed]) -> None:
    """Listen for overflow menus: a chosen entry is carried out as if its button had been pressed."""
    listeners = {action: _button_listener(services, action, run) for action, run in buttons.items()}
    outdated = _button_listener(services, Action.MENU, _refuse_outdated)

    def chosen(ack: Ack, body: dict[str, Any], client: WebClient, respond: Respond) -> None:
        action, _, value = button_value(body).partition("|")
        button = {**body["actions"][0], "type": "button", "action_id": action, "value": value}
        button.pop("selected_option", None)
        found = listeners.get(Action(action), outdated) if action in set(Action) else outdated
        found(ack, {**body, "actions": [button]}, client, respond)

    app.action(Action.MENU)(chosen)


def _refuse_outdated(_context: RequestContext, _value: str, _body: Body) -> None:
    raise Refusal(OUTDATED)


def _button_listener(services: Services, action: Action, run: Pressed) -> Listener:
    def listener(ack: Ack, body: dict[str, Any], client: WebClient, respond: Respond) -> None:
        def show(message: Rendered) -> None:
            if not (body.get("response_url") and _took(respond, message)):
                on_top(client, body["trigger_id"], as_view(message), inside=form_around(body))

        def show_instead(message: Rendered) -> None:
            form = form_around(body)
            if form is not None:
                renew(client, form, as_view(message))
            elif not (body.get("response_url") and _took(respond, message, instead=True)):
                show(message)

        context = context_of(
            services, body, client, "button", _or_unshown(show), say_instead=_or_unshown(show_instead)
        )
        _pressed(context, action, lambda: run(context, button_value(body), body), show)
        if on_home(body):
            services.homes.clicked(context.caller.workspace_id, context.caller.member)
        ack()

    return listener


def register_shortcut(
    app: App,
    services: Services,
    shortcut: Shortcut,
    run: Callable[[RequestContext, Body], None],
    *,
    on_message: bool,
) -> None:
    """Listen for a shortcut; the answer is a modal. Only a message shortcut also has a conversation."""

    def listener(ack: Ack, body: dict[str, Any], client: WebClient, respond: Respond) -> None:
        def show(message: Rendered) -> None:
            try:
                on_top(client, body["trigger_id"], as_view(message), inside=None)
            except Refusal:
                if not (body.get("response_url") and _took(respond, message)):
                    raise

        context = context_of(services, body, client, SHORTCUT, _or_unshown(show))
        _pressed(context, shortcut, lambda: run(context, body), show)
        ack()

    listen = app.message_shortcut if on_message else app.global_shortcut
    listen(shortcut)(listener)


def register_forms(app: App, services: Services, forms: Mapping[Callback, Submitted]) -> None:
    """Listen for submitted forms, all with one listener, as for buttons."""
    listeners = {callback: _form_listener(services, callback, run) for callback, run in forms.items()}

    def submitted(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        listeners[body["view"]["callback_id"]](ack, body, client)

    app.view(_one_of(listeners))(submitted)


def _form_listener(
    services: Services, callback: Callback, run: Submitted
) -> Callable[[Ack, dict[str, Any], WebClient], None]:
    def listener(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        form = Form.of(body["view"])
        context = context_of(services, body, client, "form", lambda _context: None)
        shown: MessageContext | ViewContext | None
        with _observed(services, callback) as outcome:
            try:
                shown = _by_participant(context, lambda: run(context, form))
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
                        errors=form_errors(context.db, context.caller, body["view"], refusal),
                    )
                    return
        if shown is None:
            ack()
        elif isinstance(shown, ViewContext):
            ack(response_action="update", view=render(shown))
        else:
            ack(response_action="update", view=answer_view(shown))

    return listener


def _took(respond: Respond, message: Rendered, *, instead: bool = False) -> bool:
    """Answer in the conversation, or in place of the message that has the button.

    False if Slack refuses the response URL, as after its five uses.
    """
    taken = respond(
        text=message.text, blocks=message.blocks, response_type="ephemeral", replace_original=instead
    )
    if taken.status_code != HTTPStatus.OK:
        log.warning("response URL not taken", status=taken.status_code)
    return taken.status_code == HTTPStatus.OK


def _or_unshown(show: Callable[[Rendered], None]) -> Callable[[MessageContext], None]:
    """Distinguish an answer that Slack refuses from a request that failed: the latter changed nothing."""

    def said(context: MessageContext) -> None:
        try:
            show(render(context))
        except (*SLACK_TROUBLE, Refusal) as silent:
            raise _Unshown from silent

    return said


def _pressed(
    context: RequestContext, kind: str, run: Callable[[], None], show: Callable[[Rendered], None]
) -> None:
    """Carry out a click or choice; a refusal is shown where the person looks."""
    with _observed(context.services, kind) as outcome:
        try:
            _by_participant(context, run)
        except _Unshown as silent:
            _note_unshown(silent)
        except Repeated as before:
            outcome.word, message = "repeated", _rendered(before)
            if message is not None:
                with suppress(*SLACK_TROUBLE, Refusal):
                    show(message)
        except Exception as error:  # noqa: BLE001 - every error becomes a sentence
            try:
                _tell(context, _sentence(context.services, error, outcome), error, context.say)
            except _Unshown as silent:
                _note_unshown(silent)


def _note_unshown(silent: _Unshown) -> None:
    """Log that there was no way to answer; this is not the bot's mistake."""
    why = silent.__cause__
    log.warning("answer not shown", error=str(why) if isinstance(why, Refusal) else type(why).__name__)


def _tell(
    context: RequestContext, said: Refused, error: Exception, say: Callable[[MessageContext], None]
) -> None:
    """Show an error: in the placeholder view, if that is what the person is looking at."""
    if isinstance(error, NotMade):
        if error.view_id:
            with suppress(*SLACK_TROUBLE):
                renew(context.client, error.view_id, answer_view(said))
        return
    say(said)


def _is_help(text: str) -> bool:
    """Whether a command only asks for help, which anybody can get."""
    return text.split(maxsplit=1)[:1] == ["help"]


def _by_participant(context: RequestContext, run: Callable[[], T], *, anybody: bool = False) -> T:
    """Carry out a participant's request (SPEC §8): every command, button, shortcut and form.

    Raises:
        NotAllowed: they don't take part. Repeated: it was carried out before.
    """
    context.admit(anybody=anybody)
    return once_a_request(context, run)


def once_a_request(context: RequestContext, run: Callable[[], T]) -> T:
    """Carry out a request, unless it was carried out before.

    On a conflict of two people it runs again, and finds what the other one created.

    Raises:
        Repeated: it was carried out before, perhaps by a copy of it just now. Refusal: it can't be carried
        out.
    """
    try:
        return run()
    except Conflict:
        context.require_still_new()
        return run()
    except Refusal:
        context.require_still_new()  # a copy of the request may have just caused the refusal
        raise


def _rendered(before: Repeated) -> Rendered | None:
    """Render the first answer."""
    return Rendered(**before.answer) if before.answer is not None else None


@dataclass(slots=True)
class _Outcome:
    """The outcome of a request.

    Ok, repeated (answered as before), refused (the person is told why), unavailable, or error (a bug).
    """

    word: str = "ok"


@contextmanager
def _observed(services: Services, kind: str) -> Iterator[_Outcome]:
    begun, outcome = perf_counter(), _Outcome()
    try:
        yield outcome
    finally:
        services.observe(kind, outcome.word, perf_counter() - begun)


def sentence_for(services: Services, error: Exception) -> Refused:
    """The sentence for an error, for callers that don't count outcomes."""
    return _sentence(services, error, _Outcome())


def _sentence(services: Services, error: Exception, outcome: _Outcome) -> Refused:
    """The sentence for an error; a bug gets a short code, and the log has the details."""
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
        text=f"Something went wrong on our side. Nothing was changed. If it happens again, quote {code}."
    )
