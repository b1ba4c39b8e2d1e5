"""The processes of a real installation: Socket Mode in one, or web and worker separately."""

import gc
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime, timedelta
from importlib import import_module
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import structlog
from slack_bolt import App

from bot.app import Bot, build_bot, build_shared_bot
from bot.delivery.gateway import Gateway, SlackError
from bot.ops.commands import BUILT_IN_TEAM, ready_database
from bot.ops.doctor_slack import app_token
from bot.runtime.asgi_host import AsgiHost, api_host
from bot.runtime.clocks import Clock, clock_of, utc_now
from bot.runtime.embedded_runner import WorkerLock
from bot.runtime.http_server import Limits, require_port, serving
from bot.runtime.socket_mode import SlackSocket
from bot.settings import Settings, SettingsRefused
from bot.web import Web
from cadence.refusals import Refusal

log = structlog.get_logger(__name__)

LAST_MESSAGES_SECONDS = 20
"""Seconds for messages being sent to finish when the process stops."""


def _address(settings: Settings) -> tuple[str, str]:
    """The token and the Web API to use: Slack's, else those of the built-in workspace on `PORT`.

    Raises:
        SettingsRefused: there is neither.
    """
    if settings.slack_bot_token is not None:
        return settings.slack_bot_token.get_secret_value(), settings.slack_api_url
    from bot.rehearsal.harness import APP  # noqa: PLC0415 - a real workspace needs nothing of the built-in one

    url = f"http://127.0.0.1:{settings.port}"
    try:
        found = Gateway(token=APP.token, api_url=f"{url}/api/").identity().team_id
    except SlackError:
        found = ""
    if found != BUILT_IN_TEAM:
        raise SettingsRefused(
            [
                f"SLACK_BOT_TOKEN is missing, and no built-in workspace answers at {url}. Set the token (it is on "
                "the app's page, under “OAuth & Permissions”), or start `cadence run` beside this."
            ]
        )
    return APP.token, f"{url}/api/"


def real_bot(settings: Settings, *, secret: str | None, clock: Clock | None = None) -> Bot:
    """The bot of the workspace that the token belongs to, or of those that installed it.

    Without a token and a client ID, of the running built-in workspace.

    Args:
        clock: by default real time, or that of the built-in workspace.

    Raises:
        SettingsRefused: there is no workspace, or the database can't be used. SlackError: the token is
        invalid, or Slack can't be reached.
    """
    bot = _real_bot(settings, secret=secret, clock=clock)
    gc.freeze()  # the program itself is never garbage, and scanning it took a quarter of planning's time
    return bot


def _real_bot(settings: Settings, *, secret: str | None, clock: Clock | None) -> Bot:
    if settings.several:
        return build_shared_bot(
            settings, db=ready_database(settings), signing_secret=secret, clock=clock or utc_now
        )
    token, api_url = _address(settings)
    return build_bot(
        settings,
        db=ready_database(settings),
        token=token,
        api_url=api_url,
        signing_secret=secret,
        clock=clock or clock_of(settings),
    )


@contextmanager
def stopping() -> Iterator[Event]:
    """An event that is set when the process is asked to stop."""
    event = Event()

    def stop(_number: int, _frame: Any) -> None:
        event.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def working(bot: Bot, stop: Event) -> Iterator[None]:
    """Plan and send in the background; on SQLite as soon as no other process does so with this database."""
    work = _work_alone if bot.db.is_sqlite else _join_the_fleet(bot)
    thread = Thread(target=work, args=(bot, stop), name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=LAST_MESSAGES_SECONDS)


def _work_alone(bot: Bot, stop: Event) -> None:
    """Run the embedded runner: one process per SQLite file; another one waits, and takes over."""
    lock = WorkerLock(bot.db.url)
    if not lock.acquire(stopping=stop):
        return
    try:
        bot.worker.refresh()
        bot.worker.start()
        log.info("working", workspace=bot.installations.name)
        stop.wait()
        bot.worker.stop()
    finally:
        lock.release()


def _join_the_fleet(bot: Bot) -> Callable[[Bot, Event], None]:
    """Run the runner on PostgreSQL: any number of processes.

    Raises:
        Refusal: the release step hasn't run.
    """
    from bot.runtime.queue_runner import Fleet, is_prepared  # noqa: PLC0415 - SQLite needs none of it

    if not is_prepared(bot.db):
        raise Refusal("The queue's tables aren't made yet. Run `cadence migrate` first.")
    fleet = Fleet(bot.db, worker=bot.worker, delivery=bot.delivery, clock=bot.clock)

    def work(bot: Bot, stop: Event) -> None:
        log.info("working", workspace=bot.installations.name)
        fleet.run(stop)

    return work


@contextmanager
def connected(bot: Bot, app_token: str) -> Iterator[SlackSocket]:
    """Connect to Slack through a socket, reopened whenever it fails.

    Raises:
        SlackError: Slack refuses the app-level token, or can't be reached.
    """
    link = SlackSocket(bot.app, app_token, web_client=bot.gateway.client)
    link.open()
    try:
        yield link
    finally:
        link.close()


def _warm_up() -> None:
    """Import what judging steps needs once the process is ready, so that no request waits for it."""
    Thread(target=import_module, args=("scipy.special",), name="warming up", daemon=True).start()


