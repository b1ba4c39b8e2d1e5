"""The owner's plan for a step over its cap."""

from dataclasses import dataclass
from typing import ClassVar

from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import Evidence
from templates.ids import Callback, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchAnswerForm(PlainForm, callback=Callback.WATCH_ANSWER, title="Add a plan"):
    """What the owner will change about a step over its cap."""

    TEMPLATE: ClassVar[str] = "modals/nudging/watch_answer.json.j2"

    playbook: str
    team: str
    step: str
    evidence: Evidence
    answer: str = ask.lines("What's the plan?", "Your team and the curators will see this.", name=Field.NOTE)
