"""Reports: one answer counts, replaced ones stay, and each query finds its own."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from cadence.actor import Actor
from cadence.flows.core.adoptions import current_cycle
from storage.engine import Database
from storage.queries import absences, adoptions, checkins, cycles, exceptions, numbers, people, standards
from storage.query_cache import forget
from storage.tables import CheckIn, Cycle, CycleState, LoggedException
from storage.work import UnitOfWork
from tests.databases import rolled_back
from tests.storage.seeds import DAY, MEMBER, MONDAY, NOW, OTHER, Planted, check_in, plant, reading_row
from tests.storage.threads import at_once

WEEK = timedelta(weeks=1)


@pytest.fixture
def ids(db: Database) -> Planted:
    """One workspace with one of everything."""
    with db.write() as session:
        return plant(session)


def answer_again(db: Database, ids: Planted, *, runs: int) -> None:
    """What the flow does: hold the adoption, replace the current answer, add the new one."""
    with db.write() as session:
        adoptions.lock_adoption(UnitOfWork.around(session, Actor.system("T1")), adoption_id=ids.adoption)
        current = checkins.check_in(
            UnitOfWork.around(session, Actor.system("T1")),
            adoption_id=ids.adoption,
            week_start=MONDAY,
            member=MEMBER,
        )
        assert current is not None
        uow = UnitOfWork.around(session, Actor.system("T1"), NOW)
        checkins.keep(uow, row=check_in(ids, runs=runs), drifts={}, replaces=current)


def test_what_is_known_after_an_answer_is_what_is_stored(db: Database, ids: Planted) -> None:
    with db.write() as session:
        uow = UnitOfWork.around(session, Actor.system("T1"), NOW)
        for since in (MONDAY - 9 * WEEK, uow.recent, MONDAY):
            uow.recent = since
            first = checkins.check_in(uow, adoption_id=ids.adoption, week_start=MONDAY, member=MEMBER)
            second = checkins.keep(uow, row=check_in(ids, runs=8), drifts={}, replaces=first)
            third = checkins.keep(uow, row=check_in(ids, runs=9), drifts={}, replaces=second)
            other = checkins.keep(uow, row=check_in(ids, member=f"U{since}"), drifts={}, replaces=None)
            known = checkins.answers_of(uow, adoption_id=ids.adoption, week_start=MONDAY)
            assert [row for row in known if not row.replaced][-2:] == [third, other]
            forget(uow)
            assert checkins.answers_of(uow, adoption_id=ids.adoption, week_start=MONDAY) == known


def test_two_current_answers_for_one_week_are_refused(db: Database, ids: Planted) -> None:
    with pytest.raises(IntegrityError), db.write() as session:
        session.add(check_in(ids, runs=3))
    with db.write() as session:
        session.add(check_in(ids, member=OTHER))  # someone else's answer is another one
        session.add(check_in(ids, week=2))  # and so is another week's


def test_of_eight_writers_who_do_not_look_one_answer_gets_in(db: Database, ids: Planted) -> None:
    def answer() -> bool:
        try:
            with db.write() as session:
                session.add(check_in(ids, member=OTHER))
        except IntegrityError:
            return False
        return True

    assert sorted(at_once(answer)) == [False] * 7 + [True]


def test_eight_corrections_at_once_leave_one_current_answer_and_keep_all(db: Database, ids: Planted) -> None:
    at_once(lambda: answer_again(db, ids, runs=21))
    with db.read() as session:
        rows = session.exec(select(CheckIn).order_by(col(CheckIn.id))).all()
        current = checkins.answers(
            UnitOfWork.around(session, Actor.system("T1")),
            adoption_id=ids.adoption,
            first=MONDAY,
            last=MONDAY,
        )
    assert len(rows) == 9
    assert [row.replaced_at is None for row in rows] == [False] * 8 + [True]
    assert current == [(MEMBER, MONDAY, 21)]


def test_answers_come_newest_week_first_and_only_the_current_ones(db: Database, ids: Planted) -> None:
    answer_again(db, ids, runs=9)
    with db.write() as session:
        session.add_all([check_in(ids, week=3, runs=7), check_in(ids, week=2, runs=8, member=OTHER)])
    with rolled_back(db) as session:
        scope = {"adoption_id": ids.adoption}
        last = MONDAY + 2 * WEEK
        found = checkins.answers(
            UnitOfWork.around(session, Actor.system("T1")), **scope, first=MONDAY, last=last
        )
        later = checkins.answers(
            UnitOfWork.around(session, Actor.system("T1")), **scope, first=MONDAY + WEEK, last=last
        )
        two = checkins.answers(
            UnitOfWork.around(session, Actor.system("T1")), **scope, first=last, last=last, latest=2
        )
        session.add(check_in(ids, week=-59, runs=5, member="U01OLD"))
        session.flush()
        old = checkins.answers(
            UnitOfWork.around(session, Actor.system("T1")), **scope, first=last, last=last, latest=4
        )
        then = checkins.answers(
            UnitOfWork.around(session, Actor.system("T1")), **scope, first=MONDAY, last=MONDAY + WEEK
        )
        second_week = checkins.answered_members(
            UnitOfWork.around(session, Actor.system("T1")), adoption_id=ids.adoption, week_start=MONDAY + WEEK
        )
    assert found == [(MEMBER, MONDAY + 2 * WEEK, 7), (OTHER, MONDAY + WEEK, 8), (MEMBER, MONDAY, 9)]
    assert later == found[:2]
    assert two == found
    assert then == found[1:]
    assert ("U01OLD", MONDAY - 60 * WEEK, 5) in old, "however long ago it was"
    assert second_week == {OTHER}


def test_readings_of_a_cycle_and_the_latest_one(db: Database, ids: Planted) -> None:
    with db.write() as session:
        session.add_all([reading_row(ids, week=3, value=14), reading_row(ids, week=2, value=18)])
    with db.read() as session:
        assert list(
            numbers.readings(
                UnitOfWork.around(session, Actor.system("T1")), cycle=session.get_one(Cycle, ids.cycle)
            ).items()
        ) == [
            (1, 22),
            (2, 18),
            (3, 14),
        ]
        latest = numbers.latest_reading(
            UnitOfWork.around(session, Actor.system("T1")),
            cycle=session.get_one(Cycle, ids.cycle),
            until=MONDAY + WEEK,
        )
        none = numbers.latest_reading(
            UnitOfWork.around(session, Actor.system("T1")),
            cycle=session.get_one(Cycle, ids.cycle),
            until=MONDAY - DAY,
        )
    assert latest is not None
    assert (latest.week, latest.value) == (2, 18)
    assert none is None


def test_exceptions_of_a_cycle_are_separated_by_id(db: Database, ids: Planted) -> None:
    def exception(source: str, minutes: int, step: str = "send") -> LoggedException:
        return LoggedException(
            workspace_id="T1",
            adoption_id=ids.adoption,
            cycle_id=ids.cycle,
            step=step,
            reason="tone",
            member=MEMBER,
            surface="command",
            source=source,
            logged_at=NOW + timedelta(minutes=minutes),
        )

    with db.write() as session:
        for source, minutes in (("clock ahead", 5), ("clock behind", -5), ("same instant", -5)):
            session.add(exception(source, minutes))
            session.flush()
        session.add(exception("another step", 1, step="draft"))
    with db.read() as session:
        scope = {"adoption_id": ids.adoption}
        sources = {row.id: row.source for row in session.exec(select(LoggedException))}

        def found(after_id: int = 0, through_id: int | None = None) -> list[str]:
            rows = exceptions.exceptions(
                UnitOfWork.around(session, Actor.system("T1")),
                adoption_id=ids.adoption,
                step="send",
                cycle_id=ids.cycle,
                after_id=after_id,
                through_id=through_id,
            )
            return [sources[row.id] for row in rows]

        assert found() == [ids.source, "clock ahead", "clock behind", "same instant"]
        assert found(after_id=ids.exception) == ["clock ahead", "clock behind", "same instant"]
        assert found(through_id=ids.exception + 2) == [ids.source, "clock ahead", "clock behind"]
        marks = standards.marks(UnitOfWork.around(session, Actor.system("T1")), **scope)
        newest = max(session.exec(select(LoggedException.id)).all(), key=lambda one: one or 0)
        assert (marks.exception, marks.check_in) == (newest, ids.check_in)
    with pytest.raises(IntegrityError), db.write() as session:
        session.add(exception("same instant", 9))  # a retried request logs nothing twice


def test_a_run_comes_with_the_cycle_a_date_lies_in(db: Database, ids: Planted) -> None:
    second = Cycle(
        workspace_id="T1",
        adoption_id=ids.adoption,
        version_id=ids.version,
        number=2,
        starts_on=MONDAY + 4 * WEEK,
        closes_on=MONDAY + 4 * WEEK + 25 * DAY,
        started_by="U01LEAD",
        started_at=NOW,
    )
    with db.write() as session:
        session.add(second)
    with db.read() as session:

        def number(days: int) -> int | None:
            day = MONDAY + days * DAY
            rows = adoptions.with_cycles(UnitOfWork.around(session, Actor.system("T1")), day=day)
            cycle = current_cycle([row.cycle for row in rows if row.cycle], day)
            return cycle.number if cycle else None

        def on(days: int) -> int | None:
            day = MONDAY + days * DAY
            cycle = cycles.cycle_on(
                UnitOfWork.around(session, Actor.system("T1")), adoption_id=ids.adoption, day=day
            )
            return cycle.number if cycle else None

        assert [number(days) for days in (-9, 0, 26, 27, 28, 90)] == [1, 1, 1, 1, 2, 2]
        assert [on(days) for days in (-1, 0, 27, 28, 55, 56)] == [None, 1, 1, 2, 2, None]
        due = cycles.closings(session, closing_by=MONDAY + 25 * DAY)
        assert [row.cycle_id for row in due] == [ids.cycle]
    with db.write() as session:
        session.get_one(Cycle, ids.cycle).state = CycleState.CLOSED
    with db.read() as session:
        assert [row.closes_on for row in cycles.closings(session)] == [MONDAY + 4 * WEEK + 25 * DAY]


def test_members_join_leave_and_come_back_without_losing_a_row(db: Database, ids: Planted) -> None:
    def make(*members: str) -> tuple[set[str], set[str]]:
        with db.write() as session:
            return people.set_members(
                UnitOfWork.around(session, Actor.system("T1"), NOW), team_id=ids.team, members=members
            )

    assert make(MEMBER, OTHER) == ({OTHER}, set())
    assert make(OTHER) == (set(), {MEMBER})
    assert make(OTHER, MEMBER, MEMBER) == ({MEMBER}, set())
    with db.read() as session:
        now = people.memberships(UnitOfWork.around(session, Actor.system("T1")), team_ids=[ids.team])
        ever = people.memberships(
            UnitOfWork.around(session, Actor.system("T1")), team_ids=[ids.team], current=False
        )
        assert sorted(row.member for row in now) == [MEMBER, OTHER]
        assert [row.member for row in ever] == [MEMBER, OTHER, MEMBER]
        assert people.memberships(UnitOfWork.around(session, Actor.system("T1")), team_ids=[]) == []


def test_days_away_overlap_a_range_until_they_are_taken_back(db: Database, ids: Planted) -> None:
    def away(first: int, last: int) -> int:
        with db.read() as session:
            return len(
                absences.away_between(
                    UnitOfWork.around(session, Actor.system("T1")),
                    first=MONDAY + first * DAY,
                    last=MONDAY + last * DAY,
                    member_ids=[MEMBER],
                )
            )

    assert [away(-3, -1), away(-3, 0), away(1, 9), away(2, 9)] == [0, 1, 1, 0]
    with db.write() as session:
        uow = UnitOfWork.around(session, Actor.system("T1"), NOW)
        days = [MONDAY + n * DAY for n in (2, 1, 1)]
        ended = [len(absences.end_away(uow, member_id=MEMBER, today=day, back=day)) for day in days]
        assert ended == [0, 1, 0]
    assert [away(0, 0), away(1, 9)] == [1, 0], "the day that was over stays"
