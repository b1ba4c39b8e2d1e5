"""Completions of the built-in workspace's page: commands, and the names of a member's playbooks."""

from collections.abc import Iterator
from datetime import datetime

from bot.ops.commands import BUILT_IN_TEAM
from bot.sandbox.kinds import Json
from cadence.actor import Actor
from cadence.flows.core import WorkspaceVocabulary
from handlers.commands import COMMANDS
from storage.engine import Database
from storage.work import UnitOfWork


def vocabulary(db: Database, member: str, *, now: datetime) -> list[Json]:
    """Whole commands with their arguments, then playbooks, steps and teams: `{text, hint}` each."""
    return [{"text": text, "hint": hint} for text, hint in _words(db, member, now)]


def _words(db: Database, member: str, now: datetime) -> Iterator[tuple[str, str]]:
    for entry in COMMANDS:
        yield entry.command, f"{entry.summary}  {entry.usage}".strip()
    with UnitOfWork(db, Actor(BUILT_IN_TEAM, member, "command"), now).read() as uow:
        known = WorkspaceVocabulary(uow)
        for slug in (*known.playbooks, *known.others):
            yield slug, known.titles.get(slug, "")
        for slug, steps in known.playbooks.items():
            for step in steps:
                yield step, f"a step of {known.titles.get(slug, slug)}"
        for team in known.teams:
            yield f"team={team}", "a team"
