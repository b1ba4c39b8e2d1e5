"""Replies to a person: what was recorded, what stands, what can't be done."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from templates.contexts.base import Evidence, Id, Kpi, MessageContext, StepEvidence
from templates.contexts.checkins import Answer
from templates.contexts.verdicts import Guardrail


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded(MessageContext):
    """A KPI number is in. `kpi.value` is the number; `replaced` the one it corrects; `met` is against the target.

    `guardrails` came with it, or instead of it: then `kpi.value` is None. `result` is the cycle's, if that is closed.
    """

    TEMPLATE: ClassVar[str] = "answers/recorded.json.j2"

    slug: str
    playbook: str
    team: str
    kpi: Kpi
    met: bool
    week_start: date
    replaced: float | None = None
    guardrails: tuple[Guardrail, ...] = ()
    result: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestedRow:
    """One answered check-in. `previous` is the answer it replaces."""

    playbook: str
    team: str
    week: int | None
    kpi: Kpi
    answer: Answer
    previous: Answer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested(MessageContext):
    """The check-ins just answered, in one reply."""

    TEMPLATE: ClassVar[str] = "answers/attested.json.j2"

    rows: tuple[AttestedRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionLogged(MessageContext):
    """An exception is in, and what it did.

    Args:
        decision: the verdict now: `hold`, `watch` or `demote`.
        demote_at: the count at which the evidence line demotes now, None when it can't.
        severe: a critical exception is what the verdict rests on.
        after: the mode it landed on, when demoted.
        link: of the message kept as evidence.
        duplicate: it was logged before; nothing changed.
        undo: what [Undo] carries, while the reader can take it back.
        logged_by: Slack ID of who logged this message before, and when (`logged_at`); None for one's own retry.
    """

    TEMPLATE: ClassVar[str] = "answers/exception_logged.json.j2"

    playbook: str
    team: str
    step: str
    mode: str
    critical: bool
    reason: str
    evidence: Evidence
    decision: str
    demote_at: int | None = None
    severe: bool = False
    after: str | None = None
    link: str | None = None
    duplicate: bool = False
    undo: Id | None = None
    logged_by: str | None = None
    logged_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictSummary:
    """The last verdict of a step in a word."""

    step: str
    decision: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """One adoption this week.

    Args:
        starts: the Monday of the cycle to come.
        gate: what this week must produce, in a sentence; None while gates aren't judged.
        gate_met: whether the bot sees it in its data.
        answered: check-ins in, of `expected`.
        closed: the number of the cycle that is over, while no other one has begun; `result` is its result.
        next_cycle: the Monday on which the next one starts.
        paused: nothing is asked until `owner` (a Slack ID) or a curator starts a cycle.
        own_answer_due: the reader's own check-in is open.
        own_answer_comes: when it comes, in their own time, while it hasn't been sent or is snoozed.
        guardrails: with the newest reading of the cycle.
        standing: how setup stands while there is no cycle; how the origin team's number stands: a sentence each.
    """

    slug: str
    playbook: str
    team: str
    week: int | None
    week_start: date
    week_end: date
    kpi: Kpi
    answered: int
    expected: int
    steps: tuple[StepEvidence, ...]
    starts: date | None = None
    verdicts: tuple[VerdictSummary, ...] = ()
    gate: str | None = None
    gate_met: bool = False
    own_answer_due: bool = False
    own_answer_comes: datetime | None = None
    paused: bool = False
    owner: str | None = None
    closed: int | None = None
    result: str | None = None
    next_cycle: date | None = None
    standing: tuple[str, ...] = ()
    guardrails: tuple[Guardrail, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(MessageContext):
    """This week, one adoption after the other. None at all is said so.

    `more` aren't among the rows; then what waits for a decision comes first. `handoffs` wait to be accepted: a
    sentence each.
    """

    TEMPLATE: ClassVar[str] = "answers/status.json.j2"

    rows: tuple[StatusRow, ...]
    more: int = 0
    handoffs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(MessageContext):
    """What can't be done, and what would be right: a `Refusal`'s text and its offer."""

    TEMPLATE: ClassVar[str] = "answers/refused.json.j2"

    text: str
    offer: Offer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(MessageContext):
    """One line of our own (`mrkdwn.say`), with buttons when there is a next step (at most five)."""

    TEMPLATE: ClassVar[str] = "answers/done.json.j2"

    text: Mrkdwn
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpEntry:
    """One command: its `name` (`/cadence away`), `usage` with its arguments, who may, and `examples` to type."""

    name: str
    usage: str
    summary: str
    who: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpRest:
    """The names of the commands that the reader may not use, and who may."""

    who: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Help(MessageContext):
    """The commands of one's roles, or those of one topic, whoever may. `others` are not the reader's."""

    TEMPLATE: ClassVar[str] = "answers/help.json.j2"

    entries: tuple[HelpEntry, ...]
    topic: str | None = None
    others: tuple[HelpRest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaySet(MessageContext):
    """Away from `since` to `until`, both days included; `cleared` when back. `members` when it is about others."""

    TEMPLATE: ClassVar[str] = "answers/away_set.json.j2"

    since: date
    until: date
    cleared: bool = False
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SnoozeChoice:
    """One way to snooze: `hour`, `tomorrow` or `friday`, and the local time it comes to."""

    until: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SnoozeAsked(MessageContext):
    """When to ask again; the buttons carry `{until}:{week_start}`.

    Args:
        choices: each at another moment.
        due: when the check-in comes by itself; None once it came.
    """

    TEMPLATE: ClassVar[str] = "answers/snooze_asked.json.j2"

    week_start: str
    choices: tuple[SnoozeChoice, ...]
    due: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snoozed(MessageContext):
    """The check-in comes `until` then; `last_week`'s doesn't move this week's. `came`: it was sent before."""

    TEMPLATE: ClassVar[str] = "answers/snoozed.json.j2"

    until: datetime
    last_week: bool = False
    came: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Muted(MessageContext):
    """Reminders are off, or on again. The check-in itself stays."""

    TEMPLATE: ClassVar[str] = "answers/muted.json.j2"

    muted: bool
