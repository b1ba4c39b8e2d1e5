"""The past: trace, replay, what-if, export."""

from cadence.flows.history.exports import KINDS, ask_export, export_folder, export_form
from cadence.flows.history.trace_words import LINE_WORDS
from cadence.flows.history.tracing import Asked, read_value, trace
from cadence.flows.history.whatif import Fate, Thresholds, WhatIf, Window, what_if

__all__ = [
    "KINDS",
    "LINE_WORDS",
    "Asked",
    "Fate",
    "Thresholds",
    "WhatIf",
    "Window",
    "ask_export",
    "export_folder",
    "export_form",
    "read_value",
    "trace",
    "what_if",
]
