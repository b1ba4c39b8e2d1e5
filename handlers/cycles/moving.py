"""Moving a team to another version: `/cadence playbook move` and its form."""

from dataclasses import dataclass
from typing import Final

from cadence.flows.cycles import MoveGiven, move, move_form
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import AboutPlaybook, Entry, Request
from handlers.grammar.versions import DRAFT, take_playbook_before_version, take_version, version_of
from handlers.payloads import Form
from templates.contexts.base import MessageContext
from templates.contexts.cycles import MoveForm
from templates.ids import Callback


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePlaybook(AboutPlaybook):
    """`/cadence playbook move`. `to` is `v2` or `draft`."""

    to: str | None = None


def read_move(request: Request) -> MovePlaybook:
    """`/cadence playbook move <playbook> [vN|draft] [team=slug]`."""
    named = take_playbook_before_version(request)
    asked = bool(request.typed)
    number = take_version(request)
    to = (DRAFT if number is None else f"v{number}") if asked else None
    return MovePlaybook(playbook=named, to=to, team=request.team)


def move_(context: RequestContext, command: MovePlaybook) -> None:
    """`/cadence playbook move`: immediately if the version is given, else by form."""
    if command.playbook is None or command.to is None:
        context.open(move_form(context.uow, playbook=command.playbook, team=command.team))
        return
    given = MoveGiven(playbook=command.playbook, number=version_of(command.to), team=command.team)
    context.say(move(context.uow, given))


def moved(context: RequestContext, form: Form) -> MessageContext:
    """The form."""
    typed = form.read(MoveForm)
    playbook, _, team = (typed.selected or "").partition(":")
    given = MoveGiven(playbook=playbook, number=version_of(typed.version), team=team or None)
    return move(context.uow, given)


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="playbook move",
            task="Rollout",
            usage="<playbook> [vN|draft] [team=slug]",
            summary="Move a team to another version; counters reset",
            who="owner",
            examples=("/cadence playbook move support-reply v2 team=support-emea",),
            read=read_move,
            bare=MovePlaybook,
            run=move_,
            options=("team",),
            after="playbook diff",
        ),
    ),
    forms={Callback.MOVE: moved},
)
