"""A workspace planned in parts is the workspace planned whole; a moved clock loses and doubles nothing."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete, select
from sqlmodel import Session, col

from cadence.actor import Actor
from cadence.flows.nudging import planning
from cadence.flows.nudging.planning import plan
from cadence.flows.schedule.rollouts import Scope, parts, rollout
from cadence.nudges import due
from storage.engine import Database
from storage.queries import workspaces
from storage.tables import (
    Adoption,
    AdoptionState,
    Away,
    Cycle,
    OutboxMessage,
    Team,
    TeamMember,
    Workspace,
)
from storage.work import UnitOfWork
from tests.bench.planning_bench import BEFORE, THURSDAY_EVENING, build, counted

DAY = timedelta(days=1)
THEN = datetime(2026, 2, 20, tzinfo=UTC)


@pytest.fixture
def crowd(db: Database) -> Database:
    """Sixty people, many in several teams that ask at different hours, some paused, some not begun yet."""
    build(db, 60)
    chance = random.Random(20261122)
    with db.write() as session:
        for adoption in session.execute(select(Adoption).order_by(col(Adoption.id))).scalars():
            adoption.hours = chance.choice(
                [
                    {},
                    {},
                    {"checkin": {"weekday": 2, "at": "09:00"}},
                    {"checkin": {"weekday": 4, "at": "08:30"}},
                ]
            )
        there = {
            tuple(row) for row in session.execute(select(col(TeamMember.team_id), col(TeamMember.member)))
        }
        places = {(chance.randint(1, 6), f"U{chance.randint(0, 59):07}") for _ in range(40)}
        for team_id, member in sorted(places - there):
            session.add(
                TeamMember(
                    workspace_id="T1",
                    team_id=team_id,
                    member=member,
                    joined_at=chance.choice([THEN, datetime(2026, 3, 4, 15, tzinfo=UTC)]),
                )
            )
        session.get_one(Adoption, 2).state = AdoptionState.PAUSED
        cycles = session.execute(select(Cycle).order_by(col(Cycle.id))).scalars().all()
        cycles[3].started_at = datetime(2026, 3, 4, 18, tzinfo=UTC)
        session.get_one(Team, 4).reporter = "U0000003"
    return db


def workspace(session: Session) -> Workspace:
    found = workspaces.workspace(UnitOfWork.around(session, Actor.system("T1")))
    assert found is not None
    return found


def keys(db: Database) -> Counter[str]:
    with db.read() as session:
        return Counter(session.execute(select(col(OutboxMessage.key))).scalars())


@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_in_parts_each_slot_is_due_in_exactly_one(crowd: Database, at_once: int) -> None:
    since, until = BEFORE - 3 * DAY, THURSDAY_EVENING + 5 * DAY
    with crowd.read() as session:
        found = workspace(session)
        whole = {
            slot.key: slot
            for slot in due(
                since,
                until,
                rollout(UnitOfWork.around(session, Actor.system(found.id), since), found, until=until),
            )
        }
    scope = Scope.between(found, since, until, now=since)
    pieces = [
        slot
        for part in parts(UnitOfWork(crowd, Actor.system(found.id), since), scope, teams_at_once=at_once)
        for slot in due(since, until, part)
    ]
    assert [key for key, times in Counter(slot.key for slot in pieces).items() if times > 1] == []
    assert len(pieces) == len(whole)
    assert {slot.key: slot for slot in pieces} == whole
    assert len({slot.at for slot in pieces if slot.kind == "checkin"}) > 3
    assert {slot.kind for slot in pieces} >= {"digest", "week-opens", "gate-due", "kpi-missing"}


def test_queries_dont_grow_with_people(db: Database) -> None:
    asked = []
    build(db, 100)
    with counted(db) as first:
        plan(db, now=THURSDAY_EVENING)
    asked.append(first[0])
    with db.write() as session:
        for number in range(100, 600):
            session.add(
                TeamMember(workspace_id="T1", team_id=number % 10 + 1, member=f"U{number:07}", joined_at=THEN)
            )
    planning.forget(db)
    with counted(db) as second:
        plan(db, now=THURSDAY_EVENING + timedelta(minutes=6))
    asked.append(second[0])
    assert sum(one for key, one in keys(db).items() if key.startswith("checkin:")) > 500
    assert asked[1] <= asked[0] + 2


def test_between_two_hours_planning_looks_at_nothing_until_something_changes(crowd: Database) -> None:
    plan(crowd, now=THURSDAY_EVENING)
    once = keys(crowd)
    with counted(crowd) as idle:
        assert plan(crowd, now=THURSDAY_EVENING + timedelta(seconds=30)) == 0
    assert idle[0] <= 8
    with crowd.write() as session:
        session.add(TeamMember(workspace_id="T1", team_id=1, member="UNEW", joined_at=THURSDAY_EVENING))
        _tell(session, "check-in")
    assert plan(crowd, now=THURSDAY_EVENING + timedelta(seconds=60)) == 0
    with crowd.write() as session:
        _tell(session, "team-changed")
    plan(crowd, now=THURSDAY_EVENING + timedelta(seconds=90))
    assert {key.partition(":")[0] for key in keys(crowd) - once} == {"checkin"}
    assert all(":UNEW:" in key for key in keys(crowd) - once)


def _tell(session: Session, action: str) -> None:
    uow = UnitOfWork.around(session, Actor.system("T1"), THURSDAY_EVENING)
    uow.record(action=action, subject="team:team-1", surface="test")


def test_a_row_committed_late_is_found_within_minutes(
    crowd: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row committed late, by another process, long after the trail went on without it."""
    monkeypatch.setattr(planning, "monotonic", lambda: 0.0)
    plan(crowd, now=THURSDAY_EVENING)
    with crowd.write() as session:
        session.add(TeamMember(workspace_id="T1", team_id=1, member="UNEW", joined_at=THURSDAY_EVENING))
    assert plan(crowd, now=THURSDAY_EVENING + timedelta(minutes=4)) == 0
    monkeypatch.setattr(planning, "monotonic", lambda: planning.LOOK_ANYWAY)
    assert plan(crowd, now=THURSDAY_EVENING + timedelta(minutes=5)) == 1


