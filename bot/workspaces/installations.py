"""The bot's workspaces and their tokens: one by `SLACK_BOT_TOKEN`, or those that installed it."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import Protocol

import structlog
from slack_bolt.authorization import AuthorizeResult

from bot.delivery.gateway import REVOKED, Gateway, Identity, SlackError
from bot.delivery.sender import Post
from bot.runtime.clocks import Clock, utc_now
from bot.settings import Settings
from bot.workspaces.tokens import Away, Renewals
from cadence.actor import Actor
from cadence.flows.workspaces import Installed, installed, leave
from storage.engine import Database, Unreachable
from storage.work import UnitOfWork
from templates.filters import plural

log = structlog.get_logger(__name__)

LOOK_AGAIN_SECONDS = 1.0
"""Seconds after which a process notices what another one installed, renewed or uninstalled."""
RENEW_BEFORE = timedelta(hours=2)
"""How long before its expiry the planning process renews a token; the old one stays valid until then."""
LATE = timedelta(minutes=5)
"""This near its expiry, the process that answers a request renews it, because no worker is planning."""
MOST_AT_ONCE = 50
"""Tokens renewed at a time, because planning waits for them."""


class Installations(Protocol):
    """The bot's interface to its workspaces."""

    @property
    def name(self) -> str:
        """Their name in the log."""

    def post_for(self, workspace_id: str) -> Post | None:
        """How to post in a workspace; None if the bot can't now."""

    def authorize(self, workspace_id: str | None) -> AuthorizeResult | None:
        """The bot user for a request; None if the bot isn't installed there."""

    def served(self) -> list[str]:
        """The workspaces that have it installed."""

    def keep_tokens(self) -> None:
        """Renew the expiring tokens."""


class OneWorkspace:
    """The workspace of the token in the settings; known without a call to Slack."""

    def __init__(self, post: Post, *, token: str) -> None:
        self.post = post
        self._id = post.identity.team_id
        self._result = _authorized(post.identity, token)

    @property
    def name(self) -> str:
        """Its name in Slack."""
        return self.post.identity.team

    def post_for(self, workspace_id: str) -> Post | None:
        """How to post there."""
        return self.post if workspace_id == self._id else None

    def authorize(self, workspace_id: str | None) -> AuthorizeResult | None:
        """Authorize requests of this workspace only."""
        return self._result if workspace_id in (None, self._id) else None

    def served(self) -> list[str]:
        """The only workspace."""
        return [self._id]

    def keep_tokens(self) -> None:
        """Do nothing: the operator manages this token."""


@dataclass(frozen=True, slots=True)
class _Held:
    """An installation, and the objects built from it."""

    installed: Installed
    post: Post
    result: AuthorizeResult


class ManyWorkspaces:
    """The workspaces that installed the bot, from the database. Thread-safe.

    Args:
        clock: real time, which determines the expiry of tokens.
        timer: a monotonic clock, in seconds.
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
        self._suspects: set[str] = set()
        self._tokens = Renewals(
            db, client_id=client_id, client_secret=client_secret, api_url=api_url, clock=clock
        )
        self._lock = Lock()

    @property
    def name(self) -> str:
        """The number of workspaces."""
        return plural(len(self.served()), "workspace")

    def post_for(self, workspace_id: str) -> Post | None:
        """How to post there; also None while its token has expired without a new one."""
        held = self._known().get(workspace_id)
        return held.post if held is not None and not self._ends(held, timedelta()) else None

    def authorize(self, workspace_id: str | None) -> AuthorizeResult | None:
        """The bot user for a request; a workspace that has just installed the bot is looked up once more."""
        if workspace_id is None:
            return None
        held = self._known().get(workspace_id) or self._known(now=True).get(workspace_id)
        if held is not None and self._ends(held, LATE):
            with suppress(Away):
                self._renew(held)
            held = self._known().get(workspace_id)
        return held.result if held is not None else None

    def served(self) -> list[str]:
        """The workspaces that have the bot installed."""
        return sorted(self._known())

    def look_again(self) -> None:
        """Read the installations again after a change in this process."""
        self._looked = None

    def is_bot(self, workspace_id: str, revoked: object) -> bool:
        """Whether a workspace's bot is among those whose tokens Slack revoked."""
        held = self._known(now=True).get(workspace_id)
        return (
            isinstance(revoked, list)
            and bool(revoked)
            and (held is None or not held.installed.bot_user or held.installed.bot_user in revoked)
        )

    def gone(self, workspace_id: str, *, happened_at: datetime | None) -> None:
        """Record that a workspace uninstalled the bot."""
        if leave(
            UnitOfWork(self._db, Actor.system(workspace_id), self._clock()),
            client_id=self.client_id,
            happened_at=happened_at,
        ):
            log.info("uninstalled", workspace=workspace_id)
        self.look_again()

    def keep_tokens(self) -> None:
        """Renew the tokens that expire within two hours, some at a time; while Slack is unreachable, none.

        Also detects an uninstall, which Slack reports only a few times: a process may have been down then.
        """
        while self._suspects:
            self._ask(self._suspects.pop())
        ending = [held for held in self._known().values() if self._ends(held, RENEW_BEFORE)]
        for held in ending[:MOST_AT_ONCE]:
            try:
                self._renew(held)
            except Away:
                return

    def _ask(self, workspace_id: str) -> None:
        """After Slack refused a workspace's token, find out whether the bot was uninstalled there."""
        held = self._known(now=True).get(workspace_id)
        if held is None:
            return
        try:
            Gateway(token=held.installed.token, api_url=self._api_url).identity()
        except SlackError as error:
            if error.code in REVOKED:
                self.gone(workspace_id, happened_at=None)

    def _ends(self, held: _Held, within: timedelta) -> bool:
        end = held.installed.expires_at
        return end is not None and end - self._clock() <= within

    def _known(self, *, now: bool = False) -> Mapping[str, _Held]:
        """The workspaces that have the bot installed, cached for a second."""
        looked = self._looked
        if not now and looked is not None and self._timer() - looked < LOOK_AGAIN_SECONDS:
            return self._held
        with self._lock:
            self._looked = self._timer()
            before = self._held
            try:
                found = installed(self._db, client_id=self.client_id)
            except Unreachable:
                if now or not before:
                    raise
                return before  # a request can still be answered, if only with a sentence
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
        revoked = partial(self._suspects.add, one.workspace_id)
        gateway = Gateway(token=one.token, api_url=self._api_url, revoked=revoked)
        return _Held(one, Post(gateway, identity), _authorized(identity, one.token))

    def _renew(self, held: _Held) -> None:
        """Renew a token, unless another process is doing so.

        Raises:
            Away: Slack doesn't answer.
        """
        where = held.installed.workspace_id
        if not self._tokens.take_lease(where):
            return
        newest = self._known(now=True).get(where)
        if newest is not None and newest.installed.token == held.installed.token:
            self._tokens.renew(newest.installed)
            self.look_again()


def _authorized(identity: Identity, token: str) -> AuthorizeResult:
    return AuthorizeResult(
        enterprise_id=None,
        team_id=identity.team_id,
        bot_user_id=identity.user_id,
        bot_id=identity.bot_id,
        bot_token=token,
    )


def several(settings: Settings, db: Database, *, clock: Clock = utc_now) -> ManyWorkspaces:
    """The workspaces of the app whose client ID is in the settings."""
    return ManyWorkspaces(
        db,
        client_id=settings.slack_client_id or "",
        client_secret=settings.slack_client_secret.get_secret_value() if settings.slack_client_secret else "",
        api_url=settings.slack_api_url,
        clock=clock,
    )
