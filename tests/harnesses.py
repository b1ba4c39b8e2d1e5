"""The harness for tests: the real bot in its built-in workspace, with a clock that only the test moves."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

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
from bot.sandbox.clock import SandboxClock
from bot.sandbox.welcome import Welcome
from bot.sandbox.workspace import Workspace
from bot.settings import Settings
from cadence.actor import Actor
from cadence.documents import read_playbook, read_workspace
from cadence.flows.people.profiles import ensure_workspace
from storage.engine import Database
from storage.work import UnitOfWork
from tests.databases import database

EXAMPLES = Path(__file__).parent.parent / "examples"
FRIDAY_BEFORE = datetime(2026, 2, 27, 12, tzinfo=UTC)
"""The Friday before Monday 2 March 2026, the first day of the tests' cycles."""


@contextmanager
def bot_harness(
    folder: Path,
    *,
    start: datetime = FRIDAY_BEFORE,
    workspace: Path = EXAMPLES / "workspace.yaml",
    playbooks: Iterable[Path] = (EXAMPLES / "support-reply.yaml",),
    demo_users: DemoActors | None = None,
    welcome: Welcome | None = None,
    **settings: Any,
) -> Iterator[BotHarness]:
    """The bot with a workspace file and playbooks imported; nothing has started yet."""
    files = [workspace, *playbooks]
    texts = tuple(file.read_text(encoding="utf-8") for file in files)
    spec = read_workspace(texts[0])
    with database(folder / "stage.db", Imported(texts, start)) as db:
        clock = SandboxClock(start, frozen=True)
        people = workspace_from(
            spec,
            clock=clock,
            playbooks=[read_playbook(text) for text in texts[1:]],
            profiles=read_profiles(EXAMPLES / "names.csv"),
            channel_names=read_channels(EXAMPLES / "channels.csv"),
        )
        configured = Settings(_env_file=None, **settings)
        with BotHarness(
            configured,
            db=db,
            workspace=people,
            clock=clock,
            channel_zones=zones_of(spec),
            demo_users=demo_users,
            welcome=welcome,
        ) as harness:
            harness.bot.worker.refresh()
            yield harness
            check_scopes(people)


def check_scopes(workspace: Workspace) -> None:
    """Fail when a method was called that the manifest's scopes don't allow; a test may have granted others itself."""
    if workspace.capabilities == GRANTED:
        assert workspace.out_of_scope == [], "called without a scope of the manifest's"


@dataclass(frozen=True, slots=True)
class Imported:
    """The built-in team with these files imported."""

    texts: tuple[str, ...]
    now: datetime

    def __call__(self, db: Database) -> None:
        with TemporaryDirectory() as folder:
            files = [Path(folder) / f"{number}.yaml" for number in range(len(self.texts))]
            for file, text in zip(files, self.texts, strict=True):
                file.write_text(text, encoding="utf-8")
            ensure_workspace(UnitOfWork(db, Actor.system(BUILT_IN_TEAM), self.now), name="Rehearsal")
            _, refused = import_into(db, BUILT_IN_TEAM, files, now=self.now)
            assert not refused, refused
