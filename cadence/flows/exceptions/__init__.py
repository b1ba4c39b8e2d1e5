"""Exceptions: logging and undoing them."""

from cadence.flows.exceptions.for_others import KINDS, log_for
from cadence.flows.exceptions.forms import MessageSeen, counted_exceptions, exception_form, exception_from
from cadence.flows.exceptions.logging import (
    ExceptionGiven,
    Happened,
    NeedsConfirming,
    keep_all,
    known_exception,
    log_all,
    log_exception,
)
from cadence.flows.exceptions.undoing import WITHIN, undo_exception

__all__ = [
    "KINDS",
    "WITHIN",
    "ExceptionGiven",
    "Happened",
    "MessageSeen",
    "NeedsConfirming",
    "counted_exceptions",
    "exception_form",
    "exception_from",
    "keep_all",
    "known_exception",
    "log_all",
    "log_exception",
    "log_for",
    "undo_exception",
]
