"""Versions of playbooks: publish, compare, move a team, retire."""

from slack_bolt import App

from cadence.flows.cycles import MoveGiven, move, move_form
from cadence.flows.playbooks import choose_form, override_form, publish, retire, retire_form, show_diff
from handlers import playbooks
from handlers.context import Services, Turn
from handlers.grammar import commands
from handlers.grammar.read_publishing import version_of
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, metadata, split_ref
from templates.contexts.base import MessageContext, ViewContext
from templates.ids import Action, Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the buttons and the forms."""
    register_button(app, services, Action.PUBLISH, by_button)
    register_form(app, services, Callback.CHOOSE_PLAYBOOK, chosen)
    register_button(app, services, Action.SHOW_DIFF, diff_by_button)
    register_button(app, services, Action.PUBLISH_ANYWAY, open_override)
    register_form(app, services, Callback.PUBLISH_ANYWAY, overridden)
    register_form(app, services, Callback.MOVE, moved)
    register_form(app, services, Callback.RETIRE, retired)


def publish_(turn: Turn, command: commands.PublishPlaybook) -> None:
    """`/cadence playbook publish`: at once when the playbook is said, else by form."""
    if command.playbook is None:
        turn.open(choose_form(turn.uow, "publish", playbook=None), ids=metadata(to="publish"))
        return
    turn.say(publish(turn.uow, command.playbook))


def by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Publish]: the form, so that nothing goes out by a single click."""
    form = choose_form(turn.uow, "publish", playbook=value or None)
    turn.open(form, ids=metadata(to="publish"))


def chosen(turn: Turn, form: Form) -> MessageContext | ViewContext:
    """A playbook was chosen: what for, the form says."""
    slug = form.option(Field.PLAYBOOK) or ""
    if form.ids.get("to") == "revise":
        return playbooks.draft(turn, slug)
    if form.ids.get("to") == "diff":
        return show_diff(turn.uow, slug)
    return publish(turn.uow, slug)


def diff(turn: Turn, command: commands.DiffPlaybook) -> None:
    """`/cadence playbook diff`: at once when the playbook is said, else by form."""
    if command.playbook is None:
        turn.open(choose_form(turn.uow, "diff", playbook=None), ids=metadata(to="diff"))
        return
    turn.say(show_diff(turn.uow, command.playbook, before=command.before, after=command.after))


def diff_by_button(turn: Turn, value: str, _body: Body) -> None:
    """[What the draft changes]."""
    turn.say(show_diff(turn.uow, value))


def move_(turn: Turn, command: commands.MovePlaybook) -> None:
    """`/cadence playbook move`: at once when the version is said, else by form."""
    if command.playbook is None or command.to is None:
        turn.open(move_form(turn.uow, playbook=command.playbook, team=command.team))
        return
    given = MoveGiven(playbook=command.playbook, number=version_of(command.to), team=command.team)
    turn.say(move(turn.uow, given))


def moved(turn: Turn, form: Form) -> MessageContext:
    """The form."""
    playbook, _, team = (form.option(Field.ADOPTION) or "").partition(":")
    number = version_of(form.text(Field.VERSION))
    given = MoveGiven(playbook=playbook, number=number, team=team or None)
    return move(turn.uow, given)


def retire_(turn: Turn, command: commands.RetirePlaybook) -> None:
    """`/cadence playbook retire`: at once with a reason, else by form."""
    if command.playbook is None or command.reason is None:
        turn.open(retire_form(turn.uow, playbook=command.playbook))
        return
    turn.say(retire(turn.uow, command.playbook, command.reason))


def retired(turn: Turn, form: Form) -> MessageContext:
    """The form."""
    playbook, reason = form.option(Field.PLAYBOOK) or "", form.text(Field.REASON)
    return retire(turn.uow, playbook, reason)


def open_override(turn: Turn, value: str, _body: Body) -> None:
    """[Publish anyway]: asks for the reason."""
    revision, slug = split_ref(value)
    asked = override_form(turn.uow, playbook=slug, revision=revision)
    turn.open(asked, ids=metadata(revision=revision, playbook=slug))


def overridden(turn: Turn, form: Form) -> MessageContext:
    """The reason is in."""
    return publish(
        turn.uow,
        str(form.ids.get("playbook", "")),
        revision=form.row("revision"),
        reason=form.text(Field.REASON),
    )
