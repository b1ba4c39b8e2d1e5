"""A ledger, a delivery and a workspace to deliver to, whose trouble is scripted call by call."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import cast

from sqlmodel import select

from bot.delivery.gateway import Gateway
from bot.delivery.sender import Delivery, Outcome, Pace, Post
from bot.rehearsal.harness import GRANTED
from bot.sandbox.clock import SandboxClock
from bot.sandbox.faults import Fault, FaultPlan
from bot.sandbox.messages import Message
from bot.sandbox.server import SandboxServer
from bot.sandbox.workspace import Workspace, build_workspace
from cadence.actor import Actor
from cadence.flows.outbox import KINDS
from cadence.flows.people.profiles import ensure_workspace
from storage.engine import Database
from storage.outbox.queueing import NewMessage
from storage.tables import MessageState, OutboxMessage
from storage.work import UnitOfWork
from templates.contexts.base import MessageContext
from templates.render import render
from tests.harnesses import check_scopes

TEAM, CHANNEL, QUIET, MEMBER = "T1", "C01TEAM", "C02QUIET", "U01AGENT"
MANY = [f"C1{number:03}" for number in range(100)]
ASKING = "U02LEAD"
"""Who wants what every message is about."""
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


class Script(FaultPlan):
    """The faults of the next calls of a method, one after another; after that none."""

    def __init__(self, slow_seconds: float = 0.5) -> None:
        super().__init__({}, slow_seconds=slow_seconds)
        self.next: dict[str, list[Fault | None]] = defaultdict(list)
        self.held: list[Callable[[], object]] = []
        """Late calls, for the test to do when it likes."""

    def do_late(self, call: Callable[[], object]) -> None:
        self.held.append(call)

    def land(self) -> None:
        """Slack carries out calls from long ago."""
        while self.held:
            self.held.pop(0)()

    def draw(self, method: str) -> Fault | None:
        """The next fault of the script."""
        fault = self.next[method].pop(0) if self.next[method] else None
        if fault:
            self.struck.append((method, fault))
        return fault


class PostOffice:
    """Queues messages, sends them, and reports what arrived."""

    def __init__(self, db: Database, server: SandboxServer, faults: Script, clock: SandboxClock) -> None:
        self.db, self.faults, self.clock = db, faults, clock
        self.workspace: Workspace = server.workspace
        self.gateway = Gateway(token=server.workspace.app.token, api_url=server.api_url)
        self.gateway.client.timeout = 5
        self.identity = self.gateway.identity()
        self.delivery = self.worker()

    def worker(self, pace: Pace | None = None, *, ahead: timedelta = timedelta()) -> Delivery:
        """A delivery, as a process just started would have it; its clock is `ahead` of the others."""
        post = Post(self.gateway, self.identity)
        return Delivery(
            self.db,
            post_for=lambda _team: post,
            clock=lambda: self.clock.now() + ahead,
            pace=pace or Pace(timedelta()),
            sleep=lambda seconds: self.clock.set(self.clock.now() + timedelta(seconds=seconds)),
        )

    def owes(self, what: str, recipient: str = CHANNEL, *, kind: str = "asked", hours: int = 720) -> str:
        """Queue a message; returns its key."""
        now = self.clock.now()
        message = NewMessage(
            kind,
            recipient,
            {"by": ASKING, "what": what, "from": "2026-03-09", "until": "2026-03-10"},
            about=(what,),
            useful=timedelta(hours=hours),
        )
        with self.db.write() as session:
            UnitOfWork.around(session, Actor.system(TEAM), now).send(message)
        return message.key(TEAM)

    def sends(self) -> dict[Outcome, int]:
        """Send what is due now."""
        return self.delivery.drain()

    def later(self, **by: float) -> dict[Outcome, int]:
        """Send what is due after some time."""
        self.clock.set(self.clock.now() + timedelta(**by))
        return self.sends()

    def row(self, key: str) -> OutboxMessage:
        """A message's row."""
        with self.db.read() as session:
            return session.exec(select(OutboxMessage).where(OutboxMessage.key == key)).one()

    def unsent(self) -> list[str]:
        """The keys of messages that are still due."""
        with self.db.read() as session:
            due = select(OutboxMessage.key).where(OutboxMessage.state == MessageState.DUE)
            return list(session.exec(due))

    def arrived(self, channel: str = CHANNEL) -> list[Message]:
        """The messages of a channel."""
        return self.workspace.history(channel)

    def said(self, channel: str = CHANNEL) -> list[str]:
        """The subjects of a channel's messages, in order."""
        before, after = _around_the_subject()
        texts = [message.text for message in self.arrived(channel)]
        assert all(text.startswith(before) and text.endswith(after) for text in texts)
        return [text.removeprefix(before).removesuffix(after) for text in texts]


@cache
def _around_the_subject() -> tuple[str, str]:
    """The words of `asked` before and after its subject."""
    message = cast(OutboxMessage, SimpleNamespace(subject={"by": ASKING, "what": "WHAT"}))
    made = KINDS["asked"].compose(cast(UnitOfWork, None), message)  # from the subject alone
    assert isinstance(made, MessageContext)
    before, _, after = render(made).text.partition("WHAT")
    return before, after


@contextmanager
def open_office(db: Database) -> Iterator[PostOffice]:
    """A team's channel, one that nobody writes in, many others, and a member who wasn't written to yet."""
    ensure_workspace(UnitOfWork(db, Actor.system(TEAM), NOON), name="Team")
    clock = SandboxClock(NOON, frozen=True)
    workspace = build_workspace(
        team_id=TEAM,
        clock=clock,
        capabilities=GRANTED,
        members=[{"id": MEMBER, "name": "agent"}],
        channels=[
            {"id": CHANNEL, "name": "team", "members": [MEMBER]},
            {"id": QUIET, "name": "quiet"},
            *({"id": one, "name": one.lower()} for one in MANY),
        ],
    )
    faults = Script()
    with SandboxServer(workspace, faults=faults) as server:
        yield PostOffice(db, server, faults, clock)
    check_scopes(workspace)
