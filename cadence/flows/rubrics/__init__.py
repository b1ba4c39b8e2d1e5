"""Rubrics: grading, spot checks."""

from cadence.flows.rubrics.audits import AuditMeant, Graded, audit_form, draw_due_audits, grade_audits
from cadence.flows.rubrics.posts import KINDS
from cadence.flows.rubrics.recording import (
    SampleGiven,
    StepMeant,
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
    "draw_due_audits",
    "grade_audits",
    "record_sample",
    "revise_rubric",
    "revision_form",
    "rubric_form",
]
