"""A workspace's rollout by month, for curators."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from templates.contexts.base import MessageContext, Picture
from templates.filters import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessMonth:
    """A month: the weeks whose Monday is in it.

    Args:
        first: its first Monday.
        published: playbooks published for the first time.
        adopted: teams that took on a playbook, the first one included.
        completed: cycles that closed, without watch periods.
        exceptions: of all steps, in `runs` of which tools measured `measured` and people reported the others.
        so_far: the month isn't over.
    """

    first: date
    published: int
    adopted: int
    completed: int
    exceptions: int
    runs: int
    so_far: bool = False
    measured: int = 0

    @property
    def known(self) -> str:
        """The runs in words: `1,240 runs`, or `180 measured runs (+20 reported)`."""
        if not self.measured:
            return plural(self.runs, "run")
        more = self.runs - self.measured
        return f"{plural(self.measured, 'measured run')}{f' (+{more:,} reported)' if more else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessMonths(MessageContext):
    """The rollout by month, newest last. With `chart_comes` the chart follows in a DM; `chart` shows it.

    Args:
        earlier: months that aren't shown.
    """

    TEMPLATE: ClassVar[str] = "answers/overview/process.json.j2"

    rows: tuple[ProcessMonth, ...]
    chart_comes: bool = False
    chart: Picture | None = None
