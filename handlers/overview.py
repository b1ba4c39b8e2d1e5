"""What stands and why: status, why, digest, help; and the owner's answer to a watch."""

from slack_bolt import App

from cadence.flows import digests, overview
from cadence.flows.callers import roles
from cadence.flows.followups import answer_watch, watch_form
from handlers.grammar import commands, help_rest, help_text
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, metadata, split_ref
from handlers.turns import Services, Turn
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
    turn.say(
        overview.status(turn.db, turn.caller, playbook=command.playbook, team=command.team, now=turn.now)
    )


def status_by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Status]: of one playbook, or of all that one has to do with."""
    turn.say(overview.status(turn.db, turn.caller, playbook=value or None, team=None, now=turn.now))


def why(turn: Turn, command: commands.Why) -> None:
    """`/cadence why`: at once when the step is said, else by form."""
    if command.step is None:
        turn.open(overview.why_form(turn.db, turn.caller, now=turn.now))
        return
    turn.say(
        overview.why(
            turn.db,
            turn.caller,
            playbook=command.playbook,
            step=command.step,
            team=command.team,
            now=turn.now,
        )
    )


def _why(turn: Turn, ref: str) -> MessageContext:
    adoption_id, step = split_ref(ref)
    return overview.why(turn.db, turn.caller, playbook=None, step=step, adoption_id=adoption_id, now=turn.now)


def why_by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Why] under an alert."""
    turn.say(_why(turn, value))


def why_submitted(turn: Turn, form: Form) -> MessageContext:
    """The form that asks which step."""
    return _why(turn, form.option(Field.STEP) or "")


def digest(turn: Turn, _command: commands.Digest) -> None:
    """`/cadence digest`: this week's so far, for curators."""
    turn.say(digests.show_digest(turn.db, turn.caller, now=turn.now))


def help_(turn: Turn, command: commands.Help) -> None:
    """`help`: the commands of one's roles, or of one topic."""
    held = roles(turn.db, turn.caller)
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
    form = watch_form(turn.db, turn.caller, adoption_id=adoption_id, step=step, now=turn.now)
    turn.open(form, ids=metadata(a=adoption_id, s=step))


def answered(turn: Turn, form: Form) -> MessageContext:
    """The owner's answer."""
    return answer_watch(
        turn.db,
        turn.caller,
        adoption_id=form.row("a"),
        step=str(form.ids.get("s", "")),
        text=form.text(Field.NOTE),
        now=turn.now,
    )
