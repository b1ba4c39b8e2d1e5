"""One turn of a conversation: who asked what, when, and the ways to answer that person.

Every listener goes through here, so that a `Refusal` becomes a sentence where the person looks, whatever
they pressed; and so that nothing a listener does is anything but: parse, one call, answer.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from time import perf_counter
from typing import Any, Final, Protocol, TypeVar
from uuid import uuid4

import structlog
from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from cadence.flows.callers import Caller
from cadence.flows.people import named, today_of
from cadence.refusals import FieldsRefused, Refusal
from handlers.payloads import Body, Form, button_value, metadata
from storage.engine import Clash, Database
from templates.contexts.answers import Refused
from templates.contexts.base import MessageContext, ViewContext
from templates.contexts.forms import InfoView
from templates.ids import Action, Callback, Shortcut
from templates.render import Json, render

log = structlog.get_logger(__name__)
T = TypeVar("T")
SHORTCUT: Final = "shortcut"
_SURFACE: Final = "from"


class Homes(Protocol):
    """Shows people their Home. Neither raises when Slack doesn't take it: the worker tries again."""

    def opened(self, workspace_id: str, member: str) -> None:
        """A person opened it."""

    def clicked(self, workspace_id: str, member: str) -> None:
        """A person clicked something on it."""


@dataclass(frozen=True, slots=True)
class Services:
    """What every listener works with.

    Args:
        clock: the time, passed in.
        named_curators: members whom the installation names as curators.
        meet: makes sure the bot knows what Slack says of a person; called with workspace and member.
        homes: shows people their Home.
        observe: told the kind of request, its outcome and how long it took in seconds.
    """

    db: Database
    clock: Callable[[], datetime]
    named_curators: frozenset[str]
    meet: Callable[[str, str], None]
    homes: Homes
    observe: Callable[[str, str, float], None]
    code_for: Callable[[BaseException], str]


@dataclass(frozen=True, slots=True)
class Turn:
    """One request of a person, and how to answer it."""

    services: Services
    caller: Caller
    now: datetime
    client: WebClient
    trigger_id: str
    say: Callable[[MessageContext], None]
    inside: str | None = None

    @property
    def db(self) -> Database:
        """The database."""
        return self.services.db

    @property
    def today(self) -> date:
        """The person's local date."""
        return today_of(self.db, self.caller, now=self.now)

    def by(self, form: Form) -> Caller:
        """The caller of a form: one that a shortcut opened was given on that surface."""
        return replace(self.caller, surface=SHORTCUT) if form.ids.get(_SURFACE) == SHORTCUT else self.caller

    def open(self, form: ViewContext, *, ids: str | None = None) -> None:
        """Show a form, on top of the one the person is in.

        `ids` replaces its private metadata; the trigger lives three seconds and is used once.
        """
        view = render(form if ids is None else replace(form, private_metadata=ids))
        self._show(view)

    def open_when_made(self, title: str, make: Callable[[], ViewContext], *, ids: str | None = None) -> None:
        """Show a form that takes a while to make: the trigger is used at once, on a view that says so.

        When it can't be made, the view says why.
        """
        opened = self._show(render(InfoView.loading(title)))
        try:
            form = make()
        except Refusal as refusal:
            view = answer_view(Refused(text=refusal.text, offer=refusal.offer))
            self.client.views_update(view_id=opened, view=view)
            return
        self.update(opened, form, ids=ids)

    def update(self, view_id: str, form: ViewContext, *, ids: str | None = None) -> None:
        """Show a form in the place of a view that is open; without one, on its own."""
        view = render(form if ids is None else replace(form, private_metadata=ids))
        if view_id:
            self.client.views_update(view_id=view_id, view=view)
        else:
            self._show(view)

    def back_to(self, view_id: str, form: ViewContext, *, ids: str) -> ViewContext | None:
        """What a submitted form leaves: the view below it, renewed. When that is gone, the form itself becomes it."""
        renewed = replace(form, private_metadata=ids)
        if view_id:
            with suppress(SlackApiError):
                self.client.views_update(view_id=view_id, view=render(renewed))
                return None
        return renewed

    def again(self, shown: MessageContext | ViewContext, form: Form) -> MessageContext | ViewContext:
        """A form shown once more keeps the ids it was opened with."""
        return (
            replace(shown, private_metadata=metadata(**form.ids)) if isinstance(shown, ViewContext) else shown
        )

    def _show(self, view: Json) -> str:
        return _on_top(self.client, self.trigger_id, view, inside=self.inside)


