"""One turn of a conversation: who asked what, when, and the forms that person is shown."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Final, Protocol
from uuid import uuid4

import structlog
from slack_sdk import WebClient

from cadence.actor import Actor
from cadence.flows.core import require_new_request, require_taking_part, today_of
from cadence.refusals import Refusal
from handlers.payloads import Body, Form, metadata, origin_of
from handlers.views import SLACK_TROUBLE, NotMade, form_around, on_top, renew
from storage.engine import Clash, Database
from storage.work import UnitOfWork
from templates.contexts.base import MessageContext, ViewContext
from templates.contexts.forms import InfoView
from templates.render import Json, render

SHORTCUT: Final = "shortcut"
_SURFACE: Final = "from"
_LONGEST_ID: Final = 128
"""Characters of a request's id that are kept as they are; Slack's have about 60."""


class Homes(Protocol):
    """Shows people their Home. None of these raises when Slack doesn't take it: the worker tries again."""

    def opened(self, workspace_id: str, member: str) -> None:
        """A person opened it; raises while the database can't be reached."""

    def show(self, workspace_id: str, member: str, view: Json) -> None:
        """Show this in its place until it is published again; needs no database."""

    def clicked(self, workspace_id: str, member: str) -> None:
        """A person clicked something on it."""


@dataclass(frozen=True, slots=True)
class Services:
    """What every listener works with.

    Args:
        clock: the time, passed in.
        named_curators: members whom the installation names as curators.
        meet: makes sure the bot knows what Slack says of a person; called with workspace and member.
        in_channel: those of some people who are in a channel; asks Slack. Called with workspace, channel, members.
        homes: shows people their Home.
        observe: told the kind of request, its outcome and how long it took in seconds.
    """

    db: Database
    clock: Callable[[], datetime]
    named_curators: frozenset[str]
    meet: Callable[[str, str], None]
    in_channel: Callable[[str, str, frozenset[str]], frozenset[str]]
    homes: Homes
    observe: Callable[[str, str, float], None]
    code_for: Callable[[BaseException], str]


@dataclass(frozen=True, slots=True)
class Turn:
    """One request of a person, and how to answer it."""

    services: Services
    caller: Actor
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
    def uow(self) -> UnitOfWork:
        """The person's unit of work, with no transaction open yet."""
        return UnitOfWork(self.db, self.caller, self.now)

    @property
    def today(self) -> date:
        """The person's local date."""
        return today_of(UnitOfWork(self.db, self.caller, self.now))

    def require_part(self) -> None:
        """Let the person through if they take part here; somebody new is looked up in Slack, once.

        Raises:
            NotAllowed: they don't; the sentence says who can.
        """
        require_taking_part(UnitOfWork(self.db, self.caller), meet=self._meet)

    def _meet(self) -> None:
        with suppress(Clash):  # another process has met the same person just now
            self.services.meet(self.caller.workspace_id, self.caller.member)

    def require_new(self) -> None:
        """Go on only with a request that wasn't carried out before.

        Raises:
            Repeated: it was; it holds the answer.
        """
        require_new_request(UnitOfWork(self.db, self.caller))

    def by(self, form: Form) -> Actor:
        """The caller of a form: one that a shortcut opened was given on that surface."""
        return replace(self.caller, surface=SHORTCUT) if form.ids.get(_SURFACE) == SHORTCUT else self.caller

    def say_or_ask(
        self, do: Callable[[], MessageContext], *, unclear: type[Refusal], ask: Callable[[], None]
    ) -> None:
        """Do what was typed and say what came of it; `ask` by form when it isn't clear what is meant."""
        try:
            self.say(do())
        except unclear:
            ask()

    def open(self, form: ViewContext, *, ids: str | None = None) -> None:
        """Show a form, on top of the one the person is in.

        `ids` replaces its private metadata; the trigger lives three seconds and is used once.
        """
        view = render(form if ids is None else replace(form, private_metadata=ids))
        self._show(view)

    def open_when_made(self, title: str, make: Callable[[], ViewContext], *, ids: str | None = None) -> None:
        """Show a form that takes a while to make: the trigger is used at once, on a view that says so.

        Raises:
            NotMade: it can't be made; what is said about it belongs in the view that is open.
        """
        opened = self._show(render(InfoView.loading(title)))
        try:
            form = make()
        except Exception as error:
            raise NotMade(opened) from error
        self.update(opened, form, ids=ids)

    def update(self, view_id: str, form: ViewContext, *, ids: str | None = None) -> None:
        """Show a form in the place of a view that is open; without one, on its own."""
        view = render(form if ids is None else replace(form, private_metadata=ids))
        if view_id:
            renew(self.client, view_id, view)
        else:
            self._show(view)

    def back_to(self, view_id: str, form: ViewContext, *, ids: str) -> ViewContext | None:
        """What a submitted form leaves: the view below it, renewed. When that is gone, the form itself becomes it."""
        renewed = replace(form, private_metadata=ids)
        if view_id:
            with suppress(*SLACK_TROUBLE):
                if renew(self.client, view_id, render(renewed)):
                    return None
        return renewed

    def again(self, shown: MessageContext | ViewContext, form: Form) -> MessageContext | ViewContext:
        """A form shown once more keeps the ids it was opened with."""
        return (
            replace(shown, private_metadata=metadata(**form.ids)) if isinstance(shown, ViewContext) else shown
        )

    def _show(self, view: Json) -> str:
        return on_top(self.client, self.trigger_id, view, inside=self.inside)


def turn_of(
    services: Services,
    body: Body,
    client: WebClient,
    surface: str,
    say: Callable[[MessageContext], None],
) -> Turn:
    """The turn of a request; `say` is how its person is answered. It touches no database, so it can't fail."""
    origin, channel = origin_of(body), body.get("channel") or {}
    caller = Actor(
        workspace_id=origin.workspace,
        member=origin.member,
        surface=surface,
        from_elsewhere=origin.from_elsewhere,
        channel=str(body.get("channel_id") or channel.get("id") or "") or None,
        request=_request_id(body),
    )
    structlog.contextvars.bind_contextvars(correlation_id=caller.request, workspace=caller.workspace_id)
    return Turn(
        services=services,
        caller=caller,
        now=services.clock(),
        client=client,
        trigger_id=str(body.get("trigger_id") or ""),
        say=say,
        inside=form_around(body),
    )


def _request_id(body: Body) -> str:
    """What identifies a request: the same when it is sent again, another one when a person asks again.

    Slack makes a trigger for each interaction, so a command typed or a button pressed again is a new request. A form
    is known by its view, by the view's hash, which changes with every update, and by what is in it: whoever submits
    it again after a time-out repeats the request, and with something corrected it is a new one. A server that sends
    neither trigger nor hash gets an id of ours: its retries can't be told from new requests.
    """
    view = body.get("view") or {}
    if body.get("type") == "view_submission" and view.get("hash"):
        given = [view.get("callback_id"), view.get("private_metadata"), view.get("state")]
        digest = sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:16]
        known = f"{view.get('id') or ''}:{view['hash']}:{digest}"
    else:
        known = str(body.get("trigger_id") or "")
    if len(known) > _LONGEST_ID:
        known = sha256(known.encode("utf-8", "surrogatepass")).hexdigest()
    return known or uuid4().hex


def shortcut_ids(**ids: object) -> str:
    """The private metadata of a form that a shortcut opens: what it was given is of that surface."""
    return metadata(**ids, **{_SURFACE: SHORTCUT})
