"""The harness for tests: the real bot in its built-in workspace, with a clock that only the test moves."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, reduce
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bot.delivery.sender import Draw
from bot.ops.commands import BUILT_IN_TEAM, import_into
from bot.rehearsal.harness import (
    GRANTED,
    BotHarness,
    DemoActors,
    read_channels,
    read_profiles,
    workspace_from,
    zones_of,
)
from bot.rehearsal.rehearse import no_picture
from bot.sandbox.capabilities import Capabilities
from bot.sandbox.clock import SandboxClock
from bot.sandbox.store import Store
from bot.sandbox.welcome import Welcome
from bot.sandbox.workspace import Workspace
from bot.settings import Settings
from cadence.actor import Actor
from cadence.documents import PlaybookSpec, WorkspaceSpec, read_playbook, read_workspace
from cadence.flows.people.profiles import ensure_workspace
from storage.engine import Database
from storage.work import UnitOfWork
from tests.databases import database

EXAMPLES = Path(__file__).parent.parent / "examples"
FRIDAY_BEFORE = datetime(2026, 2, 27, 12, tzinfo=UTC)
"""The Friday before Monday 2 March 2026, the first day of the tests' cycles."""


Play = Callable[[BotHarness], None]
"""What happens in a harness before a test begins. It is hashable: equal ones are played once."""


@dataclass(frozen=True, slots=True)
class After:
    """A play that goes on where another one ended: that is played once for all that follow it."""

    before: Play
    then: Play

    def __call__(self, harness: BotHarness) -> None:
        self.then(harness)


def in_turn(*plays: Play) -> Play:
    """One play after the other; another list that begins alike is played from where they differ."""
    return reduce(After, plays)


@contextmanager
def bot_harness(
    folder: Path,
    *,
    start: datetime = FRIDAY_BEFORE,
    workspace: Path = EXAMPLES / "workspace.yaml",
    playbooks: Iterable[Path] = (EXAMPLES / "support-reply.yaml",),
    played: Play | None = None,
    demo_users: DemoActors | None = None,
    welcome: Welcome | None = None,
    capabilities: Capabilities = GRANTED,
    draw: Draw = no_picture,
    **settings: Any,
) -> Iterator[BotHarness]:
    """The bot with a workspace file and playbooks imported; nothing has started yet.

    Args:
        capabilities: what the server can do, and the bot may.
        played: what has happened already. It is played once a process; each test then gets a copy of the database and
            of the built-in workspace, as after a restart.
        draw: draws a chart. It takes 40 ms, and most tests don't look.
    """
    files = [workspace, *playbooks]
    names = workspace.parent if (workspace.parent / "names.csv").exists() else EXAMPLES
    texts = tuple(file.read_text(encoding="utf-8") for file in files)
    imported = Imported(texts, start, names, capabilities)
    scene = Played(imported, played, tuple(settings.items())) if played else Met(imported)
    with database(folder / "stage.db", scene) as db:
        state = None
        if isinstance(scene, Played):
            state = folder / "stage.state"
            state.write_bytes(_LEFT[scene])
        with _connected(
            imported, db, settings, state=state, demo_users=demo_users, welcome=welcome, draw=draw
        ) as harness:
            yield harness


@contextmanager
def _connected(
    imported: "Imported",
    db: Database,
    settings: Mapping[str, Any],
    *,
    state: Path | None = None,
    kept: Path | None = None,
    demo_users: DemoActors | None = None,
    welcome: Welcome | None = None,
    draw: Draw = no_picture,
) -> Iterator[BotHarness]:
    """The bot on a database with these files, in a workspace that is new or has this state.

    Args:
        kept: a file whose state it has, and which keeps every change.
    """
    spec = imported.workspace
    clock = SandboxClock(imported.now, frozen=True)
    people = workspace_from(
        spec,
        clock=clock,
        playbooks=imported.playbooks,
        profiles=read_profiles(imported.names / "names.csv"),
        channel_names=read_channels(imported.names / "channels.csv"),
    )
    people.capabilities = imported.capabilities
    if state is not None:
        Store(state, people).close()
    with BotHarness(
        Settings(_env_file=None, **settings),
        db=db,
        workspace=people,
        clock=clock,
        channel_zones=zones_of(spec),
        demo_users=demo_users,
        welcome=welcome,
        state=kept,
        draw=draw,
    ) as harness:
        yield harness
        check_scopes(people)


def check_scopes(workspace: Workspace) -> None:
    """Fail when a method was called that the manifest's scopes don't allow; a test may have granted others itself."""
    if workspace.capabilities == GRANTED:
        assert workspace.out_of_scope == [], "called without a scope of the manifest's"


@dataclass(frozen=True, slots=True)
class Imported:
    """The built-in team with these files imported: a workspace file and playbooks.

    Args:
        names: the folder with the names of people and channels.
        capabilities: what the server can do, and the bot may.
    """

    texts: tuple[str, ...]
    now: datetime
    names: Path = EXAMPLES
    capabilities: Capabilities = GRANTED

    def __call__(self, db: Database) -> None:
        with TemporaryDirectory() as folder:
            files = [Path(folder) / f"{number}.yaml" for number in range(len(self.texts))]
            for file, text in zip(files, self.texts, strict=True):
                file.write_text(text, encoding="utf-8")
            ensure_workspace(UnitOfWork(db, Actor.system(BUILT_IN_TEAM), self.now), name="Rehearsal")
            _, refused = import_into(db, BUILT_IN_TEAM, files, now=self.now)
            assert not refused, refused

    @property
    def workspace(self) -> WorkspaceSpec:
        """The workspace file."""
        return _workspace(self.texts[0])

    @property
    def playbooks(self) -> list[PlaybookSpec]:
        """The playbooks."""
        return [_playbook(text) for text in self.texts[1:]]


@dataclass(frozen=True, slots=True)
class Met:
    """The built-in team with files imported, once the bot has loaded everybody's profile."""

    imported: Imported

    @property
    def before(self) -> Imported:
        """The same rows without the profiles."""
        return self.imported

    def __call__(self, db: Database) -> None:
        with _connected(self.imported, db, {}) as harness:
            harness.bot.worker.refresh()


_workspace = lru_cache(maxsize=64)(read_workspace)
_playbook = lru_cache(maxsize=64)(read_playbook)
_LEFT: Final[dict["Met | Played", bytes]] = {}
"""What each play left in the built-in workspace."""


@dataclass(frozen=True, slots=True)
class Played:
    """The built-in team with files imported, after a play."""

    imported: Imported
    play: Play
    settings: tuple[tuple[str, Any], ...]

    @property
    def before(self) -> "Met | Played":
        """What it goes on from: the end of another play, or the beginning."""
        if isinstance(self.play, After):
            return Played(self.imported, self.play.before, self.settings)
        return Met(self.imported)

    def __call__(self, db: Database) -> None:
        with TemporaryDirectory() as folder:
            kept, left = Path(folder, "state"), _LEFT.get(self.before)
            if left is not None:
                kept.write_bytes(left)
            with _connected(self.imported, db, dict(self.settings), kept=kept) as harness:
                self.play(harness)
            _LEFT[self] = kept.read_bytes()
