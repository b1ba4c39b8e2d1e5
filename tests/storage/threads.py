"""Several threads that begin at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

T = TypeVar("T")


def at_once(work: Callable[[], T], *, times: int = 8) -> list[T]:
    """What each of the threads returned; an error in one of them is raised here."""
    barrier = Barrier(times)

    def run() -> T:
        barrier.wait(30)
        return work()

    with ThreadPoolExecutor(times) as pool:
        futures = [pool.submit(run) for _ in range(times)]
        return [future.result(60) for future in futures]
