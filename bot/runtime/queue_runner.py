"""The runner on PostgreSQL: Procrastinate runs the same function as the embedded runner, on any number of
workers.

Its jobs are disposable; the ledger is the source of truth: a sweep queues a job for each recipient with a
free slot, and deletes the jobs of dead workers. A job sends one message and queues the recipient's next one.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from threading import Event
from time import monotonic
from typing import Any, Final, TypeVar

import psycopg
import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ProcrastinateException
from procrastinate.jobs import Job, JobDeferrer, Status
from procrastinate.metadata import extract_metadata
from procrastinate.schema import SchemaManager
from procrastinate.tasks import Task
from procrastinate.types import JSONValue

from bot.delivery.sender import SOON, Delivery, Outcome
from bot.runtime.embedded_runner import Worker
from cadence.flows.outbox import AHEAD
from storage.engine import Database, Unreachable, plain_url

log = structlog.get_logger(__name__)

SCHEMA = f"fleet_{extract_metadata()['version'].replace('.', '_')}"
"""Procrastinate's tables are in a schema per version: old and new workers can run side by side."""
CONCURRENCY = 10
"""Parallel jobs of a worker: eight messages, a sweep and a plan."""
POLL_SECONDS = 0.25
"""Seconds between a sweep's searches for recipients with a free slot."""
FETCH_SECONDS = 0.05
"""Seconds between a worker's fetches of jobs. It must be well below `AHEAD`, in which a message is
composed for its slot."""
HEARTBEAT_SECONDS = 2.0
STALLED_SECONDS = 10.0
"""Seconds without a heartbeat after which a worker counts as dead."""
LONGEST_SECONDS: Final[Mapping[str, float]] = {"send_next": 40.0, "plan": 120.0}
LONGEST_OTHER_SECONDS = 900.0
"""A job that runs longer has ended without this being recorded, because PostgreSQL was down just then. Its
worker is alive, so the heartbeat doesn't help; the job would hold its recipient's lock forever."""
SWEEP_SECONDS = 0.8
"""Seconds during which a sweep, which begins every second, repeats its search."""
UNENDED = (Status.TODO.value, Status.DOING.value)
LONGEST_BACKOFF_SECONDS = 5.0
Every = Mapping[Task[..., Any, Any], int]
"""Periodic tasks, and their intervals in seconds."""
R = TypeVar("R")


def prepare(db: Database) -> bool:
    """Create Procrastinate's tables, once; part of the release step. Returns whether they are new."""
    with psycopg.connect(plain_url(db.url)) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [SCHEMA])
        if _exists(connection):
            return False
        connection.execute(f"CREATE SCHEMA {SCHEMA}".encode())
        connection.execute(f"SET LOCAL search_path TO {SCHEMA}".encode())
        connection.execute(SchemaManager.get_schema().encode())
        return True


def is_prepared(db: Database) -> bool:
    """Whether the release step has created Procrastinate's tables."""
    with psycopg.connect(plain_url(db.url)) as connection:
        return _exists(connection)


def _exists(connection: psycopg.Connection) -> bool:
    found = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [SCHEMA])
    return found.fetchone() is not None


