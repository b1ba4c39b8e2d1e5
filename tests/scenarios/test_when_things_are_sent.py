"""Whoever reads it, nothing that isn't an alert is sent outside working hours; what isn't sent is told (SPEC §4)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.commands import BUILT_IN_TEAM
from bot.stage import Stage
from cadence.flows import compose
from cadence.nudges import REACHES_THE_AWAY, TABLE, URGENCY, Unless, Urgency
from storage.tables import Adoption, Cycle, CycleState, MessageState, OwedMessage, Workspace
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    SOLO_CHANNEL,
    at,
    bot_dms,
    changed,
    ledger,
    local_times,
    posts,
    rows,
    start_cycle,
)
from tests.staging import on_stage

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"
NO_CHANNEL = ("  curator_channel: C01CURATORS\n", "")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Stage]:
    """Monday morning of week 1."""
    with on_stage(tmp_path, workspace=DESK, playbooks=[REPLY]) as stage:
        start_cycle(stage)
        stage.play_until(at("2026-03-02 09:00"))
        yield stage


@pytest.fixture
def without_channel(tmp_path: Path) -> Iterator[Stage]:
    """Monday morning of week 1 in a workspace whose curators have no channel: the digest goes to their DM."""
    workspace = changed(DESK, tmp_path, NO_CHANNEL)
    with on_stage(tmp_path, workspace=workspace, playbooks=[REPLY]) as stage:
        start_cycle(stage)
        stage.play_until(at("2026-03-02 09:00"))
        yield stage


def types(stage: Stage, member: str, text: str) -> str:
    channel = DESK_CHANNEL if member in stage.workspace.channel(DESK_CHANNEL).members else None
    said = stage.workspace.person(member).types(text, channel=channel)
    stage.tick()
    return said.words


def down_until(stage: Stage, moment: str) -> None:
    """The bot was down, and is back now."""
    stage.clock.set(at(moment))
    stage.tick()


def digests(stage: Stage, zone: str) -> list[str]:
    """When the curator got a digest in their DM, by a local clock."""
    found = [one for one in bot_dms(stage, CURATOR) if "check-ins" in one.words or "playbook" in one.words]
    return local_times(found, zone)


def test_every_kind_of_message_says_how_urgent_it_is() -> None:
    assert set(compose._COMPOSERS) == set(URGENCY), "a new kind is an alert, an answer or a nudge: say which"
    assert {row.kind for row in TABLE} <= {kind for kind, one in URGENCY.items() if one is Urgency.NUDGE}
    assert {kind for kind, one in URGENCY.items() if one is Urgency.ALERT} == {
        "watch",
        "demoted",
        "promotion-proposed",
        "promoted",
        "promotion-declined",
        "drift",
        "playbook-published",
        "risky-grade",
    }
    assert all(URGENCY[kind] is Urgency.NUDGE for kind in REACHES_THE_AWAY)


@pytest.mark.parametrize(
    ("zone", "comes"),
    [
        ("Europe/Berlin", "Mon 11:00"),
        ("America/Los_Angeles", "Mon 09:00"),
        ("America/New_York", "Mon 09:00"),
        ("Asia/Kolkata", "Mon 15:30"),
        ("Pacific/Auckland", "Tue 09:00"),
    ],
)
def test_the_digest_comes_by_day_of_the_curator_who_reads_it(
    without_channel: Stage, zone: str, comes: str
) -> None:
    without_channel.workspace.change_user(CURATOR, tz=zone)
    without_channel.tick()
    without_channel.play_until(at("2026-03-11 12:00"))
    assert digests(without_channel, zone) == [comes]


def test_the_digest_waits_for_a_curator_who_is_away_or_is_not_sent(without_channel: Stage) -> None:
    types(without_channel, CURATOR, "/cadence away 2026-03-09..2026-03-09")
    types(without_channel, CURATOR, "/cadence away 2026-03-16..2026-03-20")
    without_channel.play_until(at("2026-03-22 12:00"))
    assert digests(without_channel, "Europe/Berlin") == ["Tue 09:00"]


def test_a_digest_after_downtime_waits_for_the_morning(desk: Stage) -> None:
    desk.play_until(at("2026-03-09 09:00"))
    down_until(desk, "2026-03-09 22:07")
    assert posts(desk, CURATORS) == []
    desk.play_until(at("2026-03-10 12:00"))
    assert local_times(posts(desk, CURATORS), "Europe/Berlin") == ["Tue 09:00"]


def test_a_closing_post_waits_for_the_morning_of_its_channel(desk: Stage) -> None:
    desk.play_until(at("2026-03-27 09:00"))
    down_until(desk, "2026-03-27 22:07")
    closed = [one for one in rows(desk, Cycle) if one.state is CycleState.CLOSED]
    assert len(closed) == 1, "the cycle closes all the same"
    assert "Fri 22:07" not in local_times(posts(desk, DESK_CHANNEL), "Europe/Berlin")
    desk.play_until(at("2026-03-30 12:00"))
    told = [(one.recipient, one.sent_at) for one in ledger(desk, "cycle-closed")]
    assert sorted(told) == [(CURATORS, at("2026-03-30 09:00")), (DESK_CHANNEL, at("2026-03-30 09:00"))]


def test_the_setup_post_waits_for_the_morning_of_its_team(desk: Stage) -> None:
    down_until(desk, "2026-03-02 23:06")
    types(desk, CURATOR, "/cadence adopt reply team=solo champion=<@U01AGENT2>")
    assert rows(desk, Adoption)[-1].champion == "U01AGENT2"
    assert posts(desk, SOLO_CHANNEL) == []
    desk.play_until(at("2026-03-03 12:00"))
    assert local_times(posts(desk, SOLO_CHANNEL), "Europe/Berlin") == ["Tue 09:00"]


def test_an_alert_is_sent_at_any_hour(desk: Stage) -> None:
    down_until(desk, "2026-03-02 23:06")
    types(desk, AGENT, "/exception reply send critical It sent the wrong refund.")
    assert "Mon 23:06" in local_times(posts(desk, DESK_CHANNEL), "Europe/Berlin")


def test_every_reason_says_whether_it_is_harmless() -> None:
    loud = {one for one in Unless if not one.quiet}
    assert loud == {
        Unless.AWAY,
        Unless.HOLIDAY,
        Unless.NO_DAY,
        Unless.NO_HOURS,
        Unless.DOWNTIME,
        Unless.NEWER_DUE,
        Unless.GONE,
        Unless.LEFT,
        Unless.UNINSTALLED,
    }
    assert not any(Unless.is_quiet(one) for one in loud)
    assert not Unless.is_quiet("is_archived")


def test_the_digest_says_nothing_of_harmless_skips(desk: Stage) -> None:
    desk.workspace.change_user(LEAD, tz="America/Los_Angeles")  # their Friday afternoon is after the close
    desk.play_until(at("2026-03-30 12:00"))
    skipped = {one.reason for one in rows(desk, OwedMessage) if one.state is MessageState.SKIPPED}
    assert "the cycle is closed" in skipped
    assert "Not sent" not in posts(desk, CURATORS)[-1].words


def test_nothing_closes_and_nothing_starts_after_the_bot_was_uninstalled(desk: Stage) -> None:
    with desk.bot.db.write() as session:
        row = session.get(Workspace, BUILT_IN_TEAM)
        assert row is not None
        row.uninstalled_at = at("2026-03-10 12:00")
        session.add(row)
    desk.play_until(at("2026-05-10 12:00"))
    assert [one.state for one in rows(desk, Cycle)] == [CycleState.RUNNING]
