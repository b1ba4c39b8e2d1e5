"""The weekly check-in and everything that asks for what is missing."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Final

from templates.contexts.base import Id, Kpi, MessageContext, StepMode

SNOOZES: Final = ("hour", "tomorrow", "friday", "away", "mute")
"""What the menu beside an open check-in can offer; `unmute` takes the place of `mute` once reminders are off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A step that was run in another mode than declared."""

    step: str
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a member answered: `as-declared`, `drifted` or `not-run`.

    `kpi` is the reading given with it, in the KPI's unit; `inputs_complete` counts runs with complete inputs.
    """

    attestation: str
    answered_at: datetime
    runs: int | None = None
    kpi: float | None = None
    inputs_complete: int | None = None
    drifts: tuple[Drift, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinRow:
    """One adoption's check-in for one week.

    Args:
        adoption_id: goes on the buttons, with `week_start`, as `{adoption_id}:{week_start}`.
        week_start: the team's Monday, ISO (`2026-12-14`).
        playbook: its title.
        team: its title.
        week: 1–4, or None between cycles.
        steps: in order.
        exceptions: logged by the team this week.
        kpi: where it stands this week.
        reporter: whether this person gives the KPI number.
        answer: None while it is open.
        late_until: the last day on which `/attest week=N` still takes it once its week is over; None when it doesn't.
        home_until: the last day on which Home asks for it then; None when it doesn't.
    """

    adoption_id: Id
    week_start: str
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinMessage(MessageContext):
    """The DM of a member: one row each, open or answered. At least one row.

    Args:
        last_week: it asks once more for a week that is over.
        snoozed_until: when it comes back, in local time.
        closed: its week is over: what wasn't answered can't be answered here any more.
    """

    TEMPLATE: ClassVar[str] = "messages/checkin.json.j2"

    rows: tuple[CheckinRow, ...]
    last_week: bool = False
    snoozes: tuple[str, ...] = SNOOZES
    snoozed_until: datetime | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinMoved(MessageContext):
    """An older copy of a check-in: a newer message, at `permalink` if Slack gave one, has taken its place.

    Args:
        playbook: its title; None when there are several, or none is asked any more.
        answered: every check-in of the week is.
        gone: nothing is asked of this person any more.
    """

    TEMPLATE: ClassVar[str] = "messages/checkin_moved.json.j2"

    playbook: str | None = None
    week: int | None = None
    answered: bool = False
    gone: bool = False
    permalink: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinReminder(MessageContext):
    """The one reminder. It takes the place of the check-in that came before."""

    TEMPLATE: ClassVar[str] = "messages/checkin_reminder.json.j2"

    rows: tuple[CheckinRow, ...]
    snoozes: tuple[str, ...] = SNOOZES


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiMissing(MessageContext):
    """To the KPI reporter: this week's number isn't in yet. The button carries `{adoption_id}:{week_start}`.

    `reported` is the number once it is in: the message then says so and asks nothing. Nor does it once `closed`.
    """

    TEMPLATE: ClassVar[str] = "messages/kpi_missing.json.j2"

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
    """To the owner, never in public: whose check-in is missing. Buttons carry `{adoption_id}:{week_start}`.

    Args:
        expected: active members asked that week.
        missing: Slack IDs of others, in any order; with the reader's `own` the count of them is "n of expected".
        own: the reader's own check-in is missing.
        closed: that week can't be answered any more.
        nudged_at: when the owner had them nudged once more; the button goes then.
        away: members who weren't asked, being away that week.
    """

    TEMPLATE: ClassVar[str] = "messages/who_is_missing.json.j2"

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
