"""Teams ask for a playbook: one vote per member and team, and the owner hears of each team once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from storage.tables import AdoptionRequest
from templates.contexts.waves import AdoptionRequested, TeamWish, WavesShown
from templates.ids import Action
from tests.contexts import assert_golden, contexts, shown
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


def owner_dms(harness: BotHarness) -> list[AdoptionRequested]:
    """What the owner is told about requests, oldest first."""
    return contexts(bot_dms(harness, LEAD), AdoptionRequested)


def test_a_team_asks_and_the_owner_hears_of_it_once(harness: BotHarness) -> None:
    said = types(harness, APAC, "/cadence request reply We answer the same tickets", APAC_CHANNEL)
    assert_golden(said, "request-saved")
    said = types(harness, APAC_AGENT, "/cadence request reply Nights are slow", APAC_CHANNEL)
    assert_golden(said, "second-vote")
    harness.play_until(at("2026-03-05 12:00"))
    (told,) = owner_dms(harness)
    assert told.playbook == "Reply"
    assert told.wishes == (TeamWish(team="Apac", votes=1, reasons=("We answer the same tickets",)),)
    assert Action.PLAN_WAVE in [one.action for one in told.offers]
    assert len(entries(harness, "playbook-requested")) == 2


def test_asking_again_changes_the_reason_and_adds_no_vote(harness: BotHarness) -> None:
    types(harness, APAC, "/cadence request reply We answer the same tickets", APAC_CHANNEL)
    said = types(harness, APAC, "/cadence request reply We want faster replies", APAC_CHANNEL)
    assert_golden(said, "reason-changed")
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
    assert shown(types(harness, CURATOR, "/cadence wave reply show"), WavesShown).wishes == ()
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
    assert (first.playbook, second.playbook) == ("Reply", "Reply")
    assert [one.team for one in first.wishes] == ["Apac"]
    assert sorted(one.team for one in second.wishes) == ["Sales", "Solo"]


def test_the_form_offers_only_what_the_team_does_not_run(harness: BotHarness) -> None:
    apac = harness.workspace.person(APAC)
    apac.types("/cadence request", channel=APAC_CHANNEL)
    errors = apac.submits({"reason": "  "}).errors
    assert errors.keys() == {"reason"}
    assert_golden(errors["reason"], "refused-without-reason")
    apac.submits({"reason": "We answer the same tickets"})
    assert_golden(apac.form(), "request-saved-by-form")
    said = types(harness, LEAD, "/cadence request reply We want it")
    assert_golden(said, "refused-runs-already")
    (row,) = rows(harness, AdoptionRequest)
    assert row.reason == "We answer the same tickets"


def test_only_members_ask_for_a_team(harness: BotHarness) -> None:
    said = types(harness, APAC, "/cadence request reply We want it team=sales")
    assert_golden(said, "refused-other-team")
    said = types(harness, CURATOR, "/cadence request reply We want it")
    assert_golden(said, "refused-without-team")
    assert rows(harness, AdoptionRequest) == []
