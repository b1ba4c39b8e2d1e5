"""`make fuzz`: 20,000 mutated requests over HTTP and Socket Mode, half of them on each database; and the
API's contract.

Exits with 1 when any is a 5xx, has no sentence, or was refused and changed a row, or if an answer of the API isn't
as its OpenAPI document says.
"""

import argparse
import logging
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from tests.databases import OnPostgres
from tests.fuzz.contract import Contract, desk_with_check
from tests.fuzz.hammer import FRESH_EVERY, SEED, Figures, hammer
from tests.storage import postgres

REQUESTS = 20_000
EACH_OPERATION = 200
"""For so many mutated requests, one valid and one invalid request for each operation of the API on each database."""


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(words: list[str]) -> int:
    """Send the requests; returns the exit code."""
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    asked.add_argument("--seed", type=int, default=SEED, help=f"of the mutations; {SEED} when left out")
    asked.add_argument("--requests", type=int, default=REQUESTS, help="how many, over both databases")
    asked.add_argument("--only", type=int, help="repeat one request by its number, with those before it")
    given = asked.parse_args(words)
    numbers = range(given.requests)
    if given.only is not None:
        numbers = range(given.only - given.only % FRESH_EVERY, given.only + 1)
    say(f"seed {given.seed}")
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    begun = time.perf_counter()
    found = list(_both(numbers, given.seed, whole=given.only is not None))
    for figures in found:
        say("\n".join(figures.lines()))
    failed = sum(len(figures.failures) for figures in found)
    passed = sum(figures.passed for figures in found)
    if given.only is None:
        failed += _contracts(given.requests // EACH_OPERATION, given.seed)
    say(f"{passed:,} passed, {failed:,} failed in {time.perf_counter() - begun:.0f} s (seed {given.seed})")
    return 1 if failed else 0


def _both(numbers: range, seed: int, *, whole: bool) -> list[Figures]:
    """The first half on SQLite, the second on PostgreSQL; all of them on SQLite where there is no PostgreSQL."""
    with TemporaryDirectory() as folder:
        try:
            with postgres.cluster() as socket:
                middle = numbers.start if whole else (numbers.start + numbers.stop) // 2
                first = range(numbers.start, numbers.stop if whole else middle)
                on_sqlite = _run(Path(folder, "sqlite"), first, seed, "SQLite")
                OnPostgres.socket = socket
                try:
                    on_postgres = _run(
                        Path(folder, "postgres"), range(middle, numbers.stop), seed, "PostgreSQL"
                    )
                finally:
                    OnPostgres.socket = None
                return [on_sqlite, on_postgres]
        except postgres.NoPostgres as reason:
            say(f"PostgreSQL: not run, {reason}")
            return [_run(Path(folder, "alone"), numbers, seed, "SQLite")]


def _contracts(examples: int, seed: int) -> int:
    """Try the API on both databases; returns the number of failures."""
    failed = _contract("SQLite", examples, seed)
    try:
        with postgres.cluster() as socket:
            OnPostgres.socket = socket
            try:
                return failed + _contract("PostgreSQL", examples, seed)
            finally:
                OnPostgres.socket = None
    except postgres.NoPostgres:  # said before
        return failed


def _contract(database: str, examples: int, seed: int) -> int:
    with TemporaryDirectory() as folder, desk_with_check(Path(folder)) as harness:
        contract = Contract(harness)
        contract.try_each(examples=examples, start=seed)
        sent = sum(contract.statuses.values())
    say(f"{database}: {sent:,} requests to the API, {len(contract.failures):,} answers not as documented")
    for failure in contract.failures:
        say(failure)
    return len(contract.failures)


def _run(folder: Path, numbers: range, seed: int, database: str) -> Figures:
    folder.mkdir()
    return hammer(folder, numbers, seed=seed, database=database, say=say)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
