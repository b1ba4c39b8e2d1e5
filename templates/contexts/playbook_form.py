"""The guided form of a playbook: an overview with a row a part, and a form for each part.

Texts are filled in as they were typed. One that is None is too long for a field: it isn't asked, and stays as it is.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from templates.contexts.base import Choice, ChoiceGroup, Id, ViewContext


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """A part of the playbook in the overview.

    Args:
        value: what its button carries.
        done: nothing is missing for a draft.
        begun: something is filled in.
        text: what is filled in, in a line.
        missing: what a draft still needs, one sentence each.
        later: what it needs before it can be published.
    """

    title: str
    value: str
    done: bool
    begun: bool = False
    text: str = ""
    missing: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """A step in the overview; `value` is what its button carries. `cap` is 0–1, None while it isn't known."""

    title: str
    value: str
    mode: str
    cap: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookHub(ViewContext):
    """A playbook on its way: what it has and what it lacks, with a button a part. It is sent as a whole.

    Args:
        slug: of the playbook that is edited; "" for a new one.
        heading: its title; "" while it has none.
        revision: that the draft began with.
        kept_at: when something was last filled in, in the reader's zone; None before anything was.
        overtaken: who saved a later revision meanwhile.
        add_step: what [Add a step] carries; "" when there are as many as a playbook takes.
        refused: why it wasn't saved just now.
    """

    TEMPLATE: ClassVar[str] = "modals/playbook.json.j2"

    slug: str
    heading: str
    parts: tuple[PartRow, ...]
    steps: tuple[StepRow, ...]
    add_step: str
    steps_missing: tuple[str, ...] = ()
    revision: int | None = None
    kept_at: datetime | None = None
    overtaken: str | None = None
    refused: tuple[str | Mrkdwn, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicsForm(ViewContext):
    """Inputs: `title`, `slug` (unless `fixed`), `function`, `owner`, `runs_per_week`, `pilot`."""

    TEMPLATE: ClassVar[str] = "modals/playbook_basics.json.j2"

    fixed: bool
    slug: str = ""
    title: str = ""
    function: str | None = None
    owner: str | None = None
    runs_per_week: str = ""
    teams: tuple[Choice, ...] = ()
    pilot: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiPartForm(ViewContext):
    """Inputs: `catalogue`, and `name`, `unit`, `direction` when it is a number of their `own`; `baseline`,
    `target`, `window_days`. `unit` and `direction` are those of the number chosen.
    """

    TEMPLATE: ClassVar[str] = "modals/playbook_kpi.json.j2"

    groups: tuple[ChoiceGroup, ...]
    chosen: str | None = None
    own: bool = False
    name: str = ""
    unit: str | None = None
    direction: str | None = None
    baseline: str = ""
    target: str = ""
    window_days: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailFields:
    """One guardrail: the inputs `name:{place}`, `unit:{place}`, `direction:{place}` and `limit:{place}`."""

    place: Id
    name: str = ""
    unit: str | None = None
    direction: str | None = None
    limit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailsForm(ViewContext):
    """Numbers that must not get worse."""

    TEMPLATE: ClassVar[str] = "modals/playbook_guardrails.json.j2"

    rows: tuple[GuardrailFields, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepForm(ViewContext):
    """Inputs: `title`, `key`, `mode`, `fallback` (`default` or a mode), `exception_cap`, `accuracy`, `max_risk`,
    `cycles`, `sample`, `escalate_to`, `automated`; `position` among `places` steps when there are several;
    `remove`, unless it is `new`.
    """

    TEMPLATE: ClassVar[str] = "modals/playbook_step.json.j2"

    new: bool
    places: int = 1
    position: int = 1
    title: str = ""
    key: str = ""
    mode: str | None = None
    fallback: str | None = None
    exception_cap: str = ""
    accuracy: str = ""
    max_risk: str = ""
    cycles: str = ""
    sample: str = ""
    escalate_to: str | None = None
    automated: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageForm(ViewContext):
    """Inputs: `inputs`, `outputs`, `quality`, `criteria` (one item a line), `threshold`, `loop`."""

    TEMPLATE: ClassVar[str] = "modals/playbook_package.json.j2"

    inputs: str | None = ""
    outputs: str | None = ""
    quality: str | None = ""
    criteria: str | None = ""
    threshold: str = ""
    loop: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTeamForm(ViewContext):
    """Inputs: `cycles`, `setup_minutes`; `examples`, `checklist`, `fixed`, `adaptable`, one item a line."""

    TEMPLATE: ClassVar[str] = "modals/playbook_next_team.json.j2"

    cycles: str = ""
    setup_minutes: str = ""
    examples: str | None = ""
    checklist: str | None = ""
    fixed: str | None = ""
    adaptable: str | None = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PillarsForm(ViewContext):
    """Inputs: the five pillars, each by its key."""

    TEMPLATE: ClassVar[str] = "modals/playbook_pillars.json.j2"

    value_event: str = ""
    input_contract: str = ""
    output_trust: str = ""
    operational_owner: str = ""
    replication_template: str = ""
