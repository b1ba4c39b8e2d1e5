"""A Slack status that says away suspends nudges until it changes. Holidays are regional."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from cadence.actor import Actor
from cadence.documents import read_workspace
from cadence.documents.places import country_hint, is_country
from cadence.flows.core.persons import public_holidays
from cadence.flows.people.workspace_files import export_workspace
from storage.tables import Away
from storage.work import UnitOfWork
from templates.contexts.checkins import CheckinMessage, CheckinReminder
from tests.contexts import assert_golden, is_shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, REPLY, InCycle, at, bot_dms, local_times, rows, start_cycle

AGENT = "U01AGENT1"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-02 09:00")
    ) as harness:
        yield harness


def checkins(harness: BotHarness, member: str) -> list[Message]:
    """The check-ins and reminders in somebody's DM."""
    kinds = CheckinMessage, CheckinReminder
    return [one for one in bot_dms(harness, member) if any(is_shown(one, kind) for kind in kinds)]


def test_a_member_with_an_away_status_is_not_asked_until_back(desk: BotHarness) -> None:
    zone = ZoneInfo(desk.workspace.user(AGENT).tz)
    ends = int(datetime(2026, 3, 7, tzinfo=zone).timestamp())
    desk.workspace.change_user(
        AGENT, status_text="Vacationing", status_emoji=":palm_tree:", status_expiration=ends
    )
    desk.workspace.change_user(AGENT, status_text="Vacationing!")
    [row] = rows(desk, Away)
    assert (row.member, row.first_day, row.last_day) == (AGENT, date(2026, 3, 2), date(2026, 3, 6))
    desk.play_until(at("2026-03-08 12:00"))
    assert bot_dms(desk, AGENT) == []
    desk.workspace.change_user(AGENT, status_text="", status_emoji="", status_expiration=0)
    desk.play_until(at("2026-03-12 18:00"))
    assert len(bot_dms(desk, AGENT)) == 1


def test_a_member_back_early_is_asked_on_thursday_and_days_set_by_hand_stay(desk: BotHarness) -> None:
    desk.workspace.person("U01LEAD").types("/cadence away 2026-03-05..2026-03-06")
    for member in (AGENT, "U01LEAD"):
        desk.workspace.change_user(member, status_text="OOO", status_emoji="")
        desk.workspace.change_user(member, status_text="Focus time", status_emoji=":headphones:")
    desk.play_until(at("2026-03-06 18:00"))
    assert checkins(desk, AGENT)
    assert checkins(desk, "U01LEAD") == []


@pytest.mark.parametrize(
    ("back", "comes"),
    [
        ("2026-03-05 13:00", ["Thu 13:00", "Fri 10:00"]),
        ("2026-03-06 08:30", ["Fri 10:00"]),
        ("2026-03-06 14:00", ["Fri 14:00"]),
        ("2026-03-07 12:00", []),
    ],
    ids=["on the day", "the morning after", "late the day after", "too late"],
)
def test_a_member_back_early_is_asked_on_their_next_working_day_of_the_week(
    desk: BotHarness, back: str, comes: list[str]
) -> None:
    desk.play_until(at("2026-03-04 12:00"))
    desk.workspace.change_user(AGENT, status_text="Out sick", status_emoji=":face_with_thermometer:")
    desk.play_until(at(back))
    assert bot_dms(desk, AGENT) == []
    desk.workspace.change_user(AGENT, status_text="", status_emoji="")
    desk.workspace.change_user(AGENT, status_text="", status_emoji="")
    desk.tick()
    desk.play_until(at("2026-03-08 20:00"))
    assert local_times(bot_dms(desk, AGENT), "Europe/Berlin") == comes


def test_what_a_person_says_holds_until_their_status_changes(desk: BotHarness) -> None:
    desk.workspace.change_user(AGENT, status_text="Vacationing", status_emoji=":palm_tree:")
    desk.workspace.person(AGENT).types("/cadence away off")
    desk.workspace.change_user(AGENT, real_name="Another Name")
    desk.bot.worker.refresh()
    assert [row for row in rows(desk, Away) if row.ended_at is None] == []
    desk.workspace.change_user(AGENT, status_text="Out sick", status_emoji=":face_with_thermometer:")
    desk.workspace.change_user(AGENT, status_text="", status_emoji="")
    desk.workspace.change_user(AGENT, status_text="Vacationing", status_emoji=":palm_tree:")
    assert len([row for row in rows(desk, Away) if row.ended_at is None]) == 1


def test_a_week_from_sunday_to_thursday(tmp_path: Path) -> None:
    text = DESK.read_text(encoding="utf-8")
    weekend = "  working_days: [sun, mon, tue, wed, thu]\n"
    file = tmp_path / "desk.yaml"
    file.write_text(text.replace("teams:\n", f"{weekend}teams:\n", 1), encoding="utf-8")
    with bot_harness(tmp_path, workspace=file, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-07 20:00"))
        assert len(bot_dms(harness, AGENT)) == 1
        harness.play_until(at("2026-03-08 20:00"))
        reminded = bot_dms(harness, AGENT)[-1]
        zone = harness.workspace.user(AGENT).tz
        assert local_times([reminded], zone) == ["Sun 10:00"]
        exported = export_workspace(UnitOfWork(harness.bot.db, Actor(BUILT_IN_TEAM, "U01LEAD", "cli")))
        assert read_workspace(exported).working_days == read_workspace(file.read_text()).working_days


def test_public_holidays_of_a_region() -> None:
    epiphany = date(2026, 1, 6)
    assert epiphany in public_holidays("DE-BY", 2026, 2026)
    assert epiphany not in public_holidays("DE", 2026, 2026)
    assert is_country("DE-BY")
    assert not is_country("DE-XX")
    assert not is_country("DE-")
    assert_golden(country_hint("DE-XX"), "region-hint")
