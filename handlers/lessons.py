"""Lessons: `/cadence learn`, its form, and the button on posts."""

from slack_bolt import App

from cadence.flows.lessons import LessonGiven, learn, learn_form
from handlers.context import Services, Turn
from handlers.grammar import commands
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form
from templates.contexts.base import MessageContext
from templates.ids import Action, Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the button and the form."""
    register_button(app, services, Action.LEARN, by_button)
    register_form(app, services, Callback.LEARN, submitted)


def by_command(turn: Turn, command: commands.Learn) -> None:
    """`/cadence learn`: at once when all is said, else by form."""
    if command.playbook is None or command.text is None:
        form = learn_form(turn.uow, playbook=command.playbook, text=command.text or "")
        turn.open(form)
        return
    given = LessonGiven(playbook=command.playbook, text=command.text, team=command.team)
    turn.say(learn(turn.uow, given))


def by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Keep a lesson] under a post."""
    turn.open(learn_form(turn.uow, playbook=value or None))


def submitted(turn: Turn, form: Form) -> MessageContext:
    """The form."""
    given = LessonGiven(playbook=form.option(Field.PLAYBOOK) or "", text=form.text(Field.NOTE))
    return learn(turn.uow, given)
