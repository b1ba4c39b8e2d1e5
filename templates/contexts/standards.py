"""The standard: drift from it, modes declared by hand, and the trail of what happened."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from cadence.rules.percent import percent_of
from templates.contexts.base import ChoiceGroup, Id, MessageContext, ViewContext


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftNumbers:
    """What a drift rests on.

    Args:
        attested: attestations of the step.
        drifted: those in another mode than declared.
        weeks: of the cycle in which there was one, in order.
        share: drifted of those attested and still awaited, 0–1.
        limit: the share above which a step drifts, 0–1.
        limit_weeks: the weeks from which it does, when `limit_people` attested another mode.
        limit_attestations: the attestations from which the share counts.
        awaited: check-ins still to come, which count as declared until then.
    """

    attested: int
    drifted: int
    weeks: tuple[int, ...]
    share: float
    limit: float
    limit_weeks: int
    limit_people: int = 2
    limit_attestations: int = 5
    awaited: int = 0

    @property
    def percent(self) -> str:
        """The share as a percentage that agrees with the limit; empty of a few attestations."""
        return percent_of(self.drifted, self.attested + self.awaited, limit=self.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift(MessageContext):
    """A step is run in another mode than declared; later, what was decided. It names nobody who attested.

    Buttons carry `{adoption_id}:{step_key}`, and `:{mode}` for the one that declares.

    Args:
        declared: the mode declared when it was found.
        used: the mode most attested instead.
        alone: one person alone reported it, so only the owner reads this.
        owner: Slack ID, asked to declare or to recommit.
        decision: `declared`, `recommitted` or `withdrawn` once it is settled.
        decided_by: Slack ID; None when the rule changed the mode or the answers were corrected.
        after: the mode declared then.
    """

    TEMPLATE: ClassVar[str] = "messages/drift.json.j2"

    adoption_id: Id
    step_key: str
    playbook: str
    team: str
    step: str
    declared: str
    used: str
    numbers: DriftNumbers
    owner: str
    alone: bool = False
    decision: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str = ""
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReported(MessageContext):
    """One person reported another mode than declared: a DM to the owner that names nobody.

    Buttons carry `{adoption_id}:{step_key}`, and `:{mode}` for the one that declares.

    Args:
        declared: the step's mode now.
        people: how many report another mode now.
        ended: `corrected`, `settled` (answers count anew since) or `alert` (it became one) once it is.
    """

    TEMPLATE: ClassVar[str] = "messages/drift_reported.json.j2"

    adoption_id: Id
    step_key: str
    playbook: str
    team: str
    step: str
    declared: str
    used: str
    numbers: DriftNumbers
    people: int = 1
    ended: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeDeclared(MessageContext):
    """A person declared who leads a step. `raised`: no evidence was asked for."""

    TEMPLATE: ClassVar[str] = "messages/mode_declared.json.j2"

    adoption_id: Id
    step_key: str
    playbook: str
    team: str
    step: str
    before: str
    after: str
    member: str
    reason: str
    raised: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommitForm(ViewContext):
    """The owner says what changes so that a step is run as declared again. Input: `note`."""

    TEMPLATE: ClassVar[str] = "modals/recommit.json.j2"

    playbook: str
    team: str
    step: str
    declared: str
    used: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeForm(ViewContext):
    """Who leads a step. Inputs: `step` (of value `{adoption_id}:{step_key}`), `mode`, `reason`.

    `drift` is how the step is run, with the numbers, while that waits to be settled.
    """

    TEMPLATE: ClassVar[str] = "modals/mode.json.j2"

    groups: tuple[ChoiceGroup, ...]
    selected: str | None = None
    chosen: str | None = None
    reason: str = ""
    drift: Mrkdwn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRow:
    """One entry of the trail.

    Args:
        at: in the reader's zone.
        member: Slack ID; None when the bot acted on its own.
        surface: where it came from: `command`, `button`, `form`, `the rule`, `the clock`.
        what: what was done, and `about` what.
        was: what stood before, as words; empty when nothing did.
        became: what stands since.
    """

    at: datetime
    member: str | None
    surface: str
    what: str
    about: str
    was: str = ""
    became: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace(MessageContext):
    """A page of the trail, newest first; ten entries at most are shown.

    Args:
        playbook: its title, when only its entries were asked for; likewise `step` and `since`.
        older: what [Older] carries; None on the last page.
        undo: what [Undo] carries: the reader's last exception, while it can be taken back.
    """

    TEMPLATE: ClassVar[str] = "answers/trace.json.j2"

    rows: tuple[TraceRow, ...]
    playbook: str | None = None
    step: str | None = None
    since: date | None = None
    older: str | None = None
    undo: Id | None = None
