"""A weekly number is saved completely: the reading, what it corrects, the trail, rewrites of messages that
asked for it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from sqlmodel import Session, col, select

from cadence.actor import Actor
from cadence.flows.core import ReportWeek
from cadence.flows.numbers import keep_reading
from storage.engine import Conflict, Database
from storage.outbox.queueing import FOREVER, NewMessage
from storage.queries import adoptions, numbers
from storage.queries.numbers import Kept
from storage.tables import Cycle, CycleState, HomeChange, MessageState, OutboxMessage, Reading, TrailEntry
from storage.work import UnitOfWork
from tests.storage.seeds import DAY, MEMBER, MONDAY, NOW, OTHER, Planted, number, plant
from tests.storage.threads import until_somebody_waits

WEEK = MONDAY + 14 * DAY


def keep(session: Session, ids: Planted, value: float, **others: Any) -> Kept:
    uow = UnitOfWork.around(session, Actor("T1", MEMBER, "command", request="asked"), NOW)
    return numbers.keep(uow, number=number(ids.adoption, ids.cycle, value, **others))


def report(session: Session, ids: Planted, value: float, guardrail: str = "") -> float | None:
    uow = UnitOfWork.around(session, Actor("T1", MEMBER, "command", request="asked"), NOW)
    run: Any = SimpleNamespace(id=ids.adoption, team=SimpleNamespace(reporter=None))
    week = ReportWeek(session.get_one(Cycle, ids.cycle), 3, WEEK)
    return keep_reading(uow, run, week, value=value, typed=str(value), guardrail=guardrail).before


@pytest.fixture
def ids(db: Database) -> Planted:
    with db.write() as session:
        plant(session, "T2")
        return plant(session)


def readings(db: Database) -> list[tuple[float, str, bool]]:
    with db.read() as session:
        rows = session.exec(
            select(Reading).where(Reading.workspace_id == "T1", Reading.week == 3).order_by(col(Reading.id))
        )
        return [(row.value, row.guardrail, row.replaced_at is None) for row in rows]


def told(db: Database) -> list[tuple[str, str, Any, Any, str, str, str | None]]:
    with db.read() as session:
        query = select(TrailEntry).where(
            TrailEntry.workspace_id == "T1", col(TrailEntry.action).startswith("reading")
        )
        return [
            (row.action, row.subject, row.before, row.after, row.surface, row.correlation_id, row.member)
            for row in session.exec(query.order_by(col(TrailEntry.id)))
        ]


def test_a_number_its_correction_and_the_same_again(db: Database, ids: Planted) -> None:
    came = []
    for value, note in ((22.5, ""), (21.0, ""), (21.0, ""), (21.0, "after a slow week")):
        with db.write() as session:
            came.append(keep(session, ids, value, note=note))
    assert [one.before for one in came] == [None, 22.5, None, 21.0]
    assert [one.reading_id is not None for one in came] == [True, True, False, True]
    assert readings(db) == [(22.5, "", False), (21.0, "", False), (21.0, "", True)]


def test_the_trail_has_a_number_and_its_correction(db: Database, ids: Planted) -> None:
    for value in (22.5, 21.0, 21.0):
        with db.write() as session:
            report(session, ids, value)
    about = f"adoption:{ids.adoption}/week:{WEEK}"
    assert told(db) == [
        ("reading", about, None, 22.5, "command", "asked", MEMBER),
        ("reading-corrected", about, 22.5, 21.0, "command", "asked", MEMBER),
    ]
    with db.read() as session:
        changes = session.exec(select(HomeChange).where(HomeChange.subject == about)).all()
    assert [(row.workspace_id, row.member) for row in changes] == [("T1", MEMBER)] * 2


def test_a_guardrails_number_is_one_of_its_own(db: Database, ids: Planted) -> None:
    for value, rail in ((22, ""), (4.5, "CSAT"), (4.7, "CSAT")):
        with db.write() as session:
            report(session, ids, value, rail)
    assert readings(db) == [(22, "", True), (4.5, "CSAT", False), (4.7, "CSAT", True)]
    assert told(db)[-1][:4] == (
        "reading-corrected",
        f"adoption:{ids.adoption}/week:{WEEK}/CSAT",
        4.5,
        4.7,
    )


def ask(ids: Planted, member: str, slot: str, state: MessageState = MessageState.SENT) -> NewMessage:
    return NewMessage(
        "kpi-missing",
        member,
        {"week": slot.partition(":")[0], "adoption": ids.adoption},
        about=(ids.adoption, member, slot),
        due_at=NOW,
        state=state,
    )


def test_messages_that_asked_for_a_number_are_rewritten_each_time(db: Database, ids: Planted) -> None:
    with db.write() as session:
        for message in (
            ask(ids, MEMBER, f"{WEEK}"),
            ask(ids, OTHER, f"{WEEK}:again"),
            ask(ids, "U03", f"{WEEK}", MessageState.DUE),
            ask(ids, "U04", f"{MONDAY}"),
            NewMessage("kpi-missing", MEMBER, {}, about=(f"{ids.adoption}9", MEMBER, WEEK)),
        ):
            UnitOfWork.around(session, Actor.system("T1"), NOW).send(message)
    for value in (22, 21):
        with db.write() as session:
            report(session, ids, value)
            report(session, ids, value, "CSAT")
    with db.read() as session:
        rows = session.exec(
            select(OutboxMessage).where(OutboxMessage.kind == "rewrite").order_by(col(OutboxMessage.id))
        ).all()
        sent = {
            row.recipient: row.id
            for row in session.exec(select(OutboxMessage).where(OutboxMessage.state == MessageState.SENT))
            if row.kind == "kpi-missing"
        }
    mine = [row for row in rows if row.recipient == MEMBER]
    assert [row.recipient for row in rows] == [MEMBER, OTHER] * 2
    assert len({row.key for row in rows}) == 4
    for row in mine:
        assert row.key.startswith(f"rewrite:{sent[MEMBER]}:reading:")
        assert row.subject == {"week": f"{WEEK}", "adoption": ids.adoption, "kind": "kpi-missing"}
        assert (row.replaces_id, row.state, row.attempts, row.text) == (
            sent[MEMBER],
            MessageState.DUE,
            0,
            "",
        )
        assert (row.due_at, row.not_before, row.created_at) == (NOW, NOW, NOW)
        assert row.useful_until == NOW + FOREVER
        assert row.correlation_id == "asked"


@pytest.mark.parametrize("db", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
class TestMeanwhile:
    """Two at the same moment: one holds the adoption, the other's statement began before it let go."""

    def after(self, db: Database, ids: Planted, first: Callable[[Session], None]) -> Kept:
        """The result for a number whose statement waits until `first` is committed."""
        holding, waiting = Event(), Event()

        def second() -> Kept:
            holding.wait(10)
            with db.write() as session:
                waiting.set()
                return keep(session, ids, 20)

        with ThreadPoolExecutor(1) as other:
            came = other.submit(second)
            with db.write() as session:
                adoptions.lock_adoption(
                    UnitOfWork.around(session, Actor.system("T1")), adoption_id=ids.adoption
                )
                first(session)
                holding.set()
                waiting.wait(10)
                until_somebody_waits(db)
            return came.result(20)

    def test_both_numbers_are_kept(self, db: Database, ids: Planted) -> None:
        def other(session: Session) -> None:
            keep(session, ids, 22)

        assert self.after(db, ids, other).before == 22
        assert readings(db) == [(22, "", False), (20, "", True)]

    def test_a_correction_of_a_correction(self, db: Database, ids: Planted) -> None:
        with db.write() as session:
            keep(session, ids, 30)

        def other(session: Session) -> None:
            keep(session, ids, 22)

        assert self.after(db, ids, other).before == 22
        assert readings(db) == [(30, "", False), (22, "", False), (20, "", True)]

    def test_a_cycle_that_was_closed_takes_nothing_unseen(self, db: Database, ids: Planted) -> None:
        def close(session: Session) -> None:
            cycle = session.exec(select(Cycle).where(Cycle.id == ids.cycle)).one()
            cycle.state = CycleState.CLOSED
            session.add(cycle)
            session.flush()

        with pytest.raises(Conflict):
            self.after(db, ids, close)
        assert readings(db) == []
        assert told(db) == []
