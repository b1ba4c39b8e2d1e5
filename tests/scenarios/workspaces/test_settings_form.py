"""The settings of a workspace and of one adoption, by their forms: every row, every problem at its field."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.views import View
from storage.tables import Adoption, Workspace
from templates.contexts.adoption import AdoptionSaved
from templates.contexts.checkins import CheckinMessage
from templates.contexts.gates import WeekOpens
from templates.contexts.people import Holiday, TeamHolidays
from templates.contexts.workspaces import SettingsSaved
from templates.ids import Callback
from tests.contexts import assert_golden, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, REPLY, InCycle, at, entries, posts, rows

LEAD, AGENT, SOLO, CURATOR, CHANNEL = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR", "C01DESK"


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[BotHarness]:
    """Monday noon of the desk's first week: the week is open."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-02 12:00")
    ) as ready:
        yield ready


def test_every_setting_is_shown_changed_and_kept_in_the_trail(harness: BotHarness) -> None:
    curator = harness.workspace.person(CURATOR)
    curator.types("/cadence settings")
    days = ["mon", "tue", "wed", "thu"]
    hours = "check-in: Wed 09:00\ncheck-in reminder: Thu 09:00\n"
    hours += "spot check: Thu 11:00\nmissing number: Thu 14:00\ngate due: Thu 15:00"
    done = curator.submits({"country": "de-by", "min_runs": "30", "working_days": days, "hours": hours})
    assert done.errors == {}
    said = shown(curator.form(), SettingsSaved)
    assert (said.saved, said.country, said.min_runs, list(said.working_days)) == (True, "DE-BY", 30, days)
    assert list(said.hours) == hours.splitlines()
    [workspace] = rows(harness, Workspace)
    assert (workspace.country, workspace.min_runs, workspace.settings["working_days"]) == ("DE-BY", 30, days)
    assert entries(harness, "settings")[-1].after["min_runs"] == 30
    assert entries(harness, "hours-set")[-1].after["check-in"] == "Wed 09:00"
    harness.play_until(at("2026-03-04 09:05"))
    assert any(is_shown(message, CheckinMessage) for message in harness.workspace.dm(AGENT))


def test_every_mistake_is_on_its_field(harness: BotHarness) -> None:
    curator = harness.workspace.person(CURATOR)
    curator.types("/cadence settings")
    wrong = curator.submits(
        {"timezone": "Berlin", "country": "GER", "min_runs": "0", "hours": "check-in: Thu 23:00"}
    )
    assert wrong.errors.keys() == {"timezone", "country", "min_runs", "hours"}
    for field, error in wrong.errors.items():
        assert_golden(error, f"refused-setting:{field}")
    right = {"timezone": "Europe/Berlin", "country": "", "min_runs": "20"}
    wrong = curator.submits({**right, "hours": "check-in: Sun 10:00"})
    assert wrong.errors.keys() == {"hours"}
    assert_golden(wrong.errors["hours"], "not-a-working-day")


def test_an_owner_sets_the_hours_and_the_champion_of_their_team_but_not_its_rule(harness: BotHarness) -> None:
    lead = harness.workspace.person(LEAD)
    lead.types("/cadence settings reply", channel=CHANNEL)
    assert "rule" not in lead.form().fields
    assert lead.submits({"champion": "U0STRANGER"}).errors.keys() == {"champion"}
    assert lead.submits({"champion": AGENT, "hours": "check-in: Wed 15:00"}).errors == {}
    saved = shown(lead.form(), AdoptionSaved)
    assert (saved.champion, saved.hours) == (AGENT, ("check-in: Wed 15:00",))
    [adoption] = rows(harness, Adoption)
    assert (adoption.champion, adoption.rule) == (AGENT, None)
    assert adoption.hours["checkin"]["at"] == "15:00"
    assert entries(harness, "adoption-settings")[-1].after == {
        "rule": None,
        "champion": AGENT,
        "planned_cycles": None,
    }
    harness.tick()
    assert all(check.met for check in shown(posts(harness, CHANNEL)[-1], WeekOpens).checks)


def test_a_curator_gives_one_team_a_rule_of_its_own_and_takes_it_back(harness: BotHarness) -> None:
    curator = harness.workspace.person(CURATOR)
    for chosen, kept in (("strict", "strict"), ("inherited", None)):
        curator.types("/cadence settings reply", channel=CHANNEL)
        assert curator.submits({"champion": AGENT, "rule": chosen}).errors == {}
        assert rows(harness, Adoption)[0].rule == kept


