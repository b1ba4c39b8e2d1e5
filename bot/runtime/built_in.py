"""`cadence run` without Slack: the built-in workspace with demo users, and the bot in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog

from bot.ops.commands import BUILT_IN_TEAM, bring_up, import_into, open_database
from bot.ops.files import unreadable
from bot.ops.manifest import INSTALL
from bot.rehearsal.demo_users import DemoUsers
from bot.rehearsal.first_visit import SIX_MONTHS, THREE_CYCLES, first_visit
from bot.rehearsal.harness import BotHarness, read_channels, read_profiles, workspace_from, zones_of
from bot.runtime.embedded_runner import WorkerLock
from bot.runtime.http_server import require_port
from bot.runtime.processes import stopping
from bot.sandbox.clock import SandboxClock
from bot.sandbox.server import SandboxServer
from bot.sandbox.welcome import Welcome
from bot.sandbox.workspace import Workspace
from bot.settings import Settings, SettingsRefused
from cadence.documents import PlaybookSpec, WorkspaceSpec, read_playbook, read_workspace
from cadence.flows.people import workspace_ids
from cadence.refusals import Refusal
from storage.engine import Database

log = structlog.get_logger(__name__)

EXAMPLES = Path(__file__).parents[2] / "examples"
"""Example teams and playbooks, next to the packages in a checkout."""
LOOPBACK = "127.0.0.1"
"""The built-in workspace has no login, so it listens on this machine only, whatever `HOST` is."""


@dataclass(frozen=True, slots=True)
class Example:
    """People and playbooks of the built-in workspace: `workspace.yaml` with its names and channels in a folder.

    Args:
        playbooks: files, imported in this order; the demo users start a cycle of the first if none runs.
        whole: whether they play its answers file to the end, however many cycles that takes.
    """

    folder: Path
    playbooks: tuple[str, ...]
    whole: bool = False

    @property
    def first(self) -> str:
        """The slug of the first playbook."""
        return self.playbooks[0].removesuffix(".yaml")

    @property
    def files(self) -> list[Path]:
        """The playbooks' files that exist."""
        return [file for name in self.playbooks if (file := self.folder / name).exists()]

    def people(self) -> WorkspaceSpec:
        """Who is who."""
        file = self.folder / "workspace.yaml"
        return read_workspace(file.read_text(encoding="utf-8")) if file.exists() else WorkspaceSpec()


STANDARD: Final = Example(
    EXAMPLES, ("support-reply.yaml", "inbound-routing.yaml", "test-refactor.yaml", "variance-review.yaml")
)
NAMED: Final = {"six-months": Example(EXAMPLES / "six-months", ("refund-requests.yaml",), whole=True)}
"""The other examples, by their names on the command line."""


def run_embedded(settings: Settings, example: str | None = None) -> None:
    """Serve the built-in workspace and run the bot in it, until asked to stop.

    Args:
        example: one of `NAMED`, which keeps its own database; None for the standard one.

    Raises:
        Refusal: there is no such example. SettingsRefused: the port is taken, or another process uses the
        database.
    """
    if example is not None and example not in NAMED:
        raise Refusal(f"There's no example {example}. Choose one of: {', '.join(NAMED)}.")
    if example is not None:
        settings = settings.model_copy(update={"cadence_data": settings.cadence_data / example})
    require_port(LOOPBACK, settings.port)
    db = open_database(settings)
    lock = WorkerLock(db.url)
    if not lock.try_now():
        raise SettingsRefused(
            [
                "Another `cadence` process is using this database. Stop it, or use another folder, "
                "such as CADENCE_DATA=var2."
            ]
        )
    try:
        bring_up(db)
        _work(settings, db, STANDARD if example is None else NAMED[example])
    finally:
        lock.release()
        db.close()


def _work(settings: Settings, db: Database, example: Example) -> None:
    fresh = BUILT_IN_TEAM not in workspace_ids(db)
    clock, people = SandboxClock(), example.people()
    with (
        stopping() as stop,
        BotHarness(
            settings,
            db=db,
            workspace=example_workspace(clock, example),
            clock=clock,
            port=settings.port,
            channel_zones=zones_of(people),
            demo_users=DemoUsers(people, example.folder / "answers", example.first, whole=example.whole),
            welcome=_first_visit(example),
            state=settings.cadence_data / "workspace.db",
        ) as harness,
    ):
        if fresh:
            _import_examples(db, example, clock.now())
        harness.bot.worker.refresh()
        harness.bot.worker.start()
        _welcome(harness.server.url, example)
        stop.wait()
        harness.bot.worker.stop()


