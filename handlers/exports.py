"""`/cadence export`: what was recorded, as files, for owners and curators."""

from slack_bolt import App

from cadence.flows.history import ask_export, export_form
from cadence.refusals import Refusal
from handlers.context import Services, Turn
from handlers.grammar import commands
from handlers.listeners import register_form
from handlers.payloads import Form
from templates.contexts.base import MessageContext
from templates.contexts.forms import ExportForm
from templates.ids import Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the form."""
    register_form(app, services, Callback.EXPORT, submitted)


def by_command(turn: Turn, command: commands.Export) -> None:
    """`/cadence export`: at once when it is said what, else by form."""
    if command.playbook is None and not command.everything:
        turn.open(export_form(turn.uow))
        return
    turn.say(ask_export(turn.uow, playbook=command.playbook))


def submitted(turn: Turn, form: Form) -> MessageContext:
    """The form."""
    chosen = form.option(Field.PLAYBOOK)
    if not chosen:
        raise Refusal("Choose what to export.", field=Field.PLAYBOOK)
    slug = None if chosen == ExportForm.ALL else chosen
    return ask_export(turn.uow, playbook=slug)
