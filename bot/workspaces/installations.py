"""Which workspaces the bot works in, and with which token: one by `SLACK_BOT_TOKEN`, or those that installed it."""

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
"""How long a process may not know of what another one installed, renewed or took out."""
RENEW_BEFORE = timedelta(hours=2)
"""How long before its end a token is renewed by whoever plans; the one before stays good until then."""
LATE = timedelta(minutes=5)
"""So near its end, whoever answers a request renews it: nobody plans."""
MOST_AT_ONCE = 50
"""Tokens renewed at a time: planning waits for them."""


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
        self._suspects: set[str] = set()
        self._tokens = Renewals(
            db, client_id=client_id, client_secret=client_secret, api_url=api_url, clock=clock
        )
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
            with suppress(Away):
                self._renew(held)
            held = self._known().get(workspace_id)
        return held.result if held is not None else None

    def served(self) -> list[str]:
        """The workspaces that have the bot."""
        return sorted(self._known())

    def look_again(self) -> None:
        """Something changed here and now."""
        self._looked = None

    def is_bot(self, workspace_id: str, revoked: object) -> bool:
        """Whether the bot of a workspace is among those that Slack says lost their tokens."""
        held = self._known(now=True).get(workspace_id)
        return (
            isinstance(revoked, list)
            and bool(revoked)
            and (held is None or not held.installed.bot_user or held.installed.bot_user in revoked)
        )

    def gone(self, workspace_id: str, *, happened_at: datetime | None) -> None:
        """A workspace took the bot out."""
        if leave(
            UnitOfWork(self._db, Actor.system(workspace_id), self._clock()),
            client_id=self.client_id,
            happened_at=happened_at,
        ):
            log.info("uninstalled", workspace=workspace_id)
        self.look_again()

    def keep_tokens(self) -> None:
        """Renew the tokens that end within two hours, some at a time; while Slack is away, none.

        Slack tells only a few times that it was taken out somewhere: whoever was down then learns it here.
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
        """Slack didn't take a workspace's token: was the bot taken out there?"""
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
        """Who has the bot, as the database said within the last second."""
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
        """Renew a token, unless another process is at it.

        Raises:
            Away: Slack doesn't answer.
        """
        where = held.installed.workspace_id
        if not self._tokens.take_turn(where):
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
    """The workspaces of the app whose client ID the settings have."""
    return ManyWorkspaces(
        db,
        client_id=settings.slack_client_id or "",
        client_secret=settings.slack_client_secret.get_secret_value() if settings.slack_client_secret else "",
        api_url=settings.slack_api_url,
        clock=clock,
    )