def test_curators_are_people_so_that_somebody_can_still_open_the_settings(harness: BotHarness) -> None:
    curator = harness.workspace.person(CURATOR)
    curator.types("/cadence settings")
    harness.workspace.change_user(SOLO, deleted=True)
    for nobody in ("U0NOBODY", harness.workspace.app.user, SOLO):
        answer = curator.submits({"curators": [CURATOR, nobody]})
        assert answer.errors.keys() == {"curators"}, nobody
        assert_golden(answer.errors["curators"], "refused-curator")
    assert entries(harness, "settings") == []

    harness.workspace.change_user(CURATOR, deleted=True)
    harness.workspace.change_user(AGENT, is_admin=True)
    opened = harness.workspace.person(AGENT).types("/cadence settings").view
    assert opened is not None
    assert harness.workspace.person(AGENT).submits({"curators": [AGENT]}).errors == {}


def test_the_holidays_of_a_team_are_shown_and_changed(harness: BotHarness) -> None:
    agent = harness.workspace.person(AGENT)
    said = shown(agent.types("/cadence team holidays de-by", channel=CHANNEL), TeamHolidays)
    assert (said.country, said.changed, said.own) == ("DE-BY", True, True)
    assert Holiday(on=date(2026, 4, 3), name="Good Friday") in said.days
    assert entries(harness, "team-changed")[-1].after == {"country": "DE-BY"}
    assert_golden(agent.types("/cadence team holidays desk Bavaria", channel=CHANNEL), "refused-bavaria")
    assert_golden(agent.types("/cadence team holidays DEU", channel=CHANNEL), "refused-deu")
    outsider = harness.workspace.person(SOLO)
    assert_golden(outsider.types("/cadence team holidays desk FR"), "refused-outsider")
    assert len(entries(harness, "team-changed")) == 1


def holidays(view: View) -> tuple[str, str, bool]:
    """Of which team a form tells them, by which country, and whether they have just been changed."""
    said = shown(view, TeamHolidays)
    return said.team, said.country, said.changed


def test_the_holidays_are_asked_for_by_form_when_it_isnt_clear_whose(harness: BotHarness) -> None:
    curator = harness.workspace.person(CURATOR)
    asked = curator.types("/cadence team holidays").view
    assert asked is not None
    assert asked.callback_id == Callback.HOLIDAYS
    refused = curator.submits({"team": "desk", "country": "Bavaria"})
    assert_golden(refused.errors["country"], "refused-country-in-form")
    done = curator.submits({"team": "desk", "country": "de-by"}).view
    assert done is not None
    assert holidays(done) == ("Desk", "DE-BY", True)
    curator.clicks(done, "Change country")
    again = curator.submits({"country": "FR"}).view
    assert again is not None
    assert holidays(again) == ("Desk", "FR", True)
    curator.types("/cadence team holidays")
    read = curator.submits({"team": "desk"}).view
    assert read is not None
    assert holidays(read) == ("Desk", "FR", False)
    assert len(entries(harness, "team-changed")) == 2


def test_a_champion_nobody_knows_is_not_added_to_a_team(harness: BotHarness) -> None:
    said = harness.workspace.person(CURATOR).types("/cadence adopt reply team=solo champion=<@U0NOBODY|x>")
    assert_golden(said, "refused-champion")
    assert len(rows(harness, Adoption)) == 1


def test_every_mistake_of_a_team_is_on_its_field_and_nobody_elses_team_is_overwritten(
    harness: BotHarness,
) -> None:
    agent = harness.workspace.person(AGENT)
    agent.types("/cadence team create Night shift")
    typed = {"function": "support", "channel": "C02SOLO", "members": [AGENT]}
    assert agent.submits({**typed, "slug": "solo"}).errors.keys() == {"slug"}, "it is there already"
    wrong = agent.submits({"slug": "Night!", "timezone": "Berlin", "country": "GER", "reporter": LEAD})
    assert wrong.errors.keys() == {"slug", "timezone", "country", "reporter"}
    assert_golden(wrong.errors["timezone"], "refused-time-zone-of-team")
