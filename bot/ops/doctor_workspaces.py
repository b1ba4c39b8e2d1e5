"""`cadence doctor` for installations with several workspaces."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from bot.delivery.gateway import Gateway, Identity, SlackError, SlackUnclear
from bot.ops import doctor_slack
from bot.ops.findings import Finding, explain
from bot.ops.manifest import INSTALL
from bot.settings import Settings
from bot.workspaces.installations import RENEW_BEFORE
from cadence.flows.workspaces import Checkup, Installed, installed
from storage.engine import Database

_AGAIN = f"Ask a person who can install apps there to open {INSTALL} at the bot's address again."


@dataclass(frozen=True, slots=True)
class Looked:
    """A workspace that installed the bot; no gateway if its token is invalid."""

    installed: Installed
    gateway: Gateway | None
    findings: tuple[Finding, ...]


def mode(settings: Settings) -> Iterator[Finding]:
    """Whether the settings are complete."""
    yield Finding(
        True, f"Mode: several workspaces. Each installs the bot at {INSTALL}; `cadence worker` sends."
    )
    if settings.slack_signing_secret is None:
        yield Finding(
            False,
            "SLACK_SIGNING_SECRET is missing: `cadence web` can't tell Slack's requests from others.",
            "It's on the app's page, under “Basic Information”.",
        )
    if settings.slack_app_token is not None:
        yield Finding(True, "SLACK_APP_TOKEN isn't used: Socket Mode is for one workspace.")


def look(settings: Settings, found: Checkup, clock: Callable[[], datetime]) -> list[Looked]:
    """Test the token of every workspace that has the bot installed."""
    if not found.there or found.trouble or found.pending:
        return []
    db = Database(settings.database)
    try:
        known = installed(db, client_id=settings.slack_client_id or "")
    finally:
        db.close()
    return [_tried(settings, known[workspace_id], clock) for workspace_id in sorted(known)]


def _tried(settings: Settings, one: Installed, clock: Callable[[], datetime]) -> Looked:
    gateway = Gateway(token=one.token, api_url=settings.slack_api_url)
    ending = tuple(_ending(one, clock()))
    try:
        identity = gateway.identity()
    except SlackError as error:
        what, remedy = explain(error)
        if not isinstance(error, SlackUnclear):
            remedy = _AGAIN
        return Looked(one, None, (*ending, Finding(False, f"{one.name}: {what}", remedy)))
    good = Finding(True, f"{one.name} ({one.workspace_id}): the token works.")
    return Looked(one, gateway, (good, *ending, *_scopes(one, identity)))


def _ending(one: Installed, now: datetime) -> Iterator[Finding]:
    if one.expires_at is not None and one.expires_at - now < RENEW_BEFORE / 2:
        yield Finding(
            False,
            f"{one.name}: its token expires at {one.expires_at:%Y-%m-%d %H:%M} UTC and hasn't been renewed.",
            f"Start `cadence worker`. If it's running, its log says why it couldn't. {_AGAIN}",
        )


def _scopes(one: Installed, identity: Identity) -> Iterator[Finding]:
    granted = replace(identity, scopes=identity.scopes or one.scopes)
    for finding in doctor_slack.scopes(granted):
        if not finding.ok:
            yield Finding(False, f"{one.name}: {finding.what}", _AGAIN)
