"""The only place that posts to Slack: typed errors, and looking for messages after unclear attempts."""

import socket
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.delivery.slack_errors import Kind, codes, known
from bot.workspaces.profiles import member_profile
from cadence.flows.people import Profile
from templates.plain import PLAIN, plain_blocks

log = structlog.get_logger(__name__)

EVENT_TYPE = "cadence_message"
TIMEOUT_SECONDS = 8
"""Shorter than `attempts.ANSWERED`, after which another worker may take over the message."""
QUICK_SECONDS = 1
"""For a look-up while a person waits for an answer."""
WAITED_FOR_SECONDS = 2
"""For a Home that its person is looking at: Slack expects an answer within three seconds."""

CLOCKS_APART_SECONDS = 300
"""Possible difference between this machine's clock and Slack's: the search for a message begins this much
earlier."""
HISTORY_PAGES = 20
MEMBER_PAGES = 2
"""Pages of 1,000 members of a channel; at a second each, they fit into Slack's three seconds."""
LONGEST_PAUSE_SECONDS = 3600.0

FIXABLE = codes(Kind.FIXABLE)
"""Errors that a person can fix (invite the bot, install it again): retried after an hour."""


ANSWERED_STATUSES = frozenset({500, 503})
"""Statuses from Slack itself, which is done with the call. Any other may come from a proxy that gave up
first."""
REFUSED_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format"})
"""Slack's errors for blocks it doesn't know; the plain form of the message is sent then."""
REVOKED = frozenset({"account_inactive", "token_revoked"})
"""Slack's errors for the token of a workspace that uninstalled the bot."""


