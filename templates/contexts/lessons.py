"""What teams learned."""

from dataclasses import dataclass

from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import Choice
from templates.ids import Callback


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnForm(PlainForm, callback=Callback.LEARN, title="Add a lesson", submit="Save"):
    """A lesson on a playbook, of at least one."""

    playbooks: tuple[Choice, ...]
    playbook: str | None = ask.choice("Playbook", among="playbooks")
    note: str = ask.lines(
        "What should the next team know?",
        "Every team that sets it up will see this. Describe what worked, not who did it.",
    )
