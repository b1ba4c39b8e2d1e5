"""Messages: what was posted where, what only one member sees, and in which order."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.sandbox.clock import SandboxClock
from bot.sandbox.errors import SlackError
from bot.sandbox.kinds import Json, elements_of, words_of
from bot.sandbox.pulse import Pulse


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it stands now; an update replaces it by another with the same `ts`.

    Args:
        channel: where it is.
        ts: its ID in the channel, seconds with six decimals.
        user: who wrote it.
        bot_id: set when the app wrote it.
        text: the notification and fallback.
        blocks: what is shown.
        thread_ts: the message it answers, if any.
        only_to: the member who alone sees it (an ephemeral message).
        metadata: `{event_type, event_payload}`.
        client_msg_id: as the app sent it; nothing is deduplicated by it.
        edited: `ts` of the last change.
        broadcast: a thread reply that is also shown in the channel.
        files: IDs of shared files.
        reactions: `{name, user}` in the order they came.
        extra: other arguments the app posted with, such as `username`.
    """

    channel: str
    ts: str
    user: str
    bot_id: str | None = None
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    only_to: str | None = None
    metadata: Json | None = None
    client_msg_id: str | None = None
    edited: str | None = None
    broadcast: bool = False
    files: tuple[str, ...] = ()
    reactions: tuple[tuple[str, str], ...] = ()
    extra: Json = field(default_factory=dict)

    @property
    def ephemeral(self) -> bool:
        """Whether only one member sees it."""
        return self.only_to is not None

    @property
    def words(self) -> str:
        """All the words a person reads in it: those of its blocks, or its text when it has none."""
        return words_of(self.blocks) if self.blocks else self.text

    @property
    def buttons(self) -> list[str]:
        """The labels of its buttons, in order."""
        return [
            element["text"]["text"] for _, element in elements_of(self.blocks) if element["type"] == "button"
        ]

    @property
    def posted_at(self) -> datetime:
        """When it was posted, aware, in UTC."""
        return datetime.fromtimestamp(float(self.ts), UTC)

    @property
    def in_thread(self) -> bool:
        """Whether it answers another message and isn't the first of its thread."""
        return self.thread_ts is not None and self.thread_ts != self.ts

    def as_row(self) -> Json:
        """Plain values, for the store."""
        return {key: getattr(self, key) for key in self.__slots__}

    @classmethod
    def from_row(cls, row: Json) -> "Message":
        """The message `as_row` was called on."""
        reactions = tuple((name, user) for name, user in row["reactions"])
        return cls(**(row | {"files": tuple(row["files"]), "reactions": reactions}))


class Messages:
    """All messages of a workspace, by channel, oldest first."""

    def __init__(self, clock: SandboxClock, pulse: Pulse) -> None:
        self._clock = clock
        self._pulse = pulse
        self._rooms: dict[str, dict[str, Message]] = {}
        self._last = 0
        self._saved: dict[tuple[str, str], int] = {}
        self._count = 0

    def next_ts(self) -> str:
        """The clock's time in microseconds, always later than any given out before."""
        with self._pulse.lock:
            now = self._clock.now()
            micro = int(now.timestamp()) * 1_000_000 + now.microsecond
            self._last = max(micro, self._last + 1)
            return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def save(self, message: Message) -> Message:
        """Add a message, or replace the one with its `ts`."""
        with self._pulse.lock:
            self.restore(message)
            self._count += 1
            self._saved[message.channel, message.ts] = self._count
            self._pulse.note("message", f"{message.channel}/{message.ts}", message.as_row())
            return message

    def restore(self, message: Message) -> None:
        """Put a message back without counting it as a change."""
        self._rooms.setdefault(message.channel, {})[message.ts] = message
        self._last = max(self._last, int(message.ts.replace(".", "")))

    def remove(self, message: Message) -> None:
        """Take a message away."""
        with self._pulse.lock:
            self._rooms[message.channel].pop(message.ts, None)
            self._pulse.note("message", f"{message.channel}/{message.ts}", None)

    def get(self, channel: str, ts: str) -> Message:
        """The message as it is now; `message_not_found` if it doesn't exist."""
        with self._pulse.lock:
            found = self._rooms.get(channel, {}).get(ts)
        if found is None:
            raise SlackError("message_not_found")
        return found

    def all_in(self, channel: str, viewer: str | None = None) -> list[Message]:
        """The messages of a channel, oldest first; ephemeral ones only when they are for `viewer`."""
        with self._pulse.lock:
            room = sorted(self._rooms.get(channel, {}).values(), key=lambda message: message.ts)
        return [message for message in room if message.only_to in (None, viewer)]

    def everywhere(self) -> list[Message]:
        """Every message of the workspace, ephemeral ones too, oldest first."""
        with self._pulse.lock:
            found = [message for room in self._rooms.values() for message in room.values()]
        return sorted(found, key=lambda message: message.ts)

    def mark(self) -> int:
        """A bookmark for `since`."""
        return self._count

    def since(self, mark: int) -> list[Message]:
        """The messages posted or changed after a bookmark, in the order of their last change."""
        with self._pulse.lock:
            later = sorted((count, key) for key, count in self._saved.items() if count > mark)
            return [self._rooms[channel][ts] for _, (channel, ts) in later if ts in self._rooms[channel]]

    def thread(self, channel: str, ts: str) -> list[Message]:
        """A message and the answers to it, oldest first."""
        return [m for m in self.all_in(channel) if m.ts == ts or m.thread_ts == ts]

    def react(self, message: Message, name: str, user: str) -> Message:
        """Add a reaction; `already_reacted` when this user gave it before."""
        if (name, user) in message.reactions:
            raise SlackError("already_reacted")
        return self.save(replace(message, reactions=(*message.reactions, (name, user))))
