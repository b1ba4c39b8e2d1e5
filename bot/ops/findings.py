"""The findings of `cadence doctor`, and Slack's errors in words."""

from dataclasses import dataclass

from bot.delivery.gateway import SlackBusy, SlackError, SlackUnclear
from bot.delivery.slack_errors import known

_COPY = "Copy it again from the app's page, “OAuth & Permissions”, into SLACK_BOT_TOKEN."
_INSTALL = "Install the app in the workspace again, then put the new token into SLACK_BOT_TOKEN."
_GRANT = (
    "`cadence doctor` names the scopes: add them under “OAuth & Permissions”, then install the app again."
)
_ALLOW = "Ask an admin of the workspace to approve the app."
_EXPLAINED = {
    "invalid_auth": ("Slack doesn't know the bot token.", _COPY),
    "not_authed": ("Slack didn't receive the bot token.", _COPY),
    "not_allowed_token_type": ("The bot token is the wrong kind of token.", _COPY),
    "account_inactive": ("The bot token belongs to an app that its workspace uninstalled.", _INSTALL),
    "token_revoked": ("The bot token was revoked.", _INSTALL),
    "token_expired": ("The bot token has expired.", f"{_INSTALL} Leave token rotation off."),
    "missing_scope": ("The bot is missing a scope.", _GRANT),
    "access_denied": ("The workspace doesn't let the bot in.", _ALLOW),
    "no_permission": ("The workspace doesn't let the bot do that.", _ALLOW),
    "team_access_not_granted": ("The bot isn't allowed in that workspace.", _ALLOW),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: what was found, and what to do about it if it isn't `ok`."""

    ok: bool
    what: str
    remedy: str = ""


def slack_sentence(error: SlackError) -> str:
    """A problem between the bot and Slack, and what to do, for a person at a terminal."""
    return " ".join(explain(error))


def printable(text: str) -> str:
    """Foreign text made safe for a terminal: it can't move the cursor or change colors."""
    return "".join(character if character.isprintable() else " " for character in text)


def explain(error: SlackError) -> tuple[str, str]:
    """What a failed call means, and what to do about it: a sentence each."""
    code = printable(error.code)[:80]
    if isinstance(error, SlackBusy):
        return f"Slack asks the bot to wait {error.retry_after:.0f} seconds.", "Try again after that."
    if (
        " " in error.code
    ):  # Slack's errors contain no space; slack_sdk and the gateway report pages and statuses
        return (
            "Slack's server didn't send a readable answer.",
            "Check SLACK_API_URL; if it is right, try again in a few minutes.",
        )
    if isinstance(error, SlackUnclear) and "_" not in code:  # network errors are names of exceptions
        return f"Slack can't be reached ({code}).", "Check the network, the proxy and SLACK_API_URL."
    if isinstance(error, SlackUnclear):
        return f"Slack reports a problem on its side ({code}).", "Try again in a few minutes."
    remedy = known(error.code).remedy or "Slack's API reference explains this error."
    unknown = (f"Slack refuses: {code}.", remedy)
    return _EXPLAINED.get(error.code, unknown)
