"""After a pilot: the assessment, and the cutover from pilot to production."""

from cadence.flows.cutover.assessing import (
    AssessmentGiven,
    asks_assessment,
    assess,
    assessment_form,
    left_to_sort,
    practices_form,
    show_assessment,
    sort_practices,
    waits_for_assessment,
)
from cadence.flows.cutover.deciding import (
    KINDS,
    anyway_form,
    approve_cutover,
    ask_cutover,
    choose_form,
    hold_cutover,
    hold_form,
    show_cutover,
    waiting,
)
from cadence.flows.cutover.measuring import CutoverView, assessment_of, cutover_of, is_sorted, pilot_of

__all__ = [
    "KINDS",
    "AssessmentGiven",
    "CutoverView",
    "anyway_form",
    "approve_cutover",
    "ask_cutover",
    "asks_assessment",
    "assess",
    "assessment_form",
    "assessment_of",
    "choose_form",
    "cutover_of",
    "hold_cutover",
    "hold_form",
    "is_sorted",
    "left_to_sort",
    "pilot_of",
    "practices_form",
    "show_assessment",
    "show_cutover",
    "sort_practices",
    "waiting",
    "waits_for_assessment",
]
