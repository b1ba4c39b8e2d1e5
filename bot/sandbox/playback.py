"""A play of demo users: what they do is told, shown at a pace, paused and stopped from the page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Condition

SPEEDS = (1, 4)
"""How many times faster than its own pace a play may go."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A message worth seeing.

    Args:
        label: what it says, in a line.
        channel: where it is.
        ts: which message it is; empty for the place itself.
        reader: as whom it is read; empty for anybody in the channel.
    """

    label: str
    channel: str
    ts: str = ""
    reader: str = ""


class Playback:
    """What demo users are told by the page, and what they tell it. Thread-safe.

    Args:
        on_change: called after each change that the page shows.
        speed: its pace at first, one of `SPEEDS`.
    """

    def __init__(self, on_change: Callable[[], None] = lambda: None, speed: int = 1) -> None:
        self._on_change = on_change
        self._changed = Condition()
        self._stopped = False
        self._paused = False
        self._speed = speed
        self._said = ""
        self._shown: Moment | None = None
        self._recap: tuple[Moment, ...] = ()

    # --- the page's side ------------------------------------------------------------------------------------

    def stop(self) -> None:
        """End the play at the next chance."""
        self._set(_stopped=True)

    def pause(self, *, paused: bool = True) -> None:
        """Hold the play, or go on."""
        self._set(_paused=paused)

    def set_speed(self, speed: int) -> None:
        """Change the pace; ValueError unless it is one of `SPEEDS`."""
        if speed not in SPEEDS:
            raise ValueError(f"the speed is one of {SPEEDS}")
        self._set(_speed=speed)

    @property
    def paused(self) -> bool:
        """Whether it is held."""
        return self._paused

    @property
    def speed(self) -> int:
        """Its pace."""
        return self._speed

    @property
    def said(self) -> str:
        """The last sentence the demo users told."""
        return self._said

    @property
    def shown(self) -> Moment | None:
        """Where the action is."""
        return self._shown

    @property
    def moments(self) -> tuple[Moment, ...]:
        """The recap; empty until the play is over."""
        return self._recap

    # --- the demo users' side -------------------------------------------------------------------------------

    @property
    def stopped(self) -> bool:
        """Whether they are to end."""
        return self._stopped

    def tell(self, sentence: str) -> None:
        """Say what somebody just did."""
        self._set(_said=sentence)

    def show(self, moment: Moment) -> None:
        """Lead the page to where the action is."""
        self._set(_shown=moment)

    def recap(self, moments: Sequence[Moment]) -> None:
        """Say at the end what was worth seeing."""
        self._set(_recap=tuple(moments))

    def rest(self, seconds: float) -> None:
        """Give the reader time: so many seconds at speed 1, and as long as the play is paused."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped, timeout=seconds / self._speed)
            self._changed.wait_for(lambda: self._stopped or not self._paused)

    def _set(self, **values: object) -> None:
        with self._changed:
            for name, value in values.items():
                setattr(self, name, value)
            self._changed.notify_all()
        self._on_change()
