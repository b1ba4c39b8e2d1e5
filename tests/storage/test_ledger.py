"""A message is queued once, sent by one worker, in order, and ends in one state."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

from cadence.actor import Actor
from storage.engine import Database
from storage.outbox import attempts, leases, ledger, rate_limits
from storage.outbox.queueing import FOREVER, NewMessage
from storage.tables import MessageState, OutboxMessage
from storage.work import UnitOfWork
from tests.databases import rolled_back
from tests.storage.seeds import MEMBER, NOW, OTHER, owed, workspace
from tests.storage.threads import at_once

MINUTE = timedelta(minutes=1)
LATER = NOW + 60 * MINUTE


@pytest.fixture
def queue(db: Database) -> Callable[..., int]:
    """Queue messages in a workspace of their own."""
    with db.write() as session:
        workspace(session)

    def owe(*messages: NewMessage, workspace_id: str = "T1") -> int:
        with db.write() as session:
            return UnitOfWork.around(session, Actor.system(workspace_id), NOW).send_new(messages)

    return owe


def at(session: Session, now: datetime = NOW) -> UnitOfWork:
    return UnitOfWork.around(session, Actor.system("T1"), now)


def rows(db: Database) -> list[OutboxMessage]:
    with db.read() as session:
        return list(session.exec(select(OutboxMessage).order_by(col(OutboxMessage.id))))


def row(db: Database, key: str) -> OutboxMessage:
    with db.read() as session:
        (found,) = at(session).messages("checkin", key)
    assert found.id is not None
    return found


def sendable(db: Database, recipient: str = MEMBER, now: datetime = NOW) -> str | None:
    with db.read() as session:
        found = leases.oldest_due(at(session, now), recipient=recipient)
    return found.message.key.removeprefix("checkin:T1:") if found else None


def begin(session: Session, message: OutboxMessage, now: datetime = NOW) -> bool:
    return attempts.begin(
        at(session, now), message_id=message.id or 0, attempts=message.attempts, channel="D1", text="hello"
    )


def test_a_key_is_queued_once(db: Database, queue: Callable[..., int]) -> None:
    assert queue(owed("a"), owed("b")) == 2
    assert queue(replace(owed("a"), recipient=OTHER)) == 0
    assert queue(owed("b"), owed("c"), owed("c")) == 1
    assert queue() == 0
    assert [(one.key, one.kind, one.recipient) for one in rows(db)] == [
        (f"checkin:T1:{key}", "checkin", MEMBER) for key in "abc"
    ]


def test_what_is_queued_is_due_and_useful_for_a_while(db: Database, queue: Callable[..., int]) -> None:
    queue(owed("a"), replace(owed("b"), useful=LATER - NOW, state=MessageState.SKIPPED, reason="away"))
    due, skipped = rows(db)
    assert (due.state, due.not_before, due.useful_until) == (MessageState.DUE, NOW, NOW + FOREVER)
    assert (due.attempts, due.sent_at, due.ts, due.created_at) == (0, None, None, NOW)
    assert (skipped.state, skipped.reason, skipped.useful_until) == (MessageState.SKIPPED, "away", LATER)
    assert sendable(db) == "a"


def test_eight_planners_at_once_queue_each_message_once(db: Database, queue: Callable[..., int]) -> None:
    messages = [owed(f"slot:{number}") for number in range(40)]
    counted = at_once(lambda: queue(*messages))
    assert sorted(one.key for one in rows(db)) == sorted(one.key("T1") for one in messages)
    assert sum(counted) == len(messages)  # each is new to exactly one of them


def test_a_long_plan_is_queued_whole(db: Database, queue: Callable[..., int]) -> None:
    messages = [owed(f"slot:{number}") for number in range(1_203)]
    assert queue(*messages) == 1_203
    assert queue(*messages, owed("one more")) == 1


def test_messages_to_one_recipient_go_out_in_order(db: Database, queue: Callable[..., int]) -> None:
    queue(
        owed("third", due_at=NOW - MINUTE),
        owed("first", due_at=NOW - 3 * MINUTE),
        owed("second", due_at=NOW - 2 * MINUTE),
        owed("fourth", due_at=NOW - MINUTE),
        owed("someone else's", recipient=OTHER, due_at=NOW - 9 * MINUTE),
        owed("to come", due_at=NOW + MINUTE),
    )
    sent = []
    while (key := sendable(db)) is not None:
        with db.write() as session:
            attempts.finish(
                at(session, NOW), message_id=row(db, key).id or 0, state=MessageState.SENT, ts="1.2"
            )
        sent.append(key)
    assert sent == ["first", "second", "third", "fourth"]
    assert sendable(db, now=NOW + MINUTE) == "to come"
    assert sendable(db, OTHER) == "someone else's"


def test_an_attempt_is_written_down_before_it_is_made(db: Database, queue: Callable[..., int]) -> None:
    queue(owed("a"))
    with db.write() as session:
        assert begin(session, row(db, "a"))
    first = row(db, "a")
    assert (first.attempts, first.first_attempt_at, first.channel, first.text) == (1, NOW, "D1", "hello")
    with db.write() as session:
        assert begin(session, first, LATER)
    again = row(db, "a")
    assert (again.attempts, again.first_attempt_at, again.last_attempt_at) == (2, NOW, LATER)


def test_a_stale_twin_is_fenced_off(db: Database, queue: Callable[..., int]) -> None:
    queue(owed("a"))
    seen_by_both = row(db, "a")
    with db.write() as session:
        assert begin(session, seen_by_both)
    with db.write() as session:
        assert not begin(session, seen_by_both, LATER)
    assert (row(db, "a").attempts, row(db, "a").last_attempt_at) == (1, NOW)


def test_of_eight_workers_at_once_one_may_send(db: Database, queue: Callable[..., int]) -> None:
    queue(owed("a"))
    seen_by_all = row(db, "a")

    def attempt() -> bool:
        with db.write() as session:
            return begin(session, seen_by_all)

    assert sorted(at_once(attempt)) == [False] * 7 + [True]
    assert row(db, "a").attempts == 1


@pytest.mark.parametrize("end", [MessageState.SENT, MessageState.SKIPPED, MessageState.FAILED])
def test_a_message_ends_once(db: Database, queue: Callable[..., int], end: MessageState) -> None:
    queue(owed("a"))
    number = row(db, "a").id or 0
    with db.write() as session:
        attempts.finish(at(session, NOW), message_id=number, state=end, reason="x" * 900, ts="1.2")
    ended = row(db, "a")
    assert (ended.state, len(ended.reason)) == (end, 500)
    assert (ended.sent_at, ended.ts) == ((NOW, "1.2") if end is MessageState.SENT else (None, None))
    for other in MessageState:
        with db.write() as session:
            attempts.finish(at(session, LATER), message_id=number, state=other, reason="again", ts="9.9")
            attempts.postpone(at(session), message_id=number, until=LATER, reason="later")
            assert not begin(session, ended)
    assert row(db, "a") == ended
    assert sendable(db) is None


def test_a_postponed_message_waits_and_lets_the_others_pass(db: Database, queue: Callable[..., int]) -> None:
    queue(owed("a", due_at=NOW - MINUTE), owed("b"))
    with db.write() as session:
        attempts.postpone(
            at(session), message_id=row(db, "a").id or 0, until=LATER, reason="waits for the morning"
        )
    assert sendable(db) == "b"
    assert sendable(db, now=LATER) == "a"
    assert (row(db, "a").state, row(db, "a").reason) == (MessageState.DUE, "waits for the morning")


@pytest.mark.parametrize(
    ("lane", "open_to"),
    [
        (MEMBER, {OTHER}),
        (rate_limits.POSTING, set()),
        (rate_limits.BUDGET, set()),
        ("chat.update", {MEMBER, OTHER}),
    ],
)
def test_nobody_is_due_while_a_rate_limit_is_closed(
    db: Database, queue: Callable[..., int], lane: str, open_to: set[str]
) -> None:
    with db.write() as session:
        workspace(session, "T2")
    queue(owed("a"), owed("b", recipient=OTHER))
    queue(owed("c"), workspace_id="T2")
    with db.write() as session:
        rate_limits.close(UnitOfWork.around(session, Actor.system("T1")), name=lane, until=NOW + MINUTE)
        rate_limits.close(
            UnitOfWork.around(session, Actor.system("T1")), name=lane, until=NOW
        )  # a shorter pause doesn't end a longer one
    with db.read() as session:
        due = leases.due_recipients(session, now=NOW)
        assert {recipient for where, recipient in due if where == "T1"} == open_to
        assert ("T2", MEMBER) in due
        assert len(leases.due_recipients(session, now=NOW + MINUTE)) == 3
        waits = lane in (MEMBER, rate_limits.BUDGET)
        assert rate_limits.next_slot(session, now=NOW, within=MINUTE) == (NOW + MINUTE if waits else None)
        assert rate_limits.next_slot(session, now=NOW, within=MINUTE / 2) is None


def test_who_is_due_is_found_without_reading_all_rows_for_each(
    db: Database, queue: Callable[..., int]
) -> None:
    many = [f"U{number:04}" for number in range(300)]
    queue(*(owed(one, recipient=one) for one in many))
    with db.write() as session:
        for one in many:
            rate_limits.close(UnitOfWork.around(session, Actor.system("T1")), name=one, until=NOW)
    if not db.is_sqlite:
        with db.write() as session:  # as autovacuum does sooner or later: the plan rests on statistics
            session.execute(text("ANALYZE ledger, lane"))
    with rolled_back(db) as session:
        before = {table: rows_read(session, table) for table in ("lane", "ledger")}
        assert len(leases.due_recipients(session, now=NOW)) == 300
        for table, already in before.items():
            assert rows_read(session, table) - already <= 4 * len(many), table


def test_messages_about_several_things_are_found_without_reading_the_whole_ledger(
    db: Database, queue: Callable[..., int]
) -> None:
    queue(*(owed(f"{number}:x") for number in range(10_000)))  # no statistics yet, as in a new workspace
    with rolled_back(db) as session:
        kinds, prefixes = ("checkin", "alert", "digest"), [("17",), ("1700", "x")]
        before = rows_read(session, "ledger")
        found = at(session).messages_about_any(kinds, prefixes)
        assert [one.key for one in found] == ["checkin:T1:17:x", "checkin:T1:1700:x"]
        assert rows_read(session, "ledger") - before <= 100


def test_a_message_with_two_of_the_prefixes_is_found_once(db: Database, queue: Callable[..., int]) -> None:
    queue(owed("U1:2026"))
    with db.read() as session:
        assert len(at(session).messages_about_any(["checkin"], [("U1",), ("U1", "2026")])) == 1


def rows_read(session: Session, table: str) -> int:
    """The rows of a table that this connection has read lately on PostgreSQL; 0 on SQLite, which counts none."""
    if session.get_bind().dialect.name == "sqlite":
        return 0
    told = text("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = :name")
    return int(session.execute(told, {"name": table}).scalar_one())


def test_a_paused_workspace_is_due_when_the_pause_is_over(db: Database, queue: Callable[..., int]) -> None:
    queue(owed("a"))
    with db.write() as session:
        rate_limits.close(
            UnitOfWork.around(session, Actor.system("T1")), name=rate_limits.POSTING, until=LATER
        )
    with db.read() as session:
        assert leases.next_due(session) == LATER


def test_only_one_of_eight_workers_gets_a_slot(db: Database, queue: Callable[..., int]) -> None:
    def turn() -> bool:
        with db.write() as session:
            return rate_limits.take(
                UnitOfWork.around(session, Actor.system("T1"), NOW), name=MEMBER, until=LATER
            )

    assert sorted(at_once(turn)) == [False] * 7 + [True]
    with db.write() as session:
        assert not rate_limits.take(
            UnitOfWork.around(session, Actor.system("T1"), LATER - MINUTE), name=MEMBER, until=LATER
        )
        assert rate_limits.take(
            UnitOfWork.around(session, Actor.system("T1"), LATER), name=MEMBER, until=LATER + MINUTE
        )


def test_a_budget_is_spent_share_by_share(db: Database, queue: Callable[..., int]) -> None:
    def spend(now: datetime) -> bool:
        with db.write() as session:
            return rate_limits.spend(
                UnitOfWork.around(session, Actor.system("T1"), now), share=MINUTE, burst=3 * MINUTE
            )

    assert sorted(at_once(lambda: spend(NOW))) == [False] * 4 + [True] * 4, "what a quiet time saved, and one"
    assert not spend(NOW + MINUTE / 2)
    assert [spend(NOW + MINUTE), spend(NOW + MINUTE)] == [True, False]


def test_what_a_worker_left_behind_is_taken_back(db: Database, queue: Callable[..., int]) -> None:
    queue(owed("a"), owed("b", recipient=OTHER))
    for key in "ab":
        with db.write() as session:
            assert begin(session, row(db, key))
    with db.read() as session:
        assert set(attempts.under_way(session)) == {("T1", MEMBER), ("T1", OTHER)}
    soon = NOW + MINUTE / 60
    with db.write() as session:
        assert attempts.take_back(UnitOfWork.around(session, Actor.system("T1"), soon), recipient=MEMBER) == 1
        assert attempts.take_back(UnitOfWork.around(session, Actor.system("T1"), soon), recipient=MEMBER) == 0
    assert (row(db, "a").not_before, row(db, "b").not_before) == (
        NOW + attempts.ANSWERED,
        NOW + attempts.LONGEST_ATTEMPT,
    )
    with db.write() as session:
        assert not attempts.renew(at(session, soon), message_id=row(db, "a").id or 0, attempts=1)
        assert attempts.renew(at(session, soon), message_id=row(db, "b").id or 0, attempts=1)
        assert not attempts.renew(at(session, soon), message_id=row(db, "b").id or 0, attempts=2)
    assert row(db, "b").not_before == soon + attempts.LONGEST_ATTEMPT


def test_a_worker_that_was_taken_for_dead_decides_nothing(db: Database, queue: Callable[..., int]) -> None:
    queue(owed("a"))
    for _ in range(2):
        with db.write() as session:
            assert begin(session, row(db, "a"))
    number, under_way = row(db, "a").id or 0, row(db, "a")
    with db.write() as session:
        attempts.postpone(at(session), message_id=number, until=LATER, reason="late", attempts=1)
        attempts.finish(at(session, NOW), message_id=number, state=MessageState.FAILED, attempts=1)
    assert row(db, "a") == under_way
    with db.write() as session:
        attempts.finish(at(session, NOW), message_id=number, state=MessageState.SENT, ts="1.2")
    assert row(db, "a").ts == "1.2", "what was posted, was posted"


def test_recipients_with_a_due_message(db: Database, queue: Callable[..., int]) -> None:
    with db.write() as session:
        workspace(session, "T2")
    queue(owed("a", due_at=NOW - MINUTE), owed("b", recipient=OTHER, due_at=NOW - 5 * MINUTE))
    queue(owed("c", due_at=NOW - 3 * MINUTE), workspace_id="T2")
    queue(owed("d", recipient="U03LATER", due_at=LATER))
    queue(replace(owed("e", recipient="U04SKIPPED"), state=MessageState.SKIPPED))
    with db.read() as session:
        assert leases.due_recipients(session, now=NOW) == [("T1", OTHER), ("T2", MEMBER), ("T1", MEMBER)]
        both = [("T1", OTHER), ("T2", MEMBER)]
        assert leases.due_recipients(session, now=NOW, limit=1) == both, "each workspace has its share"
        assert leases.due_recipients(session, now=NOW, limit=1, within=["T2"]) == [("T2", MEMBER)]
        assert ("T1", "U03LATER") in leases.due_recipients(session, now=LATER)
        assert leases.next_due(session) == NOW - 5 * MINUTE


def test_nothing_waits_in_an_empty_ledger(db: Database) -> None:
    with db.read() as session:
        assert leases.next_due(session) is None
        assert leases.due_recipients(session, now=NOW) == []


@pytest.mark.parametrize(
    ("about", "found"),
    [
        (["U1"], ["U1", "U1:2026", "U1:a:b"]),
        (["U1", "a"], ["U1:a:b"]),
        (["U"], []),
        (["U_"], ["U_", "U_:x"]),
        (["%"], ["%:x"]),
        (["/"], ["/:x"]),
        (["u1"], ["u1:x"]),  # a key is read letter by letter
        (["Ü"], ["Ü:x"]),
    ],
)
def test_messages_are_found_by_what_they_are_about(
    db: Database, queue: Callable[..., int], about: list[str], found: list[str]
) -> None:
    keys = ["U1", "U1:2026", "U1:a:b", "U12", "U12:x", "U_", "U_:x", "%:x", "/:x", "u1:x", "Ü:x"]
    queue(*(owed(key) for key in keys))
    with db.read() as session:
        rows = at(session).messages("checkin", *about)
        assert not at(session).messages("%", *about)
    assert [one.key.removeprefix("checkin:T1:") for one in rows] == found


def test_what_was_not_sent_and_why(db: Database, queue: Callable[..., int]) -> None:
    away = replace(owed("a"), state=MessageState.SKIPPED, reason="away")
    queue(away, replace(away, about=("b",)), replace(away, about=("c",), due_at=LATER), owed("d"))
    queue(replace(away, about=("e",), kind="digest", state=MessageState.FAILED, reason="is_archived"))
    with db.read() as session:
        found = ledger.unsent_counts(UnitOfWork.around(session, Actor.system("T1")), since=NOW, until=LATER)
    assert found == [
        ("checkin", MessageState.SKIPPED, "away", 2),
        ("digest", MessageState.FAILED, "is_archived", 1),
    ]
