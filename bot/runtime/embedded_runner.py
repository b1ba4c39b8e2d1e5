"""The embedded runner: APScheduler plans what is due and sends it."""

import fcntl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Lock, Thread
from typing import IO, TYPE_CHECKING
from uuid import uuid4

import structlog
from apscheduler.triggers.base import BaseTrigger
from structlog.contextvars import bound_contextvars

from bot.delivery.sender import Delivery, Outcome
from bot.metrics import PLANNED
from bot.runtime.sender_pool import SenderPool
from bot.workspaces.directory import Directory
from bot.workspaces.home_publisher import Homes
from cadence.flows.nudging import next_event, plan
from cadence.flows.people import workspace_ids
from storage.engine import Database, sqlite_file

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

log = structlog.get_logger(__name__)

DELIVER_EVERY_SECONDS = 0.25
PLAN_EVERY_SECONDS = 5
HOMES_EVERY_SECONDS = 1
MEET_EVERY_SECONDS = 30
REFRESH_EVERY_SECONDS = 24 * 60 * 60
CORRECT_EVERY_SECONDS = 60
CLOCK_EVERY_SECONDS = 1
"""Seconds between checks whether the clock was set back."""


class _Every(BaseTrigger):  # type: ignore[misc]  # it has no types
    """Fires this many seconds after the scheduler last looked.

    APScheduler's own interval lists every run that a clock jumped over: ten million for a month.
    """

    def __init__(self, seconds: float) -> None:
        self._interval = timedelta(seconds=seconds)

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        """Return the next instant to fire."""
        return now + self._interval


class Worker:
    """Plans and sends. Several can run at once: the database prevents duplicates.

    Args:
        keep_tokens: renews expiring tokens, before planning.
    """

    def __init__(
        self,
        db: Database,
        *,
        delivery: Delivery,
        directory: Directory,
        homes: Homes,
        clock: Callable[[], datetime],
        keep_tokens: Callable[[], None] = lambda: None,
    ) -> None:
        self._db = db
        self._delivery = delivery
        self._directory = directory
        self._homes = homes
        self._clock = clock
        self._keep_tokens = self._guarded(keep_tokens)
        self._corrected: tuple[float | None, datetime] = None, datetime.min.replace(tzinfo=UTC)
        self._busy = Lock()
        self._scheduler: BackgroundScheduler | None = None
        self._clock_watch: tuple[Thread, Event] | None = None
        self._senders: SenderPool | None = None

    def tick(self) -> dict[Outcome, int]:
        """Plan what is due now and send it, once."""
        self._keep_tokens()
        with self._busy:
            if self._senders is not None:  # otherwise a clock moved meanwhile would make them look dead
                self._senders.wait()
            self._plan()
            sent = self._delivery.drain()
            while self._homes.work():
                pass
            return sent

    def next_event(self) -> datetime | None:
        """The next instant at which something is due."""
        return next_event(self._db, now=self._clock(), serves=self._delivery.serves)

    def refresh(self) -> None:
        """Load everyone's profile from Slack again."""
        for workspace_id in workspace_ids(self._db):
            self._directory.refresh(workspace_id)

    def publish_homes(self) -> None:
        """Publish the stale Homes."""
        self._homes.work()

    def meet_new(self) -> None:
        """Load the profiles of people of whom nothing is stored yet, such as imported ones."""
        for workspace_id in workspace_ids(self._db):
            self._directory.meet_new(workspace_id)

    def start(self) -> None:
        """Run in the background until `stop`."""
        left = self._delivery.outbox.take_all_back(now=self._clock())
        if left:
            log.info("taken back from a worker that is gone", messages=left)
        from apscheduler.schedulers.background import BackgroundScheduler  # noqa: PLC0415 - not for the web

        scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
        )
        for job, seconds in (
            (self._deliver, DELIVER_EVERY_SECONDS),
            (self.plan, PLAN_EVERY_SECONDS),
            (self.publish_homes, HOMES_EVERY_SECONDS),
            (self.meet_new, MEET_EVERY_SECONDS),
            (self.refresh, REFRESH_EVERY_SECONDS),
        ):
            scheduler.add_job(self._guarded(job), _Every(seconds))
        self._scheduler, self._senders = (
            scheduler,
            SenderPool(self._delivery, may_begin=lambda: not self._busy.locked()),
        )
        scheduler.start()
        stop = Event()
        watch = Thread(target=self._watch_the_clock, args=(scheduler, stop), name="clock", daemon=True)
        self._clock_watch = watch, stop
        watch.start()

    def _watch_the_clock(self, scheduler: "BackgroundScheduler", stop: Event) -> None:
        """Schedule every job again after the clock was set back: APScheduler would wait for the old time."""
        before = time.time()
        while not stop.wait(CLOCK_EVERY_SECONDS):
            now = time.time()
            if now < before:
                log.warning("the clock was set back", seconds=round(before - now))
                for job in scheduler.get_jobs():
                    job.reschedule(job.trigger)
            before = now

    def stop(self) -> None:
        """Finish the messages being sent, then stop."""
        if self._clock_watch is not None:
            watch, stop = self._clock_watch
            stop.set()
            watch.join()
            self._clock_watch = None
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
            self._scheduler = None
        if self._senders is not None:
            self._senders.close()
            self._senders = None

    def plan(self) -> None:
        """Queue what is due now."""
        self._keep_tokens()
        with self._busy:
            self._plan()

    def _plan(self) -> None:
        """Plan with a correlation id, from the log to the ledger."""
        with bound_contextvars(correlation_id=f"plan:{uuid4().hex}"):
            self._correct_future(self._clock())
            new = plan(self._db, now=self._clock())
            if new:
                PLANNED.inc(new)
                log.info("planned", messages=new)

    def _correct_future(self, now: datetime) -> None:
        """Look for rows from before the clock was set back: when it was, and every minute, because another
        process may have had another clock."""
        since, seen = self._corrected
        if since is None or now < seen or time.monotonic() - since >= CORRECT_EVERY_SECONDS:
            self._delivery.outbox.correct_future(now=now)
            since = time.monotonic()
        self._corrected = since, now

    def _deliver(self) -> None:
        if self._senders is not None and self._busy.acquire(blocking=False):
            try:
                self._senders.fill()
            finally:
                self._busy.release()

    def _guarded(self, job: Callable[[], object]) -> Callable[[], None]:
        """Log a failed run; the next one comes anyway."""

        def run() -> None:
            try:
                job()
            except Exception:  # a failed run mustn't end planning or sending
                log.exception("worker stumbled", job=job.__name__)

        return run


class WorkerLock:
    """One worker per SQLite database: a second process waits, and takes over when the first is gone."""

    def __init__(self, database_url: str) -> None:
        file = sqlite_file(database_url)
        self._path = file.with_name(f"{file.name}.worker") if file else None
        self._file: IO[str] | None = None

    def try_now(self) -> bool:
        """Take the lock if it is free. PostgreSQL needs none."""
        if self._path is None:
            return True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._file = file
        return True

    def acquire(self, *, stopping: Event, wait: timedelta = timedelta(seconds=1)) -> bool:
        """Wait for the lock; False if `stopping` was set first."""
        said = False
        while not stopping.is_set():
            if self.try_now():
                return True
            if not said:
                log.info("another worker has this database; waiting to take over")
                said = True
            stopping.wait(wait.total_seconds())
        return False

    def release(self) -> None:
        """Release the lock."""
        if self._file is not None:
            self._file.close()
            self._file = None