class SlackError(Exception):
    """Slack refused a call. `code` is Slack's error, `method` the method called, if known."""

    method = ""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class SlackBusy(SlackError):
    """Rate limited: nothing was posted, try again after `retry_after` seconds."""

    def __init__(self, code: str, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(code)


class SlackUnclear(SlackError):
    """The connection or Slack failed: the message may or may not have been posted.

    Args:
        may_land: whether Slack may still carry out the call; not if it was never reached, or has answered.
    """

    def __init__(self, code: str, *, may_land: bool = True) -> None:
        self.may_land = may_land
        super().__init__(code)


class SlackUnreachable(SlackError):
    """The recipient can't be reached until somebody fixes it."""


class SlackRefused(SlackError):
    """Slack will never accept this call."""


class SlackGone(SlackRefused):
    """The message or view to change doesn't exist any more: nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the token belongs to. `scopes` is empty if the server doesn't say."""

    team_id: str
    team: str
    url: str
    user_id: str
    bot_id: str | None
    scopes: frozenset[str]


class Gateway:
    """Slack's Web API for one workspace, without retries: the ledger decides when to retry.

    Args:
        revoked: called if Slack says that the token is invalid.
    """

    def __init__(self, *, token: str, api_url: str, revoked: Callable[[], None] = lambda: None) -> None:
        self._revoked = revoked
        self.client = WebClient(token=token, base_url=api_url, timeout=TIMEOUT_SECONDS, retry_handlers=[])
        self._quick = WebClient(token=token, base_url=api_url, timeout=QUICK_SECONDS, retry_handlers=[])
        self._waited_for = WebClient(
            token=token, base_url=api_url, timeout=WAITED_FOR_SECONDS, retry_handlers=[]
        )

    def identity(self) -> Identity:
        """The bot's identity.

        Raises:
            SlackError: the token is invalid, or the server can't be reached.
        """
        answer = self._call("auth.test", {})
        headers = {key.lower(): value for key, value in answer.headers.items()}
        scopes = headers.get("x-oauth-scopes", "")
        scopes = ",".join(scopes) if isinstance(scopes, list) else scopes
        return Identity(
            team_id=answer.get("team_id") or "",
            team=answer.get("team") or "",
            url=answer.get("url") or "",
            user_id=answer.get("user_id") or "",
            bot_id=answer.get("bot_id"),
            scopes=frozenset(part.strip() for part in scopes.split(",") if part.strip()),
        )

    def open_dm(self, member: str) -> str:
        """The DM channel with a person."""
        answer = self._call("conversations.open", {"users": member})
        return str((answer.get("channel") or {}).get("id") or "")

    def post(self, *, channel: str, text: str, blocks: list[dict[str, Any]], key: str) -> str:
        """Post a message and return its `ts`. The key is sent as metadata, so that the message can be
        found again."""
        arguments = {
            "channel": channel,
            "text": text,
            "blocks": blocks,
            "unfurl_links": False,
            "unfurl_media": False,
            "client_msg_id": _client_id(key),
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": key}},
        }
        try:
            answer = self._show("chat.postMessage", arguments)
        except SlackRefused as refused:
            if "metadata" not in refused.code:
                raise
            answer = self._show(
                "chat.postMessage", {name: one for name, one in arguments.items() if name != "metadata"}
            )
        return str(answer.get("ts") or "")

    def update(
        self, *, channel: str, ts: str, text: str, blocks: list[dict[str, Any]], or_plain: bool = True
    ) -> bool:
        """Rewrite a message; repeating it changes nothing. Returns False if it was sent in its plain form.

        Args:
            or_plain: send the plain form if the server refuses the blocks, instead of raising `SlackRefused`.
        """
        arguments = {"channel": channel, "ts": ts, "text": text, "blocks": blocks}
        if not or_plain:
            self._call("chat.update", arguments)
            return True
        _, whole = self._show_as("chat.update", arguments)
        return whole

    def publish(self, *, member: str, view: dict[str, Any], quick: bool = False) -> None:
        """Publish a person's Home; repeating it changes nothing. `quick` if the person is waiting."""
        arguments = {"user_id": member, "view": view}
        self._call("views.publish", arguments, client=self._waited_for if quick else None)

    def find(
        self,
        *,
        channel: str,
        key: str,
        text: str,
        since: datetime,
        bot: Identity,
        taken: Collection[str] = (),
    ) -> str | None:
        """The `ts` of a message posted under a key, None if it doesn't exist.

        On servers that drop metadata, the text is compared: same channel, this bot, same text, not older, and
        none of those in `taken`, which are other messages.

        Raises:
            SlackError: the channel's history can't be read.
        """
        for message in self._history(channel, oldest=since.timestamp() - CLOCKS_APART_SECONDS):
            by_bot = bot.bot_id is not None and message.get("bot_id") == bot.bot_id
            if not by_bot and message.get("user") != bot.user_id:
                continue
            payload = (message.get("metadata") or {}).get("event_payload") or {}
            named = payload.get("key") == key or message.get("client_msg_id") == _client_id(key)
            worded = not payload and message.get("text") == text and message.get("ts") not in taken
            if named or worded:
                return str(message["ts"])
        return None

    def _history(self, channel: str, *, oldest: float) -> Iterator[dict[str, Any]]:
        """The messages of a channel since an instant, newest first, page by page."""
        cursor = ""
        for _ in range(HISTORY_PAGES):
            answer = self._call(
                "conversations.history",
                {
                    "channel": channel,
                    "oldest": f"{oldest:.6f}",
                    "inclusive": True,
                    "include_all_metadata": True,
                    "limit": 200,
                    "cursor": cursor,
                },
            )
            yield from answer.get("messages") or []
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def profile(self, member: str) -> Profile:
        """Slack's data on one person."""
        answer = self._call("users.info", {"user": member}, client=self._quick)
        return member_profile(answer.get("user") or {"id": member})

    def profiles(self) -> Iterator[Profile]:
        """Slack's data on everybody, page by page."""
        cursor = ""
        while True:
            answer = self._call("users.list", {"limit": 200, "cursor": cursor})
            for user in answer.get("members") or []:
                yield member_profile(user)
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def channel_members(self, channel: str) -> Iterator[frozenset[str]]:
        """The members of a channel, page by page, as far as time allows while a person waits."""
        cursor = ""
        for _ in range(MEMBER_PAGES):
            answer = self._call(
                "conversations.members",
                {"channel": channel, "limit": 1000, "cursor": cursor},
                client=self._quick,
            )
            yield frozenset(answer.get("members") or ())
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def is_in_channel(self, channel: str) -> bool:
        """Whether the bot is a member of a channel; also False if it can't see the channel."""
        answer = self._call("conversations.info", {"channel": channel})
        return bool((answer.get("channel") or {}).get("is_member"))

    def call(self, method: str, arguments: dict[str, Any]) -> Any:
        """Call a method without a function here.

        Raises:
            SlackError: Slack refused it.
        """
        return self._call(method, arguments)

    def _show(self, method: str, arguments: dict[str, Any]) -> Any:
        """Post or rewrite a message; in its plain form, once, if the server refuses its blocks."""
        return self._show_as(method, arguments)[0]

    def _show_as(self, method: str, arguments: dict[str, Any]) -> tuple[Any, bool]:
        """`_show`; returns the answer, and whether the server took the blocks as they are."""
        try:
            return self._call(method, arguments), True
        except SlackRefused as refused:
            plain = plain_blocks(arguments["blocks"])
            if refused.code not in REFUSED_BLOCKS or plain == arguments["blocks"]:
                raise
            newer = sorted({block["type"] for block in arguments["blocks"]} - PLAIN)
            log.warning("blocks refused, sent in plain form", method=method, error=refused.code, blocks=newer)
            return self._call(method, {**arguments, "blocks": plain}), False

    def _call(self, method: str, arguments: dict[str, Any], *, client: WebClient | None = None) -> Any:
        caller = client or self.client
        try:
            with typed_errors(method):
                if _as_json(method):
                    return caller.api_call(method, json=arguments)
                return caller.api_call(method, params={name: _plain(one) for name, one in arguments.items()})
        except SlackUnreachable as error:
            if error.code in REVOKED:
                self._revoked()
            raise


@contextmanager
def typed_errors(method: str = "") -> Iterator[None]:
    """Convert the SDK's exceptions to a `SlackError` that names its method."""
    try:
        yield
    except SlackApiError as error:
        raise _of(method, slack_error_of(error)) from error
    except (SlackClientError, HTTPException, OSError) as error:
        raise _of(method, SlackUnclear(type(error).__name__, may_land=not _never_sent(error))) from error


def _never_sent(error: Exception) -> bool:
    """Whether nothing of a call left this machine."""
    cause = error.reason if isinstance(error, URLError) else error
    return isinstance(cause, ConnectionRefusedError | socket.gaierror)


def _of(method: str, error: SlackError) -> SlackError:
    error.method = method
    return error


def _client_id(key: str) -> str:
    """The same for the same key: servers that support it drop a repeated message."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, key))


def _as_json(method: str) -> bool:
    return method.startswith(("chat.", "views.", "files.complete"))


def _plain(value: object) -> object:
    return ("true" if value else "false") if isinstance(value, bool) else value


ERROR_CLASSES: dict[Kind, type[SlackError]] = {
    Kind.FIXABLE: SlackUnreachable,
    Kind.PERMANENT: SlackRefused,
    Kind.DONE: SlackGone,
}


def slack_error_of(error: SlackApiError) -> SlackError:
    """The `SlackError` for Slack's answer."""
    response = error.response
    data = response.data if hasattr(response, "data") else response
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    status = getattr(response, "status_code", 200)
    headers = {key.lower(): value for key, value in (getattr(response, "headers", None) or {}).items()}
    kind = known(code).kind
    if status == 429 or kind is Kind.BUSY:
        return SlackBusy(code or "ratelimited", _seconds(headers.get("retry-after")))
    if kind is Kind.UNCLEAR:
        return SlackUnclear(code, may_land=False)
    if status >= 500 or not code or " " in code:
        # A proxy between the bot and Slack may answer with any text; that isn't stored.
        return SlackUnclear(f"status {status}", may_land=status not in ANSWERED_STATUSES)
    return ERROR_CLASSES[kind](code)


def _seconds(value: object) -> float:
    try:
        return min(max(1.0, float(str(value))), LONGEST_PAUSE_SECONDS)
    except ValueError:
        return 30.0
