"""Registers every listener of the bot."""

from slack_bolt import App

from handlers import commands, direct, shortcuts, workflows
from handlers.context import Services
from handlers.features import FEATURES
from handlers.listeners import register_buttons, register_failures, register_forms, register_menu
from handlers.overview import home


def register_all(app: App, services: Services) -> None:
    """Listen for everything, the most frequent first: Bolt tries its listeners in this order."""
    register_failures(app, services)
    buttons = {name: run for one in FEATURES for name, run in one.buttons.items()}
    register_buttons(app, services, buttons)
    register_forms(app, services, {name: run for one in FEATURES for name, run in one.forms.items()})
    commands.register(app, services)
    home.register_events(app, services)
    direct.register(app, services)
    register_menu(app, services, buttons)
    shortcuts.register(app, services)
    workflows.register(app, services)
