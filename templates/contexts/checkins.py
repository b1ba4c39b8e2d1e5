"""The weekly check-in, its forms, and everything that asks for what is missing."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Final

from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import (
    MODES,
    Choice,
    GuardrailAsked,
    Id,
    Kpi,
    MessageContext,
    StepMode,
    ViewContext,
)
from templates.contexts.numbers import Guardrail
from templates.ids import Callback, Field

SNOOZES: Final = ("hour", "tomorrow", "friday", "away", "mute")
"""The choices of the menu on an open check-in; `unmute` replaces `mute` once reminders are off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A step that was run in another mode than declared."""

    step: str
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A member's answer: `as-declared`, `drifted` or `not-run`.

    `kpi` is the reading the member gave, for the reporter the week's current one, in the KPI's unit; `kpi_from` is
    who gave it, if that's another person. `guardrails` are those whose number for the week the member gave, for the
    reporter all that have one. `inputs_complete` counts runs with complete
    inputs.
    `counted` are the member's runs that tools counted so far, if they contradict the answer. `value_events` are
    the runs that counted, as the member said; None if they weren't asked or didn't say.
    """

    attestation: str
    answered_at: datetime
    runs: int | None = None
    kpi: float | None = None
    kpi_from: str | None = None
    inputs_complete: int | None = None
    drifts: tuple[Drift, ...] = ()
    note: str = ""
    counted: int | None = None
    value_events: int | None = None
    guardrails: tuple[Guardrail, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinRow:
    """One adoption's check-in for one week.

    Args:
        adoption_id: in the buttons' values, with `week_start`, as `{adoption_id}:{week_start}`.
        week_start: the team's Monday, ISO (`2026-12-14`).
        slug: the playbook's.
        playbook: its title.
        team: its title.
        week: 1–4, or None between cycles.
        steps: in order.
        exceptions: logged by the team this week.
        kpi: its state this week.
        reporter: whether this person reports the KPI.
        answer: None while it is open.
        late_until: the last day on which `/attest week=N` still accepts it after its week; None if it
            doesn't.
        home_until: the last day on which Home still shows it then; None if it doesn't.
        watched: the week is one of a watch period, whose weeks aren't numbered for people.
        resumes: Slack ID of the owner, who can resume the team, while it is paused and the row isn't answered.
    """

    adoption_id: Id
    week_start: str
    slug: str
    playbook: str
    team: str
    week: int | None
    steps: tuple[StepMode, ...]
    exceptions: int
    kpi: Kpi
    reporter: bool
    answer: Answer | None = None
    late_until: date | None = None
    home_until: date | None = None
    watched: bool = False
    resumes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinMessage(MessageContext):
    """The DM of a member: one row each, open or answered. At least one row.

    Args:
        last_week: it asks again about last week.
        snoozed_until: when it returns, in local time.
        closed: its week is over: open rows can't be answered here any more.
    """

    TEMPLATE: ClassVar[str] = "messages/checkins/checkin.json.j2"

    rows: tuple[CheckinRow, ...]
    last_week: bool = False
    snoozes: tuple[str, ...] = SNOOZES
    snoozed_until: datetime | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinMoved(MessageContext):
    """An older copy of a check-in, replaced by a newer message, at `permalink` if Slack gave one.

    Args:
        playbook: its title; None if there are several, or none is asked for any more.
        answered: every check-in of the week is answered.
        gone: this person isn't asked any more.
    """

    TEMPLATE: ClassVar[str] = "messages/checkins/checkin_moved.json.j2"

    playbook: str | None = None
    week: int | None = None
    answered: bool = False
    gone: bool = False
    permalink: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinReminder(MessageContext):
    """The only reminder. It replaces the earlier check-in."""

    TEMPLATE: ClassVar[str] = "messages/checkins/checkin_reminder.json.j2"

    rows: tuple[CheckinRow, ...]
    snoozes: tuple[str, ...] = SNOOZES


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiMissing(MessageContext):
    """To the KPI reporter: this week's number is missing. The button carries `{adoption_id}:{week_start}`.

    `reported` is the number once it was reported: then the message states it and asks nothing. Nor does it
    once `closed`.
    """

    TEMPLATE: ClassVar[str] = "messages/checkins/kpi_missing.json.j2"

    adoption_id: Id
    week_start: str
    slug: str
    playbook: str
    team: str
    week: int | None
    kpi: Kpi
    reported: float | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoIsMissing(MessageContext):
    """To the owner, never in public: missing check-ins by member. Buttons carry `{adoption_id}:{week_start}`.

    Args:
        expected: active members asked that week.
        missing: Slack IDs of others, in any order; with the reader's `own` the count of them is "n of expected".
        own: the reader's own check-in is missing.
        closed: that week can't be answered any more.
        nudged_at: when the owner had them nudged once more; the button is then removed.
        away: members who weren't asked because they were away that week.
        estimated: the usual runs of some of them count; false if tools counted theirs.
        paused: the team is paused, so nobody is nudged.
    """

    TEMPLATE: ClassVar[str] = "messages/checkins/who_is_missing.json.j2"

    adoption_id: Id
    week_start: str
    playbook: str
    team: str
    week: int | None
    expected: int
    missing: tuple[str, ...]
    own: bool = False
    closed: bool = False
    nudged_at: datetime | None = None
    away: tuple[str, ...] = ()
    estimated: bool = True
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsSideBySide:
    """A member's runs of a week, as reported and as tools counted them; `name` is empty for the whole team."""

    name: str
    reported: int
    measured: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsDiffer(MessageContext):
    """To the owner: check-ins of a week that contradict what tools counted. At least one row."""

    TEMPLATE: ClassVar[str] = "messages/checkins/runs_differ.json.j2"

    slug: str
    playbook: str
    team: str
    week: int | None
    week_start: date
    rows: tuple[RunsSideBySide, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestedRow:
    """One answered check-in. `previous` is the answer it replaces."""

    playbook: str
    team: str
    week: int | None
    kpi: Kpi
    answer: Answer
    previous: Answer | None = None
    watched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested(MessageContext):
    """The check-ins just answered, in one message."""

    TEMPLATE: ClassVar[str] = "answers/checkins/attested.json.j2"

    rows: tuple[AttestedRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SnoozeChoice:
    """A snooze choice: `hour`, `tomorrow` or `friday`, and its local time."""

    until: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SnoozeAsked(MessageContext):
    """When to ask again; the buttons carry `{until}:{week_start}`.

    Args:
        choices: each with a different time.
        due: when the check-in comes on schedule; None once it was sent.
    """

    TEMPLATE: ClassVar[str] = "answers/checkins/snooze_asked.json.j2"

    week_start: str
    choices: tuple[SnoozeChoice, ...]
    due: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snoozed(MessageContext):
    """The check-in is snoozed `until` then; `last_week`'s doesn't affect this week's. `came`: it was sent
    before."""

    TEMPLATE: ClassVar[str] = "answers/checkins/snoozed.json.j2"

    until: datetime
    last_week: bool = False
    came: bool = True


_IN_SHORT: Final = {
    "human-led": "a person does it, AI can help",
    "collaborative": "AI prepares it, a person checks",
    "ai-led": "AI does it, people handle exceptions",
}
"""The modes in a few words, to follow their names in a menu."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftStep:
    """A step in the form: whether it ran differently, and the mode it ran in, if chosen."""

    step: StepMode
    chosen: str | None = None
    changed: bool = False

    @property
    def others(self) -> tuple[Choice, ...]:
        """The modes it wasn't planned in, each with its meaning."""
        return tuple(
            Choice(label=f"{one.label}: {_IN_SHORT[one.value]}", value=one.value)
            for one in MODES
            if one.value != self.step.mode
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinForm(ViewContext):
    """One check-in. Inputs: `attestation`, `runs`, `value` (reporter), and when drifted `changed`, with a
    `mode:{step_key}` for each step in it. With `details` also `inputs` and `note`.

    Args:
        kind: `as-declared`, `drifted` or `not-run`.
        runs: the initial value, and
        runs_are: what it is: `answered` before, the person's `usual` number, or `expected` by the playbook.
        value: the KPI number as typed before.
        doubt: that number, if it is so far from the baseline that it has to be confirmed.
        inputs_complete: runs with complete inputs, as answered before.
        steps: needed when drifted.
        details: the seldom used inputs are shown too.
        guardrails: asked of the reporter too, in `guardrail:{key}`.
        answered: it was answered before.
        event: the value event that `counted` asks for, with `details`; empty if the playbook names no worth.
        counted: runs that counted, as answered before.
    """

    TEMPLATE: ClassVar[str] = "modals/checkins/checkin.json.j2"

    kind: str
    playbook: str
    team: str
    week: int | None
    kpi: Kpi
    reporter: bool
    runs: int | None = None
    runs_are: str = "usual"
    value: str = ""
    doubt: float | None = None
    inputs_complete: int | None = None
    note: str = ""
    steps: tuple[DriftStep, ...] = ()
    details: bool = False
    answered: bool = False
    guardrails: tuple[GuardrailAsked, ...] = ()
    event: str = ""
    counted: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinAllRow:
    """One adoption in the form for several: `runs:{adoption_id}` and, for a reporter, `value:{adoption_id}` and
    `guardrail:{key}:{adoption_id}`. `value` and `doubt` are as in `CheckinForm`.
    """

    adoption_id: Id
    playbook: str
    team: str
    kpi: Kpi
    reporter: bool
    runs: int | None = None
    usual: bool = True
    value: str = ""
    doubt: float | None = None
    guardrails: tuple[GuardrailAsked, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinAllForm(ViewContext):
    """Several check-ins, all run as planned. Only the rows that fit are shown: read back what the form
    holds."""

    TEMPLATE: ClassVar[str] = "modals/checkins/checkin_all.json.j2"

    rows: tuple[CheckinAllRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseCheckinForm(PlainForm, callback=Callback.CHOOSE_CHECKIN, title="Check in", submit="Next"):
    """Which check-in is meant: `{adoption_id}:{week_start}`, or `all:{week_start}`."""

    ALL: ClassVar[str] = "all"

    choices: tuple[Choice, ...]
    selected: str | None = ask.choice(
        "Which check-in?",
        among="choices",
        first=True,
        name=Field.CHECKIN,
        needed="Choose a check-in.",
        cut="Showing the first 100. For any other, type `/attest` with the playbook's name.",
    )
