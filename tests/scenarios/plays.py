"""Helpers of the scenarios: local instants, rows of the database, files with a small change."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlmodel import SQLModel, col, select

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from bot.sandbox.person import Person
from cadence.actor import Actor
from storage.queries import trail
from storage.tables import MessageState, OutboxMessage, TrailEntry
from storage.work import UnitOfWork
from templates.ids import Callback

DATA = Path(__file__).parent / "data"
DESK, REPLY, TRIAGE = DATA / "desk.yaml", DATA / "reply.yaml", DATA / "triage.yaml"
DESK_CHANNEL, SOLO_CHANNEL, CURATORS = "C01DESK", "C02SOLO", "C01CURATORS"

Row = TypeVar("Row", bound=SQLModel)


def at(moment: str, zone: str = "Europe/Berlin") -> datetime:
    """An instant by a local clock: `at("2026-03-05 10:00")`."""
    return datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def changed(file: Path, folder: Path, *replacements: tuple[str, str]) -> Path:
    """A copy of a file with some words replaced; each must be there."""
    text = file.read_text(encoding="utf-8")
    for old, new in replacements:
        assert old in text, f"{file.name} holds no {old!r}"
        text = text.replace(old, new)
    copy = folder / f"changed-{file.name}"
    copy.write_text(text, encoding="utf-8")
    return copy


def rows(harness: BotHarness, table: type[Row]) -> list[Row]:
    """Every row of a table, oldest first."""
    with harness.bot.db.read() as session:
        return list(session.exec(select(table).order_by(col(table.id))))  # type: ignore[attr-defined]


def entries(harness: BotHarness, action: str) -> list[TrailEntry]:
    """The trail's entries of one kind, oldest first."""
    with harness.bot.db.read() as session:
        return trail.entries(UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM)), action=action)


def ledger(harness: BotHarness, kind: str, state: MessageState | None = None) -> list[OutboxMessage]:
    """The messages of one kind, in one state or any."""
    return [one for one in rows(harness, OutboxMessage) if one.kind == kind and state in (None, one.state)]


def posts(harness: BotHarness, channel: str) -> list[Message]:
    """The bot's public posts in a channel, oldest first, without threads."""
    history = harness.workspace.history(channel)
    return [message for message in history if message.bot_id and message.thread_ts is None]


def bot_dms(harness: BotHarness, member: str) -> list[Message]:
    """The bot's messages in somebody's DM, oldest first."""
    return [message for message in harness.workspace.dm(member) if message.bot_id]


def local_times(messages: list[Message], zone: str) -> list[str]:
    """The times of messages, in a local zone: `Thu 10:00`."""
    return [f"{message.posted_at.astimezone(ZoneInfo(zone)):%a %H:%M}" for message in messages]


def start_cycle(
    harness: BotHarness, playbook: str = "reply", monday: str = "2026-03-02", team: str = "desk"
) -> None:
    """The owner starts a cycle by command, which must succeed."""
    before = len(entries(harness, "cycle-started"))
    owner = harness.workspace.person("U01LEAD")
    answer = owner.types(f"/cadence cycle start {playbook} {monday} team={team}")
    assert len(entries(harness, "cycle-started")) == before + 1, answer.words


@dataclass(frozen=True, slots=True)
class InCycle:
    """A play: the owner started a cycle, and it ran until a local time, if one is given."""

    until: str | None = None
    playbook: str = "reply"
    team: str = "desk"

    def __call__(self, harness: BotHarness) -> None:
        start_cycle(harness, self.playbook, team=self.team)
        if self.until is not None:
            harness.play_until(at(self.until))


@dataclass(frozen=True, slots=True)
class Until:
    """A play: time passes until a local time."""

    moment: str

    def __call__(self, harness: BotHarness) -> None:
        harness.play_until(at(self.moment))


def play_each(harness: BotHarness, until: datetime, after: Callable[[], None]) -> None:
    """Play event by event, with a callback after each."""
    while (event := harness.bot.worker.next_event()) is not None and event <= until:
        harness.clock.set(max(event, harness.clock.now()))
        harness.tick()
        after()
    harness.play_until(until)


def says(person: Person, command: str, *, channel: str | None = None) -> str:
    """Type a command, and press [Log it] if an exception needs confirmation; returns the answer's text."""
    said = person.types(command, channel=channel)
    if said.view is None or said.view.callback_id != Callback.EXCEPTION:
        return said.words
    done = person.submits().view
    assert done is not None
    person.closes()
    return done.words
