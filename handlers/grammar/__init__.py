"""The engine that parses a slash command's text into a typed command, or refuses it with a suggestion.

It knows no command: features declare theirs as `Entry`, and `handlers.commands` builds the `CommandTable`.
"""

from handlers.grammar.help import Help, by_task, help_entries, help_rest, read_help
from handlers.grammar.parse import parse
from handlers.grammar.request import Request, Vocabulary
from handlers.grammar.suggest import corrected
from handlers.grammar.table import ROOT, AboutPlaybook, Command, CommandTable, Entry, Parsed
from handlers.grammar.words import Typed

__all__ = [
    "ROOT",
    "AboutPlaybook",
    "Command",
    "CommandTable",
    "Entry",
    "Help",
    "Parsed",
    "Request",
    "Typed",
    "Vocabulary",
    "by_task",
    "corrected",
    "help_entries",
    "help_rest",
    "parse",
    "read_help",
]
