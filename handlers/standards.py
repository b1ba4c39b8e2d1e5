"""The standard: declare who leads a step, recommit after a drift, read the trail."""

from slack_bolt import App

from cadence.flows.history import Asked, read_value
from cadence.flows.history import trace as read_trail
from cadence.flows.standards import ModeGiven, declare_mode, mode_form, recommit, recommit_form
from cadence.refusals import Refusal
from cadence.rules.modes import Mode
from handlers.context import Services, Turn
from handlers.grammar import commands
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, metadata, split_ref
from templates.contexts.base import MessageContext
from templates.ids import Action, Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the buttons and the forms."""
    register_button(app, services, Action.DECLARE_MODE, declare_by_button)
    register_button(app, services, Action.RECOMMIT, open_recommit)
    register_button(app, services, Action.OLDER_TRACE, older)
    register_form(app, services, Callback.MODE, mode_submitted)
    register_form(app, services, Callback.RECOMMIT, recommitted)


def mode(turn: Turn, command: commands.DeclareMode) -> None:
    """`/cadence mode`: at once when everything is said, else by form."""
    if command.step is None or command.mode is None or command.reason is None:
        form = mode_form(
            turn.uow,
            playbook=command.playbook,
            team=command.team,
            step=command.step,
            mode=command.mode,
            reason=command.reason or "",
        )
        turn.open(form)
        return
    given = ModeGiven(
        step=command.step,
        mode=command.mode,
        reason=command.reason,
        playbook=command.playbook,
        team=command.team,
    )
    turn.say(declare_mode(turn.uow, given))


def declare_by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Declare …] under a drift: the form, with the mode people really use."""
    adoption_id, rest = split_ref(value)
    step, _, used = rest.partition(":")
    known = Mode(used) if used in set(Mode) else None
    turn.open(mode_form(turn.uow, ref=f"{adoption_id}:{step}", mode=known))


def mode_submitted(turn: Turn, form: Form) -> MessageContext:
    """The form."""
    adoption_id, step = split_ref(form.option(Field.STEP) or "")
    chosen = form.option(Field.MODE)
    if chosen not in set(Mode):
        raise Refusal("Choose who leads the step.", field=Field.MODE)
    given = ModeGiven(adoption_id=adoption_id, step=step, mode=Mode(chosen), reason=form.text(Field.REASON))
    return declare_mode(turn.uow, given)


def open_recommit(turn: Turn, value: str, _body: Body) -> None:
    """[Recommit] under a drift."""
    adoption_id, step = split_ref(value)
    form = recommit_form(turn.uow, adoption_id=adoption_id, step=step)
    turn.open(form, ids=metadata(a=adoption_id, s=step))


def recommitted(turn: Turn, form: Form) -> MessageContext:
    """What the owner says will change."""
    return recommit(
        turn.uow, adoption_id=form.row("a"), step=str(form.ids.get("s", "")), text=form.text(Field.NOTE)
    )


def trace(turn: Turn, command: commands.Trace) -> None:
    """`/cadence trace`: the newest page."""
    asked = Asked(playbook=command.playbook, step=command.step, team=command.team, since=command.since)
    turn.say(read_trail(turn.uow, asked))


def older(turn: Turn, value: str, _body: Body) -> None:
    """[Older] under a page of the trail."""
    asked = read_value(value)
    if asked is None:
        raise Refusal("This button is too old to be understood. `/cadence trace` starts over.")
    turn.say(read_trail(turn.uow, asked))
