"""What stands and why: status, why, digest, help; and the owner's answer to a watch."""

from slack_bolt import App

from cadence.flows import overview
from cadence.flows import overview as overview_flows
from cadence.flows.core import roles
from cadence.flows.nudging import answer_watch, watch_form
from handlers.context import Services, Turn
from handlers.grammar import commands, help_rest, help_text
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, metadata, split_ref
from templates.contexts.answers import Help, HelpEntry, HelpRest
from templates.contexts.base import MessageContext
from templates.ids import Action, Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the buttons and the forms."""
    register_button(app, services, Action.WHY, why_by_button)
    register_button(app, services, Action.SHOW_STATUS, status_by_button)
    register_button(app, services, Action.SAY_WHAT_CHANGES, open_answer)
    register_form(app, services, Callback.WATCH_ANSWER, answered)
    register_form(app, services, Callback.WHY, why_submitted)


def status(turn: Turn, command: commands.Status) -> None:
    """`/cadence status`."""
    turn.say(overview.status(turn.uow, playbook=command.playbook, team=command.team))


def status_by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Status]: of one playbook, or of all that one has to do with."""
    turn.say(overview.status(turn.uow, playbook=value or None, team=None))


def why(turn: Turn, command: commands.Why) -> None:
    """`/cadence why`: at once when the step is said, else by form."""
    if command.step is None:
        turn.open(overview.why_form(turn.uow))
        return
    turn.say(overview.why(turn.uow, playbook=command.playbook, step=command.step, team=command.team))


def _why(turn: Turn, ref: str) -> MessageContext:
    adoption_id, step = split_ref(ref)
    return overview.why(turn.uow, playbook=None, step=step, adoption_id=adoption_id)


def why_by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Why] under an alert."""
    turn.say(_why(turn, value))


def why_submitted(turn: Turn, form: Form) -> MessageContext:
    """The form that asks which step."""
    return _why(turn, form.option(Field.STEP) or "")


def digest(turn: Turn, _command: commands.Digest) -> None:
    """`/cadence digest`: this week's so far, for curators."""
    turn.say(overview_flows.show_digest(turn.uow))


def help_(turn: Turn, command: commands.Help) -> None:
    """`help`: the commands of one's roles, or of one topic."""
    held = roles(turn.uow)
    entries = tuple(
        HelpEntry(
            name=entry.command,
            usage=f"{entry.command} {entry.usage}".strip(),
            summary=entry.summary,
            who=entry.who,
            examples=entry.examples,
        )
        for entry in help_text(command.topic, held)
    )
    others = () if command.topic else tuple(HelpRest(who=who, names=names) for who, names in help_rest(held))
    turn.say(Help(entries=entries, topic=command.topic, others=others))


def open_answer(turn: Turn, value: str, _body: Body) -> None:
    """[Say what changes] under a watch."""
    adoption_id, step = split_ref(value)
    form = watch_form(turn.uow, adoption_id=adoption_id, step=step)
    turn.open(form, ids=metadata(a=adoption_id, s=step))


def answered(turn: Turn, form: Form) -> MessageContext:
    """The owner's answer."""
    return answer_watch(
        turn.uow, adoption_id=form.row("a"), step=str(form.ids.get("s", "")), text=form.text(Field.NOTE)
    )
