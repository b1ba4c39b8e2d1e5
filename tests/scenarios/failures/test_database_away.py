"""While the database can't be reached, everybody is told so in a sentence, and no input is logged."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnection

from bot.rehearsal.harness import BotHarness
from bot.sandbox import payloads
from handlers.listeners import UNREACHABLE
from storage.engine import is_unreachable
from templates.ids import Action, Callback, Shortcut
from tests.contexts import assert_golden
from tests.scenarios.plays import REPLY

LEAD, STRANGER, CHANNEL = "U01LEAD", "U0STRANGER", "C01SUPEMEA"
TYPED = "the patient's name was in the draft"


class Away:
    """Switches a harness's database off and on, as a stopped PostgreSQL would be."""

    def __init__(self, harness: BotHarness) -> None:
        self._engine = harness.bot.db.engine
        self.tried = 0

    def __enter__(self) -> "Away":
        self._engine.dispose()
        event.listen(self._engine, "connect", self._refuse)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "connect", self._refuse)

    def _refuse(self, connection: Any, _record: object) -> None:
        self.tried += 1
        connection.close()
        raise self._engine.dialect.loaded_dbapi.OperationalError("connection refused")


@pytest.fixture
def logs(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Every line logged during the test so far."""
    lines: list[str] = []
    yield lines
    said = capsys.readouterr()
    lines += [said.out, said.err, caplog.text]
    assert TYPED not in "".join(lines)
    assert "Traceback" not in "".join(lines)


@pytest.mark.parametrize("member", [LEAD, STRANGER])
@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("/cadence", "status"),
        ("/cadence", "playbook new"),
        ("/kpi", f"14m {TYPED}"),
        ("/exception", f"draft {TYPED}"),
        ("/attest", ""),
    ],
)
@pytest.mark.usefixtures("logs")
def test_a_command_gets_a_sentence(harness: BotHarness, command: str, text: str, member: str) -> None:
    room = harness.workspace.channel(CHANNEL)
    asker = harness.workspace.person(LEAD).user
    body = payloads.slash_command(harness.workspace, asker, room, command, text) | {"user_id": member}
    with Away(harness) as away:
        answer = harness.workspace.deliver("slash_commands", body)
    assert away.tried
    assert answer.status == 200
    shown = harness.workspace.views.stack(LEAD)
    said = answer.json.get("text", "") + "".join(view.words for view in shown)
    assert UNREACHABLE in said


@pytest.mark.usefixtures("logs")
def test_a_button_gets_a_sentence(harness: BotHarness) -> None:
    lead = harness.workspace.person(LEAD)
    answer = lead.types("/cadence", "hepl", channel=CHANNEL)
    assert answer.message is not None
    with Away(harness):
        told = lead.clicks(answer.message, action_id=Action.TYPE_IT)
    assert told.status == 200
    assert told.text == UNREACHABLE
    assert_golden(told, "unreachable")


@pytest.mark.usefixtures("logs")
def test_a_form_keeps_what_was_typed_and_says_it_on_a_field(harness: BotHarness) -> None:
    lead = harness.workspace.person(LEAD)
    lead.types("/cadence", "playbook import", channel=CHANNEL)
    form = lead.form()
    assert form.callback_id == Callback.IMPORT
    with Away(harness):
        told = lead.submits({"yaml": f"{REPLY.read_text()}# {TYPED}\n"})
    assert list(told.errors.values()) == [UNREACHABLE]
    assert told.view is not None
    assert told.view.id == form.id


@pytest.mark.usefixtures("logs")
def test_a_shortcut_gets_a_sentence(harness: BotHarness) -> None:
    lead = harness.workspace.person(LEAD)
    message = lead.says(TYPED, CHANNEL)
    with Away(harness):
        told = [lead.shortcut(Shortcut.LOG_EXCEPTION, message), lead.shortcut(Shortcut.CHECK_IN)]
    for one in told:
        assert one.status == 200
        assert one.view is not None
        assert UNREACHABLE in one.view.words


@pytest.mark.parametrize("member", [LEAD, "U01CURATOR"])
@pytest.mark.usefixtures("logs")
def test_home_says_so_and_slack_is_asked_to_send_the_event_again(harness: BotHarness, member: str) -> None:
    harness.workspace.person(LEAD).opens_home()
    opened = {"type": "app_home_opened", "user": member, "channel": "D01", "tab": "home"}
    body = payloads.event_body(harness.workspace, opened)
    with Away(harness):
        assert harness.workspace.deliver("events_api", body).status == 503
    home = harness.workspace.views.home(member)
    assert home is not None
    assert UNREACHABLE in home.words
    assert harness.workspace.deliver("events_api", body, retry_num=1).status == 200
    home = harness.workspace.views.home(member)
    assert home is not None
    assert UNREACHABLE not in home.words


EVENTS = [
    {"type": "user_change", "user": {"id": LEAD, "name": "lead", "profile": {"status_text": TYPED}}},
    {"type": "team_join", "user": {"id": "U0NEW", "name": "new"}},
    {"type": "member_joined_channel", "user": "U0BOT", "channel": CHANNEL, "channel_type": "C"},
    {
        "type": "function_executed",
        "function": {"callback_id": "log_exception"},
        "inputs": {"person": LEAD, "playbook": "support-reply", "step": "send", "reason": TYPED},
        "function_execution_id": "Fx1",
    },
]


@pytest.mark.parametrize("happened", EVENTS, ids=lambda one: one["type"])
@pytest.mark.usefixtures("logs")
def test_an_event_gets_a_503_and_its_retry_is_taken(harness: BotHarness, happened: dict[str, Any]) -> None:
    body = payloads.event_body(harness.workspace, happened)
    with Away(harness):
        assert harness.workspace.deliver("events_api", body).status == 503
    assert harness.workspace.deliver("events_api", body, retry_num=1).status == 200


def test_what_counts_as_away() -> None:
    def sqlite(code: int) -> OperationalError:
        wrong = sqlite3.OperationalError("x")
        wrong.sqlite_errorcode = code
        return OperationalError("SELECT 1", {}, wrong)

    away = [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR]
    assert all(is_unreachable(sqlite(code)) for code in away)
    assert is_unreachable(sqlite(sqlite3.SQLITE_BUSY | 2 << 8)), "SQLITE_BUSY_SNAPSHOT"
    assert is_unreachable(OperationalError("", {}, psycopg.OperationalError("server closed the connection")))
    assert is_unreachable(NoConnection())
    assert not is_unreachable(sqlite(sqlite3.SQLITE_ERROR)), "no such table"
    assert not is_unreachable(ProgrammingError("", {}, psycopg.errors.UndefinedTable()))
    assert not is_unreachable(ZeroDivisionError())
