"""Runs are drawn for all teams at once: the questions asked don't grow with the teams."""

from datetime import UTC, datetime, timedelta

from sqlmodel import SQLModel, select

from cadence.flows.nudging.planning import plan
from storage.engine import Database
from storage.tables import Attestation, CheckIn, Cycle, Member, PlaybookVersion, SpotAudit
from tests.bench.planning_bench import MONDAY, PLAYBOOKS, build, counted

ANSWERED = datetime(2026, 3, 5, 12, tzinfo=UTC)
FRIDAY_EVENING = datetime(2026, 3, 6, 20, tzinfo=UTC)
SPEC = {"steps": [{"key": key, "verify": {"sample": 3}} for key in ("draft", "send")] + [{"key": "load"}]}


def drawn(db: Database, members: int) -> tuple[list[SpotAudit], int]:
    """What a Friday's planning draws where everybody reported runs, and how many statements it took."""
    build(db, members)
    with db.write() as session:
        for version in session.exec(select(PlaybookVersion)):
            version.spec = SPEC
        for number in range(1, PLAYBOOKS + 1):
            session.add(
                Member(workspace_id="T1", id=f"UOWNER{number}", name="O", timezone="UTC", seen_at=ANSWERED)
            )
        for cycle in session.exec(select(Cycle)):
            for member in ("U1", "U2"):
                session.add(
                    CheckIn(
                        workspace_id="T1",
                        adoption_id=cycle.adoption_id,
                        cycle_id=cycle.id or 0,
                        week=1,
                        week_start=MONDAY,
                        member=member,
                        attestation=Attestation.AS_DECLARED,
                        runs=4,
                        surface="test",
                        answered_at=ANSWERED,
                    )
                )
    plan(db, now=FRIDAY_EVENING - timedelta(days=1))
    with counted(db) as asked:
        plan(db, now=FRIDAY_EVENING)
    with db.read() as session:
        return list(session.exec(select(SpotAudit))), asked[0]


def test_many_teams_take_as_many_statements_as_a_few(db: Database) -> None:
    few, asked = drawn(db, 20)
    assert {(row.adoption_id, row.step) for row in few} == {
        (a, step) for a in (1, 2) for step in ("draft", "send")
    }
    assert all(sum(runs for _, runs in row.population) == 8 and len(row.drawn) == 3 for row in few)
    with db.write() as session:
        for table in reversed(SQLModel.metadata.sorted_tables):
            session.execute(table.delete())
    many, asked_for_many = drawn(db, 600)
    assert len(many) == 120
    assert asked_for_many <= asked
