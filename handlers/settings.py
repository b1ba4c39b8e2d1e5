"""The workspace's settings."""

from slack_bolt import App

from cadence.flows.settings import SettingsGiven, save_settings, settings_form
from handlers.grammar import commands
from handlers.payloads import Body, Form
from handlers.turns import Services, Turn, register_button, register_form
from templates.contexts.base import MessageContext
from templates.ids import Action, Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the button and the form."""
    register_button(app, services, Action.OPEN_SETTINGS, by_button)
    register_form(app, services, Callback.SETTINGS, submitted)


def open_form(turn: Turn, _command: commands.Settings) -> None:
    """`/cadence settings`."""
    named = turn.services.named_curators
    turn.open(settings_form(turn.db, turn.caller, named=named, now=turn.now))


def by_button(turn: Turn, _value: str, _body: Body) -> None:
    """[Settings]."""
    open_form(turn, commands.Settings())


def submitted(turn: Turn, form: Form) -> MessageContext:
    """The form."""
    given = SettingsGiven(
        curators=form.members(Field.CURATORS),
        curator_channel=form.channel(Field.CURATOR_CHANNEL),
        timezone=form.text(Field.TIMEZONE),
        rule=form.option(Field.RULE) or "",
    )
    return save_settings(turn.db, turn.caller, given, named=turn.services.named_curators, now=turn.now)
