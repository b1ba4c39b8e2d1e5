"""Public holidays, by country and region."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from cadence.documents.words import Weekday
from cadence.nudges import WEEKDAYS
from storage.tables import Workspace


@lru_cache(maxsize=512)
def public_holidays(country: str | None, first_year: int, last_year: int) -> frozenset[date]:
    """The public holidays of a country (`DE`) or a region of it (`DE-BY`); none when it isn't known."""
    if not country:
        return frozenset()
    code, _, region = country.partition("-")
    import holidays  # noqa: PLC0415 - it takes a while to load and a workspace without countries never needs it

    try:
        years = range(first_year, last_year + 1)
        return frozenset(holidays.country_holidays(code, subdiv=region or None, years=years))
    except NotImplementedError:
        return frozenset()


_KEY = "working_days"
_ORDER = list(Weekday)


def working_days(workspace: Workspace) -> frozenset[int]:
    """Weekdays as numbers; 0 is Monday."""
    stored = workspace.settings.get(_KEY)
    return frozenset(_ORDER.index(Weekday(day)) for day in stored) if stored else WEEKDAYS


def stored_days(workspace: Workspace) -> tuple[Weekday, ...] | None:
    """As the workspace's file says them; None when it doesn't."""
    stored = workspace.settings.get(_KEY)
    return tuple(Weekday(day) for day in stored) if stored else None


def keep_days(workspace: Workspace, days: Sequence[Weekday] | None) -> None:
    """Take over what a file says; a file that says nothing changes nothing."""
    if days:
        workspace.settings = workspace.settings | {_KEY: [str(day) for day in days]}
