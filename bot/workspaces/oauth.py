"""Installing the bot: Slack's OAuth flow, with the SDK's stores in our database."""

import re
from collections.abc import Callable
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import quote, urljoin

import structlog
from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.error import BoltError
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.callback_options import CallbackOptions, FailureArgs, SuccessArgs
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk import WebClient
from slack_sdk.oauth import OAuthStateUtils
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore

from bot.delivery.gateway import TIMEOUT_SECONDS, Gateway, SlackError, typed_errors
from bot.ops.manifest import INSTALL, NAME, REDIRECT, scopes
from cadence.flows.workspaces import Arrival, arrive, drop_states, use_state
from storage.engine import Database

log = structlog.get_logger(__name__)

STATE_SECONDS = 600
"""How long the person can take at Slack."""
_TEAM = re.compile(r"[TE][A-Z0-9]{1,31}")
_STATE = re.compile(r"[0-9a-f-]{36}")
_SENTENCES = {
    "access_denied": "Nothing was installed: you canceled it in Slack.",
    "invalid_browser": "Nothing was installed: it was started in another browser, the page was reloaded, or "
    "this address doesn't start with https.",
    "invalid_state": "Nothing was installed: the link is more than ten minutes old, or was used before.",
    "missing_code": "Nothing was installed: Slack didn't send a code.",
    "invalid_code": "Nothing was installed: Slack didn't accept the code. It has expired or was used before.",
}
_WHOLE_ORGANISATION = (
    f"Nothing was installed: {NAME} can only be installed in one workspace at a time, not in a whole "
    f"organization. Choose a workspace."
)
_NO_TOKEN = "Nothing was installed: Slack didn't send a token for the bot."  # noqa: S105
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 4rem auto; padding: 0 1rem }}</style>
<h1>{title}</h1>
{body}
</html>
"""


class NotInstalled(BoltError):
    """Why an installation was refused, as a sentence for the person."""


class _States(SQLAlchemyOAuthStateStore):
    """The SDK's store; if two requests bring the same state at once, only one succeeds."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        super().__init__(STATE_SECONDS, db.writing, table_name="slack_state")
        self._db, self._now = db, clock

    def issue(self, *args: Any, **kwargs: Any) -> str:
        """A new state; deletes those that were never used."""
        drop_states(self._db, now=self._now())
        return super().issue(*args, **kwargs)

    def consume(self, state: str) -> bool:
        """Whether the state is valid; it is used up."""
        return bool(_STATE.fullmatch(state)) and use_state(self._db, state, now=self._now())


class _Cookies(OAuthStateUtils):
    """The state is bound to the browser that began."""

    def build_set_cookie_for_new_state(self, state: str) -> str:
        """A cookie that is sent when Slack redirects back, and not when another site posts."""
        return f"{super().build_set_cookie_for_new_state(state)}; SameSite=Lax"


class _Flow(OAuthFlow):
    """Bolt's flow; the result is passed to `arrived` before success is reported."""

    def __init__(self, settings: OAuthSettings, client: WebClient, arrived: Callable[[Installation], None]):
        super().__init__(client=client, settings=settings)
        self._arrived = arrived

    def build_authorize_url(self, state: str, request: BoltRequest) -> str:
        """Slack's authorization URL; of the query only a workspace's ID is passed on."""
        team = (request.query.get("team") or [""])[0]
        known = team if _TEAM.fullmatch(team) else None
        return self.settings.authorize_url_generator.generate(state=state, team=known)

    def run_installation(self, code: str) -> Installation | None:
        """Exchange the code for a token."""
        with typed_errors("oauth.v2.access"):
            return super().run_installation(code)

    def store_installation(self, request: BoltRequest, installation: Installation) -> None:  # noqa: ARG002
        """Store it."""
        self._arrived(installation)


