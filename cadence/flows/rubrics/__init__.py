"""Rubrics: grading, spot checks."""

from cadence.flows.rubrics.audits import AuditMeant, Graded, audit_form, draw_due_audits, grade_audits
from cadence.flows.rubrics.forms import revision_form, rubric_form
from cadence.flows.rubrics.posts import audit_context, risky_grade, spot_audit
from cadence.flows.rubrics.recording import SampleGiven, StepMeant, record_sample, revise_rubric

__all__ = [
    "AuditMeant",
    "Graded",
    "SampleGiven",
    "StepMeant",
    "audit_context",
    "audit_form",
    "draw_due_audits",
    "grade_audits",
    "record_sample",
    "revise_rubric",
    "revision_form",
    "risky_grade",
    "rubric_form",
    "spot_audit",
]
