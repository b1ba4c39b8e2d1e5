"""Teams ask for a playbook: one vote per member and team, and the owner hears of each team once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from storage.tables import AdoptionRequest
from tests.scenarios.plays import at, bot_dms, entries, rows
from tests.scenarios.waves.floor import (
    APAC,
    APAC_AGENT,
    APAC_CHANNEL,
    CURATOR,
    LEAD,
    SALES,
    SALES_CHANNEL,
    SOLO,
    SOLO_CHANNEL,
    floor,
    types,
)


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[BotHarness]:
    with floor(tmp_path) as ready:
        yield ready


def owner_dms(harness: BotHarness) -> list[str]:
    return [one.words for one in bot_dms(harness, LEAD) if "for Reply" in one.text]


def test_a_team_asks_and_the_owner_hears_of_it_once(harness: BotHarness) -> None:
    said = types(harness, APAC, "/cadence request reply We answer the same tickets", APAC_CHANNEL)
    assert "Request saved. Apac asks for Reply with 1 vote." in said
    said = types(harness, APAC_AGENT, "/cadence request reply Nights are slow", APAC_CHANNEL)
    assert "Apac asks for Reply with 2 votes." in said
    harness.play_until(at("2026-03-05 12:00"))
    (told,) = owner_dms(harness)
    assert "Apac asks for Reply" in told
    assert "We answer the same tickets" in told
    assert "Plan a wave" in told
    assert len(entries(harness, "playbook-requested")) == 2


def test_asking_again_changes_the_reason_and_adds_no_vote(harness: BotHarness) -> None:
    types(harness, APAC, "/cadence request reply We answer the same tickets", APAC_CHANNEL)
    said = types(harness, APAC, "/cadence request reply We want faster replies", APAC_CHANNEL)
    assert "Reason changed. Apac asks for Reply with 1 vote." in said
    (row,) = rows(harness, AdoptionRequest)
    assert row.reason == "We want faster replies"


def test_a_request_is_taken_back_by_its_author_only(harness: BotHarness) -> None:
    apac = harness.workspace.person(APAC)
    said = apac.types("/cadence request reply We answer the same tickets", channel=APAC_CHANNEL)
    assert said.message is not None
    apac.clicks(said.message, "Take back")
    (row,) = rows(harness, AdoptionRequest)
    assert row.withdrawn_at is not None
    harness.play_until(at("2026-03-06 12:00"))
    assert "asks for it" not in types(harness, CURATOR, "/cadence wave reply show")
    assert len(entries(harness, "request-taken-back")) == 1


def test_teams_that_ask_on_the_same_day_are_told_together_the_next_day(harness: BotHarness) -> None:
    types(harness, APAC, "/cadence request reply We answer the same tickets", APAC_CHANNEL)
    harness.play_until(at("2026-03-05 12:00"))
    types(harness, SALES, "/cadence request reply We get the same questions", SALES_CHANNEL)
    types(harness, SOLO, "/cadence request reply One person, many tickets", SOLO_CHANNEL)
    harness.play_until(at("2026-03-05 17:30"))
    assert len(owner_dms(harness)) == 1
    harness.play_until(at("2026-03-06 12:00"))
    first, second = owner_dms(harness)
    assert "Apac" in first
    assert "2 teams ask for Reply" in second
    assert "Sales" in second
    assert "Solo" in second
    assert "Apac" not in second


def test_the_form_offers_only_what_the_team_does_not_run(harness: BotHarness) -> None:
    apac = harness.workspace.person(APAC)
    apac.types("/cadence request", channel=APAC_CHANNEL)
    assert apac.submits({"reason": "  "}).errors == {"reason": "Say in a sentence why your team wants it."}
    apac.submits({"reason": "We answer the same tickets"})
    assert "Request saved." in apac.form().words
    said = types(harness, LEAD, "/cadence request reply We want it")
    assert "Desk already runs Reply." in said


def test_only_members_ask_for_a_team(harness: BotHarness) -> None:
    said = types(harness, APAC, "/cadence request reply We want it team=sales")
    assert "Only members of Sales can request a playbook for it." in said
    said = types(harness, CURATOR, "/cadence request reply We want it")
    assert "You aren't in a team yet." in said
    assert rows(harness, AdoptionRequest) == []
