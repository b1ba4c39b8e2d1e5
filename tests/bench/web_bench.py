"""A Thursday over HTTP with all its work, against the least that Bolt can do: throughput, latency, queries, CPU time.

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

from bot.ops.commands import BUILT_IN_TEAM
from storage.engine import Database
from tests.bench import bare
from tests.bench.load import MARK
from tests.bench.slack import Slack, slack
from tests.bench.thursday import Thursday
from tests.bench.web_inside import BARE, Cost, thursday
from tests.bench.web_places import APP, Place, as_http, fill
from tests.processes.programs import environment, eventually, fetch, free_port, started
from tests.storage import postgres

FASTEST: Final = 4_000
"""Requests a second made ready for a closed-loop round: more than any server here answers."""
RATE: Final = 100
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


FULL: Final = Scale(Place(teams=40, messages=10_000), rounds=3, seconds=1.5, steady=3.0, counted=100)
TINY: Final = Scale(Place(teams=2, messages=10), rounds=1, seconds=0.1, steady=0.1, counted=2)


@dataclass(frozen=True, slots=True)
class Came:
    """The results of a round; seconds."""

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
        "before; of 13 requests 3 open a check-in, 3 submit one, 2 are numbers, 2 open Home, and /attest, /exception "
        "and status are 1 each"
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
    with slack(BUILT_IN_TEAM) as server:
        yield f"{name}"
        yield from _inside(url, server, scale)
        day = thursday(db, scale.place, seed=int(time.time()), hooks=server.url)
        db.close()
        with _served(url, server, folder) as (ours, theirs):
            yield from outside(Asker(folder, day), ours, theirs, scale)


@contextmanager
def _served(url: str, server: Slack, folder: Path) -> Iterator[tuple[int, int]]:
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
    day: Thursday

    def __call__(self, port: int, kind: str, how: str, number: int, seconds: float) -> Came:
        """One round: `closed` with that many connections, or `open` at that many requests a second."""
        count = int((FASTEST if how == "closed" else number) * seconds) + 1
        file = self.folder / "requests"
        file.write_bytes(MARK.join(as_http(*one) for one in islice(self.day.requests(kind), count)))
        load = [sys.executable, "-m", "tests.bench.load", str(port), str(file)]
        wanted = "Recorded" if kind == "/kpi" else "HTTP/1.1 200"
        said = subprocess.run(
            [*load, wanted, how, str(number), str(seconds)],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        )
        return Came(**json.loads(said.stdout))


def outside(ask: Asker, ours: int, theirs: int, scale: Scale, *, kind: str = "mix") -> Iterator[str]:
    """Throughput in alternating rounds, then latency at a steady rate. The bare app is asked for numbers only."""
    both = ((ours, kind), (theirs, "/kpi"))
    for port, one in both:
        ask(port, one, "closed", CONNECTIONS, scale.seconds)  # warms up; not counted
    rounds = [
        [ask(port, one, "closed", CONNECTIONS, scale.seconds) for port, one in both]
        for _ in range(scale.rounds)
    ]
    wrong = sum(one.wrong for pair in rounds for one in pair)
    ratios = sorted(us.rate / bare.rate for us, bare in rounds)
    us, least = (median(pair[at].rate for pair in rounds) for at in (0, 1))
    yield (
        f"  throughput: {kind} {us:,.0f} a second, bare {least:,.0f}: ratio {median(ratios):.2f} "
        f"({ratios[0]:.2f} to {ratios[-1]:.2f} in {scale.rounds} rounds; {wrong} wrong answers)"
    )
    for title, port, one in ((kind, ours, kind), (BARE, theirs, "/kpi")):
        steady = ask(port, one, "open", RATE, scale.steady)
        yield (
            f"  at {RATE} a second: {title} median {steady.median * 1000:.1f} ms, p99 {steady.p99 * 1000:.1f} ms "
            f"({steady.answered:,} answers, {steady.wrong} wrong)"
        )


def _inside(url: str, server: Slack, scale: Scale) -> Iterator[str]:
    """Queries, transactions and CPU time of each request, counted in a process without an HTTP server."""
    count, size = str(scale.counted), [str(scale.place.teams), str(scale.place.messages)]
    said = subprocess.run(
        [sys.executable, "-m", "tests.bench.web_inside", url, server.url, *size, count],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # the log, written as in `cadence web`
        text=True,
        check=True,
    )
    *ours, least = (Cost(**one) for one in json.loads(said.stdout))
    for one in (*ours, least):
        yield (
            f"  {one.kind}: {one.statements:.1f} statements in {one.transactions:.1f} transactions, "
            f"CPU {one.milliseconds:.2f} ms, {one.milliseconds / least.milliseconds:.1f} times bare"
        )
