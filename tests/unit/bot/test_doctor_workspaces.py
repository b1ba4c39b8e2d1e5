"""`cadence doctor` says in words what is missing where workspaces install the bot by themselves."""

from datetime import datetime, timedelta

import pytest

from storage.engine import Database
from storage.tables import SlackBot
from storage.tables.columns import without_zone
from tests.contexts import assert_golden
from tests.unit.bot.clinic import NOW, TEAM_ID, Clinic, in_words

APP = {"slack_client_id": "12.34", "slack_client_secret": "hunter2client", "slack_signing_secret": "hunter2"}


@pytest.fixture
def several(stored: Clinic) -> Clinic:
    """One workspace that has installed the bot."""
    stored.settings = {"slack_api_url": stored.slack.api_url, "database_url": stored.url, **APP}
    return stored


def install(clinic: Clinic, *, expires_at: datetime | None = None) -> None:
    db = Database(clinic.url)
    with db.write() as session:
        session.add(
            SlackBot(
                client_id="12.34",
                app_id="A1",
                workspace_id=TEAM_ID,
                bot_token="xoxb-hunter2",
                bot_refresh_token="xoxe-hunter2",
                bot_token_expires_at=without_zone(expires_at) if expires_at else None,
                bot_scopes="chat:write",
                installed_at=without_zone(NOW),
            )
        )
    db.close()


def test_all_is_well(several: Clinic) -> None:
    install(several)
    assert_golden(several.report(), "well")
    assert several.slack.tokens[0] == "xoxb-hunter2"


def test_nobody_has_installed_it(several: Clinic) -> None:
    assert_golden(in_words(several.todo()), "nobody")


def test_what_is_missing(several: Clinic) -> None:
    install(several, expires_at=NOW + timedelta(minutes=20))
    several.settings["slack_signing_secret"] = None
    several.slack.headers["x-oauth-scopes"] = "chat:write"
    todo = several.todo()
    assert len(todo) == 3
    assert_golden(in_words(todo), "missing")


def test_a_token_that_is_not_good(several: Clinic) -> None:
    install(several)
    several.slack.answers["auth.test"] = {"ok": False, "error": "token_revoked", "said": "xoxe-hunter2"}
    assert_golden(in_words(several.todo()), "revoked")


def test_a_curator_is_named_by_workspace(several: Clinic) -> None:
    install(several)
    several.settings["cadence_curators"] = f"{TEAM_ID}:U0CUR,T0OTHER:U0ELSE"
    db = Database(several.url)
    with db.write() as session:
        session.connection().exec_driver_sql("DELETE FROM curator")
    db.close()
    assert_golden(in_words(several.todo()), "no-curator")
