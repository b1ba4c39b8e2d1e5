"""A PostgreSQL server of the tests' own: found, started on a socket in a temporary folder, and stopped again."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

USER = "cadence"
INSTALLED = Path("/usr/lib/postgresql")
"""Where Debian keeps each version's programs, off the PATH."""
FIRST_WITH_STRATEGIES = 150000
FLEETING = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": 0,
    "max_wal_size": "128MB",
    "autovacuum": "off",  # it would connect to a database that is just being copied
}
"""Settings of a server whose rows nobody needs once its tests are over."""
MEMORY = Path("/dev/shm")
ROOM = 4 << 30
"""Bytes that must be free there. Copying a database in memory is a quarter of the work."""
PATIENCE_SECONDS = 60.0
"""How long a database may be in use by connections that were closed: a busy machine needs its time to see it."""


class NoPostgres(Exception):
    """No server can be started here; the text says why, in one line."""


def binaries() -> Path:
    """The folder with `initdb` and `pg_ctl`.

    Raises:
        NoPostgres: PostgreSQL isn't installed.
    """
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    places += sorted(INSTALLED.glob("*/bin"), reverse=True)
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise NoPostgres(f"no PostgreSQL found: neither initdb on the PATH nor {INSTALLED}/*/bin")


def account() -> str | None:
    """PostgreSQL refuses to run as root: the account to run it under then, `None` for one's own.

    Raises:
        NoPostgres: root, and no other account to use.
    """
    if os.geteuid() != 0:
        return None
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in names:
            return name
    raise NoPostgres("PostgreSQL can't run as root, and there is no account postgres or nobody")


def usable() -> None:
    """Look whether a server can be started here.

    Raises:
        NoPostgres: it can't.
    """
    binaries()
    account()


class Server:
    """A server in a folder of its own that can be stopped hard and started again.

    `durable` syncs commits to disk, as a real server does; tests don't wait for that.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self._folder, self._place, self._name, self._durable = folder, binaries(), account(), durable
        if self._name is not None:
            shutil.chown(folder, user=self._name)

    @property
    def socket(self) -> str:
        """The folder of its socket. It keeps nothing and is not reachable over the network."""
        return str(self._folder)

    def make(self) -> None:
        """Make the cluster."""
        self._run(
            "initdb", "--auth=trust", f"--username={USER}", "--encoding=UTF8", "--locale=C", "--no-sync"
        )

    def start(self) -> None:
        """Start, and recover from a hard stop."""
        options = f"-c listen_addresses='' -c unix_socket_directories='{self._folder}'"
        options += " -c timezone=Asia/Tokyo"
        if not self._durable:
            options += "".join(f" -c {name}={value}" for name, value in FLEETING.items())
        self._run("pg_ctl", "start", "-w", "-l", str(self._folder / "log"), "-o", options)

    def crash(self) -> None:
        """Stop at once: connections break in the middle of whatever they do."""
        self._run("pg_ctl", "stop", "-m", "immediate")

    def said(self) -> str:
        """Its last line."""
        lines = (self._folder / "out").read_text().strip().splitlines()
        return lines[-1] if lines else ""

    def _run(self, program: str, *arguments: str) -> None:
        # Output goes to a file: a server that inherits a pipe would keep it open forever.
        with (self._folder / "out").open("a") as out:
            subprocess.run(
                [str(self._place / program), "-D", str(self._folder / "data"), *arguments],
                check=True,
                cwd=self._folder,
                user=self._name,
                extra_groups=[] if self._name else None,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                timeout=120,
            )


@contextmanager
def server(*, durable: bool = False) -> Iterator[Server]:
    """A running server, stopped at the end.

    Raises:
        NoPostgres: it can't be started here.
    """
    folder = Path(tempfile.mkdtemp(prefix="cadence-pg-", dir=None if durable else _memory()))
    try:
        found = Server(folder, durable=durable)
        try:
            found.make()
            found.start()
        except (OSError, subprocess.SubprocessError) as error:
            raise NoPostgres(f"PostgreSQL doesn't start: {found.said() or error}") from error
        try:
            yield found
        finally:
            found.crash()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _memory() -> Path | None:
    """Where files are kept in memory, if there is enough of it."""
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM
    return MEMORY if roomy else None


@contextmanager
def cluster() -> Iterator[str]:
    """The folder of a running server's socket.

    Raises:
        NoPostgres: it can't be started here.
    """
    with server() as found:
        yield found.socket


def url(socket: str, database: str) -> str:
    """The address of a database, as a hosting platform would write it."""
    return f"postgres://{USER}@/{database}?host={socket}"


def create(socket: str, database: str, *, template: str = "template1") -> None:
    """Make an empty database, or a copy of another one that nobody is connected to."""
    with _connected(socket) as connection:
        statement = f"CREATE DATABASE {database} TEMPLATE {template}"
        if connection.info.server_version >= FIRST_WITH_STRATEGIES:
            statement += " STRATEGY FILE_COPY"  # half the work of the default, for databases this small
        _insist(connection, statement)


def drop(socket: str, database: str) -> None:
    """Drop a database, even with open connections."""
    with _connected(socket) as connection:
        _insist(connection, f"DROP DATABASE {database} WITH (FORCE)")


def _connected(socket: str) -> psycopg.Connection:
    return psycopg.connect(host=socket, user=USER, dbname="postgres", autocommit=True)


def _insist(connection: psycopg.Connection, statement: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            connection.execute(statement.encode())
            return
        except psycopg.errors.ObjectInUse:
            if time.monotonic() > end:
                raise
