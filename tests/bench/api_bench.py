"""Tools push 500 events a second in batches while people use Slack: how long pushes take, and what Slack notices.

Three processes on one machine: `cadence web` as it is run, one that sends pushes at fixed instants, one that sends a
Thursday's requests, signed, at fixed instants. Rounds with and without pushes alternate; the ratio is what counts.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from bot.ops.commands import BUILT_IN_TEAM
from cadence.actor import Actor
from cadence.flows.tokens import TokenGiven, draw_token, make_token
from storage.engine import Database
from storage.work import UnitOfWork
from tests.bench.load import MARK
from tests.bench.slack import Slack, slack
from tests.bench.thursday import Thursday
from tests.bench.web_bench import REPOSITORY, Came
from tests.bench.web_inside import thursday
from tests.bench.web_places import APP, CURATOR, TEAMS_A_PLAYBOOK, Place, as_http, fill
from tests.processes.programs import eventually, fetch, free_port, started
from tests.storage import postgres

EVENTS: Final = 500
"""Events a second."""
BATCH: Final = 50
"""Events of one push."""
PUSHES: Final = ("runs",) * 8 + ("exceptions", "rubric")
"""Of ten pushes eight are runs."""
REQUESTS: Final = 30
"""Slack's requests a second: a Thursday morning of some thousand people."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much there is, and how long it lasts; rounds of each kind, seconds of one."""

    place: Place
    rounds: int
    seconds: float


FULL: Final = Scale(Place(teams=40, messages=10_000), rounds=5, seconds=6)
TINY: Final = Scale(Place(teams=4, messages=10), rounds=1, seconds=0.5)


def run(scale: Scale = FULL) -> Iterator[str]:
    """SQLite, then PostgreSQL where there is one."""
    yield (
        f"{EVENTS} events a second in batches of {BATCH} (of ten batches 8 are runs, 1 exceptions, 1 grades) from "
        f"{scale.place.teams // TEAMS_A_PLAYBOOK} tools; {REQUESTS} requests a second of Slack's; "
        f"{scale.place.teams} teams of 8"
    )
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    if load > processors / 2:
        yield f"other work is going on (load {load:.1f} on {processors} processors): look at the ratio first"
    with TemporaryDirectory() as folder:
        yield from on("SQLite (synchronous=FULL)", f"sqlite:///{folder}/bench.db", Path(folder), scale)
    try:
        with TemporaryDirectory() as folder, postgres.server(durable=True) as server:
            postgres.create(server.socket, "bench")
            url = postgres.url(server.socket, "bench")
            yield from on("PostgreSQL (fsync on)", url, Path(folder), scale)
    except postgres.NoPostgres as reason:
        yield f"PostgreSQL: {reason}"


def on(name: str, url: str, folder: Path, scale: Scale) -> Iterator[str]:
    """Fill a database, serve it, and measure."""
    db = Database(url)
    fill(db, scale.place, now=datetime.now(UTC))
    tools = Tools(scale.place, [_token(db, slug) for slug in _playbooks(scale.place)])
    with slack(BUILT_IN_TEAM) as server:
        day = thursday(db, scale.place, seed=int(time.time()), hooks=server.url)
        db.close()
        settings = _settings(url, server)
        with started(folder, "web", **settings) as web:
            port = int(settings["PORT"])
            address = f"http://127.0.0.1:{port}"
            eventually(lambda: fetch(f"{address}/readyz")[0] == 200, "cadence web is ready", web)
            eventually(lambda: fetch(f"{address}/api/v1/openapi.json")[0] == 200, "the API is ready", web)
            sender = Sender(port, folder, day, tools)
            sender.beside(1.0)  # warms up; not counted
            yield from _measured(name, sender, scale)


def _measured(name: str, sender: "Sender", scale: Scale) -> Iterator[str]:
    rounds = [(sender.alone(scale.seconds), *sender.beside(scale.seconds)) for _ in range(scale.rounds)]
    wrong = sum(one.wrong for found in rounds for one in found)
    pushes = [push for _, _, push in rounds]
    events = sum(one.answered for one in pushes) * BATCH / sum(one.seconds for one in pushes)
    ratios = sorted(with_pushes.p99 / alone.p99 for alone, with_pushes, _ in rounds)
    yield name
    yield (
        f"  pushes of {BATCH}: median {_ms(one.median for one in pushes)}, p99 {_ms(one.p99 for one in pushes)} "
        f"({events:,.0f} events a second; {wrong} wrong answers)"
    )
    yield (
        f"  Slack's requests: median {_ms(one.median for one, _, _ in rounds)} alone, "
        f"{_ms(one.median for _, one, _ in rounds)} beside pushes; p99 {_ms(one.p99 for one, _, _ in rounds)} alone, "
        f"{_ms(one.p99 for _, one, _ in rounds)} beside pushes: ratio {median(ratios):.2f} "
        f"({ratios[0]:.2f} to {ratios[-1]:.2f} in {len(ratios)} rounds)"
    )


