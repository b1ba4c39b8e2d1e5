"""Declaring a step's mode, and going back to the plan after a drift."""

from dataclasses import dataclass
from typing import Final

from cadence.flows.standards import ModeGiven, back_to_plan_form, declare_mode, go_back_to_plan, mode_form
from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Refusal, Unknown
from cadence.rules.modes import LADDER, Mode
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import AboutPlaybook, Entry, Request
from handlers.grammar.errors import listed, shown
from handlers.grammar.steps import read_mode, take_playbook_and_step
from handlers.payloads import Body, Form, metadata, split_ref
from templates.contexts.base import MessageContext
from templates.contexts.standards import BackToPlanForm, ModeForm
from templates.ids import Action, Callback, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareMode(AboutPlaybook):
    """`/cadence mode`: set a step's mode. Opens the form if something is omitted."""

    step: str | None = None
    mode: Mode | None = None
    reason: str | None = None


def read_declaration(request: Request) -> DeclareMode:
    """`/cadence mode <playbook> <step> <mode> <reason>`."""
    playbook, step = take_playbook_and_step(request)
    return DeclareMode(
        playbook=playbook,
        step=step,
        mode=_take_mode(request) if request.typed else None,
        reason=request.sentence("reason"),
        team=request.team,
    )


def _take_mode(request: Request) -> Mode:
    word = request.typed.words[0]
    found = read_mode(word.key)
    if found is None:
        near = nearest(word.text, LADDER)
        hint = say(" Did you mean {near}?", near=code(near)) if near else ""
        raise Unknown(
            say(
                "{word} isn't a mode. Try {modes}.{hint}",
                word=shown(word.text),
                modes=listed(LADDER, "or"),
                hint=hint,
            ),
            typed=word.text,
            near=near,
        )
    request.typed.take()
    if request.typed.key() == "led" and "led" not in word.key:
        request.typed.take()
    return found


def mode(context: RequestContext, command: DeclareMode) -> None:
    """`/cadence mode`: immediately if everything is given, else by form."""
    if command.step is None or command.mode is None or command.reason is None:
        form = mode_form(
            context.uow,
            playbook=command.playbook,
            team=command.team,
            step=command.step,
            mode=command.mode,
            reason=command.reason or "",
        )
        context.open(form)
        return
    given = ModeGiven(
        step=command.step,
        mode=command.mode,
        reason=command.reason,
        playbook=command.playbook,
        team=command.team,
    )
    context.say(declare_mode(context.uow, given))


def declare_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Declare …] on a drift: the form, with the mode people actually use."""
    adoption_id, rest = split_ref(value)
    step, _, used = rest.partition(":")
    known = Mode(used) if used in set(Mode) else None
    context.open(mode_form(context.uow, ref=f"{adoption_id}:{step}", mode=known))


def mode_submitted(context: RequestContext, form: Form) -> MessageContext:
    """The form."""
    typed = form.read(ModeForm)
    adoption_id, step = split_ref(typed.selected or "")
    if typed.chosen not in set(Mode):
        raise Refusal("Choose who leads the step.", field=Field.MODE)
    given = ModeGiven(adoption_id=adoption_id, step=step, mode=Mode(typed.chosen), reason=typed.reason)
    return declare_mode(context.uow, given)


def open_back_to_plan(context: RequestContext, value: str, _body: Body) -> None:
    """[Back to AI-led] on a drift."""
    adoption_id, step = split_ref(value)
    form = back_to_plan_form(context.uow, adoption_id=adoption_id, step=step)
    context.open(form, ids=metadata(a=adoption_id, s=step))


def went_back(context: RequestContext, form: Form) -> MessageContext:
    """The form with what the owner will change."""
    return go_back_to_plan(
        context.uow,
        adoption_id=form.row("a"),
        step=str(form.ids.get("s", "")),
        text=form.read(BackToPlanForm).note,
    )


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="mode",
            task="Exceptions and steps",
            usage="<playbook> <step> <mode> <reason> [team=slug]",
            summary="Change who leads a step",
            who="owner",
            examples=("/cadence mode support-reply send collaborative the replies need an editor again",),
            read=read_declaration,
            bare=DeclareMode,
            run=mode,
            options=("team",),
        ),
    ),
    buttons={Action.DECLARE_MODE: declare_by_button, Action.BACK_TO_PLAN: open_back_to_plan},
    forms={Callback.MODE: mode_submitted, Callback.BACK_TO_PLAN: went_back},
)
