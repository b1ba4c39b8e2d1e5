"""Playbooks, teams, cycles and settings, as they are shown after being asked for or saved."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from templates.contexts.base import Kpi, MessageContext, StepEvidence
from templates.contexts.publishing import OverrideShown


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookStep:
    """A step as written. `cap` is 0–1; `fallback` is where a demotion lands, None when it can't go lower."""

    key: str
    title: str
    mode: str
    cap: float
    fallback: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionLine:
    """A team that runs the playbook: `version` is `v2` or `draft 5`; `week` is 1–4, None between cycles.

    `starts` is the Monday of the cycle to come; `champion_left`: the champion isn't in the team any more.
    """

    team: str
    version: str
    week: int | None = None
    starts: date | None = None
    champion: str | None = None
    champion_left: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookShown(MessageContext):
    """One playbook.

    Args:
        version: the revision shown: of the newest published version, else the newest draft.
        number: of the published version shown, None while nothing is published.
        published_on, published_by: when and by whom.
        draft: the revision of a draft newer than what is shown, None when there is none.
        missing: what publishing the newest draft still needs, one line each.
        overrides: every time a version went out before it was ready.
        may_revise: whether the reader may revise it and look at publishing.
    """

    TEMPLATE: ClassVar[str] = "answers/playbook_shown.json.j2"

    slug: str
    title: str
    function: str
    state: str
    version: int
    owner: str
    kpi: Kpi
    steps: tuple[PlaybookStep, ...]
    lessons: tuple[str, ...] = ()
    loop: str = ""
    missing: tuple[str | Mrkdwn, ...] = ()
    adoptions: tuple[AdoptionLine, ...] = ()
    number: int | None = None
    published_on: date | None = None
    published_by: str | None = None
    draft: int | None = None
    overrides: tuple[OverrideShown, ...] = ()
    may_revise: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookLine:
    """One playbook in a list: its newest `version`, `v2` or `draft 5`; `teams` counts its adoptions."""

    slug: str
    title: str
    function: str
    state: str
    version: str
    owner: str
    teams: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookList(MessageContext):
    """All playbooks, or those of one function. `total` counts them, should `rows` be cut."""

    TEMPLATE: ClassVar[str] = "answers/playbook_list.json.j2"

    rows: tuple[PlaybookLine, ...]
    total: int
    function: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookImported(MessageContext):
    """A file, or with `by_form` a form, became a revision. `changes` says what differs from the one before; none
    means nothing was saved.

    `published` is the number of the newest published version, which a new revision leaves as it is.
    """

    TEMPLATE: ClassVar[str] = "answers/playbook_imported.json.j2"

    slug: str
    title: str
    version: int
    new: bool
    published: int | None = None
    changes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    by_form: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamShown(MessageContext):
    """One team and who is in it. `created` when it has just been made, `changed` when just edited."""

    TEMPLATE: ClassVar[str] = "answers/team_shown.json.j2"

    slug: str
    title: str
    function: str
    timezone: str
    members: tuple[str, ...]
    region: str = ""
    country: str = ""
    channel: str | None = None
    reporter: str | None = None
    playbooks: tuple[str, ...] = ()
    created: bool = False
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A public holiday and its name."""

    on: date
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamHolidays(MessageContext):
    """The public holidays that suspend a team's nudges, the next ones first.

    Args:
        country: whose they are; "" when none is named.
        own: the team names it itself, not the workspace.
        changed: it has just been changed.
    """

    TEMPLATE: ClassVar[str] = "answers/team_holidays.json.j2"

    slug: str
    team: str
    country: str
    own: bool
    days: tuple[Holiday, ...]
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLine:
    """One week's gate; `met` is None while it isn't due."""

    week: int
    text: str
    met: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleShown(MessageContext):
    """A running or closed cycle. `readings` one a week in order; `result` is None while it runs."""

    TEMPLATE: ClassVar[str] = "answers/cycle_shown.json.j2"

    slug: str
    playbook: str
    team: str
    number: int
    week: int | None
    starts: date
    closes: date
    kpi: Kpi
    readings: tuple[float | None, ...]
    steps: tuple[StepEvidence, ...]
    gates: tuple[GateLine, ...] = ()
    champion: str | None = None
    champion_left: bool = False
    result: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleStarted(MessageContext):
    """A cycle is set up, or goes on (`resumed`); `first_checkin` is the day the members are first asked."""

    TEMPLATE: ClassVar[str] = "answers/cycle_started.json.j2"

    slug: str
    playbook: str
    team: str
    number: int
    starts: date
    closes: date
    first_checkin: date
    kpi: Kpi
    members: int
    champion: str | None = None
    resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsSaved(MessageContext):
    """The workspace's settings as they are now; `saved` is False when they are only shown.

    `hours` are the lines of the nudges whose hour isn't the usual one.
    """

    TEMPLATE: ClassVar[str] = "answers/settings_saved.json.j2"

    curators: tuple[str, ...]
    timezone: str
    rule: str
    curator_channel: str | None = None
    country: str = ""
    min_runs: int = 20
    working_days: tuple[str, ...] = ()
    hours: str = ""
    guests: bool = False
    saved: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionSaved(MessageContext):
    """The settings of one team's run as they are now; `hours` are those of its own."""

    TEMPLATE: ClassVar[str] = "answers/adoption_saved.json.j2"

    playbook: str
    team: str
    rule: str
    own_rule: bool
    changed: bool
    champion: str | None = None
    hours: str = ""
