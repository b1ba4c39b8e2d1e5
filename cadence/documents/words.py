"""Words a document may use, and reserved words of commands."""

import re
import unicodedata
from enum import StrEnum
from typing import Final

from cadence.rules.modes import Mode


class Function(StrEnum):
    """The part of an organization a team or a playbook belongs to."""

    SALES = "sales"
    SUPPORT = "support"
    FINANCE = "finance"
    ENGINEERING = "engineering"
    OTHER = "other"


class Weekday(StrEnum):
    """A day of the week, Monday first."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


SLUG: Final = re.compile(r"[a-z][a-z0-9-]{1,39}")
STEP_KEY: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
MEMBER: Final = re.compile(r"[UW][A-Z0-9]{2,20}")
CHANNEL: Final = re.compile(r"[CG][A-Z0-9]{2,20}")

ATTESTATIONS: Final = ("as-declared", "drifted", "not-run")
_NUMBERS: Final = ("inf", "infinity", "nan")
RESERVED: Final = frozenset({*ATTESTATIONS, "ran", "critical", "help", *Mode, *_NUMBERS})
"""Words that commands use in place of a slug or a step key, so they can't be one."""

NO_ANSWER: Final = frozenset({"-", "--", "?", "...", "…", "n/a", "na", "none", "tbd", "tba", "todo", "xxx"})
"""Placeholders that don't count as an answer to a pillar."""

MAX_STEPS: Final = 12
MAX_ITEMS: Final = 20
MAX_GUARDRAILS: Final = 2
MAX_MEMBERS: Final = 200
MAX_TEAMS: Final = 500
TITLE_LENGTH: Final = 80
NAME_LENGTH: Final = 60
ITEM_LENGTH: Final = 300
ANSWER_LENGTH: Final = 1000


def slug_of(title: str) -> str:
    """The slug for a title: `Support EMEA` gives `support-emea`; "" if none is possible."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].rstrip("-")
