"""What a critical exception would do, to be said before it is logged."""

from cadence.documents import Step
from cadence.flows.core import AdoptionView, current_modes, mode_of
from cadence.rules.modes import Mode, landing
from storage.work import UnitOfWork
from templates.filters import mode as mode_word


def critical_effect(uow: UnitOfWork, view: AdoptionView, step: Step) -> str:
    """What a critical exception does to a step in its current mode, as a sentence."""
    lands_on = landing(mode_of(current_modes(uow, view), step), Mode(step.fallback))
    if lands_on is None:
        return f"People already lead “{step.title}”, so a critical exception only alerts your team and the curators."
    return f"A critical exception demotes “{step.title}” to {mode_word(lands_on)} right away."
