"""The gates of a cycle's weeks."""

from cadence.flows.gates.gates import (
    due_context,
    gate_due,
    gate_line,
    gate_lines,
    gate_of,
    gate_offers,
    gates_due,
    gates_of,
    opens_context,
    week_opens,
    words,
)

__all__ = [
    "due_context",
    "gate_due",
    "gate_line",
    "gate_lines",
    "gate_of",
    "gate_offers",
    "gates_due",
    "gates_of",
    "opens_context",
    "week_opens",
    "words",
]
