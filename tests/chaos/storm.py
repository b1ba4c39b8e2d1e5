"""Many messages, a Slack that fails, processes killed at random, PostgreSQL stopped hard: what arrived?"""

import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier
from sqlmodel import func, select

from bot.ops.commands import import_into
from bot.rehearsal.harness import GRANTED, people_of
from bot.runtime.queue_runner import prepare
from bot.sandbox.clock import SandboxClock
from bot.sandbox.faults import Fault, FaultPlan, FaultRates
from bot.sandbox.server import SandboxServer
from bot.sandbox.workspace import Workspace, build_workspace
from cadence.actor import Actor
from cadence.documents import read_workspace
from cadence.flows.cycles.starting import CycleGiven, start_cycle
from cadence.flows.people.profiles import ensure_workspace
from storage.engine import Database
from storage.migrate import migrate
from storage.outbox.queueing import NewMessage, message_key
from storage.tables import LoggedException, MessageState, OutboxMessage
from storage.work import UnitOfWork
from tests.harnesses import EXAMPLES
from tests.processes.places import CURATORS, ROOM, key_of, tokens
from tests.processes.programs import Program, fetch, free_port
from tests.storage import postgres

TEAM = "T1"
RATES = {
    Fault.RATE_LIMIT: 0.03,
    Fault.SERVER_ERROR: 0.025,
    Fault.BAD_GATEWAY: 0.025,
    Fault.DROPPED: 0.05,
    Fault.SLOW: 0.02,
    Fault.RESET: 0.01,
    Fault.LATE: 0.01,
}
"""Of every call of every method."""
MILD: Mapping[Fault, float] = {
    fault: rate for fault, rate in RATES.items() if fault not in (Fault.BAD_GATEWAY, Fault.RESET, Fault.LATE)
}
"""Without those after which a message may still arrive for half a minute, which the short form doesn't wait for."""
SLOW_SECONDS = 0.5
HANG_SECONDS = 8.5
"""Just longer than the bot waits for an answer."""
BUSY = "while True: pass"
KIND = "welcome"
"""Its messages go out at any hour."""
WRITTEN = "hydrangea"
"""User input, which no log line may contain."""
DMS = 10
"""One in this many recipients is a person."""


@dataclass(frozen=True, slots=True)
class Storm:
    """How much of everything.

    Args:
        kills: SIGKILLs of workers, at random moments while messages go out.
        stops: hard stops of PostgreSQL.
        seconds: after which it is given up.
        webs: web processes that handle requests at the same time.
        web_kills: SIGKILLs of those.
        requests: exceptions that are reported to them; each is sent again until it is answered.
        busy: processes that do nothing but take the processor.
        rates: how often each fault strikes a call.
    """

    name: str
    messages: int
    channels: int
    workers: int
    kills: int
    stops: int
    seconds: float
    seed: int = 20261122
    webs: int = 0
    web_kills: int = 0
    requests: int = 0
    busy: int = 0
    rates: Mapping[Fault, float] = field(default_factory=lambda: RATES)


@dataclass(frozen=True, slots=True)
class Figures:
    """The results. `closest` is in seconds, between two messages in one channel."""

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
    web_kills: int
    unanswered: int
    requests_lost: int
    requests_doubled: int
    out_of_scope: int
    leaked: int

    @property
    def good(self) -> bool:
        """Whether everything arrived once and Slack's pace was kept."""
        wrong = (self.lost, self.duplicated, self.unfinished, self.unanswered, self.out_of_scope, self.leaked)
        return not any((*wrong, self.requests_lost, self.requests_doubled)) and self.closest >= 0.95

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
        if storm.webs:
            yield (
                f"  {storm.requests} requests to {storm.webs} web process(es) with {self.web_kills} kills: "
                f"unanswered {self.unanswered}, lost {self.requests_lost}, doubled {self.requests_doubled}"
            )
        if storm.busy:
            yield f"  beside {storm.busy} processes that took the processor"
        if self.leaked:
            yield f"  {self.leaked} log lines with a token or with what somebody wrote"
        if self.out_of_scope:
            yield f"  {self.out_of_scope} calls without a scope of the manifest's"


class Crew:
    """Processes of one kind: dead ones are restarted.

    Args:
        settings: those of each.
    """

    def __init__(self, folder: Path, command: str, settings: Sequence[dict[str, str]]) -> None:
        self._folder, self._command, self._settings = folder, command, settings
        self._running = [self._new(one) for one in settings]

    def _new(self, settings: dict[str, str]) -> Program:
        return Program(self._folder, self._command, settings)

    def replace_the_dead(self) -> None:
        """As an init system does."""
        for at, program in enumerate(self._running):
            if program.process.poll() is not None:
                self._running[at] = self._new(self._settings[at])

    def kill_one(self, chance: random.Random) -> None:
        """SIGKILL one of them."""
        chance.choice(self._running).kill()

    def end(self) -> None:
        """Stop them all."""
        for program in self._running:
            if program.process.poll() is None:
                program.kill()


