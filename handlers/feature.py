"""A feature's declaration of its commands, buttons and forms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slack_bolt import App

from handlers.context import RequestContext, Services
from handlers.grammar import Entry
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form
from templates.contexts.base import MessageContext, ViewContext
from templates.ids import Action, Callback


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Everything one module handles.

    Args:
        commands: its commands.
        buttons: handlers of buttons and menus; called with the value and the whole request.
        forms: handlers of submitted forms, which return what to show in its place.
    """

    commands: tuple[Entry[Any], ...] = ()
    buttons: Mapping[Action, Callable[[RequestContext, str, Body], None]] = field(default_factory=dict)
    forms: Mapping[Callback, Callable[[RequestContext, Form], MessageContext | ViewContext | None]] = field(
        default_factory=dict
    )

    def register(self, app: App, services: Services) -> None:
        """Listen for its buttons and forms; commands are found through the table of all commands."""
        for action, pressed in self.buttons.items():
            register_button(app, services, action, pressed)
        for callback, submitted in self.forms.items():
            register_form(app, services, callback, submitted)
