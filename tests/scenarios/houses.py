"""One bot that several workspaces install by themselves, and a browser to install it with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import col, select

from bot.app import Bot, build_shared_bot
from bot.delivery.sender import Pace
from bot.ops.commands import import_into
from bot.sandbox.clock import SandboxClock
from bot.settings import Settings
from bot.web import Web
from cadence.actor import Actor
from storage.queries import trail
from storage.tables import OutboxMessage, SlackBot
from storage.work import UnitOfWork
from tests.databases import database
from tests.harnesses import FRIDAY_BEFORE
from tests.scenarios.plays import DESK, REPLY, at
from tests.slacks import CLIENT_ID, CLIENT_SECRET, SIGNING_SECRET, Browser, Slacks, slacks

A, B = "T0AAA", "T0BBB"
LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"


class TokenClock:
    """Real time with an offset."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class House:
    """One bot, two workspaces, and a browser."""

    bot: Bot
    slack: Slacks
    clock: SandboxClock
    tokens: TokenClock
    browser: Browser

    def install(self, team: str, **granted: Any) -> None:
        answer = self.browser.installs(self.slack.grant(team, **granted))
        assert answer.status_code == 200, answer.text

    def prepare(self, team: str) -> None:
        """Create teams, a playbook and a running cycle, as in any other workspace."""
        _, refused = import_into(self.bot.db, team, [DESK, REPLY], now=self.clock.now())
        assert not refused, refused
        owner = self.slack.workspaces[team].person(LEAD)
        answer = owner.types("/cadence cycle start reply 2026-03-02 team=desk")
        with self.bot.db.read() as session:
            uow = UnitOfWork.around(session, Actor.system(team))
            assert trail.entries(uow, action="cycle-started"), answer.words

    def types(self, team: str, member: str, text: str, channel: str | None = None) -> str:
        return self.slack.workspaces[team].person(member).types(text, channel=channel).text

    def play_until(self, moment: str) -> None:
        until = at(moment)
        while (event := self.bot.worker.next_event()) is not None and event <= until:
            self.clock.set(max(event, self.clock.now()))
            self.bot.worker.tick()
        self.clock.set(until)
        self.bot.worker.tick()

    def dms(self, team: str, member: str) -> list[str]:
        return [one.text for one in self.slack.workspaces[team].dm(member) if one.bot_id]

    def posts(self, team: str, channel: str) -> list[str]:
        return [one.text for one in self.slack.workspaces[team].history(channel) if one.bot_id]

    def owed(self, team: str) -> list[OutboxMessage]:
        with self.bot.db.read() as session:
            query = select(OutboxMessage).where(OutboxMessage.workspace_id == team)
            return list(session.exec(query.order_by(col(OutboxMessage.id))))

    def bots(self) -> list[SlackBot]:
        with self.bot.db.read() as session:
            return list(session.exec(select(SlackBot)))


@contextmanager
def a_house(folder: Path, *, clock: SandboxClock | None = None, **settings: Any) -> Iterator[House]:
    clock, tokens = clock or SandboxClock(FRIDAY_BEFORE, frozen=True), TokenClock()
    with database(folder / "several.db") as db, slacks(DESK, clock, A, B) as slack:
        configured = Settings(
            _env_file=None,
            slack_client_id=CLIENT_ID,
            slack_client_secret=CLIENT_SECRET,
            slack_signing_secret=SIGNING_SECRET,
            slack_api_url=slack.api_url,
            **settings,
        )
        bot = build_shared_bot(
            configured,
            db=db,
            signing_secret=SIGNING_SECRET,
            clock=clock.now,
            pace=Pace(timedelta()),
            tokens_clock=tokens,
        )
        slack.connect(bot)
        web = Web(
            db=db, workspace=bot.installations.served, slack=bot.app, clock=clock.now, installer=bot.installer
        )
        yield House(bot, slack, clock, tokens, Browser(web))
