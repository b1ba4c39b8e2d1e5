"""How close draining comes to Slack's own pace: one channel, many under a budget, and a burst of DMs.

The workers are `cadence worker` processes; the fake Slack is a separate process that answers at once. A ratio
of 1 is the ideal: a message a second in a channel, the budget's messages a minute in a workspace.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from bot.delivery.gateway import Gateway
from bot.runtime.queue_runner import prepare
from bot.runtime.sender_pool import WIDTH
from cadence.actor import Actor
from cadence.flows.outbox.outbox import BURST
from cadence.flows.people.profiles import ensure_workspace
from storage.engine import Database
from storage.migrate import migrate
from storage.outbox.queueing import NewMessage
from storage.work import UnitOfWork
from tests.bench.slack import TEAM_ID, TOKEN, Slack, slack
from tests.bench.start_bench import cpu_seconds
from tests.processes.programs import Program
from tests.storage import postgres

FLEETS = (2, 3)
UNBUDGETED = 60_000
WARM_UP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Drain:
    """The messages to send, and how fast they can go.

    Args:
        recipients: how many; the messages are spread over them evenly. People are written to in DMs.
        a_minute: the workspace's budget.
        seconds: after which the arrived messages are counted.
    """

    name: str
    messages: int
    recipients: int
    people: bool = False
    a_minute: int = UNBUDGETED
    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of it."""

    one: Drain = Drain("one channel", messages=21, recipients=1)
    budget: Drain = Drain("60 channels, 500 a minute", messages=240, recipients=60, a_minute=500, seconds=20)
    burst: Drain = Drain("2,000 DMs", messages=2000, recipients=2000, people=True, seconds=45)


TINY = Scale(
    Drain("one channel", messages=2, recipients=1),
    Drain("4 channels", messages=8, recipients=4, a_minute=6000, seconds=5),
    Drain("20 DMs", messages=20, recipients=20, people=True),
)


def run(scale: Scale = Scale(), *, fleet: bool = True) -> Iterator[str]:
    """Drain on SQLite, and on PostgreSQL with two workers and with three."""
    yield from _drained("SQLite, embedded", scale)
    try:
        for many in FLEETS if fleet else ():
            yield from _drained(f"PostgreSQL, fleet of {many} workers", scale, fleet=many)
    except postgres.NoPostgres as reason:
        yield f"PostgreSQL: {reason}"


def _drained(name: str, scale: Scale, *, fleet: int = 0) -> Iterator[str]:
    for drain in (scale.one, scale.budget, scale.burst):
        came, cost = measure(drain, fleet=fleet)
        yield f"{name}: {drain.name}: {figures(drain, came)}{cost}"


def measure(drain: Drain, *, fleet: int = 0) -> tuple[list[tuple[float, str]], str]:
    """When each message arrived, sent by one worker on SQLite or by several on PostgreSQL; and its cost."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cadence-drain-")))
        server = stack.enter_context(postgres.server(durable=True)) if fleet else None
        if server is not None:
            postgres.create(server.socket, "drain")
        url = postgres.url(server.socket, "drain") if server else f"sqlite:///{folder / 'drain.db'}"
        db = Database(url)
        stack.callback(db.close)
        there = stack.enter_context(slack())
        _prepare(db)
        settings = {
            "SLACK_API_URL": there.api_url,
            "SLACK_BOT_TOKEN": TOKEN,
            "DATABASE_URL": url,
            "CADENCE_LOG": "error",
            "CADENCE_MESSAGES_A_MINUTE": str(drain.a_minute),
        }
        crew = [Program(folder, "worker", settings) for _ in range(fleet or 1)]
        for program in crew:
            stack.callback(program.end)
        _owe(db, [("C0WARM", "warm-up")])
        _until(there, 1, WARM_UP_SECONDS)
        before, begun = _cpu(crew), time.time()
        _owe(db, _messages(drain))
        _until(there, 1 + drain.messages, drain.seconds)
        came = [(at - begun, channel) for at, channel in there.came() if channel != "C0WARM"]
        cost = f", {1000 * (_cpu(crew) - before) / max(1, len(came)):.1f} ms of the workers' CPU each"
        for program in crew:
            program.end()
        return came, cost + (_alone(there, drain) if drain.people else "")


def _cpu(crew: Sequence[Program]) -> float:
    return sum(cpu_seconds(program.process.pid) for program in crew)


def _prepare(db: Database) -> None:
    migrate(db)
    if not db.is_sqlite:
        prepare(db)
    ensure_workspace(UnitOfWork(db, Actor.system(TEAM_ID), datetime.now(UTC)), name="Bench")


def _messages(drain: Drain) -> list[tuple[str, str]]:
    kind = "U" if drain.people else "C"
    return [(f"{kind}{number % drain.recipients:05}", str(number)) for number in range(drain.messages)]


def _owe(db: Database, messages: list[tuple[str, str]]) -> None:
    now = datetime.now(UTC)
    owed = [
        NewMessage(
            "welcome",  # goes out at any hour
            recipient,
            {"by": "U000001", "from": "2026-03-02", "until": "2026-03-03"},
            about=(what,),
        )
        for recipient, what in messages
    ]
    with db.write() as session:
        UnitOfWork.around(session, Actor.system(TEAM_ID), now).send(owed)


def _until(there: Slack, many: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and len(there.came()) < many:
        time.sleep(0.2)


def figures(drain: Drain, came: list[tuple[float, str]]) -> str:
    if not came:
        return "nothing came"
    took = came[-1][0]
    rooms: dict[str, list[float]] = {}
    for at, channel in came:
        rooms.setdefault(channel, []).append(at)
    closest = min(
        (second - first for room in rooms.values() for first, second in pairwise(room)), default=0.0
    )
    found = f"{len(came)} of {drain.messages} in {took:.1f} s, {len(came) / took:.1f} a second"
    if closest:
        found += f", closest two in a channel {closest:.3f} s"
    ideal = _ideal_seconds(drain, len(came), min(drain.recipients, len(came)))
    first = came[0][0] if drain.recipients == 1 else 0.0
    return found + (f", {ideal / (took - first):.3f} of the ideal" if ideal else "")


def _ideal_seconds(drain: Drain, messages: int, recipients: int) -> float:
    """The minimum time at Slack's pace and the budget: an idle workspace can begin with a burst."""
    rounds = -(-messages // recipients) - 1
    share = 60 / drain.a_minute
    budget = (messages - 1) * share - BURST.total_seconds() if drain.a_minute < UNBUDGETED else 0.0
    return max(float(rounds), budget)


def _alone(there: Slack, drain: Drain) -> str:
    """The same calls without the ledger: the limit set by the SDK and the fake Slack."""
    gateway, many = Gateway(token=TOKEN, api_url=there.api_url), min(300, drain.messages)

    def call(number: int) -> None:
        channel = gateway.open_dm(f"U{number:05}")
        gateway.post(channel=channel, text="Hello", blocks=[], key=f"alone:{number}")

    begun = time.perf_counter()
    with ThreadPoolExecutor(WIDTH) as pool:
        list(pool.map(call, range(many)))
    return f"; the calls alone: {many / (time.perf_counter() - begun):.0f} a second"
