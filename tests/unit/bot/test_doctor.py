"""`cadence doctor` says in words what is missing: settings and the database."""

from pathlib import Path
from typing import Any

import pytest

from bot.ops.manifest import NEEDS
from storage.engine import Database
from tests.unit.bot.clinic import Clinic, closed_port, only
from tests.unit.bot.fake_slack import FakeSlack

MIGRATIONS = Path(__file__).parents[3] / "storage/migrations/versions"
READ_ONLY = {"auth.test", "apps.connections.open", "conversations.info", "users.info"}


# --- all is well ----------------------------------------------------------------------------------------------


def test_when_nothing_is_missing(stored: Clinic) -> None:
    assert [(finding.ok, finding.what) for finding in stored.examine()] == [
        (True, "Mode: Socket Mode. `cadence run` does everything; no public address is needed."),
        (True, "Database (SQLite): reachable and up to date."),
        (True, "Slack: the token works. In Acme the bot is U0BOT."),
        (True, "Socket Mode: the app-level token opens a connection."),
        (True, "Scopes: all granted."),
        (True, "Channels: the bot is in 2 of 2."),
    ]


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
    assert [finding.what for finding in built_in(stored).examine()] == [
        "Mode: the built-in workspace, because SLACK_BOT_TOKEN isn't set.",
        "Database (SQLite): reachable and up to date.",
        "Slack: the built-in workspace needs no tokens.",
    ]
    assert slack.calls == []


def test_a_server_without_a_token_is_a_contradiction(stored: Clinic, slack: FakeSlack) -> None:
    what, remedy = only(built_in(stored, slack_api_url=slack.api_url).todo())
    assert what == "SLACK_API_URL is set, but without SLACK_BOT_TOKEN the bot doesn't use it."
    assert remedy.startswith("Set SLACK_BOT_TOKEN too")


@pytest.mark.parametrize(
    ("app_token", "secret", "says"),
    [
        ("xapp-7-hunter2", None, "Mode: Socket Mode."),
        (None, "hunter2", "Mode: HTTP. `cadence web` takes Slack's requests at /slack/events"),
        ("xapp-7-hunter2", "hunter2", "Mode: Socket Mode with `cadence run`, HTTP with `cadence web`"),
    ],
)
def test_the_mode_is_named(stored: Clinic, app_token: str | None, secret: str | None, says: str) -> None:
    stored.settings |= {"slack_app_token": app_token, "slack_signing_secret": secret}
    assert stored.examine()[0].what.startswith(says)
    assert stored.todo() == {}


def test_a_bot_that_cannot_hear(stored: Clinic, slack: FakeSlack) -> None:
    stored.settings["slack_app_token"] = None
    what, remedy = only(stored.todo())
    assert what.startswith(
        "The bot can send to Slack but not receive: SLACK_APP_TOKEN and SLACK_SIGNING_SECRET"
    )
    assert "Set SLACK_APP_TOKEN" in remedy
    assert "apps.connections.open" not in slack.calls


# --- database -------------------------------------------------------------------------------------------------


def test_a_database_that_is_not_there_is_not_made(clinic: Clinic, tmp_path: Path) -> None:
    assert clinic.examine()[1].what == "Database (SQLite): it doesn't exist yet. The first start creates it."
    assert clinic.todo() == {}
    assert list(tmp_path.iterdir()) == []


def test_migrations_to_come(clinic: Clinic) -> None:
    Database(clinic.url).engine.connect().close()
    what, remedy = only(clinic.todo())
    there_are = len(list(MIGRATIONS.glob("0*.py")))
    assert what == f"Database (SQLite): {there_are} migrations are pending."
    assert remedy == "Run `cadence migrate`."


def test_many_migrations_to_come(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    Database(clinic.url).engine.connect().close()
    monkeypatch.setattr("cadence.flows.workspaces.checks.pending", lambda _db: ["0002", "0003"])
    assert "Database (SQLite): 2 migrations are pending." in clinic.todo()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (
            f"postgresql://bot:hunter2@127.0.0.1:{closed_port()}/cadence",
            "no server answers at its host and port",
        ),
        ("postgresql://bot:hunter2@[::1/cadence", "its address can't be read"),
        ("postgresql://bot:x@127.0.0.1:hunter2/cadence", "its address can't be read"),
        ("postgresql+nosuchdriver://bot:hunter2@127.0.0.1/d", "it names a driver that isn't installed"),
    ],
    ids=["nobody-there", "no-address", "no-port", "no-driver"],
)
def test_a_database_that_cannot_be_used(clinic: Clinic, url: str, why: str) -> None:
    clinic.settings["database_url"] = url
    what, remedy = only(clinic.todo())
    assert what.endswith(f"it can't be used, {why}.")
    assert remedy == "Check DATABASE_URL."


def test_a_file_that_is_no_database(clinic: Clinic, tmp_path: Path) -> None:
    (tmp_path / "cadence.db").write_text("a shopping list, " * 100, encoding="utf-8")
    assert "Database (SQLite): it can't be used, the file isn't a SQLite database." in clinic.todo()


def test_a_folder_that_cannot_be_made(clinic: Clinic, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    clinic.settings |= {"database_url": None, "cadence_data": tmp_path / "taken"}
    what, remedy = only(clinic.todo())
    assert what == "Database (SQLite): it can't be used, its folder can't be written."
    assert remedy == "Check CADENCE_DATA."
