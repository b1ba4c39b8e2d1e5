"""A PostgreSQL server of the tests' own: found, started on a socket in a temporary folder, and stopped again."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

USER = "cadence"


class NoPostgres(Exception):
    """No server can be started here; the text says why, in one line."""


def binaries() -> Path:
    """The folder with `initdb` and `pg_ctl`.

    Raises:
        NoPostgres: there is none.
    """
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise NoPostgres("no PostgreSQL found: neither initdb on the PATH nor /usr/lib/postgresql/*/bin")


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


@contextmanager
def cluster() -> Iterator[str]:
    """The folder of a running server's socket. It keeps nothing and is not reachable over the network.

    Raises:
        NoPostgres: it can't be started here.
    """
    place, name = binaries(), account()
    folder = Path(tempfile.mkdtemp(prefix="cadence-pg-"))
    try:
        if name is not None:
            shutil.chown(folder, user=name)

        def run(program: str, *arguments: str) -> None:
            # Output goes to a file: a server that inherits a pipe would keep it open for good.
            with (folder / "out").open("a") as out:
                subprocess.run(
                    [str(place / program), "-D", str(folder / "data"), *arguments],
                    check=True,
                    cwd=folder,
                    user=name,
                    extra_groups=[] if name else None,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    timeout=120,
                )

        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off -c timezone=Asia/Tokyo"
        try:
            run("initdb", "--auth=trust", f"--username={USER}", "--encoding=UTF8", "--locale=C", "--no-sync")
            run("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)
        except (OSError, subprocess.SubprocessError) as error:
            said = (folder / "out").read_text().strip().splitlines()
            raise NoPostgres(f"PostgreSQL doesn't start: {said[-1] if said else error}") from error
        try:
            yield str(folder)
        finally:
            run("pg_ctl", "stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def url(socket: str, database: str) -> str:
    """The address of a database, as a hosting platform would write it."""
    return f"postgres://{USER}@/{database}?host={socket}"


def create(socket: str, database: str) -> None:
    """Make an empty database."""
    with psycopg.connect(host=socket, user=USER, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}".encode())
