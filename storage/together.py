"""Several threads' short transactions as one: SQLite waits for the disk once for all of them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Lock
from typing import Any, TypeVar

from sqlmodel import Session

R = TypeVar("R")


class _Job:
    """What a thread wants done, and what came of it."""

    def __init__(self, work: Callable[[Session], Any]) -> None:
        self.work = work
        self.is_done = False
        self.result: Any = None
        self.error: BaseException | None = None


class Together:
    """Whoever gets the turn to write does what all the others have come with meanwhile, and commits once.

    Args:
        turn: held while writing; everybody else who writes waits for it too.
        write: begins a transaction.
    """

    def __init__(
        self,
        turn: AbstractContextManager[object],
        write: Callable[[], AbstractContextManager[Session]],
    ) -> None:
        self._turn = turn
        self._write = write
        self._lock = Lock()
        self._waiting: list[_Job] = []

    def do(self, work: Callable[[Session], R]) -> R:
        """Do it, and return what it returned once that is committed; its error is raised here and nowhere else."""
        job = _Job(work)
        with self._lock:
            self._waiting.append(job)
        with self._turn:
            if not job.is_done:
                with self._lock:
                    jobs, self._waiting = self._waiting, []
                self._do_all(jobs)
        if job.error is not None:
            raise job.error
        result: R = job.result
        return result

    def _do_all(self, jobs: list[_Job]) -> None:
        if not (len(jobs) > 1 and self._do_as_one(jobs)):
            for job in jobs:
                self._do_alone(job)

    def _do_as_one(self, jobs: list[_Job]) -> bool:
        """False when something was in the way of any of them: then nothing of it is kept."""
        try:
            with self._write() as session:
                results = [job.work(session) for job in jobs]
        except Exception:  # noqa: BLE001 - whose it is shows when each has a transaction of its own
            return False
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
