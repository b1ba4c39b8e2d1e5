"""What the scenarios share: instants by the local clock, rows of the database, files with a small change."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlmodel import SQLModel, col, select

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import Stage
from bot.sandbox.messages import Message
from bot.sandbox.person import Person
from cadence.actor import Actor
from storage import trail
from storage.tables import MessageState, OwedMessage, TrailEntry
from storage.work import UnitOfWork

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


def rows(stage: Stage, table: type[Row]) -> list[Row]:
    """Every row of a table, oldest first."""
    with stage.bot.db.read() as session:
        return list(session.exec(select(table).order_by(col(table.id))))  # type: ignore[attr-defined]


def entries(stage: Stage, action: str) -> list[TrailEntry]:
    """The trail's entries of one kind, oldest first."""
    with stage.bot.db.read() as session:
        return trail.entries(UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM)), action=action)


def ledger(stage: Stage, kind: str, state: MessageState | None = None) -> list[OwedMessage]:
    """The messages owed of one kind, in one state or any."""
    return [one for one in rows(stage, OwedMessage) if one.kind == kind and state in (None, one.state)]


def posts(stage: Stage, channel: str) -> list[Message]:
    """What the bot posted in a channel for everybody to see, oldest first; not what stands in threads."""
    history = stage.workspace.history(channel)
    return [message for message in history if message.bot_id and message.thread_ts is None]


def bot_dms(stage: Stage, member: str) -> list[Message]:
    """What the bot wrote to somebody in their DM, oldest first."""
    return [message for message in stage.workspace.dm(member) if message.bot_id]


def local_times(messages: list[Message], zone: str) -> list[str]:
    """When messages were posted, by a local clock: `Thu 10:00`."""
    return [f"{message.posted_at.astimezone(ZoneInfo(zone)):%a %H:%M}" for message in messages]


def start_cycle(
    stage: Stage, playbook: str = "reply", monday: str = "2026-03-02", team: str = "desk"
) -> None:
    """The owner starts a cycle by command; it must be taken."""
    owner = stage.workspace.person("U01LEAD")
    answer = owner.types(f"/cadence cycle start {playbook} {monday} team={team}")
    assert "starts on" in answer.text, answer.words


def play_each(stage: Stage, until: datetime, after: Callable[[], None]) -> None:
    """Play on event by event, and do something after each."""
    while (event := stage.bot.worker.next_event()) is not None and event <= until:
        stage.clock.set(max(event, stage.clock.now()))
        stage.tick()
        after()
    stage.play_until(until)


def says(person: Person, command: str, *, channel: str | None = None) -> str:
    """Type a command, and press [Log it] when an exception asks to be confirmed; the words of the answer."""
    said = person.types(command, channel=channel)
    if said.view is None or said.view.body.get("submit", {}).get("text") != "Log it":
        return said.words
    done = person.submits().view
    assert done is not None
    person.closes()
    return done.words
