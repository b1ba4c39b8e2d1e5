"""Many messages, a Slack that fails, workers killed at random, PostgreSQL stopped hard: what arrived."""

import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from sqlmodel import func, select

from bot.fleet import prepare
from bot.sandbox.clock import SandboxClock
from bot.sandbox.faults import Fault, FaultPlan, FaultRates
from bot.sandbox.server import SandboxServer
from bot.sandbox.workspace import Workspace, build_workspace
from cadence.flows.profiles import ensure_workspace
from storage import ledger
from storage.engine import Database
from storage.ledger import Owed
from storage.migrate import migrate
from storage.tables import MessageState, OwedMessage
from tests.processes.places import key_of, tokens
from tests.processes.programs import Program
from tests.storage import postgres

TEAM = "T1"
RATES = FaultRates(
    {
        Fault.RATE_LIMIT: 0.03,
        Fault.SERVER_ERROR: 0.025,
        Fault.BAD_GATEWAY: 0.025,
        Fault.DROPPED: 0.05,
        Fault.SLOW: 0.02,
        Fault.RESET: 0.01,
    }
)
"""Of every call of every method."""
SLOW_SECONDS = 0.5
DMS = 10
"""One in so many recipients is a person."""


@dataclass(frozen=True, slots=True)
class Storm:
    """How much of everything.

    Args:
        kills: SIGKILLs of workers, at random moments while messages go out.
        stops: hard stops of PostgreSQL.
        seconds: after which it is given up.
    """

    name: str
    messages: int
    channels: int
    workers: int
    kills: int
    stops: int
    seconds: float
    seed: int = 20261122


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of it. `closest` is in seconds, between two messages in one channel."""

    storm: Storm
    lost: int
    duplicated: int
    unfinished: int
    out_of_order: int
    closest: float
    seconds: float
    kills: int
    stops: int
    faults: Counter[str]

    @property
    def good(self) -> bool:
        """Whether everything arrived once and Slack's pace was kept."""
        return not (self.lost or self.duplicated or self.unfinished) and self.closest >= 0.95

    def lines(self) -> Iterator[str]:
        """For people."""
        storm = self.storm
        yield (
            f"{storm.name}: {storm.messages} messages over {storm.channels} channels, {storm.workers} worker(s), "
            f"{self.kills} kills, {self.stops} hard stops of PostgreSQL, {self.faults.total()} faults "
            f"({', '.join(f'{count} {kind}' for kind, count in sorted(self.faults.items()))})"
        )
        yield (
            f"  lost {self.lost}, duplicated {self.duplicated}, unfinished {self.unfinished}, "
            f"out of order {self.out_of_order}, closest two in a channel {self.closest:.3f} s, "
            f"{self.seconds:.0f} s in all"
        )


class Crew:
    """The workers: whoever dies is started again."""

    def __init__(self, folder: Path, settings: dict[str, str], size: int) -> None:
        self._folder, self._settings = folder, settings
        self._running = [self._new() for _ in range(size)]

    def _new(self) -> Program:
        return Program(self._folder, "worker", self._settings)

    def replace_the_dead(self) -> None:
        """As an init system does."""
        for at, program in enumerate(self._running):
            if program.process.poll() is not None:
                self._running[at] = self._new()

    def kill_one(self, chance: random.Random) -> None:
        """SIGKILL a worker."""
        chance.choice(self._running).kill()

    def end(self) -> None:
        """Stop them all."""
        for program in self._running:
            if program.process.poll() is None:
                program.kill()


