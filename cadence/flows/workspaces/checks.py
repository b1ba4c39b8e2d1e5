"""Health checks: whether the bot can do its work."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from time import monotonic

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from cadence.actor import Actor
from storage.engine import Database, forgetful_settings, is_busy, normal_url
from storage.migrate import pending
from storage.outbox import leases, rate_limits, report
from storage.queries import people, workspaces
from storage.tables import Team, Workspace
from storage.work import UnitOfWork

OVERDUE = timedelta(minutes=10)
"""A message that has been due for longer than this means that no worker is sending."""

WRITE_EVERY_SECONDS = 5.0
"""Minimum seconds between two writes of the readiness check, while they succeed."""
WRITE_PATIENCE_SECONDS = 3.0
"""Seconds that readiness waits for another probe's write."""


@dataclass(frozen=True, slots=True)
class Health:
    """One line for each check."""

    ready: bool
    lines: tuple[str, ...]


class WriteProbe:
    """Checks that writes work: writes and commits a row reserved for this, one probe at a time.

    Args:
        timer: a monotonic clock, in seconds.
    """

    def __init__(self, db: Database, *, timer: Callable[[], float] = monotonic) -> None:
        self._db, self._timer = db, timer
        self._lock = Lock()
        self._wrote_at: float | None = None

    def trouble(self, workspace_id: str, *, now: datetime) -> str:
        """Why nothing can be written, or ""."""
        if not self._lock.acquire(timeout=WRITE_PATIENCE_SECONDS):
            return "a write takes too long"
        try:
            if self._wrote_at is not None and self._timer() - self._wrote_at < WRITE_EVERY_SECONDS:
                return ""
            self._wrote_at = None
            with self._db.write() as session:
                rate_limits.close(
                    UnitOfWork.around(session, Actor.system(workspace_id)),
                    name=rate_limits.READINESS,
                    until=now,
                )
            self._wrote_at = self._timer()
        except SQLAlchemyError as broken:
            return in_words(broken)
        finally:
            self._lock.release()
        return ""


def health(
    db: Database, *, now: datetime, workspace_ids: Sequence[str], probe: WriteProbe | None = None
) -> Health:
    """Check the database, its migrations, and how long messages of this process's workspaces have been due.

    Messages of other workspaces in the database are for the processes that have their tokens.

    Args:
        probe: also tries to write, once there is a workspace.
    """
    try:
        waiting = pending(db)
        if waiting:
            return Health(False, (f"database: {len(waiting)} migrations to come; run `cadence migrate`",))
        with db.read() as session:
            known = [
                one
                for one in workspace_ids
                if workspaces.workspace(UnitOfWork.around(session, Actor.system(one)))
            ]
            oldest = leases.next_due(session, within=workspace_ids)
            forgetful = forgetful_settings(session)
    except SQLAlchemyError as broken:
        return Health(False, (f"database: {in_words(broken)}",))
    trouble = probe.trouble(known[0], now=now) if probe and known else ""
    if trouble:
        return Health(False, (f"database: can't be written to ({trouble})",))
    late = oldest is not None and now - oldest > OVERDUE
    state = f"late since {oldest:%Y-%m-%d %H:%M} UTC" if late else "in time"
    workspace = "not set up yet" if not known else "ok" if len(known) == 1 else f"ok, {len(known)} of them"
    lines: tuple[str, ...] = ("database: ok", f"workspace: {workspace}", f"messages: {state}")
    if forgetful:
        lines += (f"warning: PostgreSQL can lose confirmed data ({', '.join(forgetful)} off)",)
    return Health(not late, lines)


CONNECT_SECONDS = 10
"""Seconds for a PostgreSQL server to answer."""

_REASONS = (
    ("authentication failed", "the database refuses the user name or the password"),
    ("no password supplied", "the database asks for a password"),
    ("does not exist", "that database or user doesn't exist"),
    ("refused", "no server answers at its host and port"),
    ("is the server running", "no server answers at its host and port"),
    ("no such file", "no server answers at its host and port"),
    ("starting up", "its server is starting up"),
    ("shutting down", "its server is shutting down"),
    ("resolve", "its host name isn't known"),
    ("timeout", "it doesn't answer in time"),
    ("not a database", "the file isn't a SQLite database"),
    ("unable to open", "the file can't be opened"),
    ("locked", "another process holds it"),
    ("readonly", "the file can't be written"),
    ("read-only transaction", "it's read-only"),
    ("is full", "its disk is full"),
    ("no space left", "its disk is full"),
    ("disk i/o error", "its disk is failing"),
)
"""Drivers' errors with our wording: theirs may repeat parts of a mistyped password."""


@dataclass(frozen=True, slots=True)
class MemberFound:
    """A person, as Slack described them; `known` is False if it hasn't yet."""

    member: str
    name: str
    known: bool
    deleted: bool


@dataclass(frozen=True, slots=True)
class TeamFound:
    """A team and its current members."""

    slug: str
    title: str
    channel: str
    timezone: str
    reporter: str | None
    members: tuple[MemberFound, ...]


@dataclass(frozen=True, slots=True)
class WorkspaceFound:
    """A workspace, its curators and its teams."""

    id: str
    name: str
    timezone: str
    curator_channel: str | None
    curators: tuple[MemberFound, ...]
    teams: tuple[TeamFound, ...]


