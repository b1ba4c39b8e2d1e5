"""Exceptions: logging and undoing them."""

from cadence.flows.exceptions.forms import MessageSeen, counted_exceptions, exception_form, exception_from
from cadence.flows.exceptions.logging import ExceptionGiven, NeedsConfirming, log_exception
from cadence.flows.exceptions.undoing import WITHIN, undo_exception

__all__ = [
    "WITHIN",
    "ExceptionGiven",
    "MessageSeen",
    "NeedsConfirming",
    "counted_exceptions",
    "exception_form",
    "exception_from",
    "log_exception",
    "undo_exception",
]
