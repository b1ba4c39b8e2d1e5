"""The composition root: settings in, a Bolt app and everything it works with out."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.logger.messages import warning_client_prioritized_and_token_skipped
from slack_sdk import WebClient

from bot.clocks import Clock, utc_now
from bot.delivery import Delivery, Pace, Post
from bot.directory import Directory
from bot.errors import code_for
from bot.gateway import Gateway, Identity, member_profile
from bot.homes import Homes
from bot.metrics import ACK_SECONDS, REQUESTS
from bot.settings import Settings
from bot.shapes import Shape
from bot.worker import Worker
from cadence.flows.homes import HomePace
from cadence.flows.profiles import ensure_workspace, remember_address
from handlers.routes import register_all
from handlers.turns import Services
from storage.engine import Database

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bot:
    """The running program's parts, wired together."""

    settings: Settings
    db: Database
    gateway: Gateway
    identity: Identity
    directory: Directory
    delivery: Delivery
    worker: Worker
    app: App
    clock: Clock


def build_bot(
    settings: Settings,
    *,
    db: Database,
    token: str,
    api_url: str,
    signing_secret: str | None,
    clock: Clock = utc_now,
    pace: Pace | None = None,
) -> Bot:
    """Wire the bot of one workspace.

    Args:
        signing_secret: checks HTTP requests; None in Socket Mode, where Slack's socket is the proof.

    Raises:
        SlackError: the token isn't good, or the server can't be reached.
    """
    gateway = Gateway(token=token, api_url=api_url)
    identity = gateway.identity()
    ensure_workspace(db, workspace_id=identity.team_id, name=identity.team, now=clock())
    remember_address(db, workspace_id=identity.team_id, url=identity.url, bot=identity.user_id)

    def gateway_for(workspace_id: str) -> Gateway | None:
        return gateway if workspace_id == identity.team_id else None

    def post_for(workspace_id: str) -> Post | None:
        return Post(gateway, identity) if workspace_id == identity.team_id else None

    directory = Directory(db, gateway_for=gateway_for, clock=clock)
    delivery = Delivery(
        db, post_for=post_for, clock=clock, pace=pace or Pace(a_minute=settings.cadence_messages_a_minute)
    )
    homes = Homes(db, gateway_for=gateway_for, clock=clock, pace=_home_pace(delivery))
    app = _bolt(settings, token=token, api_url=api_url, signing_secret=signing_secret, identity=identity)
    register_all(
        app,
        Services(
            db=db,
            clock=clock,
            named_curators=frozenset(settings.cadence_curators),
            meet=directory.meet,
            homes=homes,
            observe=_observe,
            code_for=code_for,
        ),
    )
    _listen_to_people(app, directory)
    _take_other_events(app)
    worker = Worker(db, delivery=delivery, directory=directory, homes=homes, clock=clock)
    return Bot(settings, db, gateway, identity, directory, delivery, worker, app, clock)


def _home_pace(delivery: Delivery) -> HomePace:
    """Rehearsals, whose messages don't wait for each other, don't wait for Homes either."""
    return HomePace() if delivery.outbox.pace.apart else HomePace(apart=timedelta(), each=timedelta())


def _bolt(
    settings: Settings, *, token: str, api_url: str, signing_secret: str | None, identity: Identity
) -> App:
    who = AuthorizeResult(
        enterprise_id=None,
        team_id=identity.team_id,
        bot_user_id=identity.user_id,
        bot_id=identity.bot_id,
        bot_token=token,
    )

    def authorize(team_id: str | None, **_context: Any) -> Any:
        """Only requests of the installed workspace are answered; no call to Slack is needed to know."""
        return who if team_id in (None, identity.team_id) else None

    return App(
        logger=_bolt_logger(),
        before_authorize=Shape(),
        authorize=authorize,
        signing_secret=signing_secret or "not used in Socket Mode",
        client=WebClient(base_url=api_url, timeout=10, retry_handlers=[]),
        process_before_response=True,
        request_verification_enabled=signing_secret is not None,
        listener_executor=ThreadPoolExecutor(settings.cadence_threads),
        raise_error_for_unhandled_request=False,
    )


def _bolt_logger() -> logging.Logger:
    """Bolt's logger, without one warning.

    Bolt reads SLACK_BOT_TOKEN from the environment by itself and then warns that it won't use it; it can't be
    told not to. Given as an argument, so that Bolt's many loggers take over its level and this filter.
    """
    logger = logging.getLogger("slack_bolt")
    logger.addFilter(_isnt_about_the_token)
    return logger


def _isnt_about_the_token(record: logging.LogRecord) -> bool:
    return record.msg != warning_client_prioritized_and_token_skipped()


def _observe(kind: str, outcome: str, seconds: float) -> None:
    REQUESTS.labels(kind=kind, outcome=outcome).inc()
    ACK_SECONDS.labels(kind=kind).observe(seconds)
    log.info("answered", kind=kind, outcome=outcome, milliseconds=round(seconds * 1000, 1))


def _listen_to_people(app: App, directory: Directory) -> None:
    """Slack says when a person's zone or name changes, or when they leave."""

    def changed(event: dict[str, Any], context: dict[str, Any]) -> None:
        if context.get("team_id"):
            directory.changed(str(context["team_id"]), member_profile(event["user"]))

    for kind in ("user_change", "team_join"):
        app.event(kind)(changed)


def _take_other_events(app: App) -> None:
    """Slack stops sending events to an app that refuses them, and asks again and again before that."""

    def taken() -> None:
        """There's nothing to do."""

    app.event(re.compile(".*"))(taken)
