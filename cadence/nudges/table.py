"""The week's nudges as data, one row each (SPEC §4): to whom, when, on what condition, for how long they are
useful.

The table in `docs/messages.md` is compared with these rows, planning computes its slots from them, and composing a
message skips it for their reasons.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final, NamedTuple, Self

from cadence.rules.calendar import FRIDAY

MONDAY, THURSDAY = 0, 3
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""Weekdays as people read them, Monday first."""


class Audience(StrEnum):
    """The recipients of a nudge, in the words of the docs."""

    MEMBER = "each active member, DM"
    REPORTER = "the KPI's reporter, DM"
    OWNER = "the owner, DM"
    TEAM = "the team's channel"
    CURATORS = "the curators"
    TEAM_AND_CURATORS = "the team's channel and the curators"
    BOTH_OWNERS = "both owners, DM"


class Timing(StrEnum):
    """What makes a nudge due."""

    WEEKLY = "its hour comes, in each week of a cycle"
    CLOSING = "its hour comes, on the cycle's fourth Friday"
    EVENT = "something happens"


class Unless(StrEnum):
    """Why a due message isn't sent: the reason of the skipped row in the ledger.

    A `quiet` reason means that all is well: the digest doesn't list it under "Not sent".
    """

    quiet: bool

    def __new__(cls, text: str, quiet: bool) -> Self:
        """A reason as people read it; each must declare whether it is quiet."""
        member = str.__new__(cls, text)
        member._value_, member.quiet = text, quiet
        return member

    ANSWERED = "already answered", True
    ASKED = "already asked", True
    SNOOZED = "snoozed", True
    NOTHING_DUE = "no check-in is due", True
    MUTED = "muted", True
    CAME_TODAY = "the check-in came today", True
    STILL_TO_COME = "the check-in itself is still to come", True
    NO_RUNS = "nobody but the owner reported runs by then", True
    GRADED = "already graded", True
    REPORTED = "already reported", True
    GATE_MET = "gate met", True
    PAUSED = "paused", True
    CLOSED = "the cycle is closed", True
    WATCHED = "watched, without gates", True
    ALL_ANSWERED = "all answered", True
    RUNS_AGREE = "reported and measured runs agree", True
    ACCEPTED = "accepted", True
    SENT_BACK = "sent back", True
    WITHDRAWN = "withdrawn", True

    AWAY = "away", False
    HOLIDAY = "public holiday", False
    NO_DAY = "no working day left in the week", False
    NO_HOURS = "no working hours left while it was useful", False
    DOWNTIME = "no longer useful after downtime", False
    NEWER_DUE = "a newer one was due after downtime", False
    GONE = "what it was about is gone", False
    LEFT = "left the workspace", False
    NO_PART = "takes no part", False
    UNINSTALLED = "uninstalled", False
    OVER = "over already", True
    CORRECTED = "it was corrected since", True
    UNDONE = "undone before it was sent", True
    DECIDED = "decided already", True
    RETIRED = "the playbook is retired", True
    STARTED = "the first cycle was started already", True
    WEEK_OPENS = "the post that opens the week says it", True
    NEWER_SAID = "something newer is said of it", True
    NOT_THEIRS = "no longer theirs to export", True
    NO_POST = "the closing post wasn't sent", True
    NO_READING = "no reading to draw", True
    NO_ORIGINAL = "the message it rewrites isn't there", True

    @classmethod
    def is_quiet(cls, reason: str) -> bool:
        """Whether a skipped row with this reason needs no mention in the digest; unknown reasons do."""
        return any(one == reason and one.quiet for one in cls)


class Hour(NamedTuple):
    """A weekday (0 is Monday) and a local hour; `since` is when somebody set it, None for a default."""

    weekday: int
    at: time
    since: datetime | None = None

    def __str__(self) -> str:
        """As people write it: `Thu 10:00`."""
        return f"{DAYS[self.weekday]} {self.at:%H:%M}"


@dataclass(frozen=True, slots=True)
class Nudge:
    """One row of the table.

    Args:
        kind: its name in the ledger.
        title: its name for people.
        audience: who gets it.
        hour: its default weekday and local hour; None if something else makes it due.
        useful: how long after it is due it is still worth sending.
        unless: the reasons why it may not be sent; composing it returns the one that applied.
        timing: what makes it due.
        about_last_week: whether it asks about the week before the one it is sent in.
        on: what makes it due, for display, if it has no hour.
    """

    kind: str
    title: str
    audience: Audience
    hour: Hour | None
    useful: timedelta
    unless: tuple[Unless, ...] = ()
    timing: Timing = Timing.WEEKLY
    about_last_week: bool = False
    on: str = ""

    @property
    def when(self) -> str:
        """When it is due, in the words of the docs."""
        if self.hour is None:
            return self.on
        return f"4th {self.hour}" if self.timing is Timing.CLOSING else str(self.hour)


