"""What a transaction queues is written when it commits: found by one query, inserted by one statement."""

from contextlib import suppress

import pytest
from sqlmodel import Session, col, select, update

from cadence.actor import Actor
from storage.engine import Database
from storage.outbox.queueing import REWRITE, UNDER_WAY, NewMessage
from storage.tables import MessageState, OutboxMessage
from storage.work import UnitOfWork
from tests.storage.seeds import MEMBER, NOW, workspace
from tests.storage.test_digest_of_many import counting

WEEK, NEXT = "2026-03-02", "2026-03-09"


def around(session: Session, workspace_id: str = "T1") -> UnitOfWork:
    return UnitOfWork.around(session, Actor.system(workspace_id), NOW)


def checkin(week: str = WEEK) -> NewMessage:
    return NewMessage("checkin", MEMBER, {"week": week}, about=(MEMBER, week))


@pytest.fixture
def sent(db: Database) -> Database:
    """Two workspaces with the check-ins of two weeks and an alert, all sent."""
    with db.write() as session:
        for name in ("T1", "T2"):
            workspace(session, name)
            alert = NewMessage("drift", "C1", {"drift": 5}, about=(5, "C1"))
            around(session, name).send([checkin(), checkin(NEXT), alert])
    with db.write() as session:
        session.execute(update(OutboxMessage).values(state=MessageState.SENT))
    return db


def rewrites(db: Database) -> list[tuple[str, str, str]]:
    """(workspace, kind, mark) of every rewrite."""
    with db.read() as session:
        query = select(OutboxMessage).where(OutboxMessage.kind == REWRITE).order_by(col(OutboxMessage.id))
        return [
            (row.workspace_id, str(row.subject["kind"]), row.key.split(":", 2)[2])
            for row in session.exec(query)
        ]


def test_all_changes_of_a_transaction_look_for_their_messages_at_once(sent: Database) -> None:
    with counting(sent) as asked, sent.write() as session:
        uow = around(session)
        uow.rewrite(("checkin", "checkin-snoozed"), MEMBER, mark="reading:1", week=WEEK)
        uow.rewrite("drift", 5, mark="settled")
        uow.rewrite("drift", 6, mark="settled")
        uow.send(NewMessage("watch", "C1", {}, about=(1, "C1")))
        before = len(asked)
    assert len(asked) - before == 2
    assert rewrites(sent) == [("T1", "checkin", "reading:1"), ("T1", "drift", "settled")]


def test_several_changes_rewrite_a_message_once(sent: Database) -> None:
    for _ in range(2):
        with sent.write() as session:
            uow = around(session)
            uow.rewrite("checkin", MEMBER, WEEK, mark="reading:1")
            uow.rewrite_messages(uow.messages("checkin", MEMBER), mark="reading:2")
    assert rewrites(sent) == [("T1", "checkin", "reading:1+reading:2"), ("T1", "checkin", "reading:2")]


def test_a_transaction_of_two_workspaces_rewrites_the_messages_of_each(sent: Database) -> None:
    with sent.write() as session:
        around(session, "T2").rewrite("drift", 5, mark="b")
        around(session, "T1").rewrite("checkin", MEMBER, NEXT, mark="a")
    assert rewrites(sent) == [("T2", "drift", "b"), ("T1", "checkin", "a")]


def test_a_message_just_queued_is_found_and_not_rewritten(sent: Database) -> None:
    with sent.write() as session:
        uow = around(session)
        uow.send(checkin("2026-03-16"))
        uow.rewrite("checkin", MEMBER, "2026-03-16", mark="a")
        assert len(uow.messages("checkin", MEMBER)) == 3
    assert rewrites(sent) == []


@pytest.mark.parametrize(("reason", "found"), [(UNDER_WAY, True), ("rate limited", False)])
def test_a_message_that_is_being_sent_is_rewritten_and_one_that_waits_is_not(
    sent: Database, reason: str, found: bool
) -> None:
    with sent.write() as session:
        session.execute(update(OutboxMessage).values(state=MessageState.DUE, reason=reason))
    with sent.write() as session:
        around(session).rewrite("drift", 5, mark="a")
        around(session).rewrite_messages(around(session).messages("checkin", MEMBER, WEEK), mark="b")
    assert bool(rewrites(sent)) is found


def test_long_marks_stay_apart(sent: Database) -> None:
    marks = [f"{'x' * 300}{end}" for end in "ab"]
    for mark in (*marks, *marks):
        with sent.write() as session:
            around(session).rewrite("drift", 5, mark=mark)
    assert len(rewrites(sent)) == 2


def test_messages_queued_now_come_after_those_queued_before(sent: Database) -> None:
    first, second = (NewMessage("watch", "C1", {"verdict": one}, about=("same",)) for one in (1, 2))
    with sent.write() as session:
        around(session).send(first)
        assert around(session).send_new(second) == 0
        [row] = around(session).messages("watch")
        assert row.subject == first.subject


def test_an_undone_savepoint_takes_back_what_was_queued_in_it(sent: Database) -> None:
    with sent.write() as session:
        uow = around(session)
        uow.rewrite("checkin", MEMBER, WEEK, mark="kept")
        with session.begin_nested() as savepoint:
            uow.rewrite("drift", 5, mark="undone")
            savepoint.rollback()
    assert rewrites(sent) == [("T1", "checkin", "kept")]


def test_a_failed_transaction_queues_nothing(sent: Database) -> None:
    with suppress(ValueError), sent.write() as session:
        around(session).rewrite("drift", 5, mark="a")
        raise ValueError
    assert rewrites(sent) == []


def test_a_transaction_that_only_reads_queues_nothing(sent: Database) -> None:
    with sent.read() as session, pytest.raises(RuntimeError, match="only reads"):
        around(session).rewrite("drift", 5, mark="a")
    with sent.read() as session, pytest.raises(RuntimeError, match="only reads"):
        around(session).send(checkin("2026-03-16"))
