"""The names the grammar's tests can use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from handlers.commands import COMMANDS
from handlers.grammar import Command, parse

THURSDAY = date(2026, 11, 26)


@dataclass(frozen=True)
class Vocabulary:
    """The names that somebody can use, on a Thursday."""

    playbooks: Mapping[str, tuple[str, ...]]
    teams: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    guardrails: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()
    today: date = THURSDAY

    def accepts_reports(self, playbook: str, _step: str | None, _team: str | None) -> bool:
        """Of all but those that wait for their cycle."""
        return playbook not in self.waiting

    def step_title(self, _playbook: str, step: str) -> str:
        """Of the steps of Support reply."""
        return {"draft": "Draft three replies", "send": "Send the edited reply"}.get(step, step)


ONE = Vocabulary(
    {"support-reply": ("draft", "send")},
    ("support-emea", "support-us", "billing"),
    {"support-reply": "Support reply"},
)
TWO = Vocabulary(
    {"support-reply": ("draft", "send"), "month-end": ("close", "draft")}, ("finance", "support-us")
)
NONE = Vocabulary({})


def read(line: str, vocabulary: Vocabulary = ONE) -> Command:
    """Parse a whole line, `/kpi 14m`."""
    command, _, text = line.partition(" ")
    return parse(COMMANDS, command, text, vocabulary).command
