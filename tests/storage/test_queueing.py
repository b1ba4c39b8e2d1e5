"""Nudges are queued together, each once, as a message queued by itself would be."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import col, select
from structlog.contextvars import bound_contextvars

from cadence.actor import Actor
from storage.engine import Database
from storage.outbox import slots
from storage.outbox.queueing import NewMessage
from storage.outbox.slots import Nudged
from storage.tables import MessageState, OutboxMessage
from storage.work import UnitOfWork
from tests.bench.planning_bench import counted
from tests.storage.seeds import MEMBER, NOW, OTHER, workspace
from tests.storage.threads import at_once

LATER = NOW + timedelta(hours=1, microseconds=7)


@pytest.fixture
def queue(db: Database) -> Callable[..., int]:
    """Queue nudges in a workspace of their own."""
    with db.write() as session:
        workspace(session)

    def put(*nudges: Nudged) -> int:
        with db.write() as session:
            return slots.queue(UnitOfWork.around(session, Actor.system("T1"), NOW), nudges=nudges)

    return put


def nudged(key: str, *, recipient: str = MEMBER, reason: str = "") -> Nudged:
    return Nudged(key, "checkin", recipient, {"week": "2026-03-02", "adoption": 7}, NOW, LATER, reason)


def rows(db: Database) -> list[OutboxMessage]:
    with db.read() as session:
        return list(session.exec(select(OutboxMessage).order_by(col(OutboxMessage.key))))


def test_a_row_is_what_a_single_message_leaves(db: Database, queue: Callable[..., int]) -> None:
    with bound_contextvars(correlation_id="plan:1"):
        queue(nudged("a"), nudged("b", reason="away “today”"))
        with db.write() as session:
            subject = {"week": "2026-03-02", "adoption": 7}
            UnitOfWork.around(session, Actor.system("T1"), NOW).send(
                [
                    NewMessage("checkin", MEMBER, subject, (key,), NOW, LATER - NOW, *end)
                    for key, end in {
                        "c": (MessageState.DUE, ""),
                        "d": (MessageState.SKIPPED, "away “today”"),
                    }.items()
                ]
            )
    found = [row.model_dump(exclude={"id", "key"}) for row in rows(db)]
    assert found[:2] == found[2:]
    assert found[0]["correlation_id"] == "plan:1"


def test_a_key_is_queued_once(db: Database, queue: Callable[..., int]) -> None:
    assert queue(nudged("a"), nudged("b")) == 2
    assert queue(nudged("a", recipient=OTHER)) == 0
    assert queue(nudged("b"), nudged("c"), nudged("c")) == 1
    assert queue() == 0
    assert [(one.key, one.recipient) for one in rows(db)] == [(key, MEMBER) for key in "abc"]


def test_eight_planners_at_once_queue_each_nudge_once(db: Database, queue: Callable[..., int]) -> None:
    nudges = [nudged(f"slot:{number}") for number in range(40)]
    made = at_once(lambda: queue(*nudges))
    assert sorted(one.key for one in rows(db)) == sorted(one.key for one in nudges)
    assert sum(made) == len(nudges)


def test_any_number_takes_one_statement(db: Database, queue: Callable[..., int]) -> None:
    nudges = [nudged(f"slot:{number}") for number in range(5_003)]
    keys = [one.key for one in nudges]
    with counted(db) as few:
        queue(nudges[0])
    with counted(db) as many:
        assert queue(*nudges) == 5_002
    assert many == few
    with db.read() as session, counted(db) as asked:
        assert slots.known_keys(UnitOfWork.around(session, Actor.system("T1")), keys=[*keys, "never"]) == set(
            keys
        )
    assert asked[0] <= 2
    with db.read() as session:
        assert slots.known_keys(UnitOfWork.around(session, Actor.system("T1")), keys=[]) == set()
        assert slots.known_keys(UnitOfWork.around(session, Actor.system("T2")), keys=keys) == set()