@dataclass(frozen=True, slots=True)
class Checkup:
    """The findings. `workspaces` is read only from a database that is up to date.

    Args:
        kind: `SQLite` or `PostgreSQL`; empty if the URL is invalid.
        there: False for a SQLite file that the first start will create.
        trouble: why the database can't be used, as the end of a sentence; empty if it can.
        pending: the pending migrations.
        forgetful: PostgreSQL settings under which a crash can lose confirmed data.
    """

    kind: str = ""
    there: bool = True
    trouble: str = ""
    pending: tuple[str, ...] = ()
    forgetful: tuple[str, ...] = ()
    workspaces: tuple[WorkspaceFound, ...] = ()


def checkup(url: str) -> Checkup:
    """Check a database without changing it; a missing SQLite file isn't created."""
    try:
        parsed = make_url(normal_url(url))
    except (SQLAlchemyError, ValueError):
        return Checkup(trouble="its address can't be read")
    if parsed.get_backend_name() != "sqlite":
        patience = {"connect_timeout": str(CONNECT_SECONDS)}
        patient = parsed.set(query={**patience, **parsed.query})
        return _looked_at(patient.render_as_string(hide_password=False), "PostgreSQL")
    file = Path(parsed.database or ":memory:")
    if parsed.database not in (None, "", ":memory:") and not file.exists():
        trouble = "" if _can_be_made(file) else "its folder can't be written"
        return Checkup(kind="SQLite", there=False, trouble=trouble)
    return _looked_at(url, "SQLite")


def _can_be_made(file: Path) -> bool:
    folder = next(parent for parent in file.absolute().parents if parent.exists())
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _looked_at(url: str, kind: str) -> Checkup:
    try:
        db = Database(url)
    except (SQLAlchemyError, ImportError):
        return Checkup(kind=kind, trouble="it names a driver that isn't installed")
    try:
        todo = tuple(pending(db))
        with db.read() as session:
            forgetful = tuple(forgetful_settings(session))
        found = () if todo else _workspaces(db)
        return Checkup(kind=kind, pending=todo, forgetful=forgetful, workspaces=found)
    except SQLAlchemyError as broken:
        return Checkup(kind=kind, trouble=in_words(broken))
    finally:
        db.close()


def in_words(broken: SQLAlchemyError) -> str:
    """A database problem, as the end of a sentence."""
    said = str(getattr(broken, "orig", None) or "").casefold()
    if is_busy(broken):
        return "it's busy with other connections"
    for driver, ours in _REASONS:
        if driver in said:
            return ours
    return f"the driver reports {type(broken).__name__}"


def _workspaces(db: Database) -> tuple[WorkspaceFound, ...]:
    with db.read() as session:
        return tuple(
            _workspace(UnitOfWork.around(session, Actor.system(row.id)), row)
            for row in workspaces.workspaces(session)
        )


def _workspace(uow: UnitOfWork, row: Workspace) -> WorkspaceFound:
    curators = people.curators(uow)
    return WorkspaceFound(
        id=row.id,
        name=row.name or row.id,
        timezone=row.timezone,
        curator_channel=row.curator_channel,
        curators=_described(uow, curators),
        teams=tuple(_team(uow, team) for team in people.teams(uow)),
    )


def _team(uow: UnitOfWork, team: Team) -> TeamFound:
    rows = people.memberships(uow, team_ids=[team.id or 0])
    return TeamFound(
        slug=team.slug,
        title=team.title,
        channel=team.channel,
        timezone=team.timezone,
        reporter=team.reporter,
        members=_described(uow, [row.member for row in rows]),
    )


def _described(uow: UnitOfWork, members: list[str]) -> tuple[MemberFound, ...]:
    """The stored data of these people, in the same order; a row without a name was never filled by Slack."""
    rows = people.members(uow, member_ids=members)
    return tuple(
        MemberFound(
            member=member,
            name=rows[member].name if member in rows else "",
            known=member in rows and bool(rows[member].name),
            deleted=member in rows and rows[member].deleted,
        )
        for member in members
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts for the metrics.

    Args:
        due: (kind, count, seconds since the longest waiting one was due).
        messages: (kind, state, count) of all messages.
        verdicts: (decision, count).
    """

    due: tuple[tuple[str, int, float], ...]
    messages: tuple[tuple[str, str, int], ...]
    verdicts: tuple[tuple[str, int], ...]


def figures(
    db: Database, *, workspace_ids: Sequence[str], now: datetime, counted: Figures | None = None
) -> Figures:
    """Count what is due now, and all messages and verdicts; the latter are copied from `counted` if given."""
    waiting: Counter[str] = Counter()
    first: dict[str, datetime] = {}
    messages: Counter[tuple[str, str]] = Counter()
    verdicts: Counter[str] = Counter()
    with db.read() as session:
        for one in workspace_ids:
            uow = UnitOfWork.around(session, Actor.system(one), now)
            for kind, count, since in report.waiting(uow):
                waiting[kind] += count
                first[kind] = min(since, first.get(kind, since))
            if counted is None:
                for kind, state, count in report.by_state(uow):
                    messages[kind, state] += count
                for decision, count in report.verdicts(uow):
                    verdicts[decision] += count
    due = tuple((kind, count, (now - first[kind]).total_seconds()) for kind, count in waiting.items())
    if counted is not None:
        return Figures(due, counted.messages, counted.verdicts)
    return Figures(
        due,
        tuple((kind, state, count) for (kind, state), count in messages.items()),
        tuple(verdicts.items()),
    )
