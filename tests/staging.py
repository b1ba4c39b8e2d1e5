"""A stage for tests: the real bot in its built-in workspace, time standing still until a test moves it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.commands import BUILT_IN_TEAM, import_into
from bot.sandbox.clock import SandboxClock
from bot.settings import Settings
from bot.stage import Stage, read_channels, read_profiles, workspace_from, zones_of
from cadence.documents import read_playbook, read_workspace
from storage.engine import Database
from storage.migrate import migrate

EXAMPLES = Path(__file__).parent.parent / "examples"
FRIDAY_BEFORE = datetime(2026, 2, 27, 12, tzinfo=UTC)
"""The Friday before Monday 2 March 2026, the first day of the tests' cycles."""


@contextmanager
def on_stage(
    folder: Path,
    *,
    start: datetime = FRIDAY_BEFORE,
    workspace: Path = EXAMPLES / "workspace.yaml",
    playbooks: Iterable[Path] = (EXAMPLES / "support-reply.yaml",),
    **settings: Any,
) -> Iterator[Stage]:
    """The bot with a workspace file and playbooks imported; nothing has started yet."""
    files = [workspace, *playbooks]
    spec = read_workspace(workspace.read_text(encoding="utf-8"))
    db = Database(f"sqlite:///{folder / 'stage.db'}")
    migrate(db)
    clock = SandboxClock(start, frozen=True)
    people = workspace_from(
        spec,
        clock=clock,
        playbooks=[read_playbook(file.read_text(encoding="utf-8")) for file in files[1:]],
        profiles=read_profiles(EXAMPLES / "names.csv"),
        channel_names=read_channels(EXAMPLES / "channels.csv"),
    )
    configured = Settings(_env_file=None, **settings)
    with Stage(configured, db=db, workspace=people, clock=clock, channel_zones=zones_of(spec)) as stage:
        _, refused = import_into(db, BUILT_IN_TEAM, files, now=clock.now())
        assert not refused, refused
        stage.bot.worker.refresh()
        yield stage
    db.close()
