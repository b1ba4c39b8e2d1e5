"""The context of a request: who asked what, when, and how to answer and show forms."""

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
from cadence.flows.core import WorkspaceVocabulary, admit, require_still_new
from cadence.refusals import Refusal
from handlers.payloads import Body, Form, metadata, origin_of
from handlers.views import SLACK_TROUBLE, NotMade, form_around, on_top, renew
from storage.engine import Conflict, Database
from storage.work import UnitOfWork
from templates.contexts.answers import InfoView
from templates.contexts.base import MessageContext, ViewContext
from templates.render import Json, render

SHORTCUT: Final = "shortcut"
_SURFACE: Final = "from"
_LONGEST_ID: Final = 128
"""Characters of a request's id that are stored as they are; Slack's have about 60."""


class Homes(Protocol):
    """Publishes people's Homes. None of these methods raises if Slack refuses: the worker tries again."""

    def opened(self, workspace_id: str, member: str, *, meet: Callable[[], None]) -> None:
        """Record that a person opened it; raises if the database can't be reached. `meet` asks Slack who they
        are; it is called if the bot doesn't know them yet."""

    def show(self, workspace_id: str, member: str, view: Json) -> None:
        """Show this in its place until it is published again; needs no database."""

    def clicked(self, workspace_id: str, member: str) -> None:
        """Record that a person clicked something on it."""


@dataclass(frozen=True, slots=True)
class Services:
    """The services every listener uses.

    Args:
        clock: the time, passed in.
        named_curators: members listed as curators in the installation's settings.
        meet: makes sure the bot has Slack's data on a person; called with workspace and member.
        in_channel: returns those of some people who are in a channel, from Slack. Called with workspace,
            channel, members.
        homes: publishes people's Homes.
        observe: called with the kind of request, its outcome and its duration in seconds.
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
class RequestContext:
    """One request of a person, and how to answer it.

    Args:
        say: answers the person.
        say_instead: answers in place of the message or form that has the pressed button; elsewhere like `say`.
        inside: the form from which it came, or None.
    """

    services: Services
    uow: UnitOfWork
    client: WebClient
    trigger_id: str
    say: Callable[[MessageContext], None]
    say_instead: Callable[[MessageContext], None]
    inside: str | None = None

    @property
    def db(self) -> Database:
        """The database."""
        return self.services.db

    @property
    def caller(self) -> Actor:
        """The person, and the origin of the request."""
        return self.uow.actor

    @property
    def today(self) -> date:
        """The person's local date."""
        with self.uow.read() as uow:
            return WorkspaceVocabulary(uow).today

    def admit(self, *, anybody: bool = False) -> None:
        """Admit a new request of a participant; unknown people are looked up in Slack, once.

        Args:
            anybody: also admit people who take no part.

        Raises:
            NotAllowed: they don't take part; the sentence says who can. Repeated: the request was carried out
            before; has the answer.
        """
        admit(self.uow, meet=self._meet, anybody=anybody)

    def _meet(self) -> None:
        with suppress(Conflict):  # another process has just looked up the same person
            self.services.meet(self.caller.workspace_id, self.caller.member)

    def require_still_new(self) -> None:
        """Check that no copy of this request was carried out meanwhile.

        Raises:
            Repeated: one was; has the answer.
        """
        require_still_new(self.uow)

    def by(self, form: Form) -> Actor:
        """The caller of a form: a form opened by a shortcut keeps that surface."""
        return replace(self.caller, surface=SHORTCUT) if form.ids.get(_SURFACE) == SHORTCUT else self.caller

    def say_or_ask(
        self, do: Callable[[], MessageContext], *, unclear: type[Refusal], ask: Callable[[], None]
    ) -> None:
        """Run the command and answer; call `ask` to open a form if it isn't clear what is meant."""
        try:
            self.say(do())
        except unclear:
            ask()

    def open(self, form: ViewContext, *, ids: str | None = None) -> None:
        """Show a form, on top of the person's current one.

        `ids` replaces its private metadata; the trigger is valid for three seconds and can be used once.
        """
        view = render(form if ids is None else replace(form, private_metadata=ids))
        self._show(view)

    def open_when_made(self, title: str, make: Callable[[], ViewContext], *, ids: str | None = None) -> None:
        """Show a form that takes a while to make: first a placeholder view, because the trigger expires.

        Raises:
            NotMade: it can't be made; the message belongs in the open view.
        """
        opened = self._show(render(InfoView.loading(title)))
        try:
            form = make()
        except Exception as error:
            raise NotMade(opened) from error
        self.update(opened, form, ids=ids)

    def update(self, view_id: str, form: ViewContext, *, ids: str | None = None) -> None:
        """Show a form in place of an open view; without one, as a new view."""
        view = render(form if ids is None else replace(form, private_metadata=ids))
        if view_id:
            renew(self.client, view_id, view)
        else:
            self._show(view)

    def back_to(self, view_id: str, form: ViewContext, *, ids: str) -> ViewContext | None:
        """After a form's submission, update the view below it. If that is gone, replace the form itself."""
        renewed = replace(form, private_metadata=ids)
        if view_id:
            with suppress(*SLACK_TROUBLE):
                if renew(self.client, view_id, render(renewed)):
                    return None
        return renewed

    def again(self, shown: MessageContext | ViewContext, form: Form) -> MessageContext | ViewContext:
        """A form shown again keeps the ids it was opened with."""
        return (
            replace(shown, private_metadata=metadata(**form.ids)) if isinstance(shown, ViewContext) else shown
        )

    def _show(self, view: Json) -> str:
        return on_top(self.client, self.trigger_id, view, inside=self.inside)


def context_of(
    services: Services,
    body: Body,
    client: WebClient,
    surface: str,
    say: Callable[[MessageContext], None],
    *,
    say_instead: Callable[[MessageContext], None] | None = None,
) -> RequestContext:
    """The context of a request. It doesn't touch the database, so it can't fail.

    `say` answers its person, and `say_instead` in place of what they pressed, if anything can be replaced.
    """
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
    return RequestContext(
        services=services,
        uow=UnitOfWork(services.db, caller, services.clock()),
        client=client,
        trigger_id=str(body.get("trigger_id") or ""),
        say=say,
        say_instead=say_instead or say,
        inside=form_around(body),
    )


def _request_id(body: Body) -> str:
    """The identity of a request: the same if it is sent again, different if the person asks again.

    Slack creates a trigger for each interaction, so a command typed or a button pressed again is a new
    request. A form is identified by its view, the view's hash, which changes with every update, and its
    content: submitting it again after a time-out repeats the request, and a corrected form is a new one. If a
    server sends neither trigger nor hash, a generated id is used: its retries can't be told from new
    requests.
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
    """The private metadata of a form opened by a shortcut, which records that surface."""
    return metadata(**ids, **{_SURFACE: SHORTCUT})
