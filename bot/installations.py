"""Which workspaces the bot works in, and with which token: one by `SLACK_BOT_TOKEN`, or those that installed it."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from threading import Lock
from typing import Protocol

import structlog
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError, SlackTokenRotationError
from slack_sdk.oauth.installation_store import Bot as SlackBot
from slack_sdk.oauth.token_rotation import TokenRotator

from bot.clocks import Clock, utc_now
from bot.delivery import Post
from bot.gateway import TIMEOUT_SECONDS, Gateway, Identity
from bot.settings import Settings
from cadence.flows.installing import Installed, installed, keep_token, leave, take_turn
from storage.engine import Database, Unreachable
from templates.filters import plural

log = structlog.get_logger(__name__)

LOOK_AGAIN_SECONDS = 1.0
"""How long a process may not know of what another one installed, renewed or took out."""
RENEW_BEFORE = timedelta(hours=2)
"""How long before its end a token is renewed by whoever plans; the one before stays good until then."""
LATE = timedelta(minutes=5)
"""So near its end, whoever answers a request renews it: nobody plans."""
ROTATING = "oauth.v2.access"
"""The method that renews a token, and the lane in which one process at a time does."""
ROTATING_SECONDS = 30
MOST_AT_ONCE = 50
"""Tokens renewed at a time: planning waits for them."""
KEEP_AFTER = (0.2, 0.5, 1, 2)
"""Seconds between tries to write a new token down."""
ANY_END = 10**7
"""Minutes: the SDK is told that a token of any age is to be renewed; when to do so is decided here."""


class _Away(Exception):
    """Slack didn't answer; asking for another workspace would take as long."""


class Installations(Protocol):
    """What the bot's parts ask of the workspaces."""

    @property
    def name(self) -> str:
        """What the log calls them."""

    def post_for(self, workspace_id: str) -> Post | None:
        """How to post in a workspace; None when the bot can't now."""

    def authorize(self, workspace_id: str | None) -> AuthorizeResult | None:
        """As whom to answer a request; None when the bot isn't installed there."""

    def served(self) -> list[str]:
        """The workspaces it is installed in."""

    def keep_tokens(self) -> None:
        """Renew the tokens that end soon."""


class OneWorkspace:
    """The workspace whose token the settings have; no call to Slack is needed to know it."""

    def __init__(self, post: Post, *, token: str) -> None:
        self.post = post
        self._id = post.identity.team_id
        self._result = _authorized(post.identity, token)

    @property
    def name(self) -> str:
        """What Slack calls it."""
        return self.post.identity.team

    def post_for(self, workspace_id: str) -> Post | None:
        """How to post there."""
        return self.post if workspace_id == self._id else None

    def authorize(self, workspace_id: str | None) -> AuthorizeResult | None:
        """Only requests of the installed workspace are answered."""
        return self._result if workspace_id in (None, self._id) else None

    def served(self) -> list[str]:
        """The one."""
        return [self._id]

    def keep_tokens(self) -> None:
        """There's nothing to renew: the token is whoever's who set it."""


@dataclass(frozen=True, slots=True)
class _Held:
    """An installation, and what was made of it."""

    installed: Installed
    post: Post
    result: AuthorizeResult


