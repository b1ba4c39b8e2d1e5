"""Slash-command text to typed commands, with refusals that teach. Start at `parse` and `TABLE`."""

from handlers.grammar.amounts import amount_refusal
from handlers.grammar.commands import Command
from handlers.grammar.help import HelpEntry, help_rest, help_text
from handlers.grammar.parse import parse
from handlers.grammar.request import Vocabulary
from handlers.grammar.steps import UnknownStep
from handlers.grammar.suggest import is_harmless
from handlers.grammar.table import TABLE

__all__ = [
    "TABLE",
    "Command",
    "HelpEntry",
    "UnknownStep",
    "Vocabulary",
    "amount_refusal",
    "help_rest",
    "help_text",
    "is_harmless",
    "parse",
]
