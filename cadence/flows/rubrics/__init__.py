"""Rubrics: grading, spot checks."""

from cadence.flows.rubrics.audits import AuditMeant, Graded, audit_form, draw_due_audits, grade_audits
from cadence.flows.rubrics.posts import KINDS
from cadence.flows.rubrics.recording import (
    MOST_SAMPLES,
    NewResult,
    SampleGiven,
    StepMeant,
    checked_sample,
    record_sample,
    revise_rubric,
    revision_form,
    rubric_form,
    sample_row,
    save_results,
)

__all__ = [
    "KINDS",
    "MOST_SAMPLES",
    "AuditMeant",
    "Graded",
    "NewResult",
    "SampleGiven",
    "StepMeant",
    "audit_form",
    "checked_sample",
    "draw_due_audits",
    "grade_audits",
    "record_sample",
    "revise_rubric",
    "revision_form",
    "rubric_form",
    "sample_row",
    "save_results",
]
