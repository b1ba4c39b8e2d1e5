"""`cadence doctor` says in words what is missing: curators, reporters, members."""

from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

from storage.engine import Database
from storage.tables import Curator, Workspace
from tests.unit.bot.clinic import NOW, TEAM_ID, Clinic, only
from tests.unit.bot.fake_slack import FakeSlack, Raw, refuses


def test_another_workspace_is_nobodys_business(stored: Clinic, slack: FakeSlack) -> None:
    slack.answers["auth.test"] = {"ok": True, "team_id": "T0OTHER", "team": "Other", "user_id": "U0BOT"}
    said = [finding.what for finding in stored.examine()]
    assert said[-1] == "Nothing is stored about this workspace yet. That changes when the bot starts."
    assert "conversations.info" not in slack.calls


def test_an_empty_workspace(clinic: Clinic, migrated: Path) -> None:
    copyfile(migrated, clinic.file)
    db = Database(clinic.url)
    with db.write() as session:
        session.add(Workspace(id=TEAM_ID, name="Acme", curator_channel="C0CUR", created_at=NOW))
        session.flush()
        session.add(Curator(workspace_id=TEAM_ID, member="U0CUR", since=NOW))
    db.close()
    said = [finding.what for finding in clinic.examine()]
    assert "Acme has no team yet. Create one with `/cadence team create`." in said
    assert clinic.todo() == {}


@pytest.mark.parametrize(
    ("named", "who"),
    [((), "A workspace admin can"), (("U0A", "U0B"), "U0A, U0B (from CADENCE_CURATORS) can")],
)
def test_a_workspace_without_a_curator(clinic: Clinic, named: tuple[str, ...], who: str) -> None:
    clinic.curators = []
    clinic.settings["cadence_curators"] = named
    clinic.store()
    what, remedy = only(clinic.todo())
    assert what == "Acme has no curator."
    assert remedy.startswith(who)


def test_a_deactivated_curator_is_none(clinic: Clinic) -> None:
    clinic.members.append(clinic.person("U0CUR", "Cui", deleted=True))
    clinic.store()
    assert "Acme has no curator." in clinic.todo()


def test_no_curator_channel(clinic: Clinic) -> None:
    clinic.workspace.curator_channel = None
    clinic.store()
    what, remedy = only(clinic.todo())
    assert what == "Acme has no curator channel for the digest."
    assert "`/cadence settings`" in remedy


def test_a_team_without_a_reporter(clinic: Clinic) -> None:
    clinic.team.reporter = None
    clinic.store()
    what, remedy = only(clinic.todo())
    assert what == "Support EMEA has no KPI reporter."
    assert "`/cadence team create support-emea`" in remedy


def test_a_team_without_members(clinic: Clinic) -> None:
    clinic.members = []
    clinic.store()
    assert list(clinic.todo()) == ["Support EMEA has no members."]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc"])
def test_zones_that_are_none(clinic: Clinic, zone: str) -> None:
    clinic.team.timezone = clinic.workspace.timezone = zone
    clinic.store()
    assert list(clinic.todo()) == [
        f"Acme has a time zone this machine doesn't know: {zone}.",
        f"Support EMEA has a time zone this machine doesn't know: {zone}.",
    ]


def test_a_machine_without_zone_data(stored: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.ops.doctor.available_timezones", set[str])
    what, remedy = only(stored.todo())
    assert what == "This machine has no time zone data."
    assert "tzdata" in remedy


def test_members_who_were_deactivated(clinic: Clinic, slack: FakeSlack) -> None:
    clinic.members[1].deleted = True
    clinic.store()
    what, remedy = only(clinic.todo())
    assert what == "Support EMEA: deactivated in Slack: Ono (U0ONE)."
    assert "`/cadence team create support-emea`" in remedy
    assert "users.info" not in slack.calls, "what is stored isn't asked again"


def test_members_slack_does_not_know(clinic: Clinic) -> None:
    clinic.store(strangers=["U0TYPO", "U0TYPO2"])
    assert "Support EMEA: Slack doesn't know U0TYPO, U0TYPO2." in clinic.todo()


def test_members_not_described_yet_are_asked_about(clinic: Clinic, slack: FakeSlack) -> None:
    slack.answers["users.info U0NEW"] = {"ok": True, "user": {"id": "U0NEW", "real_name": "Nia"}}
    slack.answers["users.info U0LEFT"] = {
        "ok": True,
        "user": {"id": "U0LEFT", "real_name": "Lev", "deleted": True},
    }
    clinic.store(strangers=["U0NEW", "U0LEFT"])
    assert list(clinic.todo()) == ["Support EMEA: deactivated in Slack: Lev (U0LEFT)."]


@pytest.mark.parametrize("answer", [refuses("unknown_method"), Raw(429, "{}"), Raw(0, "")])
def test_when_slack_does_not_answer_about_people_nobody_is_called_unknown(
    clinic: Clinic, slack: FakeSlack, answer: dict[str, Any] | Raw
) -> None:
    clinic.store(strangers=["U0NEW", "U0NEWER"])
    slack.answers["users.info"] = answer
    assert clinic.todo() == {}
    assert clinic.examine()[-1].what == (
        "Support EMEA: 2 of its members aren't known yet. The bot looks them up when it runs."
    )
    assert slack.calls.count("users.info") == 2, "one call an examination is enough to see it"


def test_a_large_workspace_is_not_asked_about_everybody(clinic: Clinic, slack: FakeSlack) -> None:
    clinic.store(strangers=[f"U{number:04}" for number in range(80)])
    clinic.examine()
    assert slack.calls.count("users.info") == 50


def test_names_cannot_play_with_the_terminal(clinic: Clinic) -> None:
    clinic.team.title, clinic.team.reporter = "Sup\x1b[2Jport", None
    clinic.store()
    assert "Sup [2Jport has no KPI reporter." in clinic.todo()
