"""Tokens: `/cadence token`, its form, the list and [Revoke]."""

from dataclasses import dataclass
from typing import Final

from cadence.flows.tokens import (
    TokenGiven,
    draw_token,
    make_token,
    revoke_named,
    revoke_token,
    shown_once,
    token_form,
    token_list,
)
from cadence.mrkdwn import say
from cadence.nearest import nearest
from cadence.refusals import Refusal
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import Command, Entry, Request
from handlers.grammar.errors import listed, shown
from handlers.payloads import Body, Form, row_id
from templates.contexts.base import MessageContext, ViewContext
from templates.contexts.tokens import TokenForm
from templates.ids import Action, Callback

_LIST: Final = "list"
_REVOKE: Final = "revoke"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token(Command):
    """`/cadence token`. Without a verb it opens the form; `name` is the token to revoke."""

    verb: str | None = None
    name: str | None = None


def read_token(request: Request) -> Token:
    """`/cadence token [list|revoke <name>]`."""
    if not request.typed:
        return Token()
    word = request.typed.words[0]
    if word.key not in (_LIST, _REVOKE):
        near = nearest(word.key, (_LIST, _REVOKE))
        raise Refusal(
            say(
                "{word} doesn't fit here. Try {verbs}.",
                word=shown(word.text),
                verbs=listed([near] if near else (_LIST, _REVOKE)),
            )
        )
    request.typed.take()
    return Token(verb=word.key, name=request.sentence("name") if word.key == _REVOKE else None)


def by_command(context: RequestContext, command: Token) -> None:
    """`/cadence token`: the form, the list, or a token revoked; without a name [Revoke] is in the list."""
    if command.verb == _REVOKE and command.name:
        context.say(revoke_named(context.uow, command.name))
    elif command.verb:
        context.say(token_list(context.uow))
    else:
        context.open(token_form(context.uow))


def open_form(context: RequestContext, _value: str, _body: Body) -> None:
    """[Make a token]."""
    context.open(token_form(context.uow))


def show(context: RequestContext, _value: str, _body: Body) -> None:
    """[Show the tokens]."""
    context.say(token_list(context.uow))


def revoke(context: RequestContext, value: str, _body: Body) -> None:
    """[Revoke]."""
    context.say(revoke_token(context.uow, token_id=row_id(value) or 0))


def submitted(context: RequestContext, form: Form) -> MessageContext | ViewContext:
    """The form: the token is shown in its place, and only now."""
    typed = form.read(TokenForm)
    given = TokenGiven(
        name=typed.name,
        use=typed.use or "",
        scopes=typed.scopes,
        playbook=typed.playbook,
        team=typed.team,
    )
    token = draw_token(context.caller.workspace_id)
    made = make_token(context.uow, given, token)
    return shown_once(context.uow, token) or made


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="token",
            task="Teams and settings",
            usage="[list|revoke <name>]",
            summary="Make a token, so that a tool can report",
            examples=("/cadence token", "/cadence token list", "/cadence token revoke Help desk"),
            read=read_token,
            bare=Token,
            run=by_command,
        ),
    ),
    buttons={Action.MAKE_TOKEN: open_form, Action.SHOW_TOKENS: show, Action.REVOKE_TOKEN: revoke},
    forms={Callback.TOKEN: submitted},
)
