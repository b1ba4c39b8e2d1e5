"""Group commit: several threads' short transactions become one, so that SQLite waits for the disk once."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Lock, RLock
from typing import Any, TypeVar

from sqlalchemy.exc import TimeoutError as LockTimeout
from sqlmodel import Session

from storage.patience import Patience, patient

R = TypeVar("R")


class WriteLock:
    """A reentrant lock for the one thread of a process that writes.

    Args:
        patience: returns this thread's time-outs.
    """

    def __init__(self, patience: Callable[[], Patience]) -> None:
        self._patience = patience
        self._lock = RLock()

    def __enter__(self) -> None:
        if not self.acquire():
            raise LockTimeout("another thread is writing")

    def __exit__(self, *_: object) -> None:
        self.release()

    def acquire(self) -> bool:
        """Wait for the lock; return False after the time-out."""
        return self._lock.acquire(timeout=self._patience().lock or -1)

    def wait(self) -> None:
        """Wait for the lock, however long it takes."""
        self._lock.acquire()

    def release(self) -> None:
        """Let the next thread write."""
        self._lock.release()


class _Job:
    """A queued transaction, and its result."""

    def __init__(self, work: Callable[[Session], Any], patience: Patience) -> None:
        self.work = work
        self.patience = patience
        self.is_done = False
        self.result: Any = None
        self.error: BaseException | None = None


class GroupCommit:
    """Group commit: the thread holding the write lock runs every queued transaction and commits once.

    Args:
        write_lock: held while writing; every other writer waits for it too.
        write: begins a transaction.
        patience: returns this thread's time-outs.
        is_busy: whether an error says that another process is writing.
    """

    def __init__(
        self,
        write_lock: WriteLock,
        write: Callable[[], AbstractContextManager[Session]],
        *,
        patience: Callable[[], Patience],
        is_busy: Callable[[BaseException], bool],
    ) -> None:
        self._write_lock = write_lock
        self._write = write
        self._patience = patience
        self._is_busy = is_busy
        self._lock = Lock()
        self._waiting: list[_Job] = []

    @property
    def waiting(self) -> int:
        """How many transactions wait for a commit."""
        return len(self._waiting)

    def do(self, work: Callable[[Session], R]) -> R:
        """Run `work` and return its result once it is committed; its error is raised in this thread only.

        Raises:
            sqlalchemy.exc.TimeoutError: another thread wrote for too long; nothing was changed.
        """
        job = _Job(work, self._patience())
        with self._lock:
            self._waiting.append(job)
        self._acquire(job)
        try:
            if not job.is_done:
                with self._lock:
                    jobs, self._waiting = self._waiting, []
                self._do_all(jobs)
        finally:
            self._write_lock.release()
        if job.error is not None:
            raise job.error
        result: R = job.result
        return result

    def _acquire(self, job: _Job) -> None:
        if self._write_lock.acquire():
            return
        with self._lock:
            if job in self._waiting:
                self._waiting.remove(job)
                raise LockTimeout("another thread is writing")
        self._write_lock.wait()  # the thread that holds the lock runs this job, so its result is about to be known

    def _do_all(self, jobs: list[_Job]) -> None:
        """Run all jobs, waiting no longer than the shortest time-out among them."""
        with patient(min((job.patience for job in jobs), key=lambda one: one.lock or float("inf"))):
            if not (len(jobs) > 1 and self._do_as_one(jobs)):
                for job in jobs:
                    self._do_alone(job)

    def _do_as_one(self, jobs: list[_Job]) -> bool:
        """Run the jobs in one transaction; False if any failed, and then nothing is kept."""
        try:
            with self._write() as session:
                results = [job.work(session) for job in jobs]
        except Exception as error:  # noqa: BLE001 - whose it is shows when each has a transaction of its own
            if not self._is_busy(error):
                return False
            for job in jobs:  # each on its own would wait for the same lock, one after the other
                job.error, job.is_done = LockTimeout("another process is writing"), True
            return True
        for job, result in zip(jobs, results, strict=True):
            job.result, job.is_done = result, True
        return True

    def _do_alone(self, job: _Job) -> None:
        try:
            with self._write() as session:
                job.result = job.work(session)
        except BaseException as error:  # noqa: BLE001 - raised in the thread whose it is
            job.error = error
        job.is_done = True