def run_sandbox(settings: Settings, workspace: Path | None, *, app_url: str | None = None) -> None:
    """Serve only the built-in workspace, for a bot in another process, until asked to stop.

    Args:
        app_url: the bot's HTTP address; without it, it connects through Socket Mode.

    Raises:
        Refusal: the workspace file can't be read, or `app_url` is invalid. SettingsRefused: the port is
        taken.
    """
    if app_url is not None:
        app_url = _address(app_url)
    spec = read_workspace(_text(workspace)) if workspace else STANDARD.people()
    built = _people(spec, (), SandboxClock(), STANDARD.folder)
    require_port(settings.host, settings.port)
    with (
        stopping() as stop,
        SandboxServer(
            built, host=settings.host, port=settings.port, socket_mode=app_url is None, app_url=app_url
        ) as server,
    ):
        for line in _how_to_point_at(server, app_url):
            print(line, flush=True)  # noqa: T201
        stop.wait()


def _address(app_url: str) -> str:
    """`http://127.0.0.1:3001`, without a slash at the end."""
    given = urlsplit(app_url)
    if given.scheme not in ("http", "https") or not given.hostname:
        raise Refusal(f"{app_url} isn't an address. Write it as http://127.0.0.1:3001.")
    return app_url.rstrip("/")


def _how_to_point_at(server: SandboxServer, app_url: str | None) -> Iterator[str]:
    """The environment variables for the bot, one per line."""
    workspace, app = server.workspace, server.workspace.app
    yield f"The workspace {workspace.name} is at {server.url}. To connect a bot, run"
    yield f"  export SLACK_API_URL={server.api_url}"
    yield f"  export SLACK_BOT_TOKEN={app.token}"
    if app_url is None:
        yield f"  export SLACK_APP_TOKEN={app.app_token}"
    yield f"  export SLACK_SIGNING_SECRET={app.signing_secret}"
    if app_url is not None:
        yield f"  export PORT={urlsplit(app_url).port or 80}"
        yield f"To install it at {app_url}{INSTALL} instead, leave SLACK_BOT_TOKEN unset and run"
        yield f"  export SLACK_CLIENT_ID={app.client_id}"
        yield f"  export SLACK_CLIENT_SECRET={app.client_secret}"


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise Refusal(unreadable(file, error)) from None
    except UnicodeDecodeError:
        raise Refusal(f"{file} isn't UTF-8 text.") from None


def example_workspace(clock: SandboxClock, example: Example = STANDARD) -> Workspace:
    """The built-in workspace with the people of the example files."""
    playbooks = [read_playbook(file.read_text(encoding="utf-8")) for file in example.files]
    return _people(example.people(), playbooks, clock, example.folder)


def _people(
    spec: WorkspaceSpec, playbooks: Sequence[PlaybookSpec], clock: SandboxClock, folder: Path
) -> Workspace:
    return workspace_from(
        spec,
        clock=clock,
        playbooks=playbooks,
        profiles=read_profiles(folder / "names.csv"),
        channel_names=read_channels(folder / "channels.csv"),
    )


def _first_visit(example: Example) -> Welcome | None:
    """The page opens as the owner of the first playbook, in the channel of its team."""
    file = example.folder / example.playbooks[0]
    if not file.exists():
        return None
    return first_visit(
        example.people(),
        read_playbook(file.read_text(encoding="utf-8")),
        read_profiles(example.folder / "names.csv"),
        SIX_MONTHS if example.whole else THREE_CYCLES,
    )


def _import_examples(db: Database, example: Example, now: datetime) -> None:
    files = [file for file in (example.folder / "workspace.yaml", *example.files) if file.exists()]
    _, refused = import_into(db, BUILT_IN_TEAM, files, now=now.astimezone(UTC))
    for problem in refused:
        log.error("example not imported", problem=problem)


def _welcome(url: str, example: Example) -> None:
    """Where to look and what to try."""
    for line in (
        "",
        f"  Rollout Cadence runs in its built-in workspace: {url}",
        f"  Health: {url}/healthz, {url}/readyz, {url}/metrics",
        f"  API for tools: {url}/api/docs (make a token in Slack with /cadence token)",
        "",
        *(_SIX_MONTHS if example.whole else _FIRST_STEPS),
        "",
        "  Nobody real gets a message. Stop with Ctrl-C.",
        "",
    ):
        print(line, flush=True)  # noqa: T201


_FIRST_STEPS: Final = (
    "  1. Open the page and act as Jana Hoffmann, the owner of the example playbook.",
    "  2. In #support-emea type  /cadence cycle start support-reply",
    "  3. Press “Next event” until Thursday's check-in arrives, and answer it.",
    "  4. Type  /exception send tone was off  and  /cadence why support-reply send",
    "  5. Or press “Play the cycle”: in three cycles a step is demoted, and promoted again.",
)
_SIX_MONTHS: Final = (
    "  1. Open the page and press “Play the cycle”: example people play six months, from a pilot to its third wave.",
    "  2. At any time pause, and type  /cadence wave refund-requests show  or  /cadence compare refund-requests",
)
