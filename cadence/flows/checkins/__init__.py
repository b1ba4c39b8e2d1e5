"""Weekly check-ins: messages, forms, answers, snoozing."""

from cadence.flows.checkins.answers import AnswerGiven, DoubtfulNumber, answer, answer_quietly
from cadence.flows.checkins.choosing import choose_checkin, choose_checkin_form
from cadence.flows.checkins.copies import closes_at, sent_of
from cadence.flows.checkins.differences import RUNS_DIFFER, ask_about_runs
from cadence.flows.checkins.forms import checkin_all_form, checkin_form
from cadence.flows.checkins.missed_checkins import next_checkin, nudged_again, send_missed_checkin
from cadence.flows.checkins.posts import KINDS
from cadence.flows.checkins.rows import (
    EARLY_IN_THE_WEEK,
    answer_context,
    checkin_row,
    member_adoptions,
    member_zone,
    missed_last_week,
    modes_in_week,
    open_adoptions,
    week_kpi,
)
from cadence.flows.checkins.snoozing import (
    KIND,
    ask_until,
    coming,
    menu_again,
    pending_of,
    snooze,
    snooze_menu,
)

__all__ = [
    "EARLY_IN_THE_WEEK",
    "KIND",
    "KINDS",
    "RUNS_DIFFER",
    "AnswerGiven",
    "DoubtfulNumber",
    "answer",
    "answer_context",
    "answer_quietly",
    "ask_about_runs",
    "ask_until",
    "checkin_all_form",
    "checkin_form",
    "checkin_row",
    "choose_checkin",
    "choose_checkin_form",
    "closes_at",
    "coming",
    "member_adoptions",
    "member_zone",
    "menu_again",
    "missed_last_week",
    "modes_in_week",
    "next_checkin",
    "nudged_again",
    "open_adoptions",
    "pending_of",
    "send_missed_checkin",
    "sent_of",
    "snooze",
    "snooze_menu",
    "week_kpi",
]
