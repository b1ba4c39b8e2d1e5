"""The two kinds of context, and the small values several of them share.

Conventions, everywhere in this package: text is as people typed it, a plain `str`, and is escaped on output
(only `Mrkdwn` is trusted); members and channels are Slack IDs; shares and ratios are 0–1; KPI numbers are in
the unit beside them; dates are the team's, datetimes are aware and already in the reader's zone. Lists come
in the order to be shown; a template cuts what doesn't fit and says how many more there are.
"""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from cadence.rules.percent import percent_of

Id = int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContext:
    """Fills a message: a notification text and blocks. `TEMPLATE` is a path under `templates/`."""

    TEMPLATE: ClassVar[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewContext:
    """Fills a modal. `private_metadata` is the caller's own short JSON of ids (3,000 characters at most)."""

    TEMPLATE: ClassVar[str]

    private_metadata: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMode:
    """A step and the mode declared for it (`human-led`, `collaborative`, `ai-led`).

    `was` is the mode it had in the week asked about until a day of that week.
    """

    key: str
    title: str
    mode: str
    was: str | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """A KPI and where it stands. `value` is the reading asked for, None when there is none yet.

    `earlier` is then the newest one before it, of the week `earlier_week` of the cycle.
    """

    name: str
    unit: str
    direction: str
    target: float
    value: float | None = None
    baseline: float | None = None
    earlier: float | None = None
    earlier_week: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailAsked:
    """A guardrail as a form asks for it, in the input `guardrail:{key}`; `typed` is what was given before."""

    key: str
    name: str
    unit: str
    direction: str
    limit: float
    typed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A step's exceptions against its cap: x exceptions in N = `attested` + `assumed` runs.

    `restarted`: check-ins that came before the count started again are among the assumed; `missing`: so are
    some that aren't in.
    """

    exceptions: int
    runs: int
    attested: int
    assumed: int
    cap: float
    restarted: bool = False
    missing: bool = True

    @property
    def ratio(self) -> float | None:
        """x / N, or None without any runs: no share is shown where there is nothing to share."""
        return self.exceptions / self.runs if self.runs else None

    @property
    def reported(self) -> int:
        """The runs that people reported: each exception is a run, whether a check-in has told of it or not."""
        return max(self.attested, self.runs - self.assumed)

    @property
    def percent(self) -> str:
        """x / N as a percentage that agrees with the cap; empty where N is small, or nothing is known."""
        known = self.attested or self.exceptions
        return percent_of(self.exceptions, self.runs, limit=self.cap) if known else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEvidence:
    """One step's mode and exceptions against its cap."""

    title: str
    mode: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeChange:
    """A step that moved from one mode to another, in which week of the cycle if that is known."""

    step: str
    before: str
    after: str
    week: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One option of a menu: what is read (75 characters are shown) and the ids it carries (150 at most)."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceGroup:
    """Options under a heading, such as the steps of one playbook."""

    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in a file: where, why, and what would be right."""

    reason: str
    right: str = ""
    line: int | None = None
    where: str = ""