class Installer:
    """Answers `/slack/install` and `/slack/oauth_redirect`.

    Args:
        met: called with the workspace and the person who installed it.
    """

    def __init__(
        self,
        db: Database,
        *,
        client_id: str,
        client_secret: str,
        api_url: str,
        clock: Callable[[], datetime],
        met: Callable[[str, str], None],
    ) -> None:
        self._db, self._clock, self._met = db, clock, met
        self._client_id, self._api_url = client_id, api_url
        self._store = SQLAlchemyInstallationStore(
            client_id, db.writing, bots_table_name="slack_bot", installations_table_name="slack_installation"
        )
        cookies = _Cookies(expiration_seconds=STATE_SECONDS)
        settings = OAuthSettings(
            client_id=client_id,
            client_secret=client_secret,
            scopes=scopes(),
            user_scopes=[],
            install_path=INSTALL,
            redirect_uri_path=REDIRECT,
            install_page_rendering_enabled=False,
            authorization_url=urljoin(api_url, "../oauth/v2/authorize"),
            installation_store=self._store,
            state_store=_States(db, clock),
            state_expiration_seconds=STATE_SECONDS,
            callback_options=CallbackOptions(success=self._welcome, failure=self._failed),
        )
        settings.state_utils = cookies
        self._cookies = cookies
        client = WebClient(base_url=api_url, timeout=TIMEOUT_SECONDS, retry_handlers=[])
        self._flow = _Flow(settings, client, self._arrived)

    def begin(self, query: str, headers: dict[str, str]) -> BoltResponse:
        """Redirect to Slack, with a state that is valid in this browser only."""
        return self._flow.handle_installation(BoltRequest(body="", query=query, headers=dict(headers)))

    def finish(self, query: str, headers: dict[str, str]) -> BoltResponse:
        """Handle Slack's redirect."""
        try:
            return self._flow.handle_callback(BoltRequest(body="", query=query, headers=dict(headers)))
        except SlackError as error:
            log.warning("not installed", error=error.code)
            return self._page(502, "Not installed", "Slack didn't answer. Nothing was installed.", again=True)

    def _arrived(self, installation: Installation) -> None:
        """Store the installation.

        Raises:
            NotInstalled: it isn't for one workspace, or has no token.
            SlackError: Slack doesn't answer.
        """
        if installation.is_enterprise_install or not installation.team_id:
            raise NotInstalled(_WHOLE_ORGANISATION)
        if not installation.bot_token:
            raise NotInstalled(_NO_TOKEN)
        identity = Gateway(token=installation.bot_token, api_url=self._api_url).identity()
        if identity.team_id != installation.team_id:
            raise NotInstalled(_NO_TOKEN)
        installation.enterprise_id = None  # a workspace has one ID, in any organization
        self._store.save(installation)
        arrival = Arrival(
            identity.team_id, identity.team, identity.url, identity.user_id, installation.user_id or ""
        )
        arrive(self._db, arrival, client_id=self._client_id, now=self._clock())
        log.info("installed", workspace=identity.team_id)
        self._met(identity.team_id, installation.user_id or "")

    def _welcome(self, args: SuccessArgs) -> BoltResponse:
        given = args.installation
        name = given.team_name or given.team_id or ""
        link = f"https://slack.com/app_redirect?app={quote(given.app_id or '')}&team={quote(given.team_id or '')}"
        return self._page(
            200,
            f"{NAME} is installed",
            f"It works in {name} now. Next, an admin of the workspace types /cadence settings there and names the "
            "curators.",
            link=(link, "Open it in Slack"),
        )

    def _failed(self, args: FailureArgs) -> BoltResponse:
        log.warning("not installed", reason=args.reason[:100])
        if isinstance(args.error, NotInstalled):
            return self._page(400, "Not installed", str(args.error), again=True)
        reason = args.reason.strip()[:100]
        unknown = (
            f"Nothing was installed: {reason}." if reason else "Nothing was installed. Slack didn't say why."
        )
        sentence = _SENTENCES.get(args.reason, unknown)
        return self._page(args.suggested_status_code, "Not installed", sentence, again=True)

    def _page(
        self, status: int, title: str, text: str, *, again: bool = False, link: tuple[str, str] | None = None
    ) -> BoltResponse:
        """A page of two or three lines; input is escaped."""
        where = (INSTALL, "Try again") if again else link
        body = f"<p>{escape(text, quote=False)}</p>"
        if where is not None:
            body += f'\n<p><a href="{escape(where[0])}">{escape(where[1])}</a></p>'
        headers: dict[str, Any] = {name: [value] for name, value in _HEADERS.items()}
        headers["Set-Cookie"] = [self._cookies.build_set_cookie_for_deletion()]
        return BoltResponse(status=status, body=_PAGE.format(title=escape(title), body=body), headers=headers)
