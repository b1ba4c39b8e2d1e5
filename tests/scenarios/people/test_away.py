"""Days away: a member is told when somebody else sets them; adjacent ranges count together."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from storage.tables import Away, MessageState
from templates.contexts.checkins import WhoIsMissing
from templates.contexts.overview.digests import Coverage, Digest
from templates.contexts.overview.home import Home
from templates.contexts.overview.statuses import Status
from templates.contexts.people import AwaySet, BackAgain
from tests.contexts import assert_golden, contexts, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    InCycle,
    at,
    bot_dms,
    ledger,
    posts,
    rows,
)

LEAD, AGENT, NEWCOMER = "U01LEAD", "U01AGENT1", "U01AGENT2"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-02 09:00")
    ) as harness:
        yield harness


def types(harness: BotHarness, member: str, text: str) -> Answer:
    return harness.workspace.person(member).types(text, channel=DESK_CHANNEL)


def runs(harness: BotHarness) -> set[tuple[int, int, int]]:
    """What the status says about each step: its exceptions, reported runs and estimated ones."""
    [row] = shown(types(harness, LEAD, "/cadence status"), Status).rows
    found = [step.evidence for step in row.steps if step.evidence is not None]
    assert len(found) == len(row.steps)
    return {(one.exceptions, one.reported, one.assumed) for one in found}


def test_a_member_set_away_by_somebody_else_is_told_by_day(desk: BotHarness) -> None:
    desk.workspace.change_user(AGENT, tz="Australia/Sydney")
    types(desk, LEAD, f"/cadence away 2026-03-04..2026-03-06 <@{AGENT}>")
    desk.play_until(at("2026-03-04 00:30"))
    assert_golden(bot_dms(desk, AGENT)[-1], "set-away-by-another")


def test_nobody_is_told_of_days_away_that_were_canceled_meanwhile(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-07 23:30"))
    types(desk, LEAD, f"/cadence away 2026-03-07..2026-03-20 <@{AGENT}>")
    types(desk, LEAD, f"/cadence away off <@{AGENT}>")
    desk.play_until(at("2026-03-09 12:00"))
    assert ledger(desk, "set-away", MessageState.SENT) == []


def test_adjoining_days_away_count_as_one_absence(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence away 2026-03-02..2026-03-04")
    types(desk, AGENT, "/cadence away 2026-03-05..2026-03-06")
    types(desk, LEAD, "/attest as-declared runs=9")
    desk.play_until(at("2026-03-09 12:00"))
    # Two are in the team; the one who was away all of last week is expected this week only.
    assert runs(desk) == {(0, 9, 29)}


def test_who_joined_at_the_weekend_isnt_missing_on_monday(desk: BotHarness) -> None:
    types(desk, LEAD, "/attest as-declared runs=9")
    types(desk, AGENT, "/attest as-declared runs=9")
    desk.play_until(at("2026-03-07 12:00"))
    desk.workspace.invite(DESK_CHANNEL, NEWCOMER)
    types(desk, NEWCOMER, "/cadence team join desk")
    desk.play_until(at("2026-03-09 12:00"))
    assert contexts(bot_dms(desk, LEAD), WhoIsMissing) == []


def test_coming_back_leaves_the_days_away_that_are_over(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence away 2026-03-02..2026-04-12")
    types(desk, LEAD, "/attest as-declared runs=9")
    desk.play_until(at("2026-03-14 12:00"))
    assert runs(desk) == {(0, 9, 9)}
    types(desk, AGENT, "/cadence away off")
    assert runs(desk) == {(0, 9, 9)}, "both weeks were asked of one person"


def test_a_week_away_from_thursday_on_is_asked_of_nobody_anywhere(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence away 2026-03-04..2026-03-06")
    desk.play_until(at("2026-03-09 12:00"))
    [told] = contexts(bot_dms(desk, LEAD), WhoIsMissing)
    assert (told.away, told.missing, told.own, told.expected) == ((AGENT,), (), True, 1)
    assert shown(posts(desk, CURATORS)[-1], Digest).coverage == Coverage(answered=0, asked=1)


def test_coming_back_keeps_the_days_away_that_are_still_to_come(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence away 2026-03-18..2026-03-20")
    types(desk, AGENT, "/cadence away 2026-03-02..2026-03-03")
    types(desk, AGENT, "/cadence away 2026-03-04..2026-03-06")
    # Monday to Friday is one absence: there is no gap.
    answer = shown(types(desk, AGENT, "/cadence away off"), BackAgain)
    assert days_away(desk) == [("2026-03-18", "2026-03-20")]
    assert (answer.was_away, answer.until, answer.canceled) == (True, date(2026, 3, 6), ())
    assert answer.ahead == ((date(2026, 3, 18), date(2026, 3, 20)),)
    desk.play_until(at("2026-03-06 12:00"))
    asked = len(ledger(desk, "checkin", MessageState.SENT))
    assert asked == 2
    desk.play_until(at("2026-03-20 12:00"))
    weeks = [
        one.subject["week"] for one in ledger(desk, "checkin", MessageState.SENT) if one.recipient == AGENT
    ]
    assert weeks == ["2026-03-02", "2026-03-09"]


def test_off_cancels_the_upcoming_days_of_somebody_who_isnt_away(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence away 2026-03-18..2026-03-20")
    answer = shown(types(desk, AGENT, "/cadence away off"), BackAgain)
    assert (answer.was_away, answer.canceled) == (False, ((date(2026, 3, 18), date(2026, 3, 20)),))
    assert days_away(desk) == []
    again = shown(types(desk, AGENT, "/cadence away off"), BackAgain)
    assert (again.was_away, again.canceled, again.ahead) == (False, (), ())


def test_one_day_alone_is_that_day(desk: BotHarness) -> None:
    answer = shown(types(desk, AGENT, "/cadence away friday"), AwaySet)
    assert (answer.since, answer.until, answer.is_guess) == (date(2026, 3, 6), date(2026, 3, 6), True)
    assert days_away(desk) == [("2026-03-06", "2026-03-06")]
    answer = shown(types(desk, AGENT, "/cadence away until friday"), AwaySet)
    assert (answer.since, answer.until, answer.is_guess) == (date(2026, 3, 2), date(2026, 3, 6), False)


def days_away(harness: BotHarness) -> list[tuple[str, str]]:
    found = [one for one in rows(harness, Away) if one.ended_at is None]
    return [(str(one.first_day), str(one.last_day)) for one in found if one.last_day >= date(2026, 3, 2)]


@pytest.mark.parametrize("by_status", [False, True], ids=["by command", "by status"])
@pytest.mark.parametrize(
    ("back", "is_missing"),
    [("2026-03-06 17:30", True), ("2026-03-06 20:00", False), ("2026-03-07 12:00", False)],
    ids=["in working hours", "after them", "on the weekend"],
)
def test_back_after_the_weeks_last_working_hours_is_back_next_week(
    desk: BotHarness, back: str, *, is_missing: bool, by_status: bool
) -> None:
    types(desk, LEAD, "/attest as-declared runs=9")
    if by_status:
        desk.workspace.change_user(AGENT, status_text="Vacationing", status_emoji=":palm_tree:")
    else:
        types(desk, AGENT, "/cadence away 2026-03-02..2026-03-20")
    desk.play_until(at(back))
    if by_status:
        desk.workspace.change_user(AGENT, status_text="", status_emoji="")
    else:
        assert shown(types(desk, AGENT, "/cadence away off"), BackAgain).ahead == ()
        home = shown(desk.workspace.person(AGENT).opens_home(), Home)
        assert [one for need in home.quiet for one in need.offers] == []
        types(desk, AGENT, "/cadence away off")
    desk.play_until(at("2026-03-09 12:00"))
    told = contexts(bot_dms(desk, LEAD), WhoIsMissing)
    assert [one.missing for one in told] == ([(AGENT,)] if is_missing else [])
    assert runs(desk) == {(0, 9, 49 if is_missing else 29)}
    desk.play_until(at("2026-03-12 10:00"))
    sent = ledger(desk, "checkin", MessageState.SENT)
    assert (AGENT, "2026-03-09") in [(one.recipient, one.subject["week"]) for one in sent]
