"""Several threads' short transactions as one: SQLite waits for the disk once for all of them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Lock, RLock
from typing import Any, TypeVar

from sqlalchemy.exc import TimeoutError as NoTurn
from sqlmodel import Session

from storage.patience import Patience, patient

R = TypeVar("R")


class Turn:
    """The threads of a process take turns to write. A thread that has the turn can take it again.

    Args:
        patience: how long this thread waits.
    """

    def __init__(self, patience: Callable[[], Patience]) -> None:
        self._patience = patience
        self._lock = RLock()

    def __enter__(self) -> None:
        if not self.take():
            raise NoTurn("another thread is writing")

    def __exit__(self, *_: object) -> None:
        self.give()

    def take(self) -> bool:
        """Wait for the turn; False when it took too long."""
        return self._lock.acquire(timeout=self._patience().lock or -1)

    def take_at_last(self) -> None:
        """Wait for the turn, however long it takes."""
        self._lock.acquire()

    def give(self) -> None:
        """Let the next thread write."""
        self._lock.release()


class _Job:
    """What a thread wants done, and what came of it."""

    def __init__(self, work: Callable[[Session], Any], patience: Patience) -> None:
        self.work = work
        self.patience = patience
        self.is_done = False
        self.result: Any = None
        self.error: BaseException | None = None


class Together:
    """Whoever gets the turn to write does what all the others have come with meanwhile, and commits once.

    Args:
        turn: held while writing; everybody else who writes waits for it too.
        write: begins a transaction.
        patience: how long this thread waits.
        is_busy: whether an error says that another process is writing.
    """

    def __init__(
        self,
        turn: Turn,
        write: Callable[[], AbstractContextManager[Session]],
        *,
        patience: Callable[[], Patience],
        is_busy: Callable[[BaseException], bool],
    ) -> None:
        self._turn = turn
        self._write = write
        self._patience = patience
        self._is_busy = is_busy
        self._lock = Lock()
        self._waiting: list[_Job] = []

    def do(self, work: Callable[[Session], R]) -> R:
        """Do it, and return what it returned once that is committed; its error is raised here and nowhere else.

        Raises:
            sqlalchemy.exc.TimeoutError: another thread wrote for too long; nothing was done.
        """
        job = _Job(work, self._patience())
        with self._lock:
            self._waiting.append(job)
        self._wait_for_turn(job)
        try:
            if not job.is_done:
                with self._lock:
                    jobs, self._waiting = self._waiting, []
                self._do_all(jobs)
        finally:
            self._turn.give()
        if job.error is not None:
            raise job.error
        result: R = job.result
        return result

    def _wait_for_turn(self, job: _Job) -> None:
        if self._turn.take():
            return
        with self._lock:
            if job in self._waiting:
                self._waiting.remove(job)
                raise NoTurn("another thread is writing")
        self._turn.take_at_last()  # whoever has it is doing this job: what comes of it has to be known

    def _do_all(self, jobs: list[_Job]) -> None:
        """Nobody waits longer than the least patient of them."""
        with patient(min((job.patience for job in jobs), key=lambda one: one.lock or float("inf"))):
            if not (len(jobs) > 1 and self._do_as_one(jobs)):
                for job in jobs:
                    self._do_alone(job)

    def _do_as_one(self, jobs: list[_Job]) -> bool:
        """False when something was in the way of any of them: then nothing of it is kept."""
        try:
            with self._write() as session:
                results = [job.work(session) for job in jobs]
        except Exception as error:  # noqa: BLE001 - whose it is shows when each has a transaction of its own
            if not self._is_busy(error):
                return False
            for job in jobs:  # each on its own would wait for the same lock, one after the other
                job.error, job.is_done = NoTurn("another process is writing"), True
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
