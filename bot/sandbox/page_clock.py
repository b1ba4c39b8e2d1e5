"""The page's clock: moved by hand, or played by demo users until somebody stops it; and a summary of what
happened."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock, Thread
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.sandbox.errors import CantDo
from bot.sandbox.kinds import Json
from bot.sandbox.playback import Moment, Playback

if TYPE_CHECKING:
    from bot.sandbox.people import Channel
    from bot.sandbox.workspace import Workspace

Mover = Callable[[datetime | None], datetime]
"""Moves the clock to an instant, or (None) to the next thing that is due; returns the time reached."""
Player = Callable[[Playback], None]
"""Lets demo users act until they are done or the playback is stopped; they tell it what they do."""
MOST_SILENT = 40
"""Events without a message that one move passes, about two weeks of a team's; after them it stops."""
MORNING = 9
"""The hour, by the member's own clock, at which "next Monday" begins."""


class PageClock:
    """Moves the workspace's clock, one move at a time.

    Args:
        workspace: whose clock it is.
        on_move: moves it; without one the clock is set and nothing happens on the way.
        on_play: lets demo users act; without one the page doesn't offer it.
    """

    def __init__(
        self, workspace: "Workspace", on_move: Mover | None = None, on_play: Player | None = None
    ) -> None:
        self._workspace = workspace
        self._on_move = on_move or self._set
        self._on_play = on_play
        self._moving = Lock()
        self._playback = Playback()
        self._playing = False
        self._last: Json = {}
        self._thread: Thread | None = None

    def going_on(self) -> Json:
        """Whether the clock moves by itself, what the example people last did, and what came of it at the end."""
        play = self._playback
        return {
            "can_play": self._on_play is not None,
            "moving": self._moving.locked(),
            "playing": self._playing,
            "paused": play.paused,
            "speed": play.speed,
            "played": play.said,
            "shown": self._moment(play.shown) if play.shown else None,
            "recap": [self._moment(moment) for moment in play.moments],
            "came": self._last,
        }

    def move(self, body: Json) -> Json:
        """Do what a button of the clock says.

        Raises:
            CantDo: it is moving already, or nobody is there to play.
            ValueError: the clock can't be moved so.
        """
        if body.get("move") in ("stop", "pause", "resume", "speed"):
            self._control(body)
            return {"now": self._now()}
        if not self._moving.acquire(blocking=False):
            raise CantDo("The clock is moving already. Stop the example people first, or wait a moment.")
        if body.get("move") == "play":
            return self._start_playing()
        try:
            mark = self._newest()
            target = self._target(self._workspace.clock.now(), body)
            if target is None:
                self._move_to_message(mark)
            else:
                self._on_move(target)
            return {"now": self._now()} | self._since(mark, str(body.get("as")))
        finally:
            self._moving.release()
            self._workspace.pulse.bump()

    def stop(self) -> None:
        """End the play, if one is on, and wait for it."""
        self._playback.stop()
        if self._thread is not None:
            self._thread.join(10)

    def _move_to_message(self, mark: str) -> None:
        """Move to the next event that sends a message; on its way are those that only judge or rewrite."""
        for _ in range(MOST_SILENT):
            before = self._workspace.clock.now()
            if self._on_move(None) <= before or self._newest() > mark:
                return

    # --- demo users -----------------------------------------------------------------------------------------

    def _start_playing(self) -> Json:
        """Let the demo users act in a thread; the lock is held until they are done."""
        if self._on_play is None:
            self._moving.release()
            raise CantDo("There are no example people here.")
        self._playback = Playback(self._workspace.pulse.bump, self._playback.speed)
        self._playing, self._last = True, {}
        self._thread = Thread(target=self._play, args=(self._on_play,), name="example-people", daemon=True)
        self._thread.start()
        return {"now": self._now()}

    def _play(self, player: Player) -> None:
        mark = self._newest()
        try:
            player(self._playback)
        except CantDo as impossible:
            self._playback.tell(f"The example people stopped: {impossible}")
        finally:
            self._playing = False
            self._last = {"now": self._now()} | self._since(mark, "")
            self._moving.release()
            self._workspace.pulse.bump()

    def _control(self, body: Json) -> None:
        match body["move"]:
            case "stop":
                self._playback.stop()
            case "speed":
                self._playback.set_speed(int(body["speed"]))
            case held:
                self._playback.pause(paused=held == "pause")

    def _moment(self, moment: Moment) -> Json:
        """A moment with somebody who can read it."""
        room = self._workspace.channel(moment.channel)
        inside = [user.id for user in self._workspace.members() if user.id in room.members]
        return {
            "place": moment.channel,
            "ts": moment.ts,
            "label": moment.label,
            "readers": [moment.reader] if moment.reader else inside,
        }

    # --- summary --------------------------------------------------------------------------------------------

    def _newest(self) -> str:
        return max((message.ts for message in self._workspace.messages.everywhere()), default="0")

    def _since(self, mark: str, viewer: str) -> Json:
        """How many messages came where, the fullest place first, and as whom each can be read."""
        counts: dict[str, int] = {}
        for message in self._workspace.messages.everywhere():
            if message.ts > mark and not message.ephemeral:
                counts[message.channel] = counts.get(message.channel, 0) + 1
        rooms = sorted(counts, key=lambda room: (-counts[room], room))
        return {"happened": [self._place(self._workspace.channel(r), counts[r], viewer) for r in rooms]}

    def _place(self, room: "Channel", count: int, viewer: str) -> Json:
        if room.kind == "im":
            return {
                "place": room.id,
                "as": room.user,
                "name": self._workspace.user(room.user).shown,
                "dm": True,
                "count": count,
            }
        people = [user.id for user in self._workspace.members() if user.id in room.members]
        reader = viewer if viewer in people or not people else people[0]
        return {"place": room.id, "as": reader, "name": f"#{room.name}", "dm": False, "count": count}

    # --- where to -------------------------------------------------------------------------------------------

    def _target(self, now: datetime, body: Json) -> datetime | None:
        match body.get("move"):
            case "next":
                return None
            case "hour":
                return now + timedelta(hours=1)
            case "day":
                return now + timedelta(days=1)
            case "monday":
                local = now.astimezone(ZoneInfo(self._workspace.user(body["as"]).tz))
                day = local.date() + timedelta(days=7 - local.weekday())
                return datetime(day.year, day.month, day.day, MORNING, tzinfo=local.tzinfo)
            case other:
                raise ValueError(f"the clock can't be moved by {other!r}")

    def _set(self, target: datetime | None) -> datetime:
        if target is not None:
            self._workspace.clock.set(target)
        return self._workspace.clock.now()

    def _now(self) -> str:
        return self._workspace.clock.now().isoformat(timespec="seconds")