CHECKIN_HOUR: Final = Hour(THURSDAY, time(10))
CLOSING_HOUR: Final = Hour(FRIDAY, time(16))
SPOT_AUDIT: Final = "spot-audit"
CYCLE_CLOSES: Final = "cycle-closed"
HANDOFF_OVERDUE: Final = "handoff-overdue"
_OPEN = (Unless.ANSWERED, Unless.SNOOZED, Unless.NOTHING_DUE, Unless.PAUSED)

WEEK_OPENS: Final = Nudge(
    "week-opens",
    "week opens",
    Audience.TEAM,
    Hour(MONDAY, time(9, 30)),
    timedelta(hours=54),
    (Unless.PAUSED, Unless.CLOSED, Unless.WATCHED),
)
CHECKIN: Final = Nudge(
    "checkin", "check-in", Audience.MEMBER, CHECKIN_HOUR, timedelta(hours=62), (*_OPEN, Unless.ASKED)
)
REMINDER: Final = Nudge(
    "checkin-reminder",
    "check-in reminder",
    Audience.MEMBER,
    Hour(FRIDAY, time(10)),
    timedelta(hours=30),
    (
        Unless.ANSWERED,
        Unless.NOTHING_DUE,
        Unless.PAUSED,
        Unless.MUTED,
        Unless.CAME_TODAY,
        Unless.STILL_TO_COME,
        Unless.CLOSED,
    ),
)
TABLE: Final[tuple[Nudge, ...]] = (
    WEEK_OPENS,
    CHECKIN,
    REMINDER,
    Nudge(
        SPOT_AUDIT,
        "spot check",
        Audience.OWNER,
        Hour(FRIDAY, time(11)),
        timedelta(hours=30),
        (Unless.NO_RUNS, Unless.GRADED, Unless.PAUSED),
    ),
    Nudge(
        "kpi-missing",
        "missing number",
        Audience.REPORTER,
        Hour(FRIDAY, time(14)),
        timedelta(hours=26),
        (Unless.REPORTED, Unless.PAUSED, Unless.CLOSED),
    ),
    Nudge(
        "gate-due",
        "gate due",
        Audience.OWNER,
        Hour(FRIDAY, time(15)),
        timedelta(hours=26),
        (Unless.GATE_MET, Unless.PAUSED, Unless.CLOSED, Unless.WATCHED),
    ),
    Nudge(
        "who-is-missing",
        "who is missing",
        Audience.OWNER,
        Hour(MONDAY, time(10)),
        timedelta(hours=30),
        (Unless.ALL_ANSWERED, Unless.PAUSED, Unless.CLOSED),
        about_last_week=True,
    ),
    Nudge(
        "digest",
        "digest",
        Audience.CURATORS,
        Hour(MONDAY, time(11)),
        timedelta(hours=54),
        about_last_week=True,
    ),
    Nudge(
        CYCLE_CLOSES,
        "cycle closes",
        Audience.TEAM_AND_CURATORS,
        CLOSING_HOUR,
        timedelta(days=30),
        timing=Timing.CLOSING,
    ),
    Nudge(
        HANDOFF_OVERDUE,
        "handoff overdue",
        Audience.BOTH_OWNERS,
        None,
        timedelta(days=7),
        (Unless.ACCEPTED, Unless.SENT_BACK, Unless.WITHDRAWN),
        timing=Timing.EVENT,
        on="when its SLA passes",
    ),
)
NUDGES: Final[tuple[Nudge, ...]] = tuple(row for row in TABLE if row.timing is Timing.WEEKLY)
"""The nudges for which planning computes slots."""
BY_KIND: Final = {row.kind: row for row in TABLE}
TITLES: Final = {row.kind: row.title for row in TABLE}


def title_of(kind: str) -> str:
    """The name of a kind of message for people: a nudge's title, else its name in the ledger with spaces."""
    return TITLES.get(kind) or kind.replace("-", " ").replace("checkin", "check-in")


def documented(row: Nudge) -> str:
    """The row of the table in `docs/messages.md`."""
    unless = f" {', '.join(row.unless)}" if row.unless else ""
    return f"| {row.title} | {row.audience} | {row.when} |{unless} |"
