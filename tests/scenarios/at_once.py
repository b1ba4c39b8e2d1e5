"""Two requests at once, on PostgreSQL: the second began before the first was committed.

On SQLite one transaction writes at a time, so there's nothing to try.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from cadence.actor import Actor
from cadence.refusals import Refusal
from storage.engine import Conflict
from storage.work import UnitOfWork
from tests.databases import OnPostgres
from tests.storage.threads import until_somebody_waits

Do = Callable[[UnitOfWork], object]


@contextmanager
def on_postgres(socket: str) -> Iterator[None]:
    """Keep the rows of harnesses in a PostgreSQL."""
    before, OnPostgres.socket = OnPostgres.socket, socket
    try:
        yield
    finally:
        OnPostgres.socket = before


def work(harness: BotHarness, member: str, number: int) -> UnitOfWork:
    """A person's command."""
    actor = Actor(BUILT_IN_TEAM, member, "command", request=f"at-once-{number}")
    return UnitOfWork(harness.bot.db, actor, harness.clock.now())


def at_once(harness: BotHarness, first: tuple[str, Do], second: tuple[str, Do]) -> str:
    """Commit what one person does after another person's request began; returns why that one was refused, if so."""

    def later() -> str:
        try:
            second[1](work(harness, second[0], 2))
        except Conflict:  # what Slack sends is then carried out again
            second[1](work(harness, second[0], 2))
        except Refusal as refused:
            return refused.plain
        return ""

    with ThreadPoolExecutor(1) as threads:
        uow = work(harness, first[0], 1)
        with uow.write():
            first[1](uow)
            uow.session.flush()
            found = threads.submit(later)
            until_somebody_waits(harness.bot.db)
        return found.result(60)
