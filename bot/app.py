"""The composition root: builds a Bolt app and its services from settings."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.logger.messages import (
    info_default_oauth_settings_loaded,
    warning_client_prioritized_and_token_skipped,
)
from slack_sdk import WebClient

from bot.delivery.gateway import Gateway, Identity
from bot.delivery.sender import Delivery, Draw, Pace, Post
from bot.errors import code_for
from bot.metrics import ACK_SECONDS, REQUESTS
from bot.request_validation import RequestValidation
from bot.runtime.clocks import Clock, utc_now
from bot.runtime.embedded_runner import Worker
from bot.settings import Settings
from bot.workspaces.directory import Directory
from bot.workspaces.home_publisher import Homes
from bot.workspaces.installations import Installations, ManyWorkspaces, OneWorkspace, several
from bot.workspaces.oauth import Installer
from bot.workspaces.profiles import member_profile
from cadence.actor import Actor
from cadence.flows.overview import HomePace
from cadence.flows.people import ensure_workspace, remember_address
from handlers.context import Services
from handlers.routes import register_all
from storage.engine import Conflict, Database
from storage.work import UnitOfWork
from templates.chart import draw as draw_chart

log = structlog.get_logger(__name__)

NOT_INSTALLED = "Rollout Cadence isn't installed in this workspace anymore. An admin can install it again."
"""The message for people who still see an uninstalled bot."""


@dataclass(frozen=True, slots=True)
class Bot:
    """The running program's parts, wired together."""

    settings: Settings
    db: Database
    installations: Installations
    directory: Directory
    delivery: Delivery
    worker: Worker
    app: App
    services: Services
    clock: Clock
    installer: Installer | None = None

    @property
    def gateway(self) -> Gateway:
        """Slack's Web API, for the bot's only workspace."""
        return _only(self.installations).gateway

    @property
    def identity(self) -> Identity:
        """The bot's identity in its only workspace."""
        return _only(self.installations).identity


def _only(installations: Installations) -> Post:
    if not isinstance(installations, OneWorkspace):
        raise LookupError("the bot is in several workspaces")
    return installations.post


def build_bot(
    settings: Settings,
    *,
    db: Database,
    token: str,
    api_url: str,
    signing_secret: str | None,
    clock: Clock = utc_now,
    pace: Pace | None = None,
    draw: Draw = draw_chart,
) -> Bot:
    """Build the bot of one workspace.

    Args:
        draw: draws a chart as a PNG.
        signing_secret: verifies HTTP requests; None in Socket Mode, where Slack authenticates the socket.

    Raises:
        SlackError: the token is invalid, or the server can't be reached.
    """
    gateway = Gateway(token=token, api_url=api_url)
    identity = gateway.identity()
    ensure_workspace(UnitOfWork(db, Actor.system(identity.team_id), clock()), name=identity.team)
    remember_address(
        UnitOfWork(db, Actor.system(identity.team_id), clock()), url=identity.url, bot=identity.user_id
    )
    one = OneWorkspace(Post(gateway, identity), token=token)
    bot = _wired(
        settings,
        db=db,
        installations=one,
        api_url=api_url,
        secret=signing_secret,
        clock=clock,
        pace=pace,
        draw=draw,
    )
    _take_other_events(bot.app)
    return bot


def build_shared_bot(
    settings: Settings,
    *,
    db: Database,
    signing_secret: str | None,
    clock: Clock = utc_now,
    pace: Pace | None = None,
    tokens_clock: Clock = utc_now,
) -> Bot:
    """Build the bot of several workspaces, which install it themselves.

    Args:
        signing_secret: verifies Slack's requests; None in a process that accepts none.
        tokens_clock: real time, whatever the bot's own clock says.
    """
    many = several(settings, db, clock=tokens_clock)
    bot = _wired(
        settings,
        db=db,
        installations=many,
        api_url=settings.slack_api_url,
        secret=signing_secret,
        clock=clock,
        pace=pace,
    )
    _listen_to_uninstalls(bot.app, many)
    _take_other_events(bot.app)

    def arrived(workspace_id: str, member: str) -> None:
        many.look_again()
        with suppress(Conflict):  # another process has just looked up the same person
            bot.directory.meet(workspace_id, member)

    installer = Installer(
        db,
        client_id=many.client_id,
        client_secret=many.client_secret,
        api_url=settings.slack_api_url,
        clock=tokens_clock,
        met=arrived,
    )
    return replace(bot, installer=installer)


