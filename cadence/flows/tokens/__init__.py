"""Tokens: made, shown once, listed and revoked in Slack; presented by tools."""

from cadence.flows.tokens.authentication import BadToken, TokenHolder, authenticate, note_call, note_use
from cadence.flows.tokens.listing import token_list
from cadence.flows.tokens.making import TokenGiven, draw_token, make_token, shown_once, token_form
from cadence.flows.tokens.revoking import revoke_named, revoke_token

__all__ = [
    "BadToken",
    "TokenGiven",
    "TokenHolder",
    "authenticate",
    "draw_token",
    "make_token",
    "note_call",
    "note_use",
    "revoke_named",
    "revoke_token",
    "shown_once",
    "token_form",
    "token_list",
]
