"""The played cycle as an animated picture, a frame a scene: `python -m tests.browser.pictures` takes it too.

The example people wait in each scene until its picture is taken, so the film doesn't depend on the machine's speed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Final

from PIL import Image
from playwright.sync_api import ViewportSize, expect

from bot.rehearsal.demo_users import DemoUsers
from bot.rehearsal.harness import BotHarness
from bot.sandbox.playback import Moment, Playback
from tests.browser.visitor import Visitor

SCREEN = ViewportSize(width=1000, height=600)
FRAME_MS: Final = 2_600
"""How long a scene is shown: enough to read its header and its numbers."""
LAST_MS: Final = 5_000
QUALITY: Final = 70
STEP_SECONDS: Final = 60.0
"""Seconds that the example people may take for one step."""
SCENES: Final = (
    "Support reply · week 1: Choose",
    "Support reply · week 1: did this week run as planned?",
    "Exception logged: “Send the edited reply”",
    "“Send the edited reply” is over its cap",
    "🎉 Support reply hit its target: ",
    "Demoted: ",
    "Why ",
    "✓ Rubric updated: ",
    "🎉 Support reply hit its target in cycle 1",
    "Promoted: ",
)
"""How the messages begin that get a frame, in the order in which they come."""


@dataclass(slots=True)
class Director:
    """The example people, held after each step until it was filmed."""

    users: DemoUsers
    _reached: Event = field(default_factory=Event)
    _go_on: Event = field(default_factory=Event)
    _shown: Moment | None = None
    _over: bool = False

    def play(self, harness: BotHarness, playback: Playback) -> None:
        """Play, and wait at each rest."""

        def hold(_seconds: float) -> None:
            self._shown = playback.shown
            self._reached.set()
            self._go_on.wait(STEP_SECONDS)
            self._go_on.clear()

        playback.rest = hold  # type: ignore[assignment, method-assign]
        try:
            self.users.play(harness, playback)
        finally:
            self._over = True
            self._reached.set()

    def steps(self) -> Iterator[Moment | None]:
        """Each step, held until the next one is asked for."""
        while self._reached.wait(STEP_SECONDS) and not self._over:
            self._reached.clear()
            yield self._shown
            self._go_on.set()


def film(at: Visitor, director: Director, file: Path) -> None:
    """Play on the page, and keep a frame of each scene and of the recap."""
    at.page.set_viewport_size(SCREEN)
    at.page.get_by_role("button", name="Play the story").click()
    frames, scenes = [], list(SCENES)
    for shown in director.steps():
        if scenes and shown is not None and shown.ts and shown.label.startswith(scenes[0]):
            scenes.pop(0)
            expect(at.page.locator(f"#messages [data-ts='{shown.ts}']").first).to_be_in_viewport()
            frames.append(_frame(at))
    assert not scenes, f"never shown: {scenes[0]}"
    expect(at.page.locator("#recap button.recap-link")).to_have_count(5)
    frames.append(_frame(at))
    durations = [FRAME_MS] * (len(frames) - 1) + [LAST_MS]
    frames[0].save(
        file,
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=0,
        quality=QUALITY,
        method=6,
    )


def _frame(at: Visitor) -> Image.Image:
    at.page.mouse.move(0, 0)
    return Image.open(BytesIO(at.page.screenshot())).convert("RGB")
