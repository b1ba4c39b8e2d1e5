"""The registry: `/cadence registry`, its menu and its pages."""

from dataclasses import dataclass
from typing import Final

from cadence.documents import Function
from cadence.flows.overview import show_registry
from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Unknown
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import Command, Entry, Request
from handlers.grammar.errors import listed, shown
from handlers.payloads import Body, row_id
from templates.ids import Action

_FUNCTIONS: Final = tuple(function.value for function in Function)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry(Command):
    """`/cadence registry`. `function` is one of sales, support, finance, engineering, other."""

    function: str | None = None


def read_registry(request: Request) -> Registry:
    """`/cadence registry [function]`."""
    word = request.typed.take()[0]
    if word.key in _FUNCTIONS:
        return Registry(function=word.key)
    near = nearest(word.key, _FUNCTIONS)
    if near:
        raise Unknown(
            say(
                "There's no function {word}. Did you mean {near}?",
                word=shown(word.text),
                near=code(f"{request.command} {near}"),
            ),
            typed=word.text,
            near=near,
        )
    raise Unknown(
        say("There's no function {word}. Try {all}.", word=shown(word.text), all=listed(_FUNCTIONS))
    )


def show(context: RequestContext, command: Registry) -> None:
    """`/cadence registry`."""
    context.say(show_registry(context.uow, function=command.function))


def by_button(context: RequestContext, value: str, _body: Body) -> None:
    """A function of the menu, or [Next page]: `{function}:{page}`; anything else means all, from the
    start."""
    function, _, page = value.partition(":")
    known = function if function in set(Function) else None
    context.say(show_registry(context.uow, function=known, page=row_id(page) or 1))


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="registry",
            task="Playbooks",
            usage="[function]",
            summary="See published playbooks and each team's results",
            examples=("/cadence registry", "/cadence registry support"),
            read=read_registry,
            bare=Registry,
            run=show,
            after="playbook retire",
        ),
    ),
    buttons={Action.SHOW_REGISTRY: by_button, Action.TURN_REGISTRY: by_button},
)
