"""`cadence doctor` says in words what is missing: curators, reporters, members."""

from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

from storage.engine import Database
from storage.tables import Curator, Workspace
from tests.contexts import assert_golden
from tests.unit.bot.clinic import NOW, TEAM_ID, Clinic, in_words
from tests.unit.bot.fake_slack import FakeSlack, Raw, refuses


def test_another_workspace_is_nobodys_business(stored: Clinic, slack: FakeSlack) -> None:
    slack.answers["auth.test"] = {"ok": True, "team_id": "T0OTHER", "team": "Other", "user_id": "U0BOT"}
    assert_golden(stored.examine()[-1].what, "another-workspace")
    assert "conversations.info" not in slack.calls


def test_an_empty_workspace(clinic: Clinic, migrated: Path) -> None:
    copyfile(migrated, clinic.file)
    db = Database(clinic.url)
    with db.write() as session:
        session.add(Workspace(id=TEAM_ID, name="Acme", curator_channel="C0CUR", created_at=NOW))
        session.flush()
        session.add(Curator(workspace_id=TEAM_ID, member="U0CUR", since=NOW))
    db.close()
    assert_golden(clinic.report(), "empty-workspace")
    assert clinic.todo() == {}


@pytest.mark.parametrize("named", [(), ("U0A", "U0B")])
def test_a_workspace_without_a_curator(clinic: Clinic, named: tuple[str, ...]) -> None:
    clinic.curators = []
    clinic.settings["cadence_curators"] = named
    clinic.store()
    assert_golden(in_words(clinic.todo()), f"no-curator:{len(named)} named")


def test_a_deactivated_curator_is_none(clinic: Clinic) -> None:
    clinic.members.append(clinic.person("U0CUR", "Cui", deleted=True))
    clinic.store()
    assert_golden(in_words(clinic.todo()), "no-curator:deactivated")


def test_no_curator_channel(clinic: Clinic) -> None:
    clinic.workspace.curator_channel = None
    clinic.store()
    assert_golden(in_words(clinic.todo()), "no-curator-channel")


def test_a_team_without_a_reporter(clinic: Clinic) -> None:
    clinic.team.reporter = None
    clinic.store()
    assert_golden(in_words(clinic.todo()), "no-reporter")


def test_a_team_without_members(clinic: Clinic) -> None:
    clinic.members = []
    clinic.store()
    assert_golden(in_words(clinic.todo()), "no-members")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc"])
def test_zones_that_are_none(clinic: Clinic, zone: str) -> None:
    clinic.team.timezone = clinic.workspace.timezone = zone
    clinic.store()
    assert_golden("\n".join(clinic.todo()), f"unknown-zones:{zone}")


def test_a_machine_without_zone_data(stored: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.ops.doctor.available_timezones", set[str])
    assert_golden(in_words(stored.todo()), "no-zones")


def test_members_who_were_deactivated(clinic: Clinic, slack: FakeSlack) -> None:
    clinic.members[1].deleted = True
    clinic.store()
    assert_golden(in_words(clinic.todo()), "deactivated:stored")
    assert "users.info" not in slack.calls, "what is stored isn't asked again"


def test_members_slack_does_not_know(clinic: Clinic) -> None:
    clinic.store(strangers=["U0TYPO", "U0TYPO2"])
    assert_golden(in_words(clinic.todo()), "unknown-members")


def test_members_not_described_yet_are_asked_about(clinic: Clinic, slack: FakeSlack) -> None:
    slack.answers["users.info U0NEW"] = {"ok": True, "user": {"id": "U0NEW", "real_name": "Nia"}}
    slack.answers["users.info U0LEFT"] = {
        "ok": True,
        "user": {"id": "U0LEFT", "real_name": "Lev", "deleted": True},
    }
    clinic.store(strangers=["U0NEW", "U0LEFT"])
    assert_golden(in_words(clinic.todo()), "deactivated:asked")


@pytest.mark.parametrize("answer", [refuses("unknown_method"), Raw(429, "{}"), Raw(0, "")])
def test_when_slack_does_not_answer_about_people_nobody_is_called_unknown(
    clinic: Clinic, slack: FakeSlack, answer: dict[str, Any] | Raw
) -> None:
    clinic.store(strangers=["U0NEW", "U0NEWER"])
    slack.answers["users.info"] = answer
    assert clinic.todo() == {}
    assert_golden(clinic.examine()[-1].what, "not-known-yet")
    assert slack.calls.count("users.info") == 2, "one call an examination is enough to see it"


def test_a_large_workspace_is_not_asked_about_everybody(clinic: Clinic, slack: FakeSlack) -> None:
    clinic.store(strangers=[f"U{number:04}" for number in range(80)])
    clinic.examine()
    assert slack.calls.count("users.info") == 50


def test_names_cannot_play_with_the_terminal(clinic: Clinic) -> None:
    clinic.team.title, clinic.team.reporter = "Sup\x1b[2Jport", None
    clinic.store()
    assert_golden(in_words(clinic.todo()), "escaped-name")
