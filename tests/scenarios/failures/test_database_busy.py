"""While somebody else holds a lock that a request needs: an answer in time for Slack, and nothing
half-done."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import psycopg

from bot.rehearsal.harness import BotHarness
from bot.sandbox import payloads
from handlers.listeners import BUSY
from storage.engine import plain_url, sqlite_file
from storage.tables import LoggedException
from templates.contexts.exceptions import ExceptionLogged
from tests.contexts import assert_golden, shown
from tests.harnesses import EXAMPLES
from tests.scenarios.plays import rows

LEAD, CHANNEL = "U01LEAD", "C01SUPEMEA"
SLACK_SECONDS = 3.0
TUESDAY = datetime(2026, 3, 3, 10, tzinfo=UTC)


@contextmanager
def held(harness: BotHarness) -> Iterator[None]:
    """Another process locks every table."""
    db = harness.bot.db
    file = sqlite_file(db.url)
    if file is not None:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
    else:
        with psycopg.connect(plain_url(db.engine.url.render_as_string(hide_password=False))) as other:
            other.execute("LOCK TABLE trail, exception, playbook, home_change IN EXCLUSIVE MODE")
            other.execute("SELECT id FROM adoption FOR UPDATE")
            yield
            other.rollback()


def test_a_command_says_so_in_time_and_can_be_repeated(harness: BotHarness) -> None:
    text = "send tone was off"
    lead = harness.workspace.person(LEAD)
    lead.types("/cadence", "cycle start support-reply", channel=CHANNEL)
    harness.play_until(TUESDAY)
    with held(harness):
        began = time.monotonic()
        told = lead.types("/exception", text, channel=CHANNEL)
        took = time.monotonic() - began
        read = lead.types("/cadence", "status", channel=CHANNEL)
    assert (told.status, told.text) == (200, BUSY)
    assert_golden(told, "busy")
    assert took < 2 * SLACK_SECONDS  # this machine may be busy, too
    assert read.status == 200
    assert BUSY not in read.text
    again = lead.types("/exception", text, channel=CHANNEL)
    assert shown(again, ExceptionLogged).evidence.exceptions == 1
    assert [row.reason for row in rows(harness, LoggedException)] == ["tone was off"]


def test_a_form_says_so_and_keeps_what_was_typed(harness: BotHarness) -> None:
    lead = harness.workspace.person(LEAD)
    lead.types("/cadence", "playbook import", channel=CHANNEL)
    form = lead.form()
    with held(harness):
        text = (EXAMPLES / "support-reply.yaml").read_text().replace("support-reply", "support-again")
        told = lead.submits({"yaml": text})
    assert list(told.errors.values()) == [BUSY]
    assert told.view is not None
    assert told.view.id == form.id


def test_an_event_is_asked_for_again(harness: BotHarness) -> None:
    opened = {"type": "app_home_opened", "user": LEAD, "channel": "D01", "tab": "home"}
    body = payloads.event_body(harness.workspace, opened)
    if harness.bot.db.is_sqlite:
        with held(harness):
            assert harness.workspace.deliver("events_api", body).status == 503
    assert harness.workspace.deliver("events_api", body, retry_num=1).status == 200


def test_health_needs_no_database(harness: BotHarness) -> None:
    from werkzeug.test import Client

    from bot.ops.commands import BUILT_IN_TEAM
    from bot.web import Web

    client = Client(
        Web(db=harness.bot.db, workspace=BUILT_IN_TEAM, slack=harness.bot.app, clock=harness.clock.now)
    )
    with held(harness):
        assert client.get("/healthz").status_code == 200
