"""The Home tab: what waits for its reader, their playbooks, and where to begin."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from templates.contexts.base import Evidence, Id, Kpi, MessageContext, ViewContext
from templates.contexts.checkins import SNOOZES, Answer, CheckinRow


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeNumber:
    """A KPI number that the reader is to report. The button carries `{adoption_id}:{week_start}`."""

    adoption_id: Id
    week_start: str
    playbook: str
    team: str
    week: int | None
    kpi: Kpi


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeNeed:
    """Something that waits for the reader's decision, with the buttons that settle it."""

    text: Mrkdwn
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeStep:
    """A step of a playbook: its evidence, None before a first cycle; its last verdict, `decision`, if any."""

    key: str
    title: str
    mode: str
    evidence: Evidence | None = None
    decision: str | None = None
    judged_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePlaybook:
    """One team's run of a playbook.

    Args:
        week: 1–4; None between cycles.
        closed: the number of the cycle that is closed, with its `result`; None while one runs.
        starts: the Monday of the cycle to come.
        readings: the KPI's of the cycle, by week; None where there is none. Empty without a cycle.
        own: the reader's answer of the week, which `week_start` names for [Change].
        standing: further sentences, such as how setup stands.
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
    steps: tuple[HomeStep, ...]
    week_start: str
    gate: str | None = None
    gate_met: bool = False
    closed: int | None = None
    result: str | None = None
    paused: bool = False
    starts: date | None = None
    own: Answer | None = None
    standing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeRegistry:
    """The registry in a line: published playbooks, those on their way, teams that run one."""

    published: int
    drafts: int
    adoptions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeItem:
    """One entry of the Home: `kind` (`checkin`, `number`, `need`, `playbook`, `registry`) says what it holds.

    `alone`: it is the only open check-in, so the menu that snoozes stands beside it.
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
        waiting: how many things wait for them, on all pages.
        items: of this page.
        welcome: whether to say what this is, until they have done something.
        several_open: the Monday of the week with several open check-ins, "" with one or none.
        next_checkin: when theirs comes, in their zone; None when none is planned.
        snoozes: what the menu beside an open check-in offers.
        quiet: what is quiet and until when: days away, a snooze, muted reminders; with what ends it.
        begin: sentences that say how to begin, and the buttons for it.
    """

    TEMPLATE: ClassVar[str] = "home/home.json.j2"

    waiting: int
    items: tuple[HomeItem, ...]
    welcome: bool = False
    several_open: str = ""
    next_checkin: datetime | None = None
    begin: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()
    snoozes: tuple[str, ...] = SNOOZES
    quiet: tuple[HomeNeed, ...] = ()
    page: int = 1
    pages: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WelcomedPlaybook:
    """A playbook that the team of a channel runs."""

    title: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome(MessageContext):
    """To a channel the bot was invited to: what it is, what comes, what to press first.

    `team` is the channel's; None when it has none yet. `channel` goes on the button that makes it one.
    """

    TEMPLATE: ClassVar[str] = "messages/welcome.json.j2"

    channel: str
    team: str | None = None
    runs: tuple[WelcomedPlaybook, ...] = ()
