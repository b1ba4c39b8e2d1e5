"""Which Slack statuses say that somebody is away, and on which of their days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cadence.rules.statuses import OPEN_END, days_away, says_away

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "emoji", "away"),
    [
        ("Vacationing", ":palm_tree:", True),
        ("", ":palm_tree:", True),
        ("Out sick", ":face_with_thermometer:", True),
        ("OOO until Monday", "", True),
        ("Urlaub bis 12.3.", "", True),
        ("on parental leave", ":baby:", True),
        ("In a meeting", ":spiral_calendar_pad:", False),
        ("Commuting", ":bus:", False),
        ("Working remotely", ":house_with_garden:", False),
        ("", "", False),
        ("back from vacation", ":palm_tree:", False),
        ("planning my vacation", "", False),
        ("Zoooom", "", False),
        ("optometrist", "", False),
    ],
)
def test_what_says_away(text: str, emoji: str, away: bool) -> None:
    assert says_away(text, emoji) is away


@pytest.mark.parametrize(
    ("expires", "last"),
    [
        (datetime(2026, 3, 6, 23, 59, tzinfo=BERLIN), date(2026, 3, 6)),
        (datetime(2026, 3, 9, 0, 0, tzinfo=BERLIN), date(2026, 3, 8)),
        (datetime(2026, 3, 9, 8, 0, tzinfo=BERLIN), date(2026, 3, 8)),
        (datetime(2026, 3, 2, 17, 0, tzinfo=BERLIN), date(2026, 3, 2)),
        (datetime(2026, 3, 2, 14, 0, tzinfo=BERLIN), None),
        (None, date(2026, 3, 2) + OPEN_END),
        (datetime(2099, 1, 1, tzinfo=BERLIN), date(2026, 3, 2) + timedelta(days=366)),
    ],
)
def test_until_which_day(expires: datetime | None, last: date | None) -> None:
    stamp = int(expires.timestamp()) if expires else 0
    found = days_away("Vacationing", ":palm_tree:", stamp, zone=BERLIN, now=MONDAY)
    assert found == ((date(2026, 3, 2), last) if last else None)


def test_an_expiry_that_is_no_time_is_none() -> None:
    assert days_away("OOO", "", 10**18, zone=BERLIN, now=MONDAY) is not None