class ManyWorkspaces:
    """The workspaces that installed the bot by themselves, as the database has them. Thread-safe.

    Args:
        clock: real time, which is what tokens go by.
        timer: seconds that only ever go forward.
    """

    def __init__(
        self,
        db: Database,
        *,
        client_id: str,
        client_secret: str,
        api_url: str,
        clock: Clock = utc_now,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self.client_id, self.client_secret = client_id, client_secret
        self._api_url = api_url
        self._clock, self._timer = clock, timer
        self._held: Mapping[str, _Held] = {}
        self._looked: float | None = None
        self._lock = Lock()

    @property
    def name(self) -> str:
        """How many there are."""
        return plural(len(self.served()), "workspace")

    def post_for(self, workspace_id: str) -> Post | None:
        """How to post there; None as well while its token has ended and no other one came."""
        held = self._known().get(workspace_id)
        return held.post if held is not None and not self._ends(held, timedelta()) else None

    def authorize(self, workspace_id: str | None) -> AuthorizeResult | None:
        """As whom to answer; a workspace that has just installed the bot is looked for once more."""
        if workspace_id is None:
            return None
        held = self._known().get(workspace_id) or self._known(now=True).get(workspace_id)
        if held is not None and self._ends(held, LATE):
            with suppress(_Away):
                self._renew(held)
            held = self._known().get(workspace_id)
        return held.result if held is not None else None

    def served(self) -> list[str]:
        """The workspaces that have the bot."""
        return sorted(self._known())

    def look_again(self) -> None:
        """Something changed here and now."""
        self._looked = None

    def gone(self, workspace_id: str, *, happened_at: datetime | None) -> None:
        """A workspace took the bot out."""
        if leave(
            self._db, workspace_id, client_id=self.client_id, happened_at=happened_at, now=self._clock()
        ):
            log.info("uninstalled", workspace=workspace_id)
        self.look_again()

    def keep_tokens(self) -> None:
        """Renew the tokens that end within two hours, some at a time; while Slack is away, none."""
        ending = [held for held in self._known().values() if self._ends(held, RENEW_BEFORE)]
        for held in ending[:MOST_AT_ONCE]:
            try:
                self._renew(held)
            except _Away:
                return

    def _ends(self, held: _Held, within: timedelta) -> bool:
        end = held.installed.expires_at
        return end is not None and end - self._clock() <= within

    def _known(self, *, now: bool = False) -> Mapping[str, _Held]:
        """Who has the bot, as the database said within the last second."""
        looked = self._looked
        if not now and looked is not None and self._timer() - looked < LOOK_AGAIN_SECONDS:
            return self._held
        with self._lock:
            self._looked = self._timer()
            found = installed(self._db, client_id=self.client_id)
            before = self._held
            self._held = {
                workspace_id: before[workspace_id]
                if workspace_id in before and before[workspace_id].installed == one
                else self._made(one)
                for workspace_id, one in found.items()
            }
            return self._held

    def _made(self, one: Installed) -> _Held:
        identity = Identity(
            team_id=one.workspace_id,
            team=one.name,
            url=one.url,
            user_id=one.bot_user,
            bot_id=one.bot_id or None,
            scopes=one.scopes,
        )
        gateway = Gateway(token=one.token, api_url=self._api_url)
        return _Held(one, Post(gateway, identity), _authorized(identity, one.token))

    def _renew(self, held: _Held) -> None:
        """Renew a token, unless another process is at it; what fails is tried again in half a minute.

        Raises:
            _Away: Slack doesn't answer.
        """
        where, now = held.installed.workspace_id, self._clock()
        until = now + timedelta(seconds=ROTATING_SECONDS)
        if not take_turn(self._db, where, name=ROTATING, now=now, until=until):
            return
        newest = self._known(now=True).get(where)
        if newest is None or newest.installed.token != held.installed.token:
            return
        renewed = self._renewed(newest.installed)
        if renewed is not None:
            self._keep(newest.installed, renewed)
            self.look_again()

    def _renewed(self, one: Installed) -> SlackBot | None:
        client = WebClient(base_url=self._api_url, timeout=TIMEOUT_SECONDS, retry_handlers=[])
        rotator = TokenRotator(client_id=self.client_id, client_secret=self.client_secret, client=client)
        try:
            renewed = rotator.perform_bot_token_rotation(
                bot=SlackBot(
                    team_id=one.workspace_id,
                    bot_token=one.token,
                    bot_id=one.bot_id,
                    bot_user_id=one.bot_user,
                    bot_refresh_token=one.refresh_token,
                    bot_token_expires_at=0,
                    installed_at=one.installed_at,
                ),
                minutes_before_expiration=ANY_END,
            )
        except SlackTokenRotationError as refused:
            log.error("token not renewed", workspace=one.workspace_id, error=_word(refused))
            return None
        except (SlackClientError, HTTPException, OSError) as failed:
            log.warning("token not renewed", workspace=one.workspace_id, error=type(failed).__name__)
            raise _Away from failed
        log.info("token renewed", workspace=one.workspace_id)
        return renewed

    def _keep(self, before: Installed, renewed: SlackBot) -> None:
        """The refresh token is used up: a database that just went away is given a moment to come back."""
        end = datetime.fromtimestamp(renewed.bot_token_expires_at or 0, UTC)
        for pause in (*KEEP_AFTER, None):
            try:
                keep_token(
                    self._db,
                    before,
                    token=renewed.bot_token,
                    refresh_token=renewed.bot_refresh_token or "",
                    expires_at=end,
                )
            except Unreachable:
                if pause is None:
                    raise
                time.sleep(pause)
            else:
                return


def _authorized(identity: Identity, token: str) -> AuthorizeResult:
    return AuthorizeResult(
        enterprise_id=None,
        team_id=identity.team_id,
        bot_user_id=identity.user_id,
        bot_id=identity.bot_id,
        bot_token=token,
    )


def _word(refused: SlackTokenRotationError) -> str:
    """Slack's own word for what went wrong, without what was sent."""
    response = refused.api_error.response
    return str(response.get("error") or "no answer") if hasattr(response, "get") else "no answer"


def several(settings: Settings, db: Database, *, clock: Clock = utc_now) -> ManyWorkspaces:
    """The workspaces of the app whose client ID the settings have."""
    return ManyWorkspaces(
        db,
        client_id=settings.slack_client_id or "",
        client_secret=settings.slack_client_secret.get_secret_value() if settings.slack_client_secret else "",
        api_url=settings.slack_api_url,
        clock=clock,
    )
