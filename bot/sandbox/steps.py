"""Custom steps of workflows: what the app was asked to carry out, and how each ended."""

from dataclasses import dataclass, field, replace
from itertools import count

from bot.sandbox.errors import SlackError
from bot.sandbox.kinds import Json


@dataclass(frozen=True, slots=True)
class Step:
    """One execution of a custom step; it runs until there are outputs or an error."""

    id: str
    callback_id: str
    inputs: Json
    outputs: Json | None = None
    error: str | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the app said how it ended."""
        return self.outputs is not None or self.error is not None


@dataclass(slots=True)
class Steps:
    """The executions of a workspace's workflows."""

    _known: dict[str, Step] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def start(self, callback_id: str, inputs: Json) -> Step:
        """Begin one."""
        step = Step(f"Fx{next(self._numbers):010d}", callback_id, dict(inputs))
        self._known[step.id] = step
        return step

    def get(self, execution: str) -> Step:
        """One of them, as it stands."""
        return self._known[execution]

    def finish(self, execution: object, *, outputs: Json | None = None, error: str | None = None) -> None:
        """End one; Slack refuses to end one twice."""
        step = self._known.get(execution) if isinstance(execution, str) else None
        if step is None:
            raise SlackError("function_execution_not_found")
        if step.has_ended:
            raise SlackError("function_execution_not_in_progress")
        self._known[step.id] = replace(step, outputs=outputs, error=error)
