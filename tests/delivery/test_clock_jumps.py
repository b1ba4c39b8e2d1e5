"""A suspended machine, or a clock that is set: both runners continue without catching up on missed runs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest

from bot.delivery.sender import Delivery, Pace, Post
from bot.runtime.embedded_runner import Worker
from bot.runtime.queue_runner import SCHEMA, Fleet, prepare
from bot.sandbox.faults import Fault
from cadence.actor import Actor
from storage.engine import Database, plain_url
from storage.migrate import migrate
from storage.outbox.attempts import ANSWERED, SETTLED
from storage.outbox.rate_limits import LONGEST_PAUSE, POSTING, close
from storage.work import UnitOfWork
from tests.databases import database
from tests.delivery.post_office import CHANNEL, MEMBER, NOON, TEAM, PostOffice, open_office
from tests.processes.programs import eventually
from tests.storage import postgres

JUMPS = {
    "an hour": timedelta(hours=1),
    "three days": timedelta(days=3),
    "a month": timedelta(days=30),
    "an hour back": timedelta(hours=-1),
}
MONDAY = NOON - timedelta(days=2)
"""No jump leads to a weekend, on which some messages wait."""
MOST_JOBS = 2_000
"""Far more than the seconds of this test have, far fewer than an hour of sweeps."""


class Time:
    """This machine's clock, set by the test; Slack's is independent."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        real, now = time.time, self.now
        self.ahead = MONDAY.timestamp() - real()

        class Shifted(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return now().astimezone(tz)

        patch.setattr(time, "time", lambda: real() + self.ahead)
        patch.setattr("apscheduler.schedulers.base.datetime", Shifted)

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC)

    def jump(self, by: timedelta) -> None:
        self.ahead += by.total_seconds()


def a_worker(office: PostOffice, clock: Time) -> tuple[Worker, Delivery]:
    """A worker of its own, which goes by this machine's clock."""
    post = Post(office.gateway, office.identity)
    delivery = Delivery(office.db, post_for=lambda _team: post, clock=clock.now, pace=Pace())
    quiet: Any = SimpleNamespace(refresh=lambda _team: None, meet_new=lambda _team: None, work=lambda: False)
    return Worker(office.db, delivery=delivery, directory=quiet, homes=quiet, clock=clock.now), delivery


@contextmanager
def embedded(office: PostOffice, clock: Time) -> Iterator[None]:
    worker, _ = a_worker(office, clock)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


@contextmanager
def fleet(office: PostOffice, clock: Time) -> Iterator[None]:
    worker, delivery = a_worker(office, clock)
    running, stop = Fleet(office.db, worker=worker, delivery=delivery, clock=clock.now), Event()
    thread = Thread(target=running.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)


def jobs_made(db: Database) -> int:
    """How many jobs Procrastinate was given so far."""
    with psycopg.connect(plain_url(db.url), options=f"-c search_path={SCHEMA}") as connection:
        found = connection.execute("SELECT last_value FROM procrastinate_jobs_id_seq").fetchone()
    return int(cast(tuple[int], found)[0])


def swept_at(db: Database) -> datetime:
    """The interval of the last sweep that began."""
    with psycopg.connect(plain_url(db.url), options=f"-c search_path={SCHEMA}") as connection:
        found = connection.execute(
            "SELECT defer_timestamp FROM procrastinate_periodic_defers WHERE task_name = 'sweep' ORDER BY id DESC"
        ).fetchone()
    return datetime.fromtimestamp(cast(tuple[int], found)[0], UTC)


def goes_on(office: PostOffice, clock: Time, jump: timedelta) -> None:
    """After the jump, due messages are sent, also to earlier recipients."""
    office.clock.set(clock.now())
    office.owes("before")
    eventually(lambda: not office.unsent(), "it is sent before the jump")
    clock.jump(jump)
    office.clock.set(clock.now())
    office.owes("after")
    office.owes("after", MEMBER, kind="welcome")
    eventually(lambda: not office.unsent(), "it is sent after the jump")
    assert office.said() == ["before", "after"]


@pytest.mark.sqlite
@pytest.mark.parametrize("jump", JUMPS.values(), ids=list(JUMPS))
def test_the_embedded_worker_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    with database(tmp_path / "jump.db") as db, open_office(db) as office:
        clock = Time(monkeypatch)
        with embedded(office, clock):
            goes_on(office, clock, jump)


@pytest.mark.postgres
@pytest.mark.parametrize("jump", JUMPS.values(), ids=list(JUMPS))
def test_a_worker_of_the_fleet_goes_on(
    postgres_socket: str, monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    name = f"jump{abs(jump.total_seconds()):.0f}{'back' if jump < timedelta() else ''}"
    postgres.create(postgres_socket, name)
    db = Database(postgres.url(postgres_socket, name))
    migrate(db)
    prepare(db)
    with open_office(db) as office:
        clock = Time(monkeypatch)
        with fleet(office, clock):
            goes_on(office, clock, jump)
            eventually(lambda: swept_at(db) > clock.now() - timedelta(seconds=10), "it has caught up")
            office.owes("later")
            eventually(lambda: not office.unsent(), "it goes on")
            made = jobs_made(db)
        assert made < MOST_JOBS, "no interval that the clock jumped over is caught up on"
    db.close()


def test_an_attempt_under_way_when_the_clock_is_set_back_is_settled_soon(office: PostOffice) -> None:
    key = office.owes("start a cycle")
    office.faults.next["chat.postMessage"] = [Fault.DROPPED]
    office.sends()
    office.owes("behind it")
    earlier = NOON - timedelta(hours=1)
    office.clock.set(earlier)
    assert office.sends() == {}
    assert office.delivery.outbox.correct_future(now=earlier) == 1
    assert office.delivery.outbox.correct_future(now=earlier) == 0
    row = office.row(key)
    assert (row.not_before, row.settles_at) == (earlier + ANSWERED, earlier + SETTLED)


def test_pauses_that_slack_asked_for_are_kept_and_slots_are_not(office: PostOffice) -> None:
    pause = NOON + LONGEST_PAUSE
    with office.db.write() as session:
        close(UnitOfWork.around(session, Actor.system(TEAM)), name=POSTING, until=pause)
        close(UnitOfWork.around(session, Actor.system(TEAM)), name=CHANNEL, until=pause)
    assert office.delivery.outbox.correct_future(now=NOON) == 1
    assert office.delivery.outbox.correct_future(now=NOON - timedelta(hours=1)) == 2
