"""Renewal of expiring Slack tokens, by one process at a time."""

import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPException

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError, SlackTokenRotationError
from slack_sdk.oauth.installation_store import Bot as SlackBot
from slack_sdk.oauth.token_rotation import TokenRotator

from bot.delivery.gateway import TIMEOUT_SECONDS
from bot.runtime.clocks import Clock
from cadence.actor import Actor
from cadence.flows.workspaces import Installed, keep_token, take_lease
from storage.engine import Database, Unreachable
from storage.work import UnitOfWork

log = structlog.get_logger(__name__)

ROTATING = "oauth.v2.access"
"""The method that renews a token, and the rate limit that lets one process at a time do so."""
LEASE = timedelta(seconds=30)
"""How long the other processes wait; also the interval after which a failed renewal is retried."""
KEEP_AFTER = (0.2, 0.5, 1, 2)
"""Seconds between tries to save a new token."""
ANY_END = 10**7
"""Minutes: tells the SDK to renew a token of any age; this module decides when."""


class Away(Exception):
    """Slack didn't answer; a call for another workspace would take as long."""


class Renewals:
    """Renews tokens with the SDK's rotator. No session is open while Slack is called."""

    def __init__(
        self, db: Database, *, client_id: str, client_secret: str, api_url: str, clock: Clock
    ) -> None:
        self._db, self._clock = db, clock
        client = WebClient(base_url=api_url, timeout=TIMEOUT_SECONDS, retry_handlers=[])
        self._rotator = TokenRotator(client_id=client_id, client_secret=client_secret, client=client)

    def take_lease(self, workspace_id: str) -> bool:
        """Whether this process can renew this workspace's token now."""
        now = self._clock()
        return take_lease(
            UnitOfWork(self._db, Actor.system(workspace_id), now), name=ROTATING, until=now + LEASE
        )

    def renew(self, one: Installed) -> None:
        """Renew a token and save the new one; if Slack refuses, log why.

        Raises:
            Away: Slack doesn't answer.
        """
        try:
            renewed = self._rotator.perform_bot_token_rotation(
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
            return
        except (SlackClientError, HTTPException, OSError) as failed:
            log.warning("token not renewed", workspace=one.workspace_id, error=type(failed).__name__)
            raise Away from failed
        if renewed is not None:
            self._keep(one, renewed)
            log.info("token renewed", workspace=one.workspace_id)

    def _keep(self, before: Installed, renewed: SlackBot) -> None:
        """Save a renewed token, retrying while the database is down: the old refresh token is used up."""
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


def _word(refused: SlackTokenRotationError) -> str:
    """Slack's error, without the request."""
    response = refused.api_error.response
    return str(response.get("error") or "no answer") if hasattr(response, "get") else "no answer"
