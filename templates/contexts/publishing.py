"""Versions of playbooks: publishing them, what that lacks, revising, moving, retiring."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from templates.contexts.base import Choice, Kpi, MessageContext, ModeChange, ViewContext


@dataclass(frozen=True, slots=True, kw_only=True)
class GapLine:
    """One thing that publishing needs and hasn't, and the button that begins to settle it, if there is one."""

    text: str | Mrkdwn
    offer: Offer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamDelta:
    """One team's KPI: the median of its last closed cycle against the baseline, None when none has closed."""

    team: str
    kpi: Kpi


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideShown:
    """A curator's override: who, why, and what was missing then."""

    member: str
    reason: str
    passed_over: tuple[str | Mrkdwn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishBlocked(MessageContext):
    """A playbook that can't be published yet. `number` is the version it would become.

    `may_override` shows the button by which a curator publishes it all the same; `value` is what that carries.
    """

    TEMPLATE: ClassVar[str] = "answers/publish_blocked.json.j2"

    slug: str
    title: str
    number: int
    revision: int
    gaps: tuple[GapLine, ...]
    may_override: bool = False
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookPublished(MessageContext):
    """A version is out. `override` when a curator let it pass; `offers` are what one can do with it."""

    TEMPLATE: ClassVar[str] = "messages/playbook_published.json.j2"

    slug: str
    title: str
    function: str
    number: int
    revision: int
    by: str
    owner: str
    deltas: tuple[TeamDelta, ...] = ()
    changes: tuple[str, ...] = ()
    override: OverrideShown | None = None
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookDiff(MessageContext):
    """What changed between two versions, named as people say them; no change when both say the same."""

    TEMPLATE: ClassVar[str] = "answers/playbook_diff.json.j2"

    slug: str
    title: str
    before: str
    after: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoosePlaybookForm(ViewContext):
    """Which playbook something is to be done with. Input: `playbook`. At least one."""

    TEMPLATE: ClassVar[str] = "modals/choose_playbook.json.j2"

    heading: str
    submit: str
    explanation: str
    playbooks: tuple[Choice, ...]
    playbook: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideForm(ViewContext):
    """Why a version is published although something is missing. Input: `reason`."""

    TEMPLATE: ClassVar[str] = "modals/override.json.j2"

    title: str
    number: int
    missing: tuple[str | Mrkdwn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamMoved(MessageContext):
    """A team is on another version, named as people say them.

    Args:
        deferred: the running cycle, number `cycle`, keeps its version, because the KPI's numbers differ.
        changes: what the new version says otherwise.
        modes: the steps whose declared mode differs.
    """

    TEMPLATE: ClassVar[str] = "messages/team_moved.json.j2"

    slug: str
    title: str
    team: str
    before: str
    after: str
    by: str
    deferred: bool = False
    cycle: int | None = None
    changes: tuple[str, ...] = ()
    modes: tuple[ModeChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveForm(ViewContext):
    """Which team goes to which version. Inputs: `adoption` (the value is the caller's own) and `version`."""

    TEMPLATE: ClassVar[str] = "modals/move.json.j2"

    runs: tuple[Choice, ...]
    selected: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishingTeam:
    """A team whose running cycle still finishes."""

    team: str
    number: int
    closes: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookRetired(MessageContext):
    """A playbook is out of use."""

    TEMPLATE: ClassVar[str] = "messages/playbook_retired.json.j2"

    slug: str
    title: str
    by: str
    reason: str
    finishing: tuple[FinishingTeam, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireForm(ViewContext):
    """What is to be retired, and why. Inputs: `playbook`, `reason`. At least one playbook."""

    TEMPLATE: ClassVar[str] = "modals/retire.json.j2"

    playbooks: tuple[Choice, ...]
    playbook: str | None = None