def _serving(
    settings: Settings, web: Web, *, port: int, setting: str = "PORT", api: AsgiHost | None = None
) -> AbstractContextManager[str]:
    limits = Limits(
        connections=settings.cadence_connections,
        per_address=settings.cadence_connections_per_address,
        proxies=settings.cadence_proxies,
    )
    return serving(
        web,
        host=settings.host,
        port=port,
        threads=settings.cadence_threads,
        setting=setting,
        limits=limits,
        api=api,
    )


def _web(bot: Bot, stop: Event, *, slack: App | None, link: SlackSocket | None = None) -> Web:
    """Serve HTTP; when asked to stop, the process is no longer ready, but still answers."""

    def going_on() -> tuple[bool, str]:
        return not stop.is_set(), "process: stopping" if stop.is_set() else "process: running"

    def listening() -> tuple[bool, str]:
        heard = link.heard() if link else None
        if heard is None:
            return True, "socket: none"
        return heard.ok, f"socket: {'heard' if heard.ok else 'silent since'} {heard.ago:.0f} seconds ago"

    return Web(
        db=bot.db,
        workspace=bot.installations.served,
        slack=slack,
        clock=bot.clock,
        watched=(going_on, listening) if link else (going_on,),
        heard=link.heard if link else None,
        installer=bot.installer if slack else None,
        hosts=(bot.settings.host, *bot.settings.cadence_hosts),
    )


def _api(bot: Bot) -> AsgiHost:
    """What tools and assistants reach, beside Slack's requests."""
    secret = bot.settings.slack_signing_secret
    return api_host(
        bot.settings,
        db=bot.db,
        clock=bot.clock,
        services=lambda: bot.services,
        secret=secret.get_secret_value() if secret else None,
        serves=lambda workspace_id: bot.installations.post_for(workspace_id) is not None,
    )


def run_socket_mode(settings: Settings) -> None:
    """Everything in one process, without a public address, until it is asked to stop."""
    if settings.several:
        raise SettingsRefused(
            [
                "With SLACK_CLIENT_ID workspaces install the bot over HTTP, so Socket Mode isn't for it: run "
                "`cadence web` and `cadence worker`. For one workspace set SLACK_BOT_TOKEN."
            ]
        )
    if settings.slack_app_token is None:
        raise SettingsRefused(
            [
                "SLACK_APP_TOKEN is missing: `cadence run` talks to Slack over Socket Mode. It is on the app's "
                "page, under “Basic Information”, “App-Level Tokens”. Over HTTP, run `cadence web` and "
                "`cadence worker` instead."
            ]
        )
    bot = real_bot(settings, secret=None)
    tried = app_token(settings, settings.slack_app_token)
    if not tried.ok:
        raise SettingsRefused([f"{tried.what} {tried.remedy}"])
    require_port(settings.host, settings.port)
    api = _api(bot)
    with (
        stopping() as stop,
        connected(bot, settings.slack_app_token.get_secret_value()) as link,
        _serving(settings, _web(bot, stop, slack=None, link=link), port=settings.port, api=api) as address,
        working(bot, stop),
    ):
        _warm_up()
        api.start()
        log.info(
            "connected",
            workspace=bot.installations.name,
            health=f"{address}/readyz",
            api=f"{address}/api/docs",
        )
        stop.wait()


def run_web(settings: Settings) -> None:
    """Slack over HTTP, until the process is asked to stop."""
    token = settings.slack_bot_token or settings.slack_client_secret
    if token is None or settings.slack_signing_secret is None:
        places = (
            (token, "SLACK_BOT_TOKEN", "OAuth & Permissions"),
            (settings.slack_signing_secret, "SLACK_SIGNING_SECRET", "Basic Information"),
        )
        raise SettingsRefused(
            [
                f"{name} is missing. It is on the app's page, under “{page}”."
                for value, name, page in places
                if value is None
            ]
        )
    bot = real_bot(settings, secret=settings.slack_signing_secret.get_secret_value())
    api = _api(bot)
    with (
        stopping() as stop,
        _serving(settings, _web(bot, stop, slack=bot.app), port=settings.port, api=api) as address,
    ):
        _warm_up()
        api.start()
        log.info(
            "listening",
            url=f"{address}/slack/events",
            workspace=bot.installations.name,
            health=f"{address}/readyz",
            api=f"{address}/api/docs",
        )
        stop.wait()
        sleep(settings.cadence_drain)


def run_worker(settings: Settings) -> None:
    """Plan and send, until the process is asked to stop."""
    bot = real_bot(settings, secret=None)
    port = settings.cadence_worker_port
    with ExitStack() as parts:
        stop = parts.enter_context(stopping())
        if port is not None:
            web = _web(bot, stop, slack=None)
            address = parts.enter_context(_serving(settings, web, port=port, setting="CADENCE_WORKER_PORT"))
            log.info("listening", health=f"{address}/readyz")
        parts.enter_context(working(bot, stop))
        stop.wait()


def tick_once(settings: Settings, now: datetime | None) -> str:
    """Plan and send what is due, once, at an instant or now; returns a summary."""
    begun, first = monotonic(), now or clock_of(settings)()
    bot = real_bot(settings, secret=None, clock=lambda: first + timedelta(seconds=monotonic() - begun))
    bot.worker.meet_new()
    totals = bot.worker.tick()
    said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(totals.items()))
    return f"{said or 'Nothing was due'}."
