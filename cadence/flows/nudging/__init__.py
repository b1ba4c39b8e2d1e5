"""Planning the week's nudges, and following them up."""

from cadence.flows.nudging.followups import (
    KINDS,
    answer_watch,
    ask,
    nudge_again,
    set_missing_away,
    still_missing,
    watch_form,
)
from cadence.flows.nudging.forecasting import Planned, forecast, next_event
from cadence.flows.nudging.planning import plan

__all__ = [
    "KINDS",
    "Planned",
    "answer_watch",
    "ask",
    "forecast",
    "next_event",
    "nudge_again",
    "plan",
    "set_missing_away",
    "still_missing",
    "watch_form",
]
