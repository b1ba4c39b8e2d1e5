"""From words to a command: what was recorded, as files."""

from typing import Final

from handlers.grammar import commands
from handlers.grammar.request import Request
from handlers.grammar.teach import unknown_playbook

_ALL: Final = "all"


def export(request: Request) -> commands.Export:
    """`/cadence export [playbook|all]`."""
    named = request.playbook()
    if named is None and request.typed and request.typed.key() == _ALL:
        request.typed.take()
        return commands.Export(everything=True)
    if named is None and request.typed:
        word = request.typed.take()[0].text
        known = (*request.vocabulary.playbooks, *request.vocabulary.others)
        raise unknown_playbook(word, known, request.command, request.typed.rest())
    return commands.Export(playbook=named)
