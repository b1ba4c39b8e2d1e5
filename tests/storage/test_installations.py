"""Slack's tokens by workspace: the SDK's columns match, a state is used once, the newest token counts."""

from datetime import timedelta

import pytest
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore
from sqlalchemy import MetaData, Table
from sqlmodel import SQLModel, select

from cadence.actor import Actor
from cadence.flows.workspaces.installing import installed
from storage.engine import Database
from storage.queries import cycles, installations, workspaces
from storage.tables import SlackState, Workspace
from storage.tables.columns import without_zone
from storage.work import UnitOfWork
from tests.storage.seeds import DAY, NOW, plant
from tests.storage.seeds_installations import CLIENT, bot_row

THEIRS = (
    SQLAlchemyInstallationStore.build_bots_table(MetaData(), "slack_bot"),
    SQLAlchemyInstallationStore.build_installations_table(MetaData(), "slack_installation"),
    SQLAlchemyOAuthStateStore.build_oauth_states_table(MetaData(), "slack_state"),
)


def shape(table: Table) -> tuple[dict[str, tuple[str, bool, bool]], set[tuple[str | None, tuple[str, ...]]]]:
    columns = {one.name: (str(one.type), bool(one.nullable), one.primary_key) for one in table.columns}
    return columns, {(str(one.name), tuple(part.name for part in one.columns)) for one in table.indexes}


@pytest.mark.parametrize("theirs", THEIRS, ids=lambda table: table.name)
def test_the_tables_are_those_of_the_sdk(theirs: Table) -> None:
    assert shape(SQLModel.metadata.tables[theirs.name]) == shape(theirs)


def test_the_newest_installation_of_a_workspace_counts(db: Database) -> None:
    with db.write() as session:
        plant(session, "T1")
        plant(session, "T2")
        session.add(bot_row("T1", NOW + DAY))
    assert installed(db, client_id=CLIENT)["T1"].installed_at == NOW + DAY
    assert "xoxb" not in repr(installed(db, client_id=CLIENT)), "tokens are never printed"
    assert installed(db, client_id="another app") == {}


def test_a_workspace_that_took_the_bot_out_is_left_alone(db: Database) -> None:
    with db.write() as session:
        plant(session, "T1")
        plant(session, "T2")
        taken_out = session.get_one(Workspace, "T1")
        taken_out.uninstalled_at = NOW
        session.add(taken_out)
    with db.read() as session:
        assert [one.id for one in workspaces.workspaces(session)] == ["T2"]
        assert {one.workspace_id for one in cycles.closings(session)} == {"T2"}
    assert list(installed(db, client_id=CLIENT)) == ["T2"]


def test_a_state_is_used_once_and_in_time(db: Database) -> None:
    with db.write() as session:
        for state, minutes in (("good", 10), ("old", 0)):
            session.add(SlackState(state=state, expire_at=without_zone(NOW + timedelta(minutes=minutes))))
    for state, right in (("old", False), ("made up", False), ("good", True), ("good", False)):
        with db.write() as session:
            assert installations.use_state(session, state=state, now=NOW) is right
    with db.read() as session:
        assert not session.exec(select(SlackState)).all()


def test_a_refresh_token_is_exchanged_once(db: Database) -> None:
    with db.write() as session:
        plant(session, "T1")
    for right in (True, False):
        with db.write() as session:
            kept = installations.rotate(
                UnitOfWork.around(session, Actor.system("T1")),
                used="xoxe-1",
                token="xoxb-2",
                refresh_token="xoxe-2",
                expires_at=NOW + DAY,
            )
        assert kept is right
    found = installed(db, client_id=CLIENT)["T1"]
    assert (found.token, found.refresh_token, found.expires_at) == ("xoxb-2", "xoxe-2", NOW + DAY)
