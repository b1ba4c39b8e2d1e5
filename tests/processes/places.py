"""A Slack workspace with the example people, and a database with a running cycle of theirs this week."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import update

from bot.ops.commands import BUILT_IN_TEAM, import_into
from bot.rehearsal.harness import read_channels, read_profiles, workspace_from
from bot.sandbox.clock import SandboxClock
from bot.sandbox.delivery import AppAnswer, Delivery, Kind
from bot.sandbox.faults import FaultPlan
from bot.sandbox.kinds import Json
from bot.sandbox.messages import Message
from bot.sandbox.server import SandboxServer
from cadence.actor import Actor
from cadence.documents import read_playbook, read_workspace
from cadence.flows.cycles.starting import CycleGiven, start_cycle
from cadence.flows.people.profiles import ensure_workspace
from storage.engine import Database
from storage.migrate import migrate
from storage.tables import MessageState, OutboxMessage
from storage.work import UnitOfWork
from tests.harnesses import EXAMPLES

PLAYBOOKS = ("support-reply", "inbound-routing", "test-refactor")
ZONES = {"inbound-routing": "America/New_York"}
"""Where a playbook's team is, when it isn't in Berlin."""
ROOM, CURATORS = "C01SUPEMEA", "C01CURATORS"


@contextmanager
def slack(*, socket_mode: bool, faults: FaultPlan | None = None) -> Iterator[SandboxServer]:
    """A served workspace at the current time, with the people and channels of the example files."""
    workspace = workspace_from(
        read_workspace((EXAMPLES / "workspace.yaml").read_text()),
        clock=SandboxClock(),
        playbooks=[read_playbook((EXAMPLES / f"{slug}.yaml").read_text()) for slug in PLAYBOOKS],
        profiles=read_profiles(EXAMPLES / "names.csv"),
        channel_names=read_channels(EXAMPLES / "channels.csv"),
    )
    with SandboxServer(workspace, socket_mode=socket_mode, faults=faults) as server:
        yield server


def tokens(server: SandboxServer) -> dict[str, str]:
    """The settings that point a bot at a workspace; the app-level token only where there is a socket."""
    app = server.workspace.app
    found = {"SLACK_API_URL": server.api_url, "SLACK_BOT_TOKEN": app.token}
    return found | ({"SLACK_APP_TOKEN": app.app_token} if server.sockets else {})


def _monday_in(zone: str) -> date:
    today = datetime.now(ZoneInfo(zone)).date()
    return today - timedelta(days=today.weekday())


def database(
    folder: Path, *, running: tuple[str, ...] = ("support-reply",), url: str | None = None
) -> Database:
    """The database of a process in `folder`; the cycles of these playbooks began on Monday of their team's week.

    Args:
        url: the database's URL if it isn't the process's own file.
    """
    db = Database(url or f"sqlite:///{folder / 'var' / 'cadence.db'}")
    migrate(db)
    mondays = {slug: _monday_in(ZONES.get(slug, "Europe/Berlin")) for slug in running}
    before = datetime.combine(min(mondays.values()) - timedelta(days=3), datetime.min.time(), tzinfo=UTC)
    ensure_workspace(UnitOfWork(db, Actor.system(BUILT_IN_TEAM), before), name="")
    files = [EXAMPLES / "workspace.yaml", *(EXAMPLES / f"{slug}.yaml" for slug in PLAYBOOKS)]
    _, refused = import_into(db, BUILT_IN_TEAM, files, now=before)
    assert not refused
    for slug, monday in mondays.items():
        start_cycle(UnitOfWork(db, someone("U01CURATOR"), before), CycleGiven(slug, starts_on=monday))
    with db.write() as session:  # a worker told the teams on that Friday
        session.execute(update(OutboxMessage).values(state=MessageState.SKIPPED))
    return db


def someone(member: str, request: str = "") -> Actor:
    """A person who asks for something."""
    return Actor(BUILT_IN_TEAM, member, "command", request=request)


def counted(folder: Path, query: str) -> int:
    """One number from the database of a running process."""
    connection = sqlite3.connect(folder / "var" / "cadence.db", timeout=10)
    try:
        return int(connection.execute(query).fetchone()[0])
    finally:
        connection.close()


def minutes_pass(folder: Path) -> None:
    """Let the time pass after which the messages of a dead process are tried again."""
    connection = sqlite3.connect(folder / "var" / "cadence.db", timeout=10)
    with connection:
        connection.execute("UPDATE ledger SET not_before = due_at WHERE state = 'due'")
    connection.close()


def posted(server: SandboxServer, channel: str, kind: str) -> list[Message]:
    """The bot's messages of one kind in a channel, oldest first."""
    return [
        message for message in server.workspace.history(channel) if key_of(message).startswith(f"{kind}:")
    ]


def key_of(message: Message) -> str:
    """The key of the ledger's row under which the bot posted a message; empty for an answer."""
    payload: Json = (message.metadata or {}).get("event_payload") or {}
    return str(payload.get("key") or "")


@dataclass
class Recorder:
    """Passes everything on, and records it, so that it can be delivered again as Slack does."""

    inner: Delivery
    delivered: list[tuple[Kind, str]] = field(default_factory=list)

    def deliver(self, kind: Kind, body: Json, retry_num: int | None = None) -> AppAnswer:
        """Hand over, and keep a copy as it was."""
        self.delivered.append((kind, json.dumps(body)))
        return self.inner.deliver(kind, body, retry_num)

    def again(self) -> AppAnswer:
        """Deliver the last one once more, in a new envelope, with the same trigger, view and hash."""
        kind, body = self.delivered[-1]
        return self.inner.deliver(kind, json.loads(body))


def now() -> datetime:
    """The time, as the processes see it."""
    return datetime.now(UTC)
