"""Problems of a document: the line, the reason, and what to write instead; all of them at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from cadence.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem.

    Args:
        line: counted from 1; 0 if the document isn't a file.
        where: the path of the value, such as `steps[1].exception_cap`, counted from 0; "" for the whole file.
        reason: what was found and why it isn't valid.
        right: what to write instead.
    """

    line: int
    where: str
    reason: str
    right: str

    def __str__(self) -> str:
        """`line 18, steps[1].exception_cap: 140 isn't between 0% and 100%; write a share such as 0.10`."""
        place = ", ".join(part for part in (f"line {self.line}" if self.line else "", self.where) if part)
        return f"{place}: {self.reason}; {self.right}" if place else f"{self.reason}; {self.right}"


class DocumentRefused(Refusal):
    """A playbook or workspace file with problems.

    `problems` holds every problem of the file, sorted by line; the text counts them and shows the first.
    """

    def __init__(self, problems: Iterable[Problem], *, field: str | None = None) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems, key=lambda problem: problem.line))
        count = len(self.problems)
        lead = "There's one problem:" if count == 1 else f"There are {count} problems. The first:"
        first = str(self.problems[0])
        super().__init__(f"{lead} {first}{'' if first.endswith('?') else '.'}", field=field)
