"""The runner on PostgreSQL: everything is sent in order, and dead workers block nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic, sleep
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest

from bot.delivery.sender import Step
from bot.runtime.embedded_runner import Worker
from bot.runtime.queue_runner import SCHEMA, Fleet, is_prepared, prepare
from cadence.actor import Actor
from storage.engine import Database, plain_url
from storage.migrate import migrate
from storage.outbox.attempts import ANSWERED, begin
from storage.work import UnitOfWork
from tests.delivery.post_office import CHANNEL, MANY, MEMBER, QUIET, PostOffice, open_office
from tests.processes.programs import eventually
from tests.storage import postgres
from tests.storage.threads import at_once

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def fleet_db(postgres_socket: str) -> Iterator[Database]:
    """A database of its own, in which eight release steps run at once."""
    postgres.create(postgres_socket, "fleet")
    database = Database(postgres.url(postgres_socket, "fleet"))
    migrate(database)
    assert not is_prepared(database)
    assert sorted(at_once(lambda: prepare(database))) == [False] * 7 + [True]
    assert is_prepared(database)
    yield database
    database.close()


@contextmanager
def running(office: PostOffice, planned: list[str], **limits: Any) -> Iterator[None]:
    """One running worker."""
    worker = SimpleNamespace(
        plan=lambda: planned.append("plan"),
        meet_new=lambda: planned.append("meet_new"),
        refresh=lambda: planned.append("refresh"),
        publish_homes=lambda: None,
    )
    fleet = Fleet(
        office.db, worker=cast(Worker, worker), delivery=office.delivery, clock=office.clock.now, **limits
    )
    stop = Event()
    thread = Thread(target=fleet.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()


def rows(db: Database, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """The rows of a query in Procrastinate's tables."""
    with psycopg.connect(plain_url(db.url), options=f"-c search_path={SCHEMA}") as connection:
        return connection.execute(query.encode(), values).fetchall()


def test_everything_is_sent_in_order_and_the_planner_is_woken(fleet_db: Database) -> None:
    planned: list[str] = []
    with open_office(fleet_db) as office:
        for number in range(4):
            for recipient in (CHANNEL, QUIET, MEMBER):
                office.owes(f"{recipient} {number}", recipient)
        with running(office, planned):
            eventually(lambda: not office.unsent(), "everything is sent")
            eventually(lambda: {"plan", "refresh"} <= set(planned), "the planner is woken")
        for recipient, room in ((CHANNEL, CHANNEL), (QUIET, QUIET), (MEMBER, "D01AGENT")):
            assert office.said(room) == [f"{recipient} {number}" for number in range(4)]
    doing = "SELECT 1 FROM procrastinate_jobs WHERE status = 'doing'"
    assert rows(fleet_db, doing) == [], "a worker that is asked to stop finishes what it began"


def test_who_is_due_is_looked_for_four_times_a_second_and_gets_one_job(
    fleet_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_office(fleet_db) as office:
        looks, steps = [], []
        due, step = office.delivery.due, office.delivery.step

        def slowly(*, limit: int) -> list[tuple[str, str]]:
            looks.append(monotonic())
            found = due(limit=limit)
            sleep(0.2)
            return found

        def counted(workspace_id: str, recipient: str) -> Step:
            steps.append(recipient)
            return step(workspace_id, recipient)

        monkeypatch.setattr(office.delivery, "due", slowly)
        monkeypatch.setattr(office.delivery, "step", counted)
        for channel in MANY:
            office.owes(channel, channel)
        with running(office, []):
            eventually(lambda: len(looks) >= 12 and not office.unsent(), "all is sent")
        assert looks[11] - looks[0] < 9, "once a second would take eleven"
        assert len(steps) < 120, "whose job is under way, or done, isn't given another"


@pytest.mark.parametrize(
    ("text", "heartbeat", "limits"),
    [
        ("its worker is gone", "now() - interval '1 minute'", {}),
        ("its end was never written", "now() + interval '1 hour'", {"longest": {"send_next": 1.0}}),
    ],
)
def test_a_job_without_an_end_holds_nobody_up(
    fleet_db: Database, text: str, heartbeat: str, limits: dict[str, Any]
) -> None:
    with open_office(fleet_db) as office:
        key = office.owes(text)
        row = office.row(key)
        with office.db.write() as session:
            uow = UnitOfWork.around(session, Actor.system(row.workspace_id), office.clock.now())
            assert begin(uow, message_id=row.id or 0, attempts=0, channel=CHANNEL, text="")
        posted = office.gateway.post(channel=CHANNEL, text=text, blocks=[], key=key)
        rows(
            fleet_db,
            f"""WITH gone AS (
                 INSERT INTO procrastinate_workers (last_heartbeat) VALUES ({heartbeat}) RETURNING id
               ) INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, status, worker_id)
                 SELECT 'default', 'send_next', %(lane)s, %(lane)s, %(args)s, 'doing', id FROM gone RETURNING id""",
            lane=f"{row.workspace_id}:{CHANNEL}",
            args=f'{{"workspace": "{row.workspace_id}", "recipient": "{CHANNEL}"}}',
        )
        office.clock.set(office.clock.now() + ANSWERED)
        with running(office, [], **limits):
            eventually(lambda: not office.unsent(), "it is taken up, long before its 30 seconds are over")
        assert (office.row(key).ts, office.row(key).attempts) == (posted, 2)
        assert len(office.arrived()) == 1
