"""The checklist of a team that adopts a playbook."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import Choice, Id, MessageContext
from templates.ids import Callback


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem:
    """One item of the checklist; `value` is its button's value. Who ticked it, and when."""

    text: str
    value: str
    ticked_by: str | None = None
    ticked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupPost(MessageContext):
    """A team's setup, in its channel: not started, under way, or done.

    Args:
        state: `waiting`, `running`, `done`, or `retired` before it was done.
        version: `v2`, or `draft 5`.
        planned: minutes within which another team can start, as the playbook says.
        minutes: it took, or has taken so far; None before it started.
        by_first_run: it ended with the first attested run, not by hand.
        items: the checklist.
        fixed: what the team can't change; `adaptable` what it can; `adapted` what it did, `tone guide: formal`.
        lessons: of earlier teams, newest first; `lessons_read` by the champion.
        cycle_starts: the first day of the first cycle; None before it is set.
        champion_left: the champion isn't in the team any more.
        owner: Slack ID, who names another and starts the first cycle.
        then: what the team waits for once it is set up.
    """

    TEMPLATE: ClassVar[str] = "messages/setup/setup.json.j2"

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
    adapted: tuple[str, ...] = ()
    lessons: tuple[str, ...] = ()
    lessons_read: bool = False
    cycle_starts: date | None = None
    champion_left: bool = False
    owner: str | None = None
    then: str | Mrkdwn = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistForm(PlainForm, callback=Callback.CHECKLIST, title="Finish setup", submit="Save"):
    """The open items of a checklist, at least one; their values are their numbers.

    `open_items` are ten at most; `left` counts those that don't fit.
    """

    TEMPLATE: ClassVar[str] = "modals/setup/checklist.json.j2"

    playbook: str
    team: str
    open_items: tuple[Choice, ...]
    left: int = 0
    items: tuple[str, ...] = ask.checks(
        "What's done?",
        "Setup is done once every item is checked off.",
        among="open_items",
        needed="Check off at least one item.",
    )
