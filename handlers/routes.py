"""Registers every listener of the bot."""

from slack_bolt import App

from handlers import commands, shortcuts, workflows
from handlers.context import Services
from handlers.features import FEATURES
from handlers.listeners import register_failures, register_menu
from handlers.overview import home


def register_all(app: App, services: Services) -> None:
    """Listen for everything."""
    register_failures(app, services)
    commands.register(app, services)
    shortcuts.register(app, services)
    home.register_events(app, services)
    workflows.register(app, services)
    for feature in FEATURES:
        feature.register(app, services)
    buttons = {action: run for feature in FEATURES for action, run in feature.buttons.items()}
    register_menu(app, services, buttons)
