"""What a read and a write guarantee, and which values a column accepts."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import Session, select

from cadence.actor import Actor
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision, Rule
from storage.engine import Database
from storage.outbox.queueing import NewMessage
from storage.queries import adoptions, numbers, people, workspaces
from storage.tables import Adoption, AdoptionState, Curator, Cycle, Reading, Workspace
from storage.work import UnitOfWork
from tests.storage.seeds import NOW, plant, reading_row, workspace
from tests.storage.threads import at_once

NAIVE = r"(?i)naive|timezone"


def test_a_read_keeps_no_changes(db: Database) -> None:
    with db.write() as session:
        workspace(session)
    with db.read() as session:
        workspaces.workspaces(session)[0].name = "Changed"
    with db.read() as session:
        assert [one.name for one in workspaces.workspaces(session)] == ["T1"]


def test_a_read_refuses_to_write(db: Database) -> None:
    with db.read() as session:
        session.add(Workspace(id="T1", name="T1", created_at=NOW))
        with pytest.raises(RuntimeError, match="only reads"):
            session.flush()
    with db.read() as session:
        assert workspaces.workspaces(session) == []


def test_write_keeps_everything_together(db: Database) -> None:
    with db.write() as session:
        plant(session)
    with db.read() as session:
        assert [one.id for one in workspaces.workspaces(session)] == ["T1"]
        assert people.curators(UnitOfWork.around(session, Actor.system("T1"))) == ["U01CURATOR"]


def test_write_rolls_back_everything_on_an_error(db: Database) -> None:
    def stumble() -> None:
        with db.write() as session:
            workspace(session)
            session.flush()
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        stumble()
    with db.read() as session:
        assert workspaces.workspaces(session) == []


def test_rows_can_be_used_after_their_session(db: Database) -> None:
    with db.write() as session:
        workspace(session)
    with db.read() as session:
        row = workspaces.workspace(UnitOfWork.around(session, Actor.system("T1")))
    assert row is not None
    assert (row.name, row.rule) == ("T1", Rule.BALANCED)


def test_what_a_writer_read_can_not_change_before_it_saves(db: Database) -> None:
    """Eight writers count on the same number; with the adoption held none of them loses an update."""
    with db.write() as session:
        ids = plant(session)

    def add_one() -> None:
        with db.write() as session:
            adoptions.lock_adoption(UnitOfWork.around(session, Actor.system("T1")), adoption_id=ids.adoption)
            row = workspaces.workspace(UnitOfWork.around(session, Actor.system("T1")))
            assert row is not None
            row.min_runs += 1

    at_once(add_one)
    with db.read() as session:
        row = workspaces.workspace(UnitOfWork.around(session, Actor.system("T1")))
    assert row is not None
    assert row.min_runs == 28


@pytest.mark.postgres
@pytest.mark.parametrize("db", [pytest.param("postgres")], indirect=True)
def test_locking_an_adoption_reads_it_again(db: Database) -> None:
    """An adoption loaded before the lock may have changed while another transaction held it."""
    with db.write() as session:
        ids = plant(session)
    with db.write() as session:
        loaded = session.exec(select(Adoption)).one()
        assert loaded.state is AdoptionState.ACTIVE
        with db.write() as other:
            other.exec(select(Adoption)).one().state = AdoptionState.PAUSED
        locked = adoptions.lock_adoption(
            UnitOfWork.around(session, Actor.system("T1")), adoption_id=ids.adoption
        )
        assert locked is loaded
        assert locked.state is AdoptionState.PAUSED


def test_naive_times_are_refused(db: Database) -> None:
    naive = datetime(2026, 12, 3, 9, 42)  # noqa: DTZ001 - the very thing
    with pytest.raises(StatementError, match=NAIVE), db.write() as session:
        session.add(Workspace(id="T1", created_at=naive))
    with db.write() as session:
        workspace(session)
    one = NewMessage("checkin", "U1", {}, about=("k",), due_at=naive)
    with pytest.raises(StatementError, match=NAIVE), db.write() as session:
        UnitOfWork.around(session, Actor.system("T1"), NOW).send(one)


def test_times_come_back_aware_and_as_the_same_instant(db: Database) -> None:
    far = datetime(2026, 12, 3, 23, 42, 1, 234567, tzinfo=timezone(timedelta(hours=13, minutes=45)))
    with db.write() as session:
        session.add(Workspace(id="T1", created_at=far))
    with db.read() as session:
        row = workspaces.workspace(UnitOfWork.around(session, Actor.system("T1")))
    assert row is not None
    assert row.created_at == far
    assert row.created_at.utcoffset() == timedelta(0)
    with db.read() as session:
        before = session.exec(select(Workspace.id).where(Workspace.created_at < far)).all()
        until = session.exec(select(Workspace.id).where(Workspace.created_at <= far.astimezone(UTC))).all()
    assert (before, until) == ([], ["T1"])


def _stored(session: Session, query: str) -> list[object]:
    return list(session.connection().execute(text(query)).scalars())


def test_enums_are_stored_by_value(db: Database) -> None:
    with db.write() as session:
        ids = plant(session)
    with db.read() as session:
        assert _stored(session, "SELECT rule FROM workspace") == ["balanced"]
        assert _stored(session, "SELECT state FROM adoption") == ["active"]
        assert _stored(session, "SELECT attestation FROM check_in") == ["drifted"]
        assert _stored(session, "SELECT mode FROM adoption_step") == ["ai-led"]
        assert _stored(session, "SELECT decision FROM verdict ORDER BY id") == ["watch", "demote"]
        assert _stored(session, "SELECT lands_on FROM verdict ORDER BY id") == [None, "collaborative"]
        assert _stored(session, "SELECT state FROM ledger ORDER BY id") == ["due", "failed", "sent"]
        row = adoptions.steps(UnitOfWork.around(session, Actor.system("T1")), adoption_id=ids.adoption)[
            "send"
        ]
        assert row.mode is Mode.AI_LED
    assert Decision("demote") is Decision.DEMOTE


def test_a_row_belongs_to_rows_that_exist(db: Database) -> None:
    with pytest.raises(IntegrityError), db.write() as session:
        session.add(Curator(workspace_id="TNOWHERE", member="U1", since=NOW))
    with db.write() as session:
        ids = plant(session)
    with pytest.raises(IntegrityError), db.write() as session:
        session.delete(session.get(Workspace, ids.workspace))


def test_one_reading_a_week_counts(db: Database) -> None:
    with db.write() as session:
        ids = plant(session)
    with pytest.raises(IntegrityError), db.write() as session:
        session.add(reading_row(ids))
    with db.write() as session:
        row = session.exec(select(Reading)).one()
        row.replaced_at = NOW
        session.flush()
        session.add(reading_row(ids, value=21))
    with db.read() as session:
        assert len(session.exec(select(Reading)).all()) == 2
        assert numbers.readings(
            UnitOfWork.around(session, Actor.system("T1")), cycle=session.get_one(Cycle, ids.cycle)
        ) == {1: 21.0}


@pytest.mark.parametrize(("is_temporary", "synchronous"), [(False, 2), (True, 0)])
def test_sqlite_runs_with_full_durability_unless_it_is_temporary(
    is_temporary: bool, synchronous: int, tmp_path: Path
) -> None:
    db = Database(f"sqlite:///{tmp_path / 'one.db'}", is_temporary=is_temporary)
    with db.read() as session:
        pragmas = {
            name: session.connection().execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("foreign_keys", "journal_mode", "synchronous", "busy_timeout")
        }
    db.close()
    assert pragmas == {
        "foreign_keys": 1,
        "journal_mode": "wal",
        "synchronous": synchronous,
        "busy_timeout": 30_000,
    }


@pytest.mark.parametrize("db", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_a_connection_cut_while_nobody_used_it_is_replaced(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def backend() -> int:
        with db.read() as session:
            return int(session.connection().execute(text("SELECT pg_backend_pid()")).scalar_one())

    first = backend()
    assert backend() == first
    other = Database(db.url)
    with other.read() as session:
        session.connection().execute(text("SELECT pg_terminate_backend(:it, 2000)"), {"it": first})
    other.close()
    monkeypatch.setattr("storage.engine.IDLE_SECONDS", 0.0)
    assert backend() != first