def blow(storm: Storm, *, say: Callable[[str], None] = lambda _line: None) -> Figures:
    """Run a storm on SQLite, or on PostgreSQL when it stops that or has several workers.

    Raises:
        NoPostgres: PostgreSQL can't be started here.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cadence-chaos-")))
        server = stack.enter_context(postgres.server()) if storm.workers > 1 else None
        if server is not None:
            postgres.create(server.socket, "chaos")
        url = postgres.url(server.socket, "chaos") if server else f"sqlite:///{folder / 'chaos.db'}"
        recipients = [
            f"U{number:03}" if number % DMS == 0 else f"C{number:03}" for number in range(storm.channels)
        ]
        db = Database(url)
        stack.callback(db.close)
        _set_up(db, storm, recipients)
        faults = FaultPlan({"*": RATES}, seed=storm.seed, slow_seconds=SLOW_SECONDS)
        slack = stack.enter_context(SandboxServer(_workspace(recipients), faults=faults))
        settings = tokens(slack) | {
            "DATABASE_URL": url,
            "CADENCE_LOG": "error",
            "CADENCE_MESSAGES_A_MINUTE": "60000",
        }
        began = time.monotonic()
        with _crew(folder, settings, storm.workers) as crew:
            kills, stops = _weather(storm, db, slack.workspace, crew, server, say)
        seconds = time.monotonic() - began
        struck = Counter(fault.value for _, fault in faults.struck)
        return _counted(storm, db, slack.workspace, seconds, kills, stops, struck)


@contextmanager
def _crew(folder: Path, settings: dict[str, str], size: int) -> Iterator[Crew]:
    crew = Crew(folder, settings, size)
    try:
        yield crew
    finally:
        crew.end()


def _workspace(recipients: list[str]) -> Workspace:
    members = [{"id": one, "name": one.lower()} for one in recipients if one.startswith("U")]
    channels = [{"id": one, "name": one.lower()} for one in recipients if one.startswith("C")]
    return build_workspace(team_id=TEAM, clock=SandboxClock(), members=members, channels=channels)


def _set_up(db: Database, storm: Storm, recipients: list[str]) -> None:
    migrate(db)
    if not db.is_sqlite:
        prepare(db)
    now = datetime.now(UTC)
    ensure_workspace(db, workspace_id=TEAM, name="Team", now=now)
    owed = [
        Owed(
            key=f"set-away:{number}",
            kind="set-away",  # goes out at any hour
            recipient=recipients[number % len(recipients)],
            subject={"by": f"U{number:06}", "from": "2026-03-02", "until": "2026-03-03"},
            due_at=now,
        )
        for number in range(storm.messages)
    ]
    with db.write() as session:
        ledger.owe(session, workspace_id=TEAM, owed=owed, now=now)


def _weather(
    storm: Storm,
    db: Database,
    workspace: Workspace,
    crew: Crew,
    server: postgres.Server | None,
    say: Callable[[str], None],
) -> tuple[int, int]:
    """Strike at random points of the way, until nothing is owed or the time is over; returns kills and stops."""
    chance = random.Random(storm.seed)
    kills = sorted(chance.sample(range(storm.messages * 19 // 20), storm.kills), reverse=True)
    stops = [storm.messages * (at + 1) // (storm.stops + 1) for at in range(storm.stops)][::-1]
    killed = stopped = 0
    end = time.monotonic() + storm.seconds
    while time.monotonic() < end:
        posted = workspace.messages.mark()
        if kills and posted >= kills[-1]:
            kills.pop()
            crew.kill_one(chance)
            killed += 1
        if server is not None and stops and posted >= stops[-1]:
            stops.pop()
            server.crash()
            stopped += 1
            time.sleep(1)
            server.start()
            say(f"{posted} posted: PostgreSQL was stopped and is back")
        crew.replace_the_dead()
        if posted >= storm.messages and not _unfinished(db):
            break
        time.sleep(0.1)
    return killed, stopped


def _unfinished(db: Database) -> int:
    with db.read() as session:
        due = select(func.count()).select_from(OwedMessage).where(OwedMessage.state != MessageState.SENT)
        return session.exec(due).one()


def _counted(
    storm: Storm,
    db: Database,
    workspace: Workspace,
    seconds: float,
    kills: int,
    stops: int,
    struck: Counter[str],
) -> Figures:
    arrived: Counter[str] = Counter()
    rooms: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for message in workspace.messages.everywhere():
        key = key_of(message)
        arrived[key] += 1
        rooms[message.channel].append((float(message.ts), int(key.rpartition(":")[2])))
    gaps = [second[0] - first[0] for room in rooms.values() for first, second in pairwise(room)]
    turned = sum(second[1] < first[1] for room in rooms.values() for first, second in pairwise(room))
    return Figures(
        storm=storm,
        lost=sum(f"set-away:{number}" not in arrived for number in range(storm.messages)),
        duplicated=sum(count - 1 for count in arrived.values()),
        unfinished=_unfinished(db),
        out_of_order=turned,
        closest=min(gaps, default=float("inf")),
        seconds=seconds,
        kills=kills,
        stops=stops,
        faults=struck,
    )
