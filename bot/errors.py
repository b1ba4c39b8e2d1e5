"""Errors in words: Slack's for whoever runs the bot, ours as a short code that finds the story in the log."""

import secrets

import structlog

from bot.gateway import SlackError, SlackUnclear

log = structlog.get_logger(__name__)


def code_for(error: BaseException) -> str:
    """Log an unexpected error and return the code that finds it again."""
    code = f"E-{secrets.token_hex(3).upper()}"
    log.error("unexpected error", code=code, exc_info=error)
    return code


_SENTENCES = {
    "invalid_auth": "Slack doesn't know this token. Copy SLACK_BOT_TOKEN again from “OAuth & Permissions”.",
    "not_authed": "Slack got no token. Set SLACK_BOT_TOKEN.",
    "account_inactive": "The token's app was removed from the workspace. Install it again.",
    "token_revoked": "The token was revoked. Install the app again and set the new SLACK_BOT_TOKEN.",
    "token_expired": "The token has expired. Install the app again and set the new SLACK_BOT_TOKEN.",
    "missing_scope": "The app lacks a scope. `cadence doctor` names it; add it and install the app again.",
}


def slack_sentence(error: SlackError) -> str:
    """What an error of Slack's means for whoever runs the bot, and what to do."""
    if isinstance(error, SlackUnclear):
        return f"Slack can't be reached ({error.code}). Check the network and SLACK_API_URL."
    return _SENTENCES.get(error.code, f"Slack refused with `{error.code}`. `cadence doctor` looks closer.")
