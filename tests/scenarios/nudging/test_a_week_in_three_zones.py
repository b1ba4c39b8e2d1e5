"""Weeks of three teams on three continents, over every clock change, as golden transcripts (SPEC §4).

The golden transcripts are meant to be read. `UPDATE_GOLDEN=1 make test` rewrites them.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.app import build_bot
from bot.delivery.sender import Pace
from bot.rehearsal.harness import BotHarness
from bot.rehearsal.transcript import Transcript
from cadence.rules.calendar import instant
from storage.engine import Database
from tests.harnesses import bot_harness
from tests.scenarios.plays import DATA, at, bot_dms, local_times

ZONES = {
    "U01LEAD": "Europe/Berlin",
    "U01AGENT1": "Europe/Berlin",
    "U09LEAD": "America/New_York",
    "U09AGENT1": "America/Chicago",
    "U02LEAD": "Australia/Sydney",
    "U02AGENT2": "Pacific/Auckland",
}
HOMES = {"U01": "C01BERLIN", "U09": "C02NEWYORK", "U02": "C03SYDNEY"}


@dataclass(frozen=True)
class Weeks:
    """The first days of a first cycle, and who says what at which local hour."""

    monday: date
    days: int
    says: tuple[tuple[int, str, str, str], ...]

    def lines(self) -> list[tuple[datetime, str, str]]:
        """(instant, member, what they say), in order; days are counted from the first Monday."""
        found = [
            (
                instant(self.monday + timedelta(days=day), time.fromisoformat(hour), ZoneInfo(ZONES[who])),
                who,
                says,
            )
            for day, hour, who, says in self.says
        ]
        return sorted(found)


THU, FRI, NEXT = 3, 4, 7
PLAYS = {
    "america-springs-forward": Weeks(
        date(2026, 3, 2),
        12,
        (
            (THU, "10:12", "U01LEAD", "/attest as-declared runs=21"),
            (THU, "10:40", "U01AGENT1", "/attest as-declared runs=17 quiet week"),
            (
                THU,
                "15:00",
                "U09LEAD",
                "/attest drifted draft=human-led runs=18 the model was down on Tuesday",
            ),
            (FRI, "09:05", "U01LEAD", "/kpi 24m"),
            (FRI, "11:00", "U02LEAD", "/attest as-declared runs=16"),
            (FRI, "15:30", "U09LEAD", "/kpi 31m"),
            (NEXT, "09:30", "U09LEAD", "/exception send promised a refund"),
            (NEXT + THU, "10:05", "U09LEAD", "/attest as-declared runs=16"),
            (NEXT + THU, "10:08", "U09LEAD", "/kpi 26m"),
        ),
    ),
    "europe-and-australia-change-at-easter": Weeks(
        date(2026, 3, 23),
        16,
        (
            (THU, "11:00", "U01LEAD", "/attest as-declared runs=20"),
            (FRI, "12:00", "U02LEAD", "/kpi 28m"),
            (NEXT + THU, "10:30", "U02AGENT2", "/attest as-declared runs=15"),
            (NEXT + THU, "17:45", "U09AGENT1", "/exception send tone was off"),
        ),
    ),
}


@pytest.fixture(params=PLAYS)
def play(request: pytest.FixtureRequest) -> str:
    """The name of a play."""
    return str(request.param)


@pytest.fixture
def theatre(play: str, tmp_path: Path) -> Iterator[BotHarness]:
    """The Friday before the play's first Monday; the owner starts all three teams."""
    monday = PLAYS[play].monday
    before = at(f"{monday - timedelta(days=3)} 13:00")
    with bot_harness(
        tmp_path, start=before, workspace=DATA / "zones.yaml", playbooks=[REPLY_ANYWHERE]
    ) as harness:
        yield harness


REPLY_ANYWHERE = DATA / "reply-anywhere.yaml"


def told(harness: BotHarness, weeks: Weeks, *, tick: Callable[[], object] | None = None) -> str:
    """Play the days and return the transcript; `tick` runs what is due at each event."""
    tick = tick or harness.tick
    transcript = Transcript(harness)
    lines: list[str] = []

    def speak(member: str, says: str, channel: str) -> None:
        lines.extend(transcript.said(member, says))
        harness.workspace.person(member).types(says, channel=channel)
        tick()
        lines.extend(transcript.news())

    def wait(until: datetime) -> None:
        while (event := harness.bot.worker.next_event()) is not None and event <= until:
            harness.clock.set(max(event, harness.clock.now()))
            tick()
            lines.extend(transcript.news())
        harness.clock.set(until)

    for team in ("berlin", "new-york", "sydney"):
        speak("U01LEAD", f"/cadence cycle start reply {weeks.monday} team={team}", "C01BERLIN")
    for moment, member, says in weeks.lines():
        wait(moment)
        speak(member, says, HOMES[member[:3]])
    wait(at(f"{weeks.monday + timedelta(days=weeks.days - 1)} 23:00"))
    return "\n".join(lines).strip() + "\n"


def test_every_message_in_its_own_time(theatre: BotHarness, play: str) -> None:
    text = told(theatre, PLAYS[play])
    golden = DATA / f"{play}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    for member, zone in ZONES.items():  # whatever the golden file says
        times = Counter(local_times(bot_dms(theatre, member), zone))
        assert times["Thu 10:00"] == 2, member
        assert {when[4:] for when in times} <= {"09:00", "10:00", "14:00", "15:00"}, member


def test_no_clock_sends_anything_twice(theatre: BotHarness, play: str) -> None:
    def back_and_forth() -> None:
        now = theatre.clock.now()
        theatre.tick()
        for back in (timedelta(hours=1), timedelta(days=1)):
            theatre.clock.set(now - back)
            theatre.tick()
            theatre.clock.set(now)
            theatre.tick()

    text = told(theatre, PLAYS[play], tick=back_and_forth)
    assert text == (DATA / f"{play}.txt").read_text(encoding="utf-8")


def test_a_second_worker_on_the_same_database_sends_nothing_twice(theatre: BotHarness, play: str) -> None:
    other = build_bot(
        theatre.bot.settings,
        db=Database(theatre.bot.db.url),
        token=theatre.workspace.app.token,
        api_url=theatre.server.api_url,
        signing_secret=None,
        clock=theatre.clock,
        pace=Pace(timedelta()),
    )
    workers = [theatre.bot.worker, other.worker]

    def both() -> None:
        for worker in workers:
            worker.tick()
        workers.reverse()

    text = told(theatre, PLAYS[play], tick=both)
    other.db.close()
    assert text == (DATA / f"{play}.txt").read_text(encoding="utf-8")
