"""`cadence doctor`: Slack's tokens, scopes, time, channels, people."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException

from pydantic import SecretStr
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.delivery.gateway import Gateway, Identity, SlackError, SlackUnclear
from bot.ops.findings import Finding, explain
from bot.ops.manifest import LOST_WITHOUT, NAME, missing_scopes, uses
from bot.settings import Settings
from cadence.flows.workspaces import MemberFound, WorkspaceFound

CLOCKS_APART = timedelta(seconds=60)
"""Slack's signatures are valid for five minutes: a clock this far off is worth a warning."""
ASKED_AT_MOST = 50
"""Maximum number of people looked up one by one: half of what Slack allows per minute."""


def connect(settings: Settings) -> tuple[Gateway | None, Identity | None, list[Finding]]:
    """Test the bot token; without an identity nothing else can be checked."""
    if settings.slack_bot_token is None:
        return None, None, [Finding(True, "Slack: the built-in workspace needs no tokens.")]
    gateway = Gateway(token=settings.slack_bot_token.get_secret_value(), api_url=settings.slack_api_url)
    try:
        identity = gateway.identity()
    except SlackError as error:
        return gateway, None, [Finding(False, *explain(error))]
    except ValueError:
        return gateway, None, [_bad_address()]
    if not identity.team_id or not identity.user_id:
        return (
            gateway,
            None,
            [Finding(False, "The server doesn't say whose token this is.", "Check SLACK_API_URL.")],
        )
    team = identity.team or identity.team_id
    return (
        gateway,
        identity,
        [Finding(True, f"Slack: the token works. In {team} the bot is {identity.user_id}.")],
    )


def _bad_address() -> Finding:
    return Finding(
        False,
        "SLACK_API_URL contains a character that can't be sent.",
        "Copy it again, without spaces, quotes or line breaks.",
    )


def scopes(identity: Identity) -> Iterator[Finding]:
    """Compare the granted scopes with those the code needs."""
    missing = missing_scopes(identity.scopes)
    if not identity.scopes:
        yield Finding(True, "Scopes: this server doesn't say which scopes it granted.")
    elif missing:
        named = ", ".join(f"{scope} (for {', '.join(uses(scope))})" for scope in missing)
        lost = "".join(
            f" Without {scope}, {LOST_WITHOUT[scope]}." for scope in missing if scope in LOST_WITHOUT
        )
        yield Finding(
            False,
            f"Scopes are missing: {named}.{lost}",
            "Add them under “OAuth & Permissions”, or paste what `cadence manifest` prints; then install again.",
        )
    else:
        yield Finding(True, "Scopes: all granted.")


def app_token(settings: Settings, secret: SecretStr) -> Finding:
    """Test the app-level token; no socket is opened."""
    remedy = (
        "Create one with the scope connections:write under “Basic Information”, “App-Level Tokens”, "
        "turn Socket Mode on, and put the token into SLACK_APP_TOKEN."
    )
    token = secret.get_secret_value()
    client = Gateway(token=token, api_url=settings.slack_api_url).client
    try:
        client.apps_connections_open(app_token=token)
    except SlackApiError as error:
        code = str(error.response.get("error") or "")
        if code == "unknown_method":
            return Finding(
                True, "Socket Mode: this server doesn't support it, so the app-level token wasn't tested."
            )
        if not code or " " in code:
            return Finding(False, *explain(SlackUnclear(code or "no answer")))
        return Finding(False, f"Slack refuses the app-level token: {code}.", remedy)
    except (SlackClientError, HTTPException, OSError) as error:
        return Finding(False, *explain(SlackUnclear(type(error).__name__)))
    return Finding(True, "Socket Mode: the app-level token opens a connection.")


def time_apart(gateway: Gateway, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """Compare this machine's clock with the server's."""
    try:
        headers = gateway.client.auth_test().headers
        theirs = parsedate_to_datetime(next(headers[name] for name in headers if name.lower() == "date"))
        apart = clock() - theirs
    except (SlackClientError, HTTPException, OSError, ValueError, TypeError, StopIteration):
        return  # a server that doesn't send the time is fine
    if abs(apart) > CLOCKS_APART:
        which = "ahead of" if apart > timedelta(0) else "behind"
        yield Finding(
            False,
            f"This machine's clock is {abs(apart).total_seconds():.0f} seconds {which} Slack's.",
            "Turn on time synchronization: Slack's requests are refused if the clocks are minutes apart.",
        )


def channels(gateway: Gateway, workspace: WorkspaceFound) -> Iterator[Finding]:
    """Whether the bot is in each team's channel and in the curators'."""
    places = [(team.channel, team.title) for team in workspace.teams]
    if workspace.curator_channel is not None:
        places.append((workspace.curator_channel, "the curators"))
    inside = 0
    for channel, whose in places:
        try:
            if gateway.is_in_channel(channel):
                inside += 1
                continue
            yield _outside(channel, whose)
        except SlackError as error:
            if error.code in {"channel_not_found", "not_in_channel"}:
                yield _outside(channel, whose)
                continue
            yield _unchecked(error)
            break
    if inside:
        yield Finding(True, f"Channels: the bot is in {inside} of {len(places)}.")


def _outside(channel: str, whose: str) -> Finding:
    return Finding(
        False,
        f"The bot isn't in {channel}, the channel of {whose}.",
        f"Write `/invite @{NAME}` there. If the channel is archived or deleted, choose another one.",
    )


def _unchecked(error: SlackError) -> Finding:
    """Whether an error on one channel would occur on all others too."""
    if error.code == "unknown_method":
        return Finding(True, "Channels: this server can't say whether the bot is in them.")
    what, remedy = explain(error)
    return Finding(False, f"Not every channel could be checked. {what}", remedy)


def describe(gateway: Gateway, members: Iterable[MemberFound]) -> tuple[dict[str, MemberFound], set[str]]:
    """Look up people whom Slack hasn't described yet, as far as it answers.

    Returns:
        Slack's data by ID, and the unknown IDs.
    """
    found: dict[str, MemberFound] = {}
    nobody: set[str] = set()
    strangers = dict.fromkeys(member.member for member in members if not member.known)
    for stranger in list(strangers)[:ASKED_AT_MOST]:
        try:
            profile = gateway.profile(stranger)
        except SlackError as error:
            if error.code not in {"user_not_found", "user_not_visible"}:
                break
            nobody.add(stranger)
        else:
            found[stranger] = MemberFound(stranger, profile.name, True, profile.deleted)
    return found, nobody