def _wired(
    settings: Settings,
    *,
    db: Database,
    installations: Installations,
    api_url: str,
    secret: str | None,
    clock: Clock,
    pace: Pace | None,
    draw: Draw = draw_chart,
) -> Bot:
    def gateway_for(workspace_id: str) -> Gateway | None:
        post = installations.post_for(workspace_id)
        return post.gateway if post else None

    directory = Directory(db, gateway_for=gateway_for, clock=clock)
    delivery = Delivery(
        db,
        post_for=installations.post_for,
        clock=clock,
        pace=pace or Pace(a_minute=settings.cadence_messages_a_minute),
        draw=draw,
    )
    homes = Homes(db, gateway_for=gateway_for, clock=clock, pace=_home_pace(delivery))
    app = _bolt(settings, db=db, api_url=api_url, signing_secret=secret, installations=installations)
    services = Services(
        db=db,
        clock=clock,
        named_curators=frozenset(settings.cadence_curators),
        meet=directory.meet,
        in_channel=directory.in_channel,
        homes=homes,
        observe=_observe,
        code_for=code_for,
    )
    register_all(app, services)
    _listen_to_people(app, directory)
    worker = Worker(
        db,
        delivery=delivery,
        directory=directory,
        homes=homes,
        clock=clock,
        keep_tokens=installations.keep_tokens,
    )
    return Bot(settings, db, installations, directory, delivery, worker, app, services, clock)


def _home_pace(delivery: Delivery) -> HomePace:
    """In rehearsals, whose messages don't wait for each other, Homes don't wait either."""
    return HomePace() if delivery.outbox.pace.apart else HomePace(apart=timedelta(), each=timedelta())


class BoltApp(App):
    """Bolt's app, with requests that don't wait for the database longer than Slack waits for them."""

    def __init__(self, db: Database, **options: Any) -> None:
        super().__init__(**options)
        self._db = db

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """Answer one request."""
        with self._db.for_a_request():
            return super().dispatch(req)


def _bolt(
    settings: Settings,
    *,
    db: Database,
    api_url: str,
    signing_secret: str | None,
    installations: Installations,
) -> App:
    def authorize(team_id: str | None, **_context: Any) -> Any:
        """Authorize requests of workspaces that have the bot installed."""
        return installations.authorize(team_id)

    return BoltApp(
        db,
        name="rollout-cadence",  # otherwise Bolt looks through the whole stack for one
        logger=_bolt_logger(),
        before_authorize=RequestValidation(),
        authorize=authorize,
        signing_secret=signing_secret or "not used in Socket Mode",
        client=WebClient(base_url=api_url, timeout=10, retry_handlers=[]),
        process_before_response=True,
        request_verification_enabled=signing_secret is not None,
        listener_executor=ThreadPoolExecutor(settings.cadence_threads),
        raise_error_for_unhandled_request=False,
        user_facing_authorize_error_message=NOT_INSTALLED,
    )


def _bolt_logger() -> logging.Logger:
    """Bolt's logger, without two of its lines.

    Bolt reads SLACK_BOT_TOKEN and SLACK_CLIENT_ID from the environment and logs about them, although it gets
    other values; this can't be turned off. Passed as an argument, so that Bolt's loggers inherit its level
    and this filter.
    """
    logger = logging.getLogger("slack_bolt")
    logger.addFilter(_is_worth_a_line)
    return logger


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    return record.msg not in (
        warning_client_prioritized_and_token_skipped(),
        info_default_oauth_settings_loaded(),
    )


def _observe(kind: str, outcome: str, seconds: float) -> None:
    REQUESTS.labels(kind=kind, outcome=outcome).inc()
    ACK_SECONDS.labels(kind=kind).observe(seconds)
    log.info("answered", kind=kind, outcome=outcome, milliseconds=round(seconds * 1000, 1))


def _listen_to_people(app: App, directory: Directory) -> None:
    """Listen for changes of people's zones and names, and for deactivations."""

    def changed(event: dict[str, Any], context: dict[str, Any]) -> None:
        if context.get("team_id"):
            directory.changed(str(context["team_id"]), member_profile(event["user"]))

    for kind in ("user_change", "team_join"):
        app.event(kind)(changed)


def _listen_to_uninstalls(app: App, many: ManyWorkspaces) -> None:
    """Listen for workspaces that uninstall the bot."""

    def gone(event: dict[str, Any], body: dict[str, Any], context: dict[str, Any]) -> None:
        tokens = event.get("tokens")
        bots = tokens.get("bot") if isinstance(tokens, dict) else None
        ours = event["type"] == "app_uninstalled" or many.is_bot(str(context.get("team_id")), bots)
        if context.get("team_id") and ours:
            at = body.get("event_time")
            happened = datetime.fromtimestamp(at, UTC) if isinstance(at, int) else None
            many.gone(str(context["team_id"]), happened_at=happened)

    for kind in ("app_uninstalled", "tokens_revoked"):
        app.event(kind)(gone)


def _take_other_events(app: App) -> None:
    """Acknowledge all other events: Slack repeats refused events, and then stops sending events to the
    app."""

    def taken() -> None:
        """Do nothing."""

    app.event(re.compile(".*"))(taken)
