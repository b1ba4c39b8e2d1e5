"""Read `settings`."""

from handlers.grammar import commands
from handlers.grammar.request import Request
from handlers.grammar.teach import unknown_playbook


def settings(request: Request) -> commands.Settings:
    """`/cadence settings [playbook] [team=slug]`; nothing means the workspace, however many playbooks there are."""
    named = request.playbook()
    if named is None and request.typed:
        word = request.typed.take()[0].text
        known = (*request.vocabulary.playbooks, *request.vocabulary.others)
        raise unknown_playbook(word, known, request.command, request.typed.rest())
    team = request.team
    return commands.Settings(playbook=named or (request.the_playbook(None) if team else None), team=team)
