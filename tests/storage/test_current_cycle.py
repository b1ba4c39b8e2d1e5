"""The cycle a team is in by its own calendar, wherever the team is and however its cycles lie."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from cadence.actor import Actor
from cadence.flows.core.adoptions import current_cycle
from cadence.rules.calendar import local_day
from storage.engine import Database
from storage.queries import adoptions
from storage.tables import Adoption, Cycle, Team
from storage.work import UnitOfWork
from tests.databases import rolled_back
from tests.storage.seeds import MONDAY, NOW, Planted, plant

ZONES = ("Etc/GMT+12", "Pacific/Pago_Pago", "America/New_York", "UTC", "Asia/Kolkata", "Pacific/Kiritimati")
STARTS = st.lists(st.integers(-70, 70), max_size=5, unique=True)
"""Days from a Monday: of cycles in the order of their numbers, which needn't be that of the calendar."""


INSTANTS = st.integers(-80 * 24, 80 * 24).map(
    lambda hours: datetime.combine(MONDAY, time(0, 30), UTC) + timedelta(hours=hours)
)


def expected(starts: list[date], today: date) -> int | None:
    """Of the cycles that began by a day the highest number, else the lowest number."""
    begun = [number for number, start in enumerate(starts, 1) if start <= today]
    return max(begun) if begun else 1 if starts else None


def test_the_latest_cycle_that_began_counts_else_the_first_to_come(db: Database) -> None:
    with db.write() as session:
        ids = plant(session)

    @settings(max_examples=100)
    @given(zone=st.sampled_from(ZONES), days=STARTS, now=INSTANTS)
    def check(zone: str, days: list[int], now: datetime) -> None:
        starts = [MONDAY + timedelta(days=number) for number in days]
        assert found(db, ids, zone, starts, now) == expected(starts, local_day(now, ZoneInfo(zone)))

    check()


def found(db: Database, ids: Planted, zone: str, starts: list[date], now: datetime) -> int | None:
    """The number of the current cycle of a team of its own, which is rolled back."""
    with rolled_back(db) as session:
        uow = UnitOfWork.around(session, Actor.system("T1"), now)
        ours: Any = {"workspace_id": "T1", "created_at": NOW}
        team = Team(**ours, slug="far", title="Far", function="", channel="C0FAR", timezone=zone)
        uow.session.add(team)
        uow.session.flush()
        adoption = Adoption(**ours, playbook_id=ids.playbook, version_id=ids.version, team_id=team.id or 0)
        uow.session.add(adoption)
        uow.session.flush()
        for number, start in enumerate(starts, 1):
            cycle = Cycle(
                workspace_id="T1",
                adoption_id=adoption.id or 0,
                version_id=ids.version,
                number=number,
                starts_on=start,
                closes_on=start + timedelta(days=25),
                started_by="U01LEAD",
                started_at=NOW,
            )
            uow.session.add(cycle)
        rows = adoptions.with_cycles(uow, day=now.astimezone(UTC).date(), adoption_id=adoption.id)
        current = current_cycle([row.cycle for row in rows if row.cycle], local_day(now, ZoneInfo(zone)))
        named = adoptions.adoption_versions(uow, day=now.astimezone(UTC).date())
        cycles = [one.cycle for one in named if one.adoption_id == adoption.id and one.cycle]
        assert cycles == [(row.cycle.number, row.cycle.starts_on) for row in rows if row.cycle]
        return current.number if current else None