class Reports:
    """Exceptions reported over HTTP, one after the other; each is sent again as it was until it is answered."""

    def __init__(self, count: int, urls: Sequence[str], secret: str) -> None:
        self._count, self._urls, self._secret = count, urls, secret
        self._over = Event()
        self._thread = Thread(target=self._run, name="reports", daemon=True)
        self.answered: list[str] = []
        self.said = ""
        """The answer to the last one."""

    def start(self) -> None:
        """Report in the background."""
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether all were answered."""
        return len(self.answered) == self._count

    def end(self) -> None:
        """Abandon unanswered requests."""
        self._over.set()
        self._thread.join(60)

    def _run(self) -> None:
        for number in range(self._count):
            tries = 0
            while not self._over.is_set():
                if self._report(f"{WRITTEN} {number}", self._urls[(number + tries) % len(self._urls)]):
                    self.answered.append(f"{WRITTEN} {number}")
                    break
                tries += 1
                self._over.wait(0.5)
            self._over.wait(0.2)

    def _report(self, what: str, url: str) -> bool:
        fields = {
            "command": "/exception",
            "text": f"draft {what}",
            "user_id": "U01AGENT1",
            "channel_id": ROOM,
        }
        body = urlencode(fields | {"team_id": TEAM, "trigger_id": f"storm.{what.rsplit(maxsplit=1)[-1]}"})
        now = str(int(time.time()))
        signature = SignatureVerifier(self._secret).generate_signature(timestamp=now, body=body)
        status, self.said = fetch(
            f"{url}/slack/events",
            body.encode(),
            Content_Type="application/x-www-form-urlencoded",
            X_Slack_Request_Timestamp=now,
            X_Slack_Signature=signature or "",
        )
        return status == 200 and what in self.said


def blow(storm: Storm, *, say: Callable[[str], None] = lambda _line: None) -> Figures:
    """Run a storm on SQLite, or on PostgreSQL when it stops that or has several workers.

    PostgreSQL keeps acknowledged data, as it does by default.

    Raises:
        NoPostgres: PostgreSQL can't be started here.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cadence-chaos-")))
        server = stack.enter_context(postgres.server(durable=True)) if storm.workers > 1 else None
        if server is not None:
            postgres.create(server.socket, "chaos")
        url = postgres.url(server.socket, "chaos") if server else f"sqlite:///{folder / 'chaos.db'}"
        recipients = [
            f"U{number:03}" if number % DMS == 0 else f"C{number:03}" for number in range(storm.channels)
        ]
        db = Database(url)
        stack.callback(db.close)
        _set_up(db, storm, recipients)
        faults = FaultPlan(
            {"*": FaultRates(storm.rates)},
            seed=storm.seed,
            slow_seconds=SLOW_SECONDS,
            hang_seconds=HANG_SECONDS,
        )
        slack = stack.enter_context(SandboxServer(_workspace(recipients), faults=faults))
        settings = tokens(slack) | {
            "DATABASE_URL": url,
            "CADENCE_LOG": "debug",
            "CADENCE_MESSAGES_A_MINUTE": "60000",
        }
        ports = [free_port() for _ in range(storm.webs)]
        secret = slack.workspace.app.signing_secret
        web = [settings | {"SLACK_SIGNING_SECRET": secret, "PORT": str(port)} for port in ports]
        stack.enter_context(_busy(storm.busy))
        began = time.monotonic()
        reports = Reports(storm.requests, [f"http://127.0.0.1:{port}" for port in ports], secret)
        with (
            _crew(folder, "worker", [settings] * storm.workers) as workers,
            _crew(folder, "web", web) as webs,
        ):
            reports.start()
            struck = _weather(storm, db, slack, workers, webs, reports, server, say)
            reports.end()
        seconds = time.monotonic() - began
        leaked = _leaked(folder, [WRITTEN, *tokens(slack).values(), secret])
        return _counted(storm, db, slack, seconds, struck, reports, leaked)


def _leaked(folder: Path, secrets: Sequence[str]) -> int:
    """How many lines that the processes printed hold one of these."""
    said = [line for file in folder.glob("*.[eo][ru][rt]") for line in file.read_text().splitlines()]
    return sum(any(one in line for one in secrets if not one.startswith("http")) for line in said)


@contextmanager
def _busy(count: int) -> Iterator[None]:
    running = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for one in running:
            one.kill()
            one.wait()


@contextmanager
def _crew(folder: Path, command: str, settings: Sequence[dict[str, str]]) -> Iterator[Crew]:
    crew = Crew(folder, command, settings)
    try:
        yield crew
    finally:
        crew.end()


def _workspace(recipients: list[str]) -> Workspace:
    spec = read_workspace((EXAMPLES / "workspace.yaml").read_text(encoding="utf-8"))
    members = [{"id": one, "name": one.lower()} for one in recipients if one.startswith("U")]
    members += [{"id": one, "tz": zone} for one, zone in people_of(spec).items()]
    channels = [{"id": one, "name": one.lower()} for one in recipients if one.startswith("C")]
    channels += [{"id": one, "name": one.lower()} for one in (ROOM, CURATORS)]
    return build_workspace(
        team_id=TEAM, clock=SandboxClock(), capabilities=GRANTED, members=members, channels=channels
    )


