"""Usual values for every template: by name, and the golden file of that name."""

from templates.contexts.base import MessageContext, ViewContext
from tests.templates.samples import (
    answers,
    checkins,
    digests,
    forms,
    gates,
    handoffs,
    home,
    playbook_form,
    playbooks,
    promotions,
    publishing,
    rubrics,
    spreading,
    standards,
    training,
    trends,
    verdicts,
    waves,
)

SAMPLES: dict[str, MessageContext | ViewContext] = {
    **checkins.SAMPLES,
    **verdicts.SAMPLES,
    **digests.SAMPLES,
    **gates.SAMPLES,
    **home.SAMPLES,
    **answers.SAMPLES,
    **playbooks.SAMPLES,
    **publishing.SAMPLES,
    **forms.SAMPLES,
    **playbook_form.SAMPLES,
    **rubrics.SAMPLES,
    **standards.SAMPLES,
    **spreading.SAMPLES,
    **handoffs.SAMPLES,
    **promotions.SAMPLES,
    **training.SAMPLES,
    **trends.SAMPLES,
    **waves.SAMPLES,
}
