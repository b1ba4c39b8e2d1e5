"""From words to the commands that end a cycle, or what follows it."""

from handlers.grammar import commands
from handlers.grammar.readers import playbook_only
from handlers.grammar.request import Request


def close(request: Request) -> commands.CloseCycle:
    """`/cadence cycle close <playbook>`."""
    return commands.CloseCycle(playbook=playbook_only(request), team=request.team)


def pause(request: Request) -> commands.PauseCycle:
    """`/cadence cycle pause <playbook>`."""
    return commands.PauseCycle(playbook=playbook_only(request), team=request.team)