def register_command(app: App, services: Services, name: str, run: Callable[[Turn, str], None]) -> None:
    """Listen for a slash command; the answer travels back in the acknowledgement."""

    def listener(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        answers: list[MessageContext] = []
        turn = _turn(services, body, client, "command", answers.append)
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
                _on_top(client, body["trigger_id"], answer_view(context), inside=_form_around(body))

        turn = _turn(services, body, client, "button", say)
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

        turn = _turn(services, body, client, SHORTCUT, say)
        _pressed(turn, shortcut, lambda: run(turn, body))
        ack()

    listen = app.message_shortcut if on_message else app.global_shortcut
    listen(shortcut)(listener)


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


def register_form(
    app: App,
    services: Services,
    callback: Callback,
    run: Callable[[Turn, Form], MessageContext | ViewContext | None],
) -> None:
    """Listen for a submitted form. What `run` returns is shown in its place; None closes it."""

    def listener(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        form = Form.of(body["view"])
        turn = _turn(services, body, client, "form", lambda _context: None)
        with _observed(services, callback) as outcome:
            try:
                shown = _twice(lambda: run(turn, form))
            except Refusal as refusal:
                outcome.word = "refused"
                if _inputs(body["view"]):
                    ack(response_action="errors", errors=_errors(turn, body["view"], refusal))
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


def shortcut_ids(**ids: object) -> str:
    """The private metadata of a form that a shortcut opens: what it was given is of that surface."""
    return metadata(**ids, **{_SURFACE: SHORTCUT})


def answer_view(context: MessageContext) -> Json:
    """An answer as a modal, for places that have no conversation to answer in."""
    message = render(context)
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Rollout Cadence"},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": message.blocks,
    }


def _turn(
    services: Services,
    body: Body,
    client: WebClient,
    surface: str,
    say: Callable[[MessageContext], None],
) -> Turn:
    team = body.get("team") or {}
    user = body.get("user") or {}
    channel = body.get("channel") or {}
    caller = Caller(
        workspace_id=str(body.get("team_id") or team.get("id") or user.get("team_id") or ""),
        member=str(body.get("user_id") or user.get("id") or ""),
        surface=surface,
        channel=str(body.get("channel_id") or channel.get("id") or "") or None,
        request=_request_id(body),
    )
    structlog.contextvars.bind_contextvars(correlation_id=caller.request, workspace=caller.workspace_id)
    with suppress(Clash):  # another process has met the same person just now
        services.meet(caller.workspace_id, caller.member)
    return Turn(
        services=services,
        caller=caller,
        now=services.clock(),
        client=client,
        trigger_id=str(body.get("trigger_id") or ""),
        say=say,
        inside=_form_around(body),
    )


def _form_around(body: Body) -> str | None:
    """The form that a person is in, by its id: the next one is put on top of it. None outside of one."""
    return str((body["view"] or {}).get("id") or "") if "view" in body and not on_home(body) else None


def _on_top(client: WebClient, trigger_id: str, view: Json, *, inside: str | None) -> str:
    """Show a view on top of a form, or in its place once three are open, or on its own; returns its id."""
    opening = client.views_push if inside is not None else client.views_open
    try:
        shown = opening(trigger_id=trigger_id, view=view)
    except SlackApiError as full:
        if not inside or full.response.get("error") != "push_limit_reached":
            raise
        shown = client.views_update(view_id=inside, view=view)
    return str((shown.get("view") or {}).get("id") or "")


def on_home(body: Body) -> bool:
    """Whether something was clicked on the Home."""
    return bool((body.get("view") or {}).get("type") == "home")


def _request_id(body: Body) -> str:
    """The same when Slack sends a request again: a form by its view, anything else by its trigger.

    A server that sends neither gets an id of ours: its retries can't be told from new requests.
    """
    view = body.get("view") or {}
    if body.get("type") == "view_submission":
        known = f"{view.get('id') or ''}:{view.get('hash') or ''}"
    else:
        known = str(body.get("trigger_id") or "")
    return known if known.strip(":") else uuid4().hex


def _errors(turn: Turn, view: Body, refusal: Refusal) -> dict[str, str]:
    """What is wrong with a form, by block; names where Slack shows no mentions."""
    wrong = refusal.errors.items() if isinstance(refusal, FieldsRefused) else [(refusal.field, refusal.plain)]
    errors: dict[str, str] = {}
    for field, text in wrong:
        block, said = _error_field(view, field), named(turn.db, turn.caller, text)
        errors[block] = f"{errors[block]} {said}" if block in errors else said
    return errors


def _inputs(view: Body) -> list[str]:
    return [str(block["block_id"]) for block in view.get("blocks") or () if block.get("type") == "input"]


def _error_field(view: Body, field: str | None) -> str:
    """The block an error is shown on: the field's own, else one of several of its kind, else the first."""
    blocks = _inputs(view)
    if field is not None and field in blocks:
        return field
    family = [block for block in blocks if field and block.partition(":")[0] == field.partition(":")[0]]
    return (family or blocks or ["note"])[0]


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
