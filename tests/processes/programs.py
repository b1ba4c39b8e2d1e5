"""Start `cadence` as a process, wait for its effects, and always stop it."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

PATIENCE_SECONDS = 60
"""How long a busy machine may take; nothing waits longer than it must."""
CADENCE = (sys.executable, "-m", "bot")


def free_port() -> int:
    """A port that nobody listens on, below those that the system gives to outgoing connections."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


def environment(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """A process's environment: this machine's path and home, and only the given settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
    return kept | {"CADENCE_DATA": str(folder / "var")} | dict(settings)


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in a folder of its own."""
    return subprocess.run(
        [*CADENCE, *arguments],
        cwd=folder,
        env=environment(folder, settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def eventually(condition: Callable[[], bool], what: str, program: "Program | None" = None) -> None:
    """Wait until a condition holds; fails with the program's own words when it never does."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        ended = program is not None and program.process.poll() is not None
        if ended or time.monotonic() > end:
            said = f"\nexit {program.process.poll()}\n{program.out}{program.err}" if program else ""
            raise AssertionError(f"never happened: {what}{said}")
        time.sleep(0.02)


def fetch(url: str, data: bytes | None = None, **headers: str) -> tuple[int, str]:
    """Status and body of an HTTP request; status 0 when nobody answers."""
    request = Request(url, data=data, headers={name.replace("_", "-"): one for name, one in headers.items()})
    try:
        with urlopen(request, timeout=10) as response:
            return response.status, response.read().decode()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()
    except (URLError, OSError):
        return 0, ""


class Program:
    """A running `cadence` process; its output goes to files next to its database."""

    def __init__(
        self, folder: Path, command: str, settings: Mapping[str, str], arguments: Sequence[str] = ()
    ) -> None:
        self._folder = folder
        self._name = f"{command}-{time.monotonic_ns()}"
        with self._file("out").open("w") as out, self._file("err").open("w") as err:
            self.process = subprocess.Popen(
                [*CADENCE, command, *arguments],
                cwd=folder,
                env=environment(folder, settings),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def _file(self, kind: str) -> Path:
        return self._folder / f"{self._name}.{kind}"

    @property
    def out(self) -> str:
        """Its standard output so far."""
        return self._file("out").read_text()

    @property
    def err(self) -> str:
        """Its log so far."""
        return self._file("err").read_text()

    def stop(self) -> int:
        """Ask it to stop, as an init system does; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)

    def end(self) -> None:
        """End it, should it still run."""
        if self.process.poll() is None:
            self.kill()


@contextmanager
def started(folder: Path, command: str, *arguments: str, **settings: str) -> Iterator[Program]:
    """A `cadence` process that is ended at the latest when the block is left."""
    program = Program(folder, command, settings, arguments)
    try:
        yield program
    finally:
        if program.process.poll() is None:
            program.kill()
