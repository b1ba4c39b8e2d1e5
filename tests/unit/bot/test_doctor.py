"""`cadence doctor` says in words what is missing: settings and the database."""

from pathlib import Path
from typing import Any

import pytest

from bot.ops.manifest import NEEDS
from storage.engine import Database
from tests.contexts import assert_golden
from tests.unit.bot.clinic import Clinic, closed_port, in_words
from tests.unit.bot.fake_slack import FakeSlack

MIGRATIONS = Path(__file__).parents[3] / "storage/migrations/versions"
READ_ONLY = {"auth.test", "apps.connections.open", "conversations.info", "users.info"}


# --- all is well ----------------------------------------------------------------------------------------------


def test_when_nothing_is_missing(stored: Clinic) -> None:
    assert stored.todo() == {}
    assert_golden(stored.report(), "well")


def test_each_token_goes_where_it_belongs(stored: Clinic, slack: FakeSlack) -> None:
    stored.examine()
    sent = dict(zip(slack.calls, slack.tokens, strict=True))
    assert sent["apps.connections.open"] == stored.settings["slack_app_token"]
    assert {token for method, token in sent.items() if method != "apps.connections.open"} == {
        stored.settings["slack_bot_token"]
    }


def test_nothing_is_posted_and_nothing_needs_another_scope(clinic: Clinic, slack: FakeSlack) -> None:
    clinic.store(strangers=["U0NEW"])
    clinic.examine()
    assert set(slack.calls) == READ_ONLY
    assert set(NEEDS) >= READ_ONLY


# --- settings -------------------------------------------------------------------------------------------------


def built_in(clinic: Clinic, **settings: Any) -> Clinic:
    clinic.settings = {"database_url": clinic.url, **settings}
    return clinic


def test_the_built_in_workspace_needs_no_tokens(stored: Clinic, slack: FakeSlack) -> None:
    assert_golden(built_in(stored).report(), "built-in")
    assert slack.calls == []


def test_a_server_without_a_token_is_a_contradiction(stored: Clinic, slack: FakeSlack) -> None:
    assert_golden(in_words(built_in(stored, slack_api_url=slack.api_url).todo()), "server-without-token")


@pytest.mark.parametrize(
    ("app_token", "secret", "mode"),
    [
        ("xapp-7-hunter2", None, "socket"),
        (None, "hunter2", "http"),
        ("xapp-7-hunter2", "hunter2", "both"),
    ],
)
def test_the_mode_is_named(stored: Clinic, app_token: str | None, secret: str | None, mode: str) -> None:
    stored.settings |= {"slack_app_token": app_token, "slack_signing_secret": secret}
    assert_golden(stored.examine()[0].what, f"mode:{mode}")
    assert stored.todo() == {}


def test_a_bot_that_cannot_hear(stored: Clinic, slack: FakeSlack) -> None:
    stored.settings["slack_app_token"] = None
    assert_golden(in_words(stored.todo()), "cannot-hear")
    assert "apps.connections.open" not in slack.calls


# --- database -------------------------------------------------------------------------------------------------


def test_a_database_that_is_not_there_is_not_made(clinic: Clinic, tmp_path: Path) -> None:
    assert_golden(clinic.examine()[1].what, "no-database-yet")
    assert clinic.todo() == {}
    assert list(tmp_path.iterdir()) == []


def test_migrations_to_come(clinic: Clinic) -> None:
    Database(clinic.url).engine.connect().close()
    there_are = len(list(MIGRATIONS.glob("0*.py")))
    assert_golden(in_words(clinic.todo()).replace(f" {there_are} ", " ALL "), "pending:all")


def test_many_migrations_to_come(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    Database(clinic.url).engine.connect().close()
    monkeypatch.setattr("cadence.flows.workspaces.checks.pending", lambda _db: ["0002", "0003"])
    assert_golden(in_words(clinic.todo()), "pending:two")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (f"postgresql://bot:hunter2@127.0.0.1:{closed_port()}/cadence", "nobody there"),
        ("postgresql://bot:hunter2@[::1/cadence", "no address"),
        ("postgresql://bot:x@127.0.0.1:hunter2/cadence", "no port"),
        ("postgresql+nosuchdriver://bot:hunter2@127.0.0.1/d", "no driver"),
    ],
    ids=["nobody-there", "no-address", "no-port", "no-driver"],
)
def test_a_database_that_cannot_be_used(clinic: Clinic, url: str, why: str) -> None:
    clinic.settings["database_url"] = url
    assert_golden(in_words(clinic.todo()), f"unusable:{why}")


def test_a_file_that_is_no_database(clinic: Clinic, tmp_path: Path) -> None:
    (tmp_path / "cadence.db").write_text("a shopping list, " * 100, encoding="utf-8")
    assert_golden(in_words(clinic.todo()), "unusable:no database")


def test_a_folder_that_cannot_be_made(clinic: Clinic, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    clinic.settings |= {"database_url": None, "cadence_data": tmp_path / "taken"}
    assert_golden(in_words(clinic.todo()), "unusable:no folder")
