"""Modals. An input's block id and action id are the same `Field` word; one of several adds `:{id}`."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from templates.contexts.base import (
    Choice,
    ChoiceGroup,
    Evidence,
    GuardrailAsked,
    Id,
    Kpi,
    Problem,
    StepMode,
    ViewContext,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftStep:
    """A step in the form: the mode declared, and the one chosen before, None for as declared."""

    step: StepMode
    chosen: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinForm(ViewContext):
    """One check-in. Inputs: `runs`, `value` (reporter), `inputs`, `note`, and `mode:{step_key}` when drifted.

    A mode select gives `as-declared` or a mode.

    Args:
        kind: `as-declared`, `drifted` or `not-run`.
        runs: filled in: the typical number, or what was answered before.
        usual: `runs` comes from the person's own answers, not from the playbook's expectation.
        value: the KPI number as typed before.
        inputs_complete: runs with complete inputs, as answered before.
        steps: needed when drifted.
        guardrails: asked of the reporter too, in `guardrail:{key}`.
        change: how it went isn't known, or is being changed: `attestation` is asked as well, and the steps' modes.
        answered: it was answered before.
    """

    TEMPLATE: ClassVar[str] = "modals/checkin.json.j2"

    kind: str
    playbook: str
    team: str
    week: int | None
    kpi: Kpi
    reporter: bool
    runs: int | None = None
    usual: bool = True
    value: str = ""
    inputs_complete: int | None = None
    note: str = ""
    steps: tuple[DriftStep, ...] = ()
    change: bool = False
    answered: bool = True
    guardrails: tuple[GuardrailAsked, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinAllRow:
    """One adoption in the form for several: `runs:{adoption_id}` and, for a reporter, `value:{adoption_id}` and
    `guardrail:{key}:{adoption_id}`.
    """

    adoption_id: Id
    playbook: str
    team: str
    kpi: Kpi
    reporter: bool
    runs: int | None = None
    usual: bool = True
    guardrails: tuple[GuardrailAsked, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinAllForm(ViewContext):
    """Several check-ins, all run as declared. Only the rows that fit are asked: read back what the form holds."""

    TEMPLATE: ClassVar[str] = "modals/checkin_all.json.j2"

    rows: tuple[CheckinAllRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiForm(ViewContext):
    """A KPI number. Inputs: `adoption` (when there are several), `value`, `week` (when asked), `note`.

    Args:
        kpi: of the adoption it is about; None while the person has still to choose one.
        adoptions: to choose from; empty when it is settled.
        selected: the value of the adoption chosen beforehand.
        weeks: to choose from; empty when it isn't asked.
        week: the value of the week chosen beforehand.
        week_start: the Monday of the week it is about, when that is settled.
        guardrails: of the adoption, in `guardrail:{key}`; none while one has still to be chosen.
    """

    TEMPLATE: ClassVar[str] = "modals/kpi.json.j2"

    playbook: str = ""
    team: str = ""
    kpi: Kpi | None = None
    adoptions: tuple[Choice, ...] = ()
    selected: str | None = None
    weeks: tuple[Choice, ...] = ()
    week: str | None = None
    week_start: date | None = None
    value: str = ""
    note: str = ""
    guardrails: tuple[GuardrailAsked, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidaysForm(ViewContext):
    """The public holidays of a team. Inputs: `team` (a slug; at least one), `country`; left empty, they are shown."""

    TEMPLATE: ClassVar[str] = "modals/holidays.json.j2"

    teams: tuple[Choice, ...]
    team: str | None = None
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionForm(ViewContext):
    """An exception. Inputs: `step`, `critical` (a checkbox of value `critical`), `reason`, `link`.

    At least one group; the value of a step is the caller's own, such as `{adoption_id}:{step_key}`.
    `notice` is what it will do, or that it was just logged, while that waits to be confirmed.
    """

    TEMPLATE: ClassVar[str] = "modals/exception.json.j2"

    groups: tuple[ChoiceGroup, ...]
    selected: str | None = None
    critical: bool = False
    reason: str = ""
    link: str = ""
    notice: Mrkdwn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseCheckinForm(ViewContext):
    """Which check-in is meant. Input: `checkin`, `{adoption_id}:{week_start}` or `all:{week_start}`."""

    TEMPLATE: ClassVar[str] = "modals/choose_checkin.json.j2"
    ALL: ClassVar[str] = "all"

    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportForm(ViewContext):
    """What to export. Input: `playbook`, a slug or `*` for all there are to choose. At least one playbook."""

    TEMPLATE: ClassVar[str] = "modals/export.json.j2"
    ALL: ClassVar[str] = "*"

    playbooks: tuple[Choice, ...]
    curator: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportForm(ViewContext):
    """A playbook's YAML in three inputs or more, `yaml`, `yaml:2`, `yaml:3` …, to be joined by a line break.

    `typed` keeps what was written (3,000 characters a part, ten parts at most); `problems` are shown above it.
    """

    TEMPLATE: ClassVar[str] = "modals/import.json.j2"

    heading: str = "Import a playbook"
    submit: str = "Import"

    typed: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleStartForm(ViewContext):
    """A cycle. Inputs: `playbook`, `team`, `date`, `champion`. At least one playbook and one team."""

    TEMPLATE: ClassVar[str] = "modals/cycle_start.json.j2"

    playbooks: tuple[Choice, ...]
    teams: tuple[Choice, ...]
    starts: date
    playbook: str | None = None
    team: str | None = None
    champion: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamForm(ViewContext):
    """A team. Inputs: `title`, `slug` (only when `new`), `function`, `region`, `channel`, `timezone`, `country`,
    `members`, `reporter`.
    """

    TEMPLATE: ClassVar[str] = "modals/team.json.j2"

    new: bool
    slug: str = ""
    title: str = ""
    function: str | None = None
    region: str = ""
    channel: str | None = None
    timezone: str = ""
    country: str = ""
    members: tuple[str, ...] = ()
    reporter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsForm(ViewContext):
    """The workspace. Inputs: `curators`, `curator_channel`, `timezone`, `country`, `rule`, `min_runs`,
    `working_days` (`mon` …), `hours` (a line a nudge), `guests` (a checkbox).
    """

    TEMPLATE: ClassVar[str] = "modals/settings.json.j2"

    timezone: str
    rule: str
    curators: tuple[str, ...] = ()
    curator_channel: str | None = None
    country: str = ""
    min_runs: int = 20
    working_days: tuple[str, ...] = ()
    hours: str = ""
    guests: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionSettingsForm(ViewContext):
    """One team's run of a playbook. Inputs: `champion`, `rule` (when `may_set_rule`), `hours` (a line a nudge).

    Args:
        state: `active` or `paused`.
        rule: of its own; None for the playbook's or the workspace's, which is `inherited`.
        team_slug: what [Change the team] carries, where the reporter is named.
        starts: the Monday of the cycle to come.
        no_cycle: it never had one.
    """

    TEMPLATE: ClassVar[str] = "modals/adoption_settings.json.j2"

    playbook: str
    team: str
    team_slug: str
    state: str
    week: int | None
    inherited: str
    starts: date | None = None
    no_cycle: bool = False
    rule: str | None = None
    may_set_rule: bool = False
    champion: str | None = None
    reporter: str | None = None
    hours: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchAnswerForm(ViewContext):
    """What the owner will change about a step over its cap. Input: `note`."""

    TEMPLATE: ClassVar[str] = "modals/watch_answer.json.j2"

    playbook: str
    team: str
    step: str
    evidence: Evidence
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwayForm(ViewContext):
    """Days away, both included. Inputs: `date` (from), `until` and, for others than oneself, `members`."""

    TEMPLATE: ClassVar[str] = "modals/away.json.j2"

    since: date
    until: date
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyForm(ViewContext):
    """Which step the verdicts are wanted of. Input: `step`. At least one group."""

    TEMPLATE: ClassVar[str] = "modals/why.json.j2"

    groups: tuple[ChoiceGroup, ...]
    selected: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoView(ViewContext):
    """Something to read: a title and paragraphs. `loading()` is what is opened while the real one is made."""

    TEMPLATE: ClassVar[str] = "modals/info.json.j2"

    title: str
    paragraphs: tuple[str | Mrkdwn, ...]

    @classmethod
    def loading(cls, title: str) -> "InfoView":
        """A view to open at once (a trigger lives three seconds), to be replaced with `views.update`."""
        return cls(title=title, paragraphs=("One moment…",))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedException:
    """One exception as it was logged; who logged it isn't shown."""

    logged_at: datetime
    reason: str
    critical: bool = False
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionList(ViewContext):
    """The exceptions that count against a step, newest first; `evidence.exceptions` counts them all.

    `earlier` are those of the cycle that counted before the count started again, such as with a demotion.
    """

    TEMPLATE: ClassVar[str] = "modals/exceptions.json.j2"

    playbook: str
    team: str
    step: str
    evidence: Evidence
    items: tuple[LoggedException, ...]
    earlier: tuple[LoggedException, ...] = ()
