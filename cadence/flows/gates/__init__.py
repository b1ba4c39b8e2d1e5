"""The gates of a cycle's weeks."""

from cadence.flows.gates.gates import (
    KINDS,
    gate_line,
    gate_lines,
    gate_of,
    gate_offers,
    gates_due,
    gates_of,
    words,
)

__all__ = [
    "KINDS",
    "gate_line",
    "gate_lines",
    "gate_of",
    "gate_offers",
    "gates_due",
    "gates_of",
    "words",
]
