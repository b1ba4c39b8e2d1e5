"""Idempotency: a repeated request gets its first answer and changes nothing.

Every repetition (Slack's retry, a proxy's second try, a second click on a form that timed out) carries the
same `Actor.request`. A flow under `once` stores its answer with that key in the transaction of its effect, so
both are saved or neither. If two copies arrive at once, the second violates the key, is rolled back and finds
the answer of the first. A refused request stores nothing, and neither does one that only reads.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast

from storage.queries import people, requests
from storage.queries.people import Caller
from storage.work import UnitOfWork
from templates.contexts.base import MessageContext, ViewContext
from templates.render import render

P = ParamSpec("P")
R = TypeVar("R")
KEPT: Final = timedelta(days=2)
"""How long an answer is kept. Slack retries for six minutes and a response URL lives 30; the rest is
margin."""


class Repeated(Exception):
    """This request was carried out before.

    Args:
        answer: the message shown to the person, `{"text": …, "blocks": […]}`; None if there was none.
    """

    def __init__(self, answer: dict[str, Any] | None) -> None:
        self.answer = answer
        super().__init__("this request was carried out before")


def once(
    flow: Callable[Concatenate[UnitOfWork, P], R],
) -> Callable[Concatenate[UnitOfWork, P], R]:
    """Run a flow at most once per request: its changes are committed together with its answer.

    The flow returns a message, or None without one. If it returns a form that asks for more first, nothing
    was changed, and nothing is stored.
    """

    @wraps(flow)
    def run(uow: UnitOfWork, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if uow.is_writing or not uow.actor.is_repeatable:
            return flow(uow, *args, **kwargs)
        with uow.write():
            answer = flow(uow, *args, **kwargs)
            uow.session.flush()
            if not isinstance(answer, ViewContext):
                remember(uow, cast(MessageContext | None, answer), kind=kind_of(flow))
        return answer

    return run


def kind_of(flow: Callable[..., Any]) -> str:
    """The name of the flow that answers a request: `people.mute`."""
    return f"{flow.__module__.split('.')[-2]}.{flow.__name__}"


def remember(uow: UnitOfWork, answer: MessageContext | None, *, kind: str) -> None:
    """Store the answer to a request, in the transaction of its effect.

    Raises:
        Conflict: a copy of the request was faster.
    """
    if not uow.actor.is_repeatable:
        return
    message = None if answer is None else render(answer)
    requests.keep(
        uow,
        member=uow.actor.member,
        request=uow.actor.request,
        kind=kind,
        answer=None if message is None else {"text": message.text, "blocks": message.blocks},
    )


def require_new(uow: UnitOfWork) -> None:
    """Check that a request wasn't carried out before.

    Raises:
        Repeated: it was carried out before.
    """
    if uow.actor.is_repeatable:
        with uow.read():
            found = people.caller(uow)
        require_first(uow, found)


def require_first(uow: UnitOfWork, caller: Caller | None) -> None:
    """Check `require_new` with the caller of a request, as just looked up. Raises the same."""
    if caller is not None and caller.repeats and uow.actor.is_repeatable:
        raise Repeated(caller.answer)


def require_still_new(uow: UnitOfWork) -> None:
    """Check `require_new` again: a copy of the request may have been faster. Raises the same."""
    uow.facts.clear()
    require_new(uow)


def forget_old(uow: UnitOfWork) -> None:
    """Delete answers that are too old to be requested again."""
    requests.prune(uow, before=uow.now - KEPT)
