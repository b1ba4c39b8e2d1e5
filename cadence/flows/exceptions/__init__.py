"""Exceptions: logging one, taking it back."""

from cadence.flows.exceptions.forms import counted_exceptions, exception_form
from cadence.flows.exceptions.logging import ExceptionGiven, NeedsConfirming, log_exception
from cadence.flows.exceptions.undoing import WITHIN, undo_exception

__all__ = [
    "WITHIN",
    "ExceptionGiven",
    "NeedsConfirming",
    "counted_exceptions",
    "exception_form",
    "log_exception",
    "undo_exception",
]
