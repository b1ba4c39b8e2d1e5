"""The same items at once, from several processes: each counts once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import pytest

from bot.rehearsal.harness import BotHarness
from cadence.flows.machines import ExceptionItem, ItemResult, RunsItem, push
from cadence.flows.tokens import authenticate
from storage.engine import Database
from storage.tables import LoggedException, MeasuredRuns
from storage.work import UnitOfWork
from tests.scenarios.machines.asking import Tool
from tests.scenarios.plays import entries, rows

PROCESSES, ITEMS = 4, 30


@pytest.fixture
def databases(desk: BotHarness) -> list[Database]:
    """The same database, opened as by several processes."""
    return [Database(desk.bot.db.url) for _ in range(PROCESSES)]


def test_the_same_items_from_several_processes_count_once(
    desk: BotHarness, tool: Tool, databases: list[Database]
) -> None:
    holder = authenticate(desk.bot.db, tool.token, now=desk.clock.now())
    items = [{"id": f"r-{number}", "runs": 1} for number in range(ITEMS)]
    begin = Barrier(PROCESSES)

    def process(number: int) -> list[ItemResult]:
        with closing(databases[number]) as db:
            begin.wait()
            mine = items[number:] + items[:number]
            return push(UnitOfWork(db, holder.actor(), desk.clock.now()), holder, RunsItem, mine)

    with ThreadPoolExecutor(PROCESSES) as threads:
        found = [one for results in threads.map(process, range(PROCESSES)) for one in results]
    assert sorted(one.outcome for one in found) == ["recorded"] * ITEMS + ["repeated"] * ITEMS * (
        PROCESSES - 1
    )
    assert sorted(row.source.partition(":")[2] for row in rows(desk, MeasuredRuns)) == sorted(
        str(one["id"]) for one in items
    )


def test_exceptions_from_several_processes_demote_once(
    desk: BotHarness, tool: Tool, databases: list[Database]
) -> None:
    holder = authenticate(desk.bot.db, tool.token, now=desk.clock.now())
    begin = Barrier(PROCESSES)

    def process(number: int) -> list[ItemResult]:
        with closing(databases[number]) as db:
            begin.wait()
            item = {"id": f"t-{number}", "step": "send", "reason": "a refund", "critical": True}
            return push(UnitOfWork(db, holder.actor(), desk.clock.now()), holder, ExceptionItem, [item])

    with ThreadPoolExecutor(PROCESSES) as threads:
        found = [one for results in threads.map(process, range(PROCESSES)) for one in results]
    assert [one.outcome for one in found] == ["recorded"] * PROCESSES
    assert len(rows(desk, LoggedException)) == PROCESSES
    verdicts = [one.verdict.decision for one in found if one.verdict]
    assert len(verdicts) == PROCESSES
    assert len(entries(desk, "demotion")) == verdicts.count("demote")
