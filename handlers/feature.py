"""A feature's declaration of its commands, buttons and forms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handlers.grammar import Entry
from handlers.listeners import Pressed, Submitted
from templates.ids import Action, Callback


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Everything one module handles.

    Args:
        commands: its commands.
        buttons: handlers of buttons and menus; called with the value and the whole request.
        forms: handlers of submitted forms, which return what to show in their place.
    """

    commands: tuple[Entry[Any], ...] = ()
    buttons: Mapping[Action, Pressed] = field(default_factory=dict)
    forms: Mapping[Callback, Submitted] = field(default_factory=dict)
