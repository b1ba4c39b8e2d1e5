"""A stage for tests: the real bot in its built-in workspace, time standing still until a test moves it."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from bot.commands import BUILT_IN_TEAM, import_into
from bot.sandbox.clock import SandboxClock
from bot.settings import Settings
from bot.stage import Players, Stage, read_channels, read_profiles, workspace_from, zones_of
from cadence.documents import read_playbook, read_workspace
from cadence.flows.profiles import ensure_workspace
from storage.engine import Database
from storage.migrate import migrate
from tests.storage import postgres

EXAMPLES = Path(__file__).parent.parent / "examples"
FRIDAY_BEFORE = datetime(2026, 2, 27, 12, tzinfo=UTC)
"""The Friday before Monday 2 March 2026, the first day of the tests' cycles."""
_NUMBERS = count(1)


@contextmanager
def on_stage(
    folder: Path,
    *,
    start: datetime = FRIDAY_BEFORE,
    workspace: Path = EXAMPLES / "workspace.yaml",
    playbooks: Iterable[Path] = (EXAMPLES / "support-reply.yaml",),
    players: Players | None = None,
    in_a_file: bool = False,
    **settings: Any,
) -> Iterator[Stage]:
    """The bot with a workspace file and playbooks imported; nothing has started yet.

    `in_a_file` is for tests that lay hands on the SQLite file itself, wherever the others keep their rows.
    """
    files = [workspace, *playbooks]
    texts = tuple(file.read_text(encoding="utf-8") for file in files)
    spec = read_workspace(texts[0])
    with ExitStack() as places:
        db = places.enter_context(
            _database(folder, texts, start, socket=None if in_a_file else OnPostgres.socket)
        )
        clock = SandboxClock(start, frozen=True)
        people = workspace_from(
            spec,
            clock=clock,
            playbooks=[read_playbook(text) for text in texts[1:]],
            profiles=read_profiles(EXAMPLES / "names.csv"),
            channel_names=read_channels(EXAMPLES / "channels.csv"),
        )
        configured = Settings(_env_file=None, **settings)
        with Stage(
            configured, db=db, workspace=people, clock=clock, channel_zones=zones_of(spec), players=players
        ) as stage:
            stage.bot.worker.refresh()
            yield stage


class OnPostgres:
    """Where stages keep their rows: a PostgreSQL by its socket, else a SQLite file each."""

    socket: ClassVar[str | None] = None


@contextmanager
def _database(
    folder: Path, texts: tuple[str, ...], start: datetime, *, socket: str | None
) -> Iterator[Database]:
    """A database of its own with these files imported."""
    if socket is None:
        file = folder / "stage.db"
        file.write_bytes(_imported(texts, start))
        db = Database(f"sqlite:///{file}")
        yield db
        db.close()
        return
    name = f"stage{next(_NUMBERS)}"
    postgres.create(socket, name, template=_template(socket, texts, start))
    db = Database(postgres.url(socket, name))
    yield db
    db.close()
    postgres.drop(socket, name)


@lru_cache(maxsize=64)
def _template(socket: str, texts: tuple[str, ...], now: datetime) -> str:
    """The name of a PostgreSQL database with these files imported; the tests' own are copies of it."""
    name = f"template{next(_NUMBERS)}"
    postgres.create(socket, name)
    _import(postgres.url(socket, name), texts, now)
    return name


@lru_cache(maxsize=64)
def _imported(texts: tuple[str, ...], now: datetime) -> bytes:
    """A database with these files imported, made once for all the tests that begin with them."""
    with TemporaryDirectory() as folder:
        _import(f"sqlite:///{folder}/stage.db", texts, now)
        return Path(folder, "stage.db").read_bytes()


def _import(url: str, texts: tuple[str, ...], now: datetime) -> None:
    with TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.yaml" for number in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            file.write_text(text, encoding="utf-8")
        db = Database(url)
        migrate(db)
        ensure_workspace(db, workspace_id=BUILT_IN_TEAM, name="Rehearsal", now=now)
        _, refused = import_into(db, BUILT_IN_TEAM, files, now=now)
        assert not refused, refused
        db.close()
