"""Planning the week's nudges, and following them up."""

from cadence.flows.nudging.asking import checkin_all_form, checkin_form, cycle_form, kpi_form, team_form
from cadence.flows.nudging.followups import (
    answer_watch,
    ask,
    nudge_again,
    set_missing_away,
    still_missing,
    watch_form,
)
from cadence.flows.nudging.planning import Planned, forecast, next_event, plan

__all__ = [
    "Planned",
    "answer_watch",
    "ask",
    "checkin_all_form",
    "checkin_form",
    "cycle_form",
    "forecast",
    "kpi_form",
    "next_event",
    "nudge_again",
    "plan",
    "set_missing_away",
    "still_missing",
    "team_form",
    "watch_form",
]
