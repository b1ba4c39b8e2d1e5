"""Two workers send for two workspaces that share people's and channels' IDs: each message once, where it belongs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from sqlmodel import func, select

from bot.runtime.queue_runner import prepare
from bot.sandbox.clock import SandboxClock
from bot.sandbox.faults import Fault, FaultPlan
from bot.sandbox.messages import Message
from cadence.actor import Actor
from storage.outbox.queueing import NewMessage
from storage.tables import MessageState, OutboxMessage
from storage.work import UnitOfWork
from tests.databases import OnPostgres
from tests.processes.places import key_of
from tests.processes.programs import Program, eventually
from tests.scenarios.houses import AGENT, LEAD, A, B, House, a_house
from tests.scenarios.plays import DESK_CHANNEL
from tests.slacks import CLIENT_ID, CLIENT_SECRET, SIGNING_SECRET

pytestmark = pytest.mark.postgres

RECIPIENTS = (DESK_CHANNEL, LEAD, AGENT)
EACH = 3


class Refusing(FaultPlan):
    """Every message is too much, until it isn't."""

    on = True

    def __init__(self) -> None:
        super().__init__({})

    def draw(self, method: str) -> Fault | None:
        """Slack's reaction to this call."""
        if not self.on or method != "chat.postMessage":
            return None
        self.struck.append((method, Fault.RATE_LIMIT))
        return Fault.RATE_LIMIT


@pytest.fixture
def house(tmp_path: Path, postgres_socket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """The bot installed in two workspaces, its rows on PostgreSQL."""
    monkeypatch.setattr(OnPostgres, "socket", postgres_socket)
    with a_house(tmp_path, clock=SandboxClock()) as made:
        prepare(made.bot.db)
        made.install(A)
        made.install(B)
        yield made


def owe(house: House, team: str) -> list[str]:
    """Queue due messages for every recipient; returns their keys."""
    now = datetime.now(UTC)
    owed = [
        NewMessage(
            "welcome",  # goes out at any hour
            recipient,
            {"by": LEAD, "from": "2026-03-02", "until": "2026-03-03"},
            about=(recipient, number),
        )
        for number in range(EACH)
        for recipient in RECIPIENTS
    ]
    with house.bot.db.write() as session:
        UnitOfWork.around(session, Actor.system(team), now).send(owed)
    return [one.key(team) for one in owed]


def sent(house: House, team: str) -> int:
    """How many of them the ledger says were sent."""
    with house.bot.db.read() as session:
        mine = select(func.count()).where(
            OutboxMessage.workspace_id == team,
            OutboxMessage.kind == "welcome",
            OutboxMessage.state == MessageState.SENT,
        )
        return session.exec(mine).one()


def arrived(house: House, team: str) -> list[Message]:
    """The messages that arrived in a workspace, oldest first."""
    found = house.slack.workspaces[team].messages.everywhere()
    return [one for one in found if key_of(one).startswith("welcome:")]


def test_a_refusal_in_one_workspace_does_not_delay_another(house: House, tmp_path: Path) -> None:
    refusing = house.slack.refuse(A, Refusing())
    keys = {team: owe(house, team) for team in (A, B)}
    settings = {
        "SLACK_CLIENT_ID": CLIENT_ID,
        "SLACK_CLIENT_SECRET": CLIENT_SECRET,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_API_URL": house.slack.api_url,
        "DATABASE_URL": house.bot.db.url,
    }
    crew = [Program(tmp_path, "worker", settings) for _ in range(2)]
    try:
        eventually(lambda: sent(house, B) == len(keys[B]), "B has everything", crew[0])
        assert refusing.struck, "A was tried"
        assert arrived(house, A) == []
        refusing.on = False
        eventually(lambda: sent(house, A) == len(keys[A]), "A has everything too", crew[0])
    finally:
        for program in crew:
            program.end()
    for team in (A, B):
        came = arrived(house, team)
        assert sorted(key_of(one) for one in came) == sorted(keys[team]), "each once, and nobody else's"
        for room in {one.channel for one in came}:
            times = [float(one.ts) for one in came if one.channel == room]
            assert len(times) == EACH
            assert min(second - first for first, second in pairwise(sorted(times))) >= 0.95
