"""Rubrics: grading, spot checks."""

from cadence.flows.rubrics.audits import AuditMeant, Graded, audit_form, draw_due_audits, grade_audits
from cadence.flows.rubrics.posts import KINDS
from cadence.flows.rubrics.recording import (
    SampleGiven,
    StepMeant,
    checked_sample,
    keep_sample,
    record_sample,
    revise_rubric,
    revision_form,
    rubric_form,
)

__all__ = [
    "KINDS",
    "AuditMeant",
    "Graded",
    "SampleGiven",
    "StepMeant",
    "audit_form",
    "checked_sample",
    "draw_due_audits",
    "grade_audits",
    "keep_sample",
    "record_sample",
    "revise_rubric",
    "revision_form",
    "rubric_form",
]
