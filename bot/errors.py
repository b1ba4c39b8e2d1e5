"""Unexpected errors: a short code for the person, and the details under that code in the log."""

import secrets

import structlog

log = structlog.get_logger(__name__)


def code_for(error: BaseException) -> str:
    """Log an unexpected error and return its code."""
    code = f"E-{secrets.token_hex(3).upper()}"
    log.error("unexpected error", code=code, exc_info=error)
    return code
