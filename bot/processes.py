"""The processes of a real installation: Socket Mode in one, or web and worker apart."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from time import monotonic
from typing import Any

import structlog
from slack_bolt.adapter.socket_mode import SocketModeHandler
from waitress.server import create_server

from bot.app import Bot, build_bot, utc_now
from bot.commands import BUILT_IN_TEAM, ready_database
from bot.doctor_slack import app_token
from bot.gateway import Gateway, SlackError, typed_errors
from bot.settings import Settings, SettingsRefused
from bot.stage import APP
from bot.web import Web
from bot.worker import WorkerLock

log = structlog.get_logger(__name__)

LISTEN_BACKLOG = 1024
SOCKET_CHECK_SECONDS = 5
"""How soon a socket that was cut off without a word is opened again."""


def _address(settings: Settings) -> tuple[str, str]:
    """The token and the Web API to work with: Slack's, else those of the built-in workspace on `PORT`.

    Raises:
        SettingsRefused: there is neither.
    """
    if settings.slack_bot_token is not None:
        return settings.slack_bot_token.get_secret_value(), settings.slack_api_url
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


def real_bot(settings: Settings, *, secret: str | None, clock: Callable[[], datetime] = utc_now) -> Bot:
    """The bot of the workspace that the token belongs to; without a token, of the built-in one that is running.

    Raises:
        SettingsRefused: there is no workspace to work in, or the database can't be used.
        SlackError: the token isn't good, or Slack can't be reached.
    """
    token, api_url = _address(settings)
    return build_bot(
        settings,
        db=ready_database(settings),
        token=token,
        api_url=api_url,
        signing_secret=secret,
        clock=clock,
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


def require_port(host: str, port: int) -> None:
    """Whether a server may listen there, asked first: werkzeug would print a page of its own and exit.

    Raises:
        SettingsRefused: it may not.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as refused:
        number = refused.errno or 0
        why = os.strerror(number) if number > 0 else refused.strerror  # below 0: the host's name isn't known
        raise SettingsRefused(
            [
                f"Nothing can listen at {host}, port {port} ({why}). "
                "Set PORT (or HOST) to another one, such as PORT=3001."
            ]
        ) from None


@contextmanager
def serving(settings: Settings, app: Web) -> Iterator[str]:
    """Serve a WSGI app with threads; yields its address."""
    require_port(settings.host, settings.port)
    server = create_server(
        app,
        host=settings.host,
        port=settings.port,
        threads=settings.cadence_threads,
        backlog=LISTEN_BACKLOG,
        ident="rollout-cadence",
    )
    thread = Thread(target=server.run, name="web", daemon=True)
    thread.start()
    try:
        yield f"http://{settings.host}:{settings.port}"
    finally:
        server.close()
        thread.join(timeout=5)


@contextmanager
def working(bot: Bot, stop: Event) -> Iterator[None]:
    """Plan and send in the background, as soon as no other process does on this database."""
    lock = WorkerLock(bot.db.url)

    def begin() -> None:
        if lock.acquire(stopping=stop):
            bot.worker.refresh()
            bot.worker.start()
            log.info("working", workspace=bot.identity.team)

    thread = Thread(target=begin, name="worker-start", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)
        bot.worker.stop()
        lock.release()


@contextmanager
def connected(bot: Bot, app_token: str) -> Iterator[None]:
    """Listen to Slack through a socket, opened again whenever it breaks.

    Raises:
        SlackError: Slack doesn't take the app-level token, or can't be reached.
    """
    handler = SocketModeHandler(
        bot.app, app_token, web_client=bot.gateway.client, ping_interval=SOCKET_CHECK_SECONDS
    )
    try:
        with typed_errors():
            handler.connect()  # type: ignore[no-untyped-call]
        yield
    finally:
        handler.close()  # type: ignore[no-untyped-call]


def run_socket_mode(settings: Settings) -> None:
    """Everything in one process, without a public address, until it is asked to stop."""
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
    web = Web(db=bot.db, slack=None, clock=utc_now)
    token = settings.slack_app_token.get_secret_value()
    with (
        stopping() as stop,
        serving(settings, web) as address,
        connected(bot, token),
        working(bot, stop),
    ):
        log.info("connected", workspace=bot.identity.team, health=f"{address}/readyz")
        stop.wait()


def run_web(settings: Settings) -> None:
    """Slack over HTTP, until the process is asked to stop."""
    if settings.slack_bot_token is None or settings.slack_signing_secret is None:
        places = (
            (settings.slack_bot_token, "SLACK_BOT_TOKEN", "OAuth & Permissions"),
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
    with stopping() as stop, serving(settings, Web(db=bot.db, slack=bot.app, clock=utc_now)) as address:
        log.info(
            "listening",
            url=f"{address}/slack/events",
            workspace=bot.identity.team,
            health=f"{address}/readyz",
        )
        stop.wait()


def run_worker(settings: Settings) -> None:
    """The clock and the delivery, until the process is asked to stop."""
    bot = real_bot(settings, secret=None)
    with stopping() as stop, working(bot, stop):
        stop.wait()


def tick_once(settings: Settings, now: datetime | None) -> str:
    """Plan and send what is due, once, at an instant or now; says what was sent."""
    begun, first = monotonic(), now or datetime.now(UTC)
    bot = real_bot(settings, secret=None, clock=lambda: first + timedelta(seconds=monotonic() - begun))
    bot.worker.meet_new()
    totals = bot.worker.tick()
    said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(totals.items()))
    return f"{said or 'nothing was due'}."
