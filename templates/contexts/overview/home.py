"""The Home tab: pending items, the reader's playbooks, and first steps."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from templates.contexts.base import Id, Kpi, ViewContext
from templates.contexts.checkins import SNOOZES, Answer, CheckinRow
from templates.contexts.overview.statuses import GateNow, StepNow


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeNumber:
    """A KPI number that the reader reports. The button carries `{adoption_id}:{week_start}`."""

    adoption_id: Id
    week_start: str
    playbook: str
    team: str
    week: int | None
    kpi: Kpi
    watched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeNeed:
    """An item that needs the reader: what to do, with its mark (`🔴 Update the rubric`), about what, and the
    buttons."""

    title: str
    text: Mrkdwn
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePlaybook:
    """One adoption.

    Args:
        week: 1–4; None between cycles.
        closed: the number of the closed cycle, with its `result`; None while one runs.
        starts: the Monday of the cycle to come.
        readings: the KPI's of the cycle, by week; None for a week without one. Empty without a cycle.
        own: the reader's answer of the week.
        standing: further sentences, such as the progress of the setup.
        menu: what is seldom needed, at most five.
        month: the number of the watch period since the last cycle; None if it isn't watched.
        owner: Slack ID of the person who can resume it, beside curators, while it is `paused`.
    """

    adoption_id: Id
    slug: str
    playbook: str
    team: str
    week: int | None
    kpi: Kpi
    readings: tuple[float | None, ...]
    answered: int
    expected: int
    steps: tuple[StepNow, ...]
    gate: GateNow | None = None
    closed: int | None = None
    result: str | None = None
    paused: bool = False
    starts: date | None = None
    own: Answer | None = None
    standing: tuple[str, ...] = ()
    menu: tuple[Offer, ...] = ()
    month: int | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeRegistry:
    """The registry in a line: playbooks that are published, that are piloting, and drafts; teams that run one."""

    published: int
    piloting: int = 0
    drafts: int
    adoptions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeItem:
    """One entry of the Home; its `kind` is `checkin`, `number`, `need`, `playbook`, `owner`,
    `curator` or `registry`.

    A `need` of the kind `owner` waits for somebody else, and the reader can do it as well; one of the kind `curator`
    waits for a curator's decision.

    `alone`: it is the only open check-in, so the snooze menu is next to it.
    """

    kind: str
    checkin: CheckinRow | None = None
    alone: bool = False
    number: HomeNumber | None = None
    need: HomeNeed | None = None
    playbook: HomePlaybook | None = None
    registry: HomeRegistry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Home(ViewContext):
    """One page of a person's Home.

    Args:
        waiting: how many items need them, on all pages.
        items: of this page.
        welcome: whether to show the introduction, until they have done something.
        curates: whether the introduction is for a curator who is in no team.
        several_open: the Monday of the week with several open check-ins, "" with one or none.
        next_checkin: when theirs comes, in their zone; None if none is planned.
        quiet: days away, a snooze, muted reminders; until when, and the button that ends it.
        snoozes: the choices of the menu on open check-ins.
        begin: first steps as sentences, with their buttons.
    """

    TEMPLATE: ClassVar[str] = "home/home.json.j2"

    waiting: int
    items: tuple[HomeItem, ...]
    welcome: bool = False
    curates: bool = False
    several_open: str = ""
    next_checkin: datetime | None = None
    begin: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()
    snoozes: tuple[str, ...] = SNOOZES
    quiet: tuple[HomeNeed, ...] = ()
    page: int = 1
    pages: int = 1