def _set_up(db: Database, storm: Storm, recipients: list[str]) -> None:
    migrate(db)
    if not db.is_sqlite:
        prepare(db)
    now = datetime.now(UTC)
    before = now - timedelta(days=now.weekday() + 3)
    ensure_workspace(UnitOfWork(db, Actor.system(TEAM), before), name="Team")
    if storm.webs:
        files = [EXAMPLES / "workspace.yaml", EXAMPLES / "support-reply.yaml"]
        _, refused = import_into(db, TEAM, files, now=before)
        assert not refused, refused
        monday = now.date() - timedelta(days=now.weekday())
        given = CycleGiven("support-reply", starts_on=monday)
        start_cycle(UnitOfWork(db, Actor(TEAM, "U01CURATOR", "command"), before), given)
    owed = [
        NewMessage(
            KIND,
            recipients[number % len(recipients)],
            {"by": f"U{number:06}", "from": "2026-03-02", "until": "2026-03-03"},
            about=(number,),
        )
        for number in range(storm.messages)
    ]
    with db.write() as session:
        UnitOfWork.around(session, Actor.system(TEAM), now).send(owed)


def _weather(
    storm: Storm,
    db: Database,
    slack: SandboxServer,
    workers: Crew,
    webs: Crew,
    reports: Reports,
    server: postgres.Server | None,
    say: Callable[[str], None],
) -> tuple[int, int, int]:
    """Kill at random moments, until no message is due or the time is over.

    Returns:
        Kills of workers, of web processes, and hard stops.
    """
    chance = random.Random(storm.seed)
    kills = sorted(chance.sample(range(storm.messages * 19 // 20), storm.kills), reverse=True)
    web_kills = sorted(chance.sample(range(storm.messages * 19 // 20), storm.web_kills), reverse=True)
    stops = [storm.messages * (at + 1) // (storm.stops + 1) for at in range(storm.stops)][::-1]
    end = time.monotonic() + storm.seconds
    while time.monotonic() < end:
        posted = slack.workspace.messages.mark()
        if kills and posted >= kills[-1]:
            kills.pop()
            workers.kill_one(chance)
        if web_kills and posted >= web_kills[-1]:
            web_kills.pop()
            webs.kill_one(chance)
        if server is not None and stops and posted >= stops[-1]:
            stops.pop()
            server.crash()
            time.sleep(1)
            server.start()
            say(f"{posted} posted: PostgreSQL was stopped and is back")
        workers.replace_the_dead()
        webs.replace_the_dead()
        still_to_come = kills or web_kills or stops or not reports.done
        if posted >= storm.messages and not still_to_come and not _unfinished(db):
            break
        time.sleep(0.1)
    while slack.faults is not None and slack.faults.pending:
        time.sleep(0.1)  # late posts may cause duplicates
    return storm.kills - len(kills), storm.web_kills - len(web_kills), storm.stops - len(stops)


def _unfinished(db: Database) -> int:
    with db.read() as session:
        due = (
            select(func.count())
            .select_from(OutboxMessage)
            .where(OutboxMessage.state != MessageState.SENT, OutboxMessage.kind == KIND)
        )
        return session.exec(due).one()


def _counted(
    storm: Storm,
    db: Database,
    slack: SandboxServer,
    seconds: float,
    struck: tuple[int, int, int],
    reports: Reports,
    leaked: int,
) -> Figures:
    arrived: Counter[str] = Counter()
    rooms: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for message in slack.workspace.messages.everywhere():
        key = key_of(message)
        arrived[key] += bool(key)
        if key.startswith(message_key(TEAM, KIND, ())):
            rooms[message.channel].append((float(message.ts), int(key.rpartition(":")[2])))
    gaps = [second[0] - first[0] for room in rooms.values() for first, second in pairwise(room)]
    turned = sum(second[1] < first[1] for room in rooms.values() for first, second in pairwise(room))
    with db.read() as session:
        kept = Counter(session.exec(select(LoggedException.reason)).all())
    return Figures(
        storm=storm,
        lost=sum(message_key(TEAM, KIND, (number,)) not in arrived for number in range(storm.messages)),
        duplicated=sum(count - 1 for count in arrived.values() if count),
        unfinished=_unfinished(db),
        out_of_order=turned,
        closest=min(gaps, default=float("inf")),
        seconds=seconds,
        kills=struck[0],
        web_kills=struck[1],
        stops=struck[2],
        faults=Counter(fault.value for _, fault in (slack.faults.struck if slack.faults else [])),
        unanswered=storm.requests - len(reports.answered),
        requests_lost=sum(one not in kept for one in reports.answered),
        requests_doubled=sum(count - 1 for count in kept.values()),
        out_of_scope=len(slack.workspace.out_of_scope),
        leaked=leaked,
    )