def test_a_clock_set_back_or_forward_loses_and_doubles_nothing(crowd: Database) -> None:
    moments = [BEFORE, BEFORE + 2 * DAY, BEFORE - 3 * DAY, BEFORE + DAY, BEFORE + 1.5 * DAY, BEFORE + 2 * DAY]
    for moment in [*moments, THURSDAY_EVENING + 5 * DAY]:
        plan(crowd, now=moment)
    restless = keys(crowd)
    assert max(restless.values()) == 1
    with crowd.write() as session:
        session.execute(delete(OutboxMessage))
        workspace(session).planned_until = BEFORE - 3 * DAY
    planning.forget(crowd)
    step = BEFORE - 3 * DAY
    while step <= THURSDAY_EVENING + 5 * DAY:
        plan(crowd, now=step)
        step += timedelta(hours=5)
    assert set(keys(crowd)) <= set(restless)
    assert {key for key in restless if ":U" in key} == {key for key in keys(crowd) if ":U" in key}


def test_who_is_away_for_the_rest_of_the_week_is_skipped_once(crowd: Database) -> None:
    with crowd.write() as session:
        session.add(
            Away(
                workspace_id="T1",
                member="U0000006",
                first_day=date(2026, 3, 4),
                last_day=date(2026, 3, 9),
                set_by="U1",
                set_at=THEN,
            )
        )
    plan(crowd, now=THURSDAY_EVENING + DAY)
    with crowd.read() as session:
        rows = session.execute(
            select(OutboxMessage).where(col(OutboxMessage.recipient) == "U0000006")
        ).scalars()
        assert {(row.kind, row.reason) for row in rows} >= {("checkin", "away"), ("checkin-reminder", "away")}
