"""Runs that tools counted, summed by the database: corrections, earlier moments, restarted windows."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from cadence.actor import Actor
from storage.engine import Database
from storage.queries import machines
from storage.queries.machines import CountedWeek
from storage.tables import Adoption, AdoptionState, MeasuredRuns
from storage.work import UnitOfWork
from tests.storage.seeds import MEMBER, MONDAY, NOW, OTHER, Planted, plant

LATER = MONDAY + timedelta(weeks=1)


class Tools:
    """What tools counted on the step that the seeds don't know."""

    def __init__(self, uow: UnitOfWork, ids: Planted) -> None:
        self.uow, self.ids = uow, ids
        self.number = 0

    def count(
        self, runs: int, *, member: str = MEMBER, step: str = "draft", week: date = MONDAY, replaces: int = 0
    ) -> int:
        self.number += 1
        row = MeasuredRuns(
            workspace_id="T1",
            adoption_id=self.ids.adoption,
            cycle_id=self.ids.cycle,
            week=1,
            week_start=week,
            step=step,
            member=member,
            runs=runs,
            surface="api",
            source=f"test:{self.number}",
            happened_at=NOW,
            recorded_at=NOW,
        )
        self.uow.session.add(row)
        self.uow.session.flush()
        if replaces:
            self.uow.session.get_one(MeasuredRuns, replaces).replaced_by = row.id
            self.uow.session.flush()
        return row.id or 0

    def found(self, *, since: date = MONDAY, through: int | None = None) -> dict[tuple[date, str], int]:
        rows = machines.runs_counted(self.uow, adoption_id=self.ids.adoption, since=since, through=through)
        return {(row.week_start, row.member): row.runs for row in rows if row.step == "draft"}

    def before(self, after: int, *, through: int | None = None) -> dict[tuple[str, str], int]:
        rows = machines.runs_counted_before(
            self.uow, adoption_id=self.ids.adoption, week_start=MONDAY, after=after, through=through
        )
        return {key: runs for key, runs in rows.items() if key[0] == "draft"}


@pytest.fixture
def tools(db: Database) -> Iterator[Tools]:
    with db.write() as session:
        ids = plant(session)
    with UnitOfWork(db, Actor.system("T1"), NOW).write() as uow:
        yield Tools(uow, ids)


def test_runs_add_up_by_week_and_member(tools: Tools) -> None:
    tools.count(3)
    tools.count(4)
    tools.count(5, member=OTHER)
    tools.count(6, member="")
    newest = tools.count(7, week=LATER)
    assert tools.found() == {(MONDAY, MEMBER): 7, (MONDAY, OTHER): 5, (MONDAY, ""): 6, (LATER, MEMBER): 7}
    assert tools.found(since=LATER) == {(LATER, MEMBER): 7}
    ids = {"adoption_id": tools.ids.adoption}
    assert machines.last_measured_id(tools.uow, **ids, since=LATER) == newest
    assert machines.last_measured_id(tools.uow, **ids, since=LATER + timedelta(weeks=1)) == 0


def test_a_correction_counts_instead_from_its_own_row_on(tools: Tools) -> None:
    wrong = tools.count(91)
    other = tools.count(5)
    right = tools.count(19, replaces=wrong)
    assert tools.found() == {(MONDAY, MEMBER): 24}
    assert tools.found(through=wrong) == {(MONDAY, MEMBER): 91}
    assert tools.found(through=other) == {(MONDAY, MEMBER): 96}
    assert tools.found(through=right) == {(MONDAY, MEMBER): 24}
    assert tools.found(through=0) == {}


def test_a_correction_into_another_week_is_the_newest_row_of_both(tools: Tools) -> None:
    wrong = tools.count(9, week=MONDAY)
    right = tools.count(9, week=LATER, replaces=wrong)
    assert tools.found() == {(MONDAY, MEMBER): 0, (LATER, MEMBER): 9}
    assert machines.last_measured_id(tools.uow, adoption_id=tools.ids.adoption, since=MONDAY) == right
    assert tools.found(through=wrong) == {(MONDAY, MEMBER): 9}


def test_what_ran_before_a_window_stays_before_it_however_often_it_is_corrected(tools: Tools) -> None:
    first = tools.count(9)
    mark = tools.count(2, member=OTHER)
    later = tools.count(4)
    second = tools.count(8, replaces=first)
    third = tools.count(7, replaces=second)
    after = tools.count(5, replaces=later)
    assert tools.before(mark) == {("draft", MEMBER): 7, ("draft", OTHER): 2}
    assert tools.before(mark, through=second) == {("draft", MEMBER): 8, ("draft", OTHER): 2}
    assert tools.before(mark, through=mark) == {("draft", MEMBER): 9, ("draft", OTHER): 2}
    assert tools.before(first) == {("draft", MEMBER): 7}
    assert tools.found() == {(MONDAY, MEMBER): 12, (MONDAY, OTHER): 2}
    assert third < after


def test_weeks_of_adoptions_that_have_ended_are_left_out(tools: Tools) -> None:
    assert machines.counted_weeks(tools.uow, first=MONDAY) == [
        CountedWeek(tools.ids.adoption, MONDAY, "Europe/Berlin")
    ]
    tools.uow.session.get_one(Adoption, tools.ids.adoption).state = AdoptionState.ENDED
    tools.uow.session.flush()
    assert machines.counted_weeks(tools.uow, first=MONDAY) == []
