"""Weekly check-ins: messages, forms, answers, snoozing."""

from cadence.flows.checkins.answers import AnswerGiven, answer, answer_quietly
from cadence.flows.checkins.choosing import choose_checkin, open_runs
from cadence.flows.checkins.copies import CLOSES, CLOSING_KINDS, came, closes_at, sent_copies
from cadence.flows.checkins.missed_checkins import next_checkin, nudged_again, owe_missed_checkin
from cadence.flows.checkins.posts import (
    checkin,
    checkin_context,
    closed_already,
    kpi_context,
    kpi_missing,
    missing_context,
    reminder,
    who_is_missing,
)
from cadence.flows.checkins.rows import (
    EARLY_IN_THE_WEEK,
    answer_context,
    checkin_row,
    cycle_of_week,
    may_answer,
    member_runs,
    member_zone,
    missed_last_week,
    modes_in_week,
    step_modes,
    typical,
    week_kpi,
)
from cadence.flows.checkins.shortcuts import MessageSeen, choose_checkin_form, exception_from
from cadence.flows.checkins.snoozing import KIND, ask_until, coming, menu_again, pending, snooze, snooze_menu

__all__ = [
    "CLOSES",
    "CLOSING_KINDS",
    "EARLY_IN_THE_WEEK",
    "KIND",
    "AnswerGiven",
    "MessageSeen",
    "answer",
    "answer_context",
    "answer_quietly",
    "ask_until",
    "came",
    "checkin",
    "checkin_context",
    "checkin_row",
    "choose_checkin",
    "choose_checkin_form",
    "closed_already",
    "closes_at",
    "coming",
    "cycle_of_week",
    "exception_from",
    "kpi_context",
    "kpi_missing",
    "may_answer",
    "member_runs",
    "member_zone",
    "menu_again",
    "missed_last_week",
    "missing_context",
    "modes_in_week",
    "next_checkin",
    "nudged_again",
    "open_runs",
    "owe_missed_checkin",
    "pending",
    "reminder",
    "sent_copies",
    "snooze",
    "snooze_menu",
    "step_modes",
    "typical",
    "week_kpi",
    "who_is_missing",
]