class Fleet:
    """One worker of several.

    Args:
        longest: seconds after which a running job counts as lost, by task; 15 minutes for any other.
    """

    def __init__(
        self,
        db: Database,
        *,
        worker: Worker,
        delivery: Delivery,
        clock: Callable[[], datetime],
        longest: Mapping[str, float] = LONGEST_SECONDS,
    ) -> None:
        self._url = plain_url(db.url)
        self._worker = worker
        self._delivery = delivery
        self._clock = clock
        self._longest = longest
        self._under_way: dict[int, float] = {}
        self._queueing: set[asyncio.Task[None]] = set()
        self._pool = ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="fleet")

    def run(self, stop: Event) -> None:
        """Work until `stop` is set; while PostgreSQL is down, wait for it."""
        try:
            asyncio.run(self._supervise(stop))
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)

    async def _supervise(self, stop: Event) -> None:
        wait, away = POLL_SECONDS, False
        while not stop.is_set():
            began = monotonic()
            try:
                async with await psycopg.AsyncConnection.connect(self._url, connect_timeout=5):
                    pass
                if away:
                    log.info("PostgreSQL is back")
                    away = False
                await self._work(stop)
            except (psycopg.Error, ProcrastinateException, OSError) as lost:
                away = True
                log.warning("PostgreSQL is away", error=type(lost).__name__)
            except Exception:  # the worker starts again, whatever stopped Procrastinate
                log.exception("the engine stumbled")
            wait = (
                POLL_SECONDS
                if monotonic() - began > STALLED_SECONDS
                else min(2 * wait, LONGEST_BACKOFF_SECONDS)
            )
            if not stop.is_set():
                await asyncio.sleep(wait)

    async def _work(self, stop: Event) -> None:
        engine, every = self._engine()
        async with engine.open_async():
            with suppress(AlreadyEnqueued):
                await engine.configure_task("refresh", queueing_lock="refresh").defer_async(timestamp=0)
            running = engine.run_worker_async(
                concurrency=CONCURRENCY,
                fetch_job_polling_interval=FETCH_SECONDS,
                delete_jobs="always",
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS,
                install_signal_handlers=False,
                listen_notify=False,  # a notification to every worker for every message costs more than it saves
            )
            parts = [asyncio.create_task(running), asyncio.create_task(_keep_time(engine, every))]
            while not (stop.is_set() or any(part.done() for part in parts)):
                await asyncio.wait(parts, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            ended = [part for part in parts if part.done() and not stop.is_set()]
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            for part in ended:
                part.result()

    def _engine(self) -> tuple[App, Every]:
        """Procrastinate's app with our tasks, created again after each loss of PostgreSQL, and the
        periodic ones among them."""
        engine = App(
            connector=PsycopgConnector(
                conninfo=self._url,
                kwargs={"options": f"-c search_path={SCHEMA}"},
                min_size=1,
                max_size=4,
                timeout=5,
            )
        )

        @engine.task(name="send_next")
        async def send_next(workspace: str, recipient: str) -> None:
            wait = await self._do(partial(self._send, workspace, recipient))
            if wait is not None:
                self._queue_in(wait, send_next, (workspace, recipient))

        @engine.task(name="sweep", queueing_lock="sweep", priority=10)
        async def sweep(timestamp: int) -> None:  # noqa: ARG001 - a periodic task is told its time
            await self._sweep(engine, send_next)

        @engine.task(name="plan", lock="plan", queueing_lock="plan", priority=5)
        async def plan(timestamp: int) -> None:  # noqa: ARG001
            await self._do(self._worker.plan)

        @engine.task(name="homes", lock="homes", queueing_lock="homes")
        async def homes(timestamp: int) -> None:  # noqa: ARG001
            await self._do(self._worker.publish_homes)

        @engine.task(name="meet_new", lock="people", queueing_lock="meet_new")
        async def meet_new(timestamp: int) -> None:  # noqa: ARG001
            await self._do(self._worker.meet_new)

        @engine.task(name="refresh", lock="people", queueing_lock="refresh")
        async def refresh(timestamp: int) -> None:  # noqa: ARG001
            await self._do(self._worker.refresh)

        return engine, {sweep: 1, plan: 5, homes: 2, meet_new: 30, refresh: 24 * 60 * 60}

    def _queue_in(self, seconds: float, task: Task[..., Any, Any], recipient: tuple[str, str]) -> None:
        """Queue a recipient's next job in time for its slot.

        Procrastinate could schedule it, but by PostgreSQL's clock, which may differ from this worker's.
        """

        async def queue() -> None:
            await asyncio.sleep(seconds)
            with suppress(ProcrastinateException, psycopg.Error):  # a sweep will find the recipient anyway
                await _for(task, recipient).defer_async(**_arguments(recipient))

        queueing = asyncio.create_task(queue())
        self._queueing.add(queueing)
        queueing.add_done_callback(self._queueing.discard)

    async def _sweep(self, engine: App, task: Task[..., Any, Any]) -> None:
        """Clean up after dead workers, then search until the next sweep begins."""
        end = monotonic() + SWEEP_SECONDS
        for job in await engine.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            await self._clear(engine, job)
        for job in self._overdue(await engine.job_manager.list_jobs_async(status=Status.DOING.value)):
            await self._clear(engine, job)
        await self._queue_due(engine, task)
        while monotonic() + POLL_SECONDS < end:
            await asyncio.sleep(POLL_SECONDS)
            await self._queue_due(engine, task)

    async def _queue_due(self, engine: App, task: Task[..., Any, Any]) -> None:
        """Queue a job for every recipient with a free slot, unless another sweep already has."""
        # Read the recipients with jobs first: if a job ends meanwhile, its recipient isn't due any more.
        listed = await engine.job_manager.list_jobs_async(task=task.name)
        busy = {job.lock for job in listed if job.status in UNENDED}
        limit = self._delivery.outbox.pace.at_most(POLL_SECONDS)
        due = await self._do(partial(self._delivery.due, limit=limit)) or []
        left = [recipient for recipient in due if _lock(recipient) not in busy]
        jobs = [_for(task, recipient).job.evolve(task_kwargs=_arguments(recipient)) for recipient in left]
        if jobs:
            with suppress(AlreadyEnqueued):
                await engine.job_manager.batch_defer_jobs_async(jobs)

    def _send(self, workspace: str, recipient: str) -> float | None:
        """Send one message; returns the seconds until the recipient's next one begins, if that is soon."""
        step, now = self._delivery.step(workspace, recipient), self._clock()
        if step.is_last:
            return None
        slot = self._delivery.outbox.slot_of(workspace, recipient, now=now)
        if slot is None or slot > now + SOON:
            return None
        # Messages that wait for the budget or a pause are left to the sweep: jobs would only spin.
        if step.outcome is Outcome.NOTHING and slot <= now + AHEAD:
            return None
        return max(0.0, (slot - AHEAD - now).total_seconds())

    def _overdue(self, jobs: Iterable[Job]) -> list[Job]:
        """The jobs that have been running for too long, as seen by this worker."""
        now = monotonic()
        known = {job.id: job for job in jobs if job.id is not None}
        self._under_way = {id_: self._under_way.get(id_, now) for id_ in known}
        return [
            job
            for id_, job in known.items()
            if now - self._under_way[id_] > self._longest.get(job.task_name, LONGEST_OTHER_SECONDS)
        ]

    async def _clear(self, engine: App, job: Job) -> None:
        """Delete the job of a dead worker, or a lost one. It never runs again: a replacement may be
        queued."""
        if job.task_name == "send_next":
            where, recipient = str(job.task_kwargs["workspace"]), str(job.task_kwargs["recipient"])
            take_back = partial(self._delivery.outbox.take_back, where, recipient, now=self._clock())
            if await self._do(take_back) is None:
                return
        await engine.job_manager.finish_job(job, status=Status.ABORTED, delete_job=True)
        log.info("a job was lost", job=job.task_name)

    async def _do(self, do: Callable[[], R]) -> R | None:
        """Run something that waits for the database or for Slack in a thread; None if it failed."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, do)
        except Unreachable:
            log.warning("PostgreSQL went away in the middle of a job")
        except Exception:  # the job is disposable: the ledger still has the message
            log.exception("worker stumbled")
        return None


def _lock(recipient: tuple[str, str]) -> str:
    return ":".join(recipient)


def _arguments(recipient: tuple[str, str]) -> dict[str, JSONValue]:
    return dict(zip(("workspace", "recipient"), recipient, strict=True))


def _for(task: Task[..., Any, Any], recipient: tuple[str, str]) -> JobDeferrer:
    """At most one running job per recipient, and one queued."""
    return task.configure(lock=_lock(recipient), queueing_lock=_lock(recipient))


async def _keep_time(engine: App, every: Every) -> None:
    """Queue each periodic task once per interval across all workers, by whichever is first.

    Procrastinate's own periodic tasks catch up on every interval that a clock jumped over: 86,400 sweeps a
    day.
    """
    begun: dict[str, int] = {}
    while True:
        for task, seconds in every.items():
            interval = int(time.time()) // seconds * seconds
            if begun.get(task.name) == interval:
                continue
            job = task.configure(task_kwargs={"timestamp": interval}).job
            with suppress(AlreadyEnqueued):
                await engine.job_manager.defer_periodic_job(job, "", interval)
            begun[task.name] = interval
        await asyncio.sleep(1 - time.time() % 1)
