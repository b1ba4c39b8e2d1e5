"""The ways to listen to Slack: a command, a button, a shortcut, a submitted form.

Every listener goes through here, so that a `Refusal` becomes a sentence where the person looks, whatever
they pressed; and so that nothing a listener does is anything but: parse, one call, answer.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from cadence.refusals import Refusal
from handlers.payloads import Body, Form, button_value
from handlers.turns import SHORTCUT, Services, Turn, turn_of
from handlers.views import answer_view, form_around, form_errors, inputs, on_home, on_top
from storage.engine import Clash
from templates.contexts.answers import Refused
from templates.contexts.base import MessageContext, ViewContext
from templates.ids import Action, Callback, Shortcut
from templates.render import render

T = TypeVar("T")


def register_command(app: App, services: Services, name: str, run: Callable[[Turn, str], None]) -> None:
    """Listen for a slash command; the answer travels back in the acknowledgement."""

    def listener(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        answers: list[MessageContext] = []
        turn = turn_of(services, body, client, "command", answers.append)
        with _observed(services, name) as outcome:
            try:
                _twice(lambda: run(turn, body.get("text") or ""))
            except Refusal as refusal:
                outcome.word = "refused"
                answers.append(Refused(text=refusal.text, offer=refusal.offer))
            except Exception as error:  # noqa: BLE001 - the person gets a code, the log the rest
                outcome.word = "error"
                answers.append(_broken(services, error))
        if not answers:
            ack()
            return
        message = render(answers[-1])
        ack(text=message.text, blocks=message.blocks, response_type="ephemeral")

    app.command(name)(listener)


def register_button(
    app: App, services: Services, action: Action, run: Callable[[Turn, str, Body], None]
) -> None:
    """Listen for a button or a menu; the answer is shown to the person only."""

    def listener(ack: Ack, body: dict[str, Any], client: WebClient, respond: Respond) -> None:
        def say(context: MessageContext) -> None:
            message = render(context)
            if body.get("response_url"):
                respond(
                    text=message.text,
                    blocks=message.blocks,
                    response_type="ephemeral",
                    replace_original=False,
                )
            else:
                on_top(client, body["trigger_id"], answer_view(context), inside=form_around(body))

        turn = turn_of(services, body, client, "button", say)
        _pressed(turn, action, lambda: run(turn, button_value(body), body))
        if on_home(body):
            services.homes.clicked(turn.caller.workspace_id, turn.caller.member)
        ack()

    app.action(action)(listener)


def register_shortcut(
    app: App, services: Services, shortcut: Shortcut, run: Callable[[Turn, Body], None], *, on_message: bool
) -> None:
    """Listen for a shortcut; there is no conversation to answer in, so the answer is a modal."""

    def listener(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        def say(context: MessageContext) -> None:
            client.views_open(trigger_id=body["trigger_id"], view=answer_view(context))

        turn = turn_of(services, body, client, SHORTCUT, say)
        _pressed(turn, shortcut, lambda: run(turn, body))
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
        with _observed(services, callback) as outcome:
            try:
                shown = _twice(lambda: run(turn, form))
            except Refusal as refusal:
                outcome.word = "refused"
                if inputs(body["view"]):
                    ack(
                        response_action="errors",
                        errors=form_errors(turn.db, turn.caller, body["view"], refusal),
                    )
                    return
                shown = Refused(text=refusal.text, offer=refusal.offer)
            except Exception as error:  # noqa: BLE001 - the person gets a code, the log the rest
                outcome.word = "error"
                shown = _broken(services, error)
        if shown is None:
            ack()
        elif isinstance(shown, ViewContext):
            ack(response_action="update", view=render(shown))
        else:
            ack(response_action="update", view=answer_view(shown))

    app.view(callback)(listener)


def _pressed(turn: Turn, kind: str, run: Callable[[], None]) -> None:
    """Do what was pressed or chosen; why it can't be done is said where the person looks."""
    refused: Refused | None = None
    with _observed(turn.services, kind) as outcome:
        try:
            _twice(run)
        except Refusal as refusal:
            outcome.word = "refused"
            refused = Refused(text=refusal.text, offer=refusal.offer)
        except Exception as error:  # noqa: BLE001 - the person gets a code, the log the rest
            outcome.word = "error"
            refused = _broken(turn.services, error)
    try:
        if refused is not None:
            turn.say(refused)
    except Exception as silent:  # noqa: BLE001 - Slack can't be reached: there is no way left to say so
        turn.services.code_for(silent)


def _twice(run: Callable[[], T]) -> T:
    """Two people at the same moment: whoever comes second runs again and finds what the first one made."""
    try:
        return run()
    except Clash:
        return run()


@dataclass(slots=True)
class _Outcome:
    """How a request ended: ok, refused (the person is told why) or error (a mistake of ours)."""

    word: str = "ok"


@contextmanager
def _observed(services: Services, kind: str) -> Iterator[_Outcome]:
    begun, outcome = perf_counter(), _Outcome()
    try:
        yield outcome
    finally:
        services.observe(kind, outcome.word, perf_counter() - begun)


def _broken(services: Services, error: Exception) -> Refused:
    """A mistake of ours: a short code for the person, everything else in the log."""
    if isinstance(error, SlackApiError) and "trigger" in str(error.response.get("error", "")):
        return Refused(text="That took too long for Slack, and nothing was changed. Please try once more.")
    code = services.code_for(error)
    return Refused(
        text=f"Something went wrong on our side, and nothing was changed. If it happens again, quote {code}."
    )
