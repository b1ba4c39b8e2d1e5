"""Refreshing profiles asks no more of the database for many people than for a few."""

from datetime import timedelta

from cadence.actor import Actor
from cadence.flows.people.profiles import Profile, Status, ensure_workspace, save_profiles
from storage.engine import Database
from storage.tables import Member
from storage.work import UnitOfWork
from tests.bench.planning_bench import THURSDAY_EVENING, counted


def refreshed(db: Database, many: int, *, days: int = 0, zone: str = "Europe/Berlin") -> int:
    """Save the profiles of so many people, and return how many statements that took."""
    uow = UnitOfWork(db, Actor.system("T1"), THURSDAY_EVENING + timedelta(days=days))
    people = [Profile(f"U{number:05}", f"Person {number}", zone) for number in range(many)]
    people.append(Profile("U0AWAY", "Away", zone, status=Status("Vacationing", ":palm_tree:")))
    with counted(db) as asked:
        assert save_profiles(uow, profiles=people) == many + 1
    return asked[0]


def test_many_new_people_and_then_their_changes(db: Database) -> None:
    ensure_workspace(UnitOfWork(db, Actor.system("T1"), THURSDAY_EVENING), name="Many")
    few = refreshed(db, 3)
    assert refreshed(db, 400) <= few + 2
    assert refreshed(db, 400, days=1, zone="Asia/Tokyo") <= few + 2
    with db.read() as session:
        moved = session.get(Member, ("T1", "U00399"))
        assert moved is not None
        assert (moved.timezone, moved.seen_at) == ("Asia/Tokyo", THURSDAY_EVENING + timedelta(days=1))


def test_somebody_listed_twice_is_one_person(db: Database) -> None:
    ensure_workspace(UnitOfWork(db, Actor.system("T1"), THURSDAY_EVENING), name="Twice")
    uow = UnitOfWork(db, Actor.system("T1"), THURSDAY_EVENING)
    save_profiles(
        uow, profiles=[Profile("U1", "Before", "Europe/Berlin"), Profile("U1", "After", "Asia/Tokyo")]
    )
    with db.read() as session:
        row = session.get(Member, ("T1", "U1"))
        assert row is not None
        assert (row.name, row.timezone) == ("After", "Asia/Tokyo")
