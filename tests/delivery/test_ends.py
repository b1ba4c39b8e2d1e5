"""Every error in Slack's table ends a message visibly: none fails silently."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.delivery.gateway import ERROR_CLASSES, Identity, SlackError
from bot.delivery.sender import Delivery, Outcome, Post
from bot.delivery.slack_errors import ERRORS, GONE, INVITE, RESTRICTED, Kind
from bot.metrics import ATTEMPTS
from cadence.actor import Actor
from cadence.flows.outbox.deliveries import Asked, deliveries_of
from cadence.flows.outbox.outbox import Pace
from cadence.flows.overview.attention import is_stuck
from cadence.flows.people.profiles import ensure_workspace
from cadence.flows.workspaces.checks import figures
from cadence.nudges import Unless
from storage.engine import Database
from storage.outbox import ledger
from storage.outbox.queueing import NewMessage
from storage.tables import MessageState
from storage.work import UnitOfWork
from tests.databases import database

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
ENDING = {code: row for code, row in ERRORS.items() if row.kind in ERROR_CLASSES}
CHANNELS = {code: f"C{number:03}" for number, code in enumerate(ENDING)}


class Refusing:
    """A Slack that refuses each channel's message with another error."""

    def post(self, *, channel: str, **_: Any) -> str:
        """Refuse it."""
        code = next(code for code, name in CHANNELS.items() if name == channel)
        error: SlackError = ERROR_CLASSES[ERRORS[code].kind](code)
        raise error


def owe(db: Database, code: str) -> None:
    message = NewMessage(
        "asked",
        CHANNELS[code],
        {"by": "U1", "what": "start a cycle"},
        about=(code,),
        useful=timedelta(minutes=30),
    )
    with db.write() as session:
        UnitOfWork.around(session, Actor.system("T1"), NOW).send(message)


@pytest.fixture
def ledger_db(tmp_path: Path) -> Iterator[Database]:
    with database(tmp_path / "ends.db") as db:
        yield db


def test_every_error_that_ends_a_message_is_seen(ledger_db: Database) -> None:
    db = ledger_db
    ensure_workspace(UnitOfWork(db, Actor.system("T1"), NOW), name="Team")
    for code in ENDING:
        owe(db, code)
    bot = Identity("T1", "Team", "", "U0BOT", "B0BOT", frozenset())
    post = Post(Refusing(), bot)  # type: ignore[arg-type]
    delivery = Delivery(db, post_for=lambda _: post, clock=lambda: NOW, pace=Pace(timedelta()))
    assert set(delivery.drain()) == {Outcome.FAILED, Outcome.SKIPPED}

    with db.read() as session:
        told = ledger.unsent_counts(
            UnitOfWork.around(session, Actor.system("T1")), since=NOW, until=NOW + timedelta(days=1)
        )
    ends = {reason: state for _, state, reason, _ in told}
    for code, row in ENDING.items():
        gone = row.kind is Kind.DONE
        assert ends.pop(code) is (MessageState.SKIPPED if gone else MessageState.FAILED), code
        assert not Unless.is_quiet(code), "the digest tells what wasn't sent, and why"
        assert ATTEMPTS.labels(
            outcome=ERROR_CLASSES[row.kind].__name__.removeprefix("Slack").lower(), error=code
        )
    assert ends == {}
    counted = {
        (kind, state): count for kind, state, count in figures(db, workspace_ids=["T1"], now=NOW).messages
    }
    failed = sum(row.kind is not Kind.DONE for row in ENDING.values())
    assert counted["asked", MessageState.FAILED] == failed
    assert counted["asked", MessageState.SKIPPED] == len(ENDING) - failed
    seen = deliveries_of(UnitOfWork(db, Actor.system("T1"), NOW), Asked(state="failed", limit=999))
    assert {row.reason for row in seen.messages} == {
        code for code, row in ENDING.items() if row.kind is not Kind.DONE
    }


@pytest.mark.parametrize(
    "code", [code for code, row in ERRORS.items() if row.remedy in (GONE, INVITE, RESTRICTED)]
)
def test_a_channel_that_somebody_must_mend_is_named_in_the_digest(code: str) -> None:
    assert is_stuck("C01TEAM", code)
