"""Playbooks and their versions: shown, imported, published, compared, retired."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import Choice, Kpi, MessageContext, Problem, ViewContext
from templates.ids import Callback


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookStep:
    """A step as written. `cap` is 0–1; `fallback` is the mode after a demotion, None if there is no lower
    one. `why` is why it has that mode, if the playbook says so."""

    key: str
    title: str
    mode: str
    cap: float
    fallback: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionLine:
    """A team that runs the playbook: `version` is `v2` or `draft 5`; `week` is 1–4, None between cycles.

    `starts` is the Monday of the cycle to come; `champion_left`: the champion isn't in the team any more.
    `adapted` are the names of the parts it adapted.
    """

    team: str
    version: str
    week: int | None = None
    starts: date | None = None
    champion: str | None = None
    champion_left: bool = False
    adapted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideShown:
    """A curator's override: who, why, and what was missing then."""

    member: str
    reason: str
    passed_over: tuple[str | Mrkdwn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookShown(MessageContext):
    """One playbook.

    Args:
        version: the revision shown: of the newest published version, else the newest draft.
        number: of the published version shown, None while nothing is published.
        published_on, published_by: when and by whom.
        draft: the revision of a draft newer than what is shown, or None.
        missing: what is left before the newest draft can be published, one line each.
        overrides: every version published before it was ready.
        may_revise: whether the reader can revise it and see its readiness.
        in_production: since when it runs in production; None before the cutover.
        practices: what worked in the pilot and belongs to the package.
        owners: who owns what in production, as (title of the duty, Slack ID); empty until somebody is named.
        pilot: whether it is a draft that no curator approved for its first cycle yet.
    """

    TEMPLATE: ClassVar[str] = "answers/playbooks/playbook_shown.json.j2"

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
    in_production: date | None = None
    practices: tuple[str, ...] = ()
    owners: tuple[tuple[str, str], ...] = ()
    pilot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookLine:
    """One playbook in a list: its newest `version`, `v2` or `draft 5`; `teams` counts its adoptions.

    `owner` is a name.
    """

    slug: str
    title: str
    function: str
    state: str
    version: str
    owner: str
    teams: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookList(MessageContext):
    """All playbooks, or those of one function. `total` counts them, even if `rows` is truncated."""

    TEMPLATE: ClassVar[str] = "answers/playbooks/playbook_list.json.j2"

    rows: tuple[PlaybookLine, ...]
    total: int
    function: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookImported(MessageContext):
    """A file, or with `by_form` a form, became a revision. `changes` says what differs from the one before; none
    means nothing was saved.

    `published` is the number of the newest published version, which a new revision leaves as it is. `pilot`: a
    curator has to approve the draft before its first cycle.
    """

    TEMPLATE: ClassVar[str] = "answers/playbooks/playbook_imported.json.j2"

    slug: str
    title: str
    version: int
    new: bool
    published: int | None = None
    changes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    by_form: bool = False
    pilot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportForm(ViewContext):
    """A playbook's YAML in three inputs or more, `yaml`, `yaml:2`, `yaml:3` …, to be joined by a line break.

    `typed` keeps the input (3,000 characters a part, ten parts at most); `problems` are shown above it.
    """

    TEMPLATE: ClassVar[str] = "modals/playbooks/import.json.j2"

    heading: str = "Import a playbook"
    submit: str = "Import"

    typed: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GapLine:
    """One item missing for publishing, and its button, if there is one."""

    text: str | Mrkdwn
    offer: Offer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamDelta:
    """One team's KPI: the median of its last closed cycle against the baseline, None when none has closed."""

    team: str
    kpi: Kpi


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishBlocked(MessageContext):
    """A playbook that can't be published yet. `number` is the version it would become.

    `may_override` shows the button with which a curator publishes it anyway; `value` is its value.
    """

    TEMPLATE: ClassVar[str] = "answers/playbooks/publish_blocked.json.j2"

    slug: str
    title: str
    number: int
    revision: int
    gaps: tuple[GapLine, ...]
    may_override: bool = False
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookPublished(MessageContext):
    """A version was published. `override` if a curator overrode the gaps; `offers` are next steps."""

    TEMPLATE: ClassVar[str] = "messages/playbooks/playbook_published.json.j2"

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
    """The changes between two versions; empty if they are the same."""

    TEMPLATE: ClassVar[str] = "answers/playbooks/playbook_diff.json.j2"

    slug: str
    title: str
    before: str
    after: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoosePlaybookForm(PlainForm, callback=Callback.CHOOSE_PLAYBOOK):
    """Choose a playbook, of at least one, for an action."""

    heading: str
    submit: str
    explanation: str
    playbooks: tuple[Choice, ...]
    playbook: str | None = ask.choice("Playbook", among="playbooks")

    def modal_title(self) -> str:
        """The action."""
        return self.heading

    def modal_submit(self) -> str:
        """The label of the action."""
        return self.submit

    def intro(self) -> str:
        """An explanation of the action."""
        return self.explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideForm(
    PlainForm, callback=Callback.PUBLISH_ANYWAY, title="Publish anyway", submit="Publish anyway"
):
    """Why a version is published although something is missing. Input: `reason`."""

    TEMPLATE: ClassVar[str] = "modals/playbooks/override.json.j2"

    title: str
    number: int
    missing: tuple[str | Mrkdwn, ...]
    reason: str = ask.lines(
        "Why now?",
        "Every team that runs it and the curators will see this. It stays with the version.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishingTeam:
    """A team whose running cycle still finishes."""

    team: str
    number: int
    closes: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookRetired(MessageContext):
    """A playbook is out of use."""

    TEMPLATE: ClassVar[str] = "messages/playbooks/playbook_retired.json.j2"

    slug: str
    title: str
    by: str
    reason: str
    finishing: tuple[FinishingTeam, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireForm(
    PlainForm,
    callback=Callback.RETIRE,
    title="Retire a playbook",
    submit="Retire",
    intro=(
        "Running cycles finish, and no new ones start. Its history stays. To bring it back, publish a new version."
    ),
):
    """Retire a playbook, with a reason. Inputs: `playbook`, `reason`. At least one playbook."""

    playbooks: tuple[Choice, ...]
    playbook: str | None = ask.choice("Playbook", among="playbooks")
    reason: str = ask.lines("Why?", "The teams that run it and the curators will see this.")