def _ms(seconds: Iterator[float]) -> str:
    return f"{median(seconds) * 1000:.1f} ms"


def _settings(url: str, server: Slack) -> dict[str, str]:
    return {
        "SLACK_API_URL": server.api_url,
        "SLACK_BOT_TOKEN": APP.token,
        "SLACK_SIGNING_SECRET": APP.signing_secret,
        "DATABASE_URL": url,
        "PORT": str(free_port()),
        "CADENCE_API_REQUESTS_A_MINUTE": "100000",
    }


def _playbooks(place: Place) -> list[str]:
    return [f"playbook-{number}" for number in range(-(-place.teams // TEAMS_A_PLAYBOOK))]


def _token(db: Database, playbook: str) -> str:
    """A token of a playbook, made by a curator."""
    caller = Actor(BUILT_IN_TEAM, CURATOR, "command", request=f"token {playbook}")
    token = draw_token(BUILT_IN_TEAM)
    given = TokenGiven(f"Tool {playbook}", "tool", ("write",), playbook=playbook)
    make_token(UnitOfWork(db, caller, datetime.now(UTC)), given, token)
    return token.text


@dataclass(slots=True)
class Tools:
    """One tool for each playbook; each reports about all of its teams."""

    place: Place
    tokens: list[str]
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def pushes(self) -> Iterator[bytes]:
        """Pushes without end, as they go over the line; the tools take turns."""
        for number in self._numbers:
            tool = number % len(self.tokens)
            path = PUSHES[(number // len(self.tokens) + number) % len(PUSHES)]
            items = [self._item(path, tool, f"{number}-{position}") for position in range(BATCH)]
            body = json.dumps({"items": items}).encode()
            lines = [
                f"POST /api/v1/{path} HTTP/1.1",
                "Host: 127.0.0.1",
                f"Authorization: Bearer {self.tokens[tool]}",
                "Content-Type: application/json",
                f"Content-Length: {len(body)}",
            ]
            yield ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    def _item(self, path: str, tool: int, name: str) -> dict[str, Any]:
        chance = random.Random(name)
        last = min((tool + 1) * TEAMS_A_PLAYBOOK, self.place.teams)
        team = self.place.team(chance.randrange(tool * TEAMS_A_PLAYBOOK, last))
        about: dict[str, Any] = {"id": name, "team": team.slug}
        if path == "runs":
            return about | {"runs": 1, "member": chance.choice(team.members)}
        if path == "exceptions":
            return about | {"step": "send", "reason": f"Wrong price in ticket {name}"}
        return about | {"step": "draft", "samples": 1, "passes": 1}


@dataclass(slots=True)
class Sender:
    """Starts the processes that send requests nobody has sent before."""

    port: int
    folder: Path
    day: Thursday
    tools: Tools

    def alone(self, seconds: float) -> Came:
        """Slack's requests alone."""
        return _came(self._slack(seconds))

    def beside(self, seconds: float) -> tuple[Came, Came]:
        """Slack's requests and pushes at the same time."""
        pushes, requests = self._pushes(seconds), self._slack(seconds)
        return _came(requests), _came(pushes)

    def _slack(self, seconds: float) -> "subprocess.Popen[str]":
        wanted = islice(self.day.requests("mix"), int(REQUESTS * seconds) + 1)
        return self._load("slack", [as_http(*one) for one in wanted], "HTTP/1.1 200", REQUESTS, seconds)

    def _pushes(self, seconds: float) -> "subprocess.Popen[str]":
        rate = EVENTS / BATCH
        wanted = list(islice(self.tools.pushes(), int(rate * seconds) + 1))
        return self._load("pushes", wanted, '"recorded"', rate, seconds)

    def _load(
        self, name: str, requests: list[bytes], wanted: str, rate: float, seconds: float
    ) -> "subprocess.Popen[str]":
        file = self.folder / name
        file.write_bytes(MARK.join(requests))
        load = [sys.executable, "-m", "tests.bench.load", str(self.port), str(file), wanted, "open"]
        return subprocess.Popen(
            [*load, str(rate), str(seconds)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
        )


def _came(process: "subprocess.Popen[str]") -> Came:
    said, _ = process.communicate()
    return Came(**json.loads(said))
