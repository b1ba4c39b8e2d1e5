"""The two kinds of context, and small values that several contexts share.

Conventions, everywhere in this package: text is as people typed it, a plain `str`, and is escaped on output
(only `Mrkdwn` is trusted); members and channels are Slack IDs; shares and ratios are 0–1; KPI numbers are in
the unit beside them; dates are the team's, datetimes are aware and already in the reader's zone. Lists come
in the order to be shown; a template cuts what doesn't fit and says how many more there are.
"""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from cadence.rules.kpi import Direction, meets
from cadence.rules.percent import percent_of
from templates.filters import mode, plural

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

    `was` is the earlier mode, if it changed during the week in question.
    """

    key: str
    title: str
    mode: str
    was: str | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """A KPI with its current number. `value` is None until there is one.

    `earlier` is then the newest one before it, of the week `earlier_week` of the cycle. `value` is the reading of
    the week `week` of a cycle, or the median of the closed cycle `cycle`; neither is set where the text says it.
    """

    name: str
    unit: str
    direction: str
    target: float
    value: float | None = None
    baseline: float | None = None
    earlier: float | None = None
    earlier_week: int | None = None
    week: int | None = None
    cycle: int | None = None

    @property
    def is_met(self) -> bool:
        """Whether the newest number meets the target."""
        newest = self.earlier if self.value is None else self.value
        return newest is not None and meets(newest, self.target, Direction(self.direction))


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailAsked:
    """A guardrail in a form, in the input `guardrail:{key}`; `typed` is the earlier input."""

    key: str
    name: str
    unit: str
    direction: str
    limit: float
    typed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A step's exceptions against its cap: x exceptions in N = `measured` + `attested` + `assumed` runs.

    Tools counted the measured runs; the attested ones are what people reported beyond those. `restarted`: the
    assumed runs include check-ins from before the count restarted; `missing`: they include missing check-ins.
    """

    exceptions: int
    runs: int
    attested: int
    assumed: int
    cap: float
    restarted: bool = False
    missing: bool = True
    measured: int = 0

    @property
    def ratio(self) -> float | None:
        """x / N, or None without any runs."""
        return self.exceptions / self.runs if self.runs else None

    @property
    def reported(self) -> int:
        """The runs reported beyond measured ones: each exception counts as one, reported or not."""
        return max(self.attested, self.runs - self.assumed - self.measured)

    @property
    def known(self) -> str:
        """The runs that aren't estimated, measured ones first: `19 measured runs`, `26 reported runs`, or
        nothing."""
        if self.measured:
            return plural(self.measured, "measured run")
        return plural(self.reported, "reported run") if self.reported else ""

    @property
    def in_runs(self) -> str:
        """What follows a number of exceptions: ` in 19 measured runs (+7 reported, +13 estimated)`, ` in 40 estimated
        runs`, or that there are no runs."""
        if not self.known:
            return f" in {plural(self.assumed, 'estimated run')}" if self.assumed else f", {self.unreported}"
        parts = [f"+{self.reported:,} reported"] if self.measured and self.reported else []
        parts += [f"+{self.assumed:,} estimated"] if self.assumed else []
        return f" in {self.known}" + (f" ({', '.join(parts)})" if parts else "")

    @property
    def parts(self) -> str:
        """N as a sum of its parts; a part of 0 is left out once runs were measured."""
        parts = [(self.measured, "measured"), (self.attested, "reported"), (self.assumed, "estimated")]
        shown = [part for part in parts if part[0]] if self.measured else parts[1:]
        return " + ".join(f"{count:,} {word}" for count, word in shown)

    @property
    def unreported(self) -> str:
        """What is said where no run is reported."""
        return f"no runs reported {'since counters were reset' if self.restarted else 'yet'}"

    @property
    def percent(self) -> str:
        """x / N as a percentage on the right side of the cap; empty if N is small or unknown."""
        known = self.measured or self.attested or self.exceptions
        return percent_of(self.exceptions, self.runs, limit=self.cap) if known else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEvidence:
    """One step's mode and exceptions against its cap."""

    title: str
    mode: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image uploaded to Slack: its file's ID, and what a screen reader says."""

    file: str
    alt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeChange:
    """A step's mode change, and its week of the cycle if known."""

    step: str
    before: str
    after: str
    week: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One option of a menu: its text (75 characters are shown) and the ids it carries (150 at most)."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceGroup:
    """Options under a heading, such as the steps of one playbook."""

    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem of a file: where, why, and what to write instead."""

    reason: str
    right: str = ""
    line: int | None = None
    where: str = ""


FUNCTIONS: Final = tuple(
    Choice(label=one, value=one) for one in ("sales", "support", "finance", "engineering", "other")
)
"""The functions of teams and playbooks."""
MODES: Final = tuple(
    Choice(label=f"{mode(one)[0].upper()}{mode(one)[1:]}", value=one)
    for one in ("human-led", "collaborative", "ai-led")
)
"""The modes of a step."""


RULES: Final = (
    Choice(label="Balanced: evidence anytime, cap at cycle close", value="balanced"),
    Choice(label="Strict: as soon as it's over the cap", value="strict"),
    Choice(label="Evidence only: never on the cap alone", value="evidence"),
)
