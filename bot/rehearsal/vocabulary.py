"""What the built-in workspace's page completes: the commands of the table, and the names of a member's playbooks."""

from collections.abc import Iterator
from datetime import datetime

from bot.ops.commands import BUILT_IN_TEAM
from bot.sandbox.kinds import Json
from cadence.actor import Actor
from cadence.flows.core import lexicon
from handlers.grammar import TABLE
from storage.engine import Database
from storage.work import UnitOfWork


def vocabulary(db: Database, member: str, *, now: datetime) -> list[Json]:
    """Whole commands with their arguments, then playbooks, steps and teams: `{text, hint}` each."""
    return [{"text": text, "hint": hint} for text, hint in _words(db, member, now)]


def _words(db: Database, member: str, now: datetime) -> Iterator[tuple[str, str]]:
    for entry in TABLE:
        yield entry.command, f"{entry.usage}  {entry.summary}".strip()
    known = lexicon(UnitOfWork(db, Actor(BUILT_IN_TEAM, member, "command"), now))
    for slug in (*known.steps, *known.others):
        yield slug, known.titles.get(slug, "")
    for slug, steps in known.steps.items():
        for step in steps:
            yield step, f"a step of {known.titles.get(slug, slug)}"
    for team in known.teams:
        yield f"team={team}", "a team"
