"""Idempotency: a request that comes twice is answered as it was the first time, and changes nothing.

Whatever Slack sends again (a retry, a proxy's second try, a second click on a form that timed out) carries the same
`Caller.request`. A flow under `once` stores its answer with that key in the transaction of its effect, so there is
either both or neither; of two copies at the same moment the second fails on the key, is rolled back and finds the
answer of the first. A request that is refused stores nothing, and neither does one that only reads.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast

from cadence.flows.callers import Caller
from storage import requests
from storage.engine import Bound, Database
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
    flow: Callable[Concatenate[Database, Caller, P], R],
) -> Callable[Concatenate[Database, Caller, P], R]:
    """Let a flow that changes something do so once a request: what it writes is committed together with its answer.

    The flow takes `now` by keyword and returns a message, or None when nothing is said. A form it returns asks for
    something else first: nothing was done, and nothing is stored.
    """

    @wraps(flow)
    def run(db: Database, caller: Caller, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if db.is_joined or not caller.is_repeatable:
            return flow(db, caller, *args, **kwargs)
        with db.write() as session:
            answer = flow(db.joined(session), caller, *args, **kwargs)
            session.flush()
            if not isinstance(answer, ViewContext):
                now = cast(datetime, kwargs["now"])
                remember(session, caller, cast(MessageContext | None, answer), kind=kind_of(flow), now=now)
        return answer

    return run


def kind_of(flow: Callable[..., Any]) -> str:
    """How a request that a flow answered is called: `people.mute`."""
    return f"{flow.__module__.rpartition('.')[2]}.{flow.__name__}"


def remember(
    session: Bound, caller: Caller, answer: MessageContext | None, *, kind: str, now: datetime
) -> None:
    """Store what a request was answered, in the transaction of its effect.

    Raises:
        Clash: a copy of the request was faster.
    """
    if not caller.is_repeatable:
        return
    message = None if answer is None else render(answer)
    requests.keep(
        session,
        workspace_id=caller.workspace_id,
        member=caller.member,
        request=caller.request,
        kind=kind,
        answer=None if message is None else {"text": message.text, "blocks": message.blocks},
        now=now,
    )


def require_new(session: Bound, caller: Caller) -> None:
    """Let a request through that comes for the first time.

    Raises:
        Repeated: it was carried out before.
    """
    if not caller.is_repeatable:
        return
    found = requests.find(
        session, workspace_id=caller.workspace_id, member=caller.member, request=caller.request
    )
    if found is not None:
        raise Repeated(found[0])


def require_new_request(db: Database, caller: Caller) -> None:
    """`require_new` before anything else is done; raises what it does."""
    with db.read() as session:
        require_new(session, caller)


def forget_old(session: Bound, workspace_id: str, *, now: datetime) -> None:
    """Delete answers that nothing can ask for any more."""
    requests.prune(session, workspace_id=workspace_id, before=now - KEPT)
