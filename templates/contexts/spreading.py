"""From one team to the next: adopting, setting up, lessons, and what a curator let pass."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from templates.contexts.base import Choice, Id, MessageContext, ViewContext


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptForm(ViewContext):
    """A playbook for another team. Inputs: `playbook`, `team`, `champion`. At least one playbook and one team."""

    TEMPLATE: ClassVar[str] = "modals/adopt.json.j2"

    playbooks: tuple[Choice, ...]
    teams: tuple[Choice, ...]
    playbook: str | None = None
    team: str | None = None
    champion: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnForm(ViewContext):
    """A lesson. Inputs: `playbook`, `note`. At least one playbook."""

    TEMPLATE: ClassVar[str] = "modals/learn.json.j2"

    playbooks: tuple[Choice, ...]
    playbook: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem:
    """One item of the checklist; `value` is what its button carries. Who ticked it, and when."""

    text: str
    value: str
    ticked_by: str | None = None
    ticked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupPost(MessageContext):
    """A team's setup, in its channel: to be started, under way, or done.

    Args:
        state: `waiting`, `running`, `done`, or `retired` before it was done.
        version: `v2`, or `draft 5`.
        planned: minutes within which another team can start, as the playbook says.
        minutes: it took, or has taken so far; None before it started.
        by_first_run: it ended with the first attested run, not because somebody said so.
        items: the checklist.
        fixed: what the team may not change; `adaptable` what it may.
        lessons: of earlier teams, newest first.
        cycle_starts: the first day of the first cycle; None while there is none.
        champion_left: the champion isn't in the team any more.
        owner: Slack ID, who names another and starts the first cycle.
    """

    TEMPLATE: ClassVar[str] = "messages/setup.json.j2"

    adoption_id: Id
    slug: str
    team_slug: str
    playbook: str
    team: str
    state: str
    version: str
    planned: int
    items: tuple[ChecklistItem, ...]
    champion: str | None = None
    minutes: int | None = None
    started_by: str | None = None
    started_at: datetime | None = None
    by_first_run: bool = False
    fixed: tuple[str, ...] = ()
    adaptable: tuple[str, ...] = ()
    lessons: tuple[str, ...] = ()
    cycle_starts: date | None = None
    champion_left: bool = False
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityForm(ViewContext):
    """A curator lets a team run one cycle more than it should. Input: `reason`.

    Args:
        running: titles of the playbooks whose cycles the team has running, `most` being the most.
    """

    TEMPLATE: ClassVar[str] = "modals/capacity.json.j2"

    playbook: str
    team: str
    running: tuple[str, ...]
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityOverridden(MessageContext):
    """A curator let a team run one cycle more, and why."""

    TEMPLATE: ClassVar[str] = "messages/capacity_overridden.json.j2"

    playbook: str
    team: str
    running: tuple[str, ...]
    most: int
    curator: str
    reason: str
