"""Cold start and memory at rest: `cadence web` and `cadence worker` beside the least that Bolt and SQLModel need."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from bot.ops.commands import BUILT_IN_TEAM
from storage.engine import Database
from tests.bench.slack import slack
from tests.bench.web_bench import REPOSITORY
from tests.bench.web_places import APP, Place, fill
from tests.processes.programs import CADENCE, PATIENCE_SECONDS, environment, fetch, free_port

OURS: Final = "import bot.app, bot.runtime.processes"
BARE: Final = "import slack_bolt, sqlmodel"
_CPU: Final = "; import time; print(time.process_time())"


@dataclass(frozen=True, slots=True)
class Scale:
    """How often each thing is tried; the middle one counts."""

    tries: int


REST_SECONDS: Final = 1.0
"""After it a process is at rest."""
FULL: Final = Scale(3)
TINY: Final = Scale(1)


def run(scale: Scale = FULL) -> Iterator[str]:
    """Measure imports, time to the first answer, and memory."""
    imported = [(imports(OURS), imports(BARE)) for _ in range(scale.tries)]
    ours, least = (median(pair[at] for pair in imported) for at in (0, 1))
    yield (
        f"importing bot.app: {ours * 1000:.0f} ms of CPU, slack_bolt and sqlmodel alone {least * 1000:.0f}: "
        f"{ours / least:.2f} times"
    )
    with TemporaryDirectory() as folder, slack(BUILT_IN_TEAM) as server:
        place = Path(folder)
        url = f"sqlite:///{place / 'cadence.db'}"
        db = Database(url)
        fill(db, Place(teams=1, messages=1), now=datetime.now(UTC))
        db.close()
        settings = {
            "SLACK_API_URL": server.api_url,
            "SLACK_BOT_TOKEN": APP.token,
            "SLACK_SIGNING_SECRET": APP.signing_secret,
            "DATABASE_URL": url,
        }
        tried = [
            (web(place, settings), worker(place, settings), bare(place, url)) for _ in range(scale.tries)
        ]
    site, runner, least_app = (Started.middle([tries[at] for tries in tried]) for at in range(3))
    yield (
        f"cadence web is ready after {site.seconds:.2f} s ({site.cpu:.2f} s of CPU), the bare app answers after "
        f"{least_app.seconds:.2f} s ({least_app.cpu:.2f}): {site.seconds / least_app.seconds:.2f} times"
    )
    if not least_app.megabytes:
        yield "memory: unknown, this system doesn't tell"
        return
    for name, one in (("web", site), ("worker", runner)):
        yield (
            f"memory at rest: {name} {one.megabytes:.0f} MB, bare {least_app.megabytes:.0f} MB: "
            f"{one.megabytes / least_app.megabytes:.2f} times"
        )


def imports(statement: str) -> float:
    """Seconds of CPU that a process takes to import something."""
    said = subprocess.run(
        [sys.executable, "-c", statement + _CPU], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return float(said.stdout)


@dataclass(frozen=True, slots=True)
class Started:
    """A process that has just become ready: seconds since its start, CPU seconds, and memory."""

    seconds: float
    cpu: float
    megabytes: float

    @classmethod
    def middle(cls, tries: list["Started"]) -> "Started":
        """The middle of several tries, each figure for itself."""
        return cls(
            median(one.seconds for one in tries),
            median(one.cpu for one in tries),
            median(one.megabytes for one in tries),
        )


def web(folder: Path, settings: dict[str, str]) -> Started:
    """`cadence web`."""
    port = free_port()
    return _started([*CADENCE, "web"], folder, settings | {"PORT": str(port)}, f"{port}/readyz", 200)


def worker(folder: Path, settings: dict[str, str]) -> Started:
    """`cadence worker`."""
    port = free_port()
    wanted = settings | {"CADENCE_WORKER_PORT": str(port)}
    return _started([*CADENCE, "worker"], folder, wanted, f"{port}/readyz", 200)


def bare(folder: Path, url: str) -> Started:
    """The bare Bolt app."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.bare", url, str(port), APP.signing_secret]
    return _started(command, REPOSITORY, {"CADENCE_DATA": str(folder)}, f"{port}/", 404)


def _started(
    command: Sequence[str], folder: Path, settings: Mapping[str, str], address: str, status: int
) -> Started:
    """Start a process, wait until it answers as it should, look at it, end it."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(folder, settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while fetch(f"http://127.0.0.1:{address}")[0] != status:
            if process.poll() is not None or time.perf_counter() - begun > PATIENCE_SECONDS:
                raise AssertionError(f"never ready: {' '.join(command)}")
            time.sleep(0.01)
        seconds, cpu = time.perf_counter() - begun, cpu_seconds(process.pid)
        time.sleep(REST_SECONDS)
        return Started(seconds, cpu, _megabytes(process.pid))
    finally:
        process.kill()
        process.wait()


def cpu_seconds(process: int) -> float:
    """Seconds of CPU that a process has taken; 0 where the system doesn't say."""
    told = Path(f"/proc/{process}/stat")
    if not told.exists():
        return 0.0
    fields = told.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _megabytes(process: int) -> float:
    """The memory of a process in megabytes; 0 if the system doesn't report it."""
    told = Path(f"/proc/{process}/status")
    found = re.search(r"VmRSS:\s+(\d+) kB", told.read_text()) if told.exists() else None
    return int(found[1]) / 1024 if found else 0.0
