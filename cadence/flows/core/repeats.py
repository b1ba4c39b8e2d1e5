"""Idempotency: a request that comes twice is answered as it was the first time, and changes nothing.

Whatever Slack sends again (a retry, a proxy's second try, a second click on a form that timed out) carries the same
`Actor.request`. A flow under `once` stores its answer with that key in the transaction of its effect, so there is
either both or neither; of two copies at the same moment the second fails on the key, is rolled back and finds the
answer of the first. A request that is refused stores nothing, and neither does one that only reads.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast

from storage.queries import requests
from storage.work import UnitOfWork
from templates.contexts.base import MessageContext, ViewContext
from templates.render import render

P = ParamSpec("P")
R = TypeVar("R")
KEPT: Final = timedelta(days=2)
"""How long an answer is kept. Slack retries for six minutes and a response URL lives 30; the rest is margin."""


class Repeated(Exception):
    """This request was carried out before.

    Args:
        answer: the message the person was shown, `{"text": …, "blocks": […]}`; None when nothing was said.
    """

    def __init__(self, answer: dict[str, Any] | None) -> None:
        self.answer = answer
        super().__init__("this request was carried out before")


def once(
    flow: Callable[Concatenate[UnitOfWork, P], R],
) -> Callable[Concatenate[UnitOfWork, P], R]:
    """Let a flow that changes something do so once a request: what it writes is committed together with its answer.

    The flow returns a message, or None when nothing is said. A form it returns asks for
    something else first: nothing was done, and nothing is stored.
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
    """How a request that a flow answered is called: `people.mute`."""
    return f"{flow.__module__.split('.')[-2]}.{flow.__name__}"


def remember(uow: UnitOfWork, answer: MessageContext | None, *, kind: str) -> None:
    """Store what a request was answered, in the transaction of its effect.

    Raises:
        Clash: a copy of the request was faster.
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
    """Let a request through that comes for the first time.

    Raises:
        Repeated: it was carried out before.
    """
    if not uow.actor.is_repeatable:
        return
    found = requests.find(uow, member=uow.actor.member, request=uow.actor.request)
    if found is not None:
        raise Repeated(found[0])


def require_new_request(uow: UnitOfWork) -> None:
    """`require_new` before anything else is done; raises what it does."""
    with uow.read():
        require_new(uow)


def forget_old(uow: UnitOfWork) -> None:
    """Delete answers that nothing can ask for any more."""
    requests.prune(uow, before=uow.now - KEPT)
