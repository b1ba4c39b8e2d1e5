"""`/kpi` over HTTP with all its work, against the least that Bolt can do: throughput, latency, queries, CPU time.

Two servers, processes of their own on one machine and one database: `cadence web` as it is run, and the bare Bolt
app of `tests/bench/bare.py`. Rounds alternate between them, so that whatever else the machine does, it does to both;
the ratios are what counts.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from bot.sandbox import SandboxServer
from storage.engine import Database
from tests.bench import bare
from tests.bench.load import MARK
from tests.bench.web_inside import Cost
from tests.bench.web_places import APP, Place, as_http, asked, fill, slack
from tests.processes.programs import environment, eventually, fetch, free_port, started
from tests.storage import postgres

FASTEST: Final = 4_000
"""Requests a second made ready for a closed-loop round: more than any server here answers."""
RATE: Final = 200
"""Requests a second at which latency is looked at."""
CONNECTIONS: Final = 8
REPOSITORY: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Scale:
    """How long and how much: rounds for each server, seconds of one, requests counted inside one process."""

    place: Place
    rounds: int
    seconds: float
    steady: float
    counted: int


FULL: Final = Scale(Place(teams=40, messages=10_000), rounds=3, seconds=1.5, steady=3.0, counted=300)
TINY: Final = Scale(Place(teams=2, messages=10), rounds=1, seconds=0.1, steady=0.1, counted=2)


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a round; seconds."""

    answered: int
    wrong: int
    seconds: float
    median: float
    p99: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds


def run(scale: Scale = FULL) -> Iterator[str]:
    """SQLite, then PostgreSQL where there is one."""
    yield (
        f"{scale.place.teams} teams of 8 in the second week of a cycle, {scale.place.messages:,} messages sent "
        "before; each request is another person and another number"
    )
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    if load > processors / 2:
        yield f"other work is going on (load {load:.1f} on {processors} processors): look at the CPU ratio first"
    with TemporaryDirectory() as folder:
        yield from _on("SQLite (synchronous=FULL)", f"sqlite:///{folder}/bench.db", Path(folder), scale)
    try:
        with TemporaryDirectory() as folder, postgres.server(durable=True) as server:
            postgres.create(server.socket, "bench")
            url = postgres.url(server.socket, "bench")
            yield from _on("PostgreSQL (fsync on)", url, Path(folder), scale)
    except postgres.NoPostgres as reason:
        yield f"PostgreSQL: {reason}"


def _on(name: str, url: str, folder: Path, scale: Scale) -> Iterator[str]:
    db = Database(url)
    fill(db, scale.place, now=datetime.now(UTC))
    bare.make_table(db)
    db.close()
    with slack() as server:
        yield f"{name}"
        yield _inside(url, server, scale)
        with _served(url, server, folder) as (ours, theirs):
            yield from outside(Asker(folder, scale.place), ours, theirs, scale)


@contextmanager
def _served(url: str, server: SandboxServer, folder: Path) -> Iterator[tuple[int, int]]:
    """The ports of both servers, once they answer."""
    ours, theirs, secret = free_port(), free_port(), APP.signing_secret
    settings = {
        "SLACK_API_URL": server.api_url,
        "SLACK_BOT_TOKEN": APP.token,
        "SLACK_SIGNING_SECRET": secret,
        "DATABASE_URL": url,
        "PORT": str(ours),
    }
    with started(folder, "web", **settings) as web:
        other = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.bare", url, str(theirs), secret],
            env=environment(folder, {}),
            cwd=REPOSITORY,
            stderr=subprocess.DEVNULL,
        )
        try:
            eventually(
                lambda: fetch(f"http://127.0.0.1:{ours}/readyz")[0] == 200, "cadence web is ready", web
            )
            eventually(lambda: fetch(f"http://127.0.0.1:{theirs}/")[0] == 404, "the bare app answers")
            yield ours, theirs
        finally:
            other.kill()
            other.wait()


@dataclass(slots=True)
class Asker:
    """Lets the other process ask, with requests nobody has sent before."""

    folder: Path
    place: Place
    seed: int = 0

    def __call__(self, port: int, how: str, number: int, seconds: float) -> Came:
        """One round: `closed` with that many connections, or `open` at that many requests a second."""
        self.seed += 1
        count = int((FASTEST if how == "closed" else number) * seconds) + 1
        requests = asked(self.place, secret=APP.signing_secret, at=time.time(), seed=self.seed)
        file = self.folder / "requests"
        file.write_bytes(MARK.join(as_http(*one) for one in islice(requests, count)))
        load = [sys.executable, "-m", "tests.bench.load", str(port), str(file)]
        said = subprocess.run(
            [*load, "Recorded", how, str(number), str(seconds)],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        )
        return Came(**json.loads(said.stdout))


def outside(ask: Asker, ours: int, theirs: int, scale: Scale) -> Iterator[str]:
    """Throughput in alternating rounds, then latency at a steady rate."""
    for port in (ours, theirs):
        ask(port, "closed", CONNECTIONS, scale.seconds)  # warms up; not counted
    rounds = [
        (ask(ours, "closed", CONNECTIONS, scale.seconds), ask(theirs, "closed", CONNECTIONS, scale.seconds))
        for _ in range(scale.rounds)
    ]
    wrong = sum(one.wrong for pair in rounds for one in pair)
    ratios = sorted(us.rate / bare.rate for us, bare in rounds)
    us, least = (median(pair[at].rate for pair in rounds) for at in (0, 1))
    yield (
        f"  throughput: /kpi {us:,.0f} a second, bare {least:,.0f}: ratio {median(ratios):.2f} "
        f"({ratios[0]:.2f} to {ratios[-1]:.2f} in {scale.rounds} rounds; {wrong} wrong answers)"
    )
    for title, port in (("/kpi", ours), ("bare", theirs)):
        steady = ask(port, "open", RATE, scale.steady)
        yield (
            f"  at {RATE} a second: {title} median {steady.median * 1000:.1f} ms, p99 {steady.p99 * 1000:.1f} ms "
            f"({steady.answered:,} answers, {steady.wrong} wrong)"
        )


def _inside(url: str, server: SandboxServer, scale: Scale) -> str:
    """Queries, transactions and CPU time of a request, counted in a process without a WSGI server."""
    count, size = str(scale.counted), [str(scale.place.teams), str(scale.place.messages)]
    said = subprocess.run(
        [sys.executable, "-m", "tests.bench.web_inside", url, server.api_url, *size, count],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # the log, written as in `cadence web`
        text=True,
        check=True,
    )
    us, bare = (Cost(**one) for one in json.loads(said.stdout))
    return (
        f"  a request: {us.statements:.1f} statements in {us.transactions:.1f} transactions "
        f"(bare {bare.statements:.1f} in {bare.transactions:.1f}), CPU {us.milliseconds:.2f} ms "
        f"(bare {bare.milliseconds:.2f}: ratio {bare.milliseconds / us.milliseconds:.2f})"
    )
