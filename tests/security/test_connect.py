"""Slack Connect: two workspaces have the bot and share a channel; actions in one never affect the other."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bot.sandbox.delivery import Kind, encode, signed_headers
from bot.web import dispatch
from storage.tables import LoggedException
from templates.ids import Callback
from tests.contexts import assert_golden
from tests.scenarios.houses import AGENT, LEAD, A, B, House, a_house
from tests.security.test_roles import form, option, text
from tests.slacks import SIGNING_SECRET

Json = dict[str, Any]
FOREIGN = "U0FOREIGN"


@pytest.fixture
def both(tmp_path: Path) -> Iterator[House]:
    with a_house(tmp_path) as house:
        for team in (A, B):
            house.install(team)
            house.prepare(team)
        house.play_until("2026-03-03 10:00")
        yield house


def exceptions(house: House) -> list[tuple[str, str]]:
    with house.bot.db.read() as session:
        return [(row.workspace_id, row.reason) for row in session.exec(select(LoggedException))]


def sends(house: House, kind: Kind, body: Json) -> str:
    sent = encode(kind, body)
    status, answer, _ = dispatch(house.bot.app, sent, signed_headers(kind, sent, SIGNING_SECRET, None))
    assert status == 200
    return answer


def submission(house: House, *, person: str, home: str, installed: str) -> Json:
    """The form "Log an exception" as Slack sends it: `team` is the submitter's workspace."""
    with house.bot.db.read() as session:
        table = "SELECT id FROM adoption WHERE workspace_id = ?".replace("?", f"'{installed}'")
        adoption = session.connection().exec_driver_sql(table).scalar_one()
    view = form(Callback.EXCEPTION, step=option(f"{adoption}:draft"), reason=text("tone was off"))
    return {
        "type": "view_submission",
        "team": {"id": home, "domain": home.lower()},
        "user": {"id": person, "name": "ben", "team_id": home},
        "trigger_id": f"{person}.1",
        "view": view | {"team_id": home, "app_installed_team_id": installed},
    }


def test_a_form_opened_in_one_workspace_writes_nothing_into_the_other(both: House) -> None:
    answer = sends(both, "interactive", submission(both, person=FOREIGN, home=B, installed=A))
    assert exceptions(both) == []
    assert_golden(json.loads(answer)["errors"]["step"], "of-the-other-workspace")


def test_a_form_of_ones_own_workspace_acts_there(both: House) -> None:
    sends(both, "interactive", submission(both, person=AGENT, home=A, installed=A))
    assert exceptions(both) == [(A, "tone was off")]


def test_nobody_acts_in_another_workspace_under_an_id_that_is_known_there(both: House) -> None:
    """The two workspaces of this test have people with the same IDs."""
    answer = sends(both, "interactive", submission(both, person=LEAD, home=B, installed=A))
    assert exceptions(both) == []
    assert_golden(json.loads(answer)["errors"]["step"], "of-the-other-workspace")


def test_a_button_in_a_shared_channel_refuses_people_of_the_other_workspace(both: House) -> None:
    button = {"type": "button", "action_id": "exception.log", "block_id": "b", "value": "1:draft"}
    body = {
        "type": "block_actions",
        "team": {"id": A},
        "user": {"id": FOREIGN, "team_id": B},
        "trigger_id": "1.1",
        "channel": {"id": "C0SHARED"},
        "actions": [button],
        "view": form(Callback.EXCEPTION) | {"team_id": B, "app_installed_team_id": A},
    }
    calls = both.slack.workspaces
    before = {team: len(calls[team].exchanges()) for team in (A, B)}
    sends(both, "interactive", body)
    made = {team: [one.what for one in calls[team].exchanges()[before[team] :]] for team in (A, B)}
    assert made[B] == [], "the token of the workspace the person comes from isn't used"
    assert json.dumps(made[A]).count("views.") <= 1
