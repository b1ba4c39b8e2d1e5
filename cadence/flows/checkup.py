"""What `cadence doctor` wants to know of the database: is it there, is it up to date, who is who."""

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from storage import people
from storage.engine import Database, forgetful_settings, is_busy, normal_url
from storage.migrate import pending
from storage.tables import Team, Workspace

CONNECT_SECONDS = 10
"""How long a PostgreSQL server may take to answer."""

_REASONS = (
    ("authentication failed", "the database refuses the user name or the password"),
    ("no password supplied", "the database asks for a password"),
    ("does not exist", "there is no such database or user"),
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
    ("read-only transaction", "it takes no changes"),
    ("is full", "its disk is full"),
    ("no space left", "its disk is full"),
    ("disk i/o error", "its disk fails"),
)
"""What drivers say, and what we say: theirs may repeat parts of a mistyped password."""


@dataclass(frozen=True, slots=True)
class MemberFound:
    """A person, as Slack described them; `known` is False when it hasn't yet."""

    member: str
    name: str
    known: bool
    deleted: bool


@dataclass(frozen=True, slots=True)
class TeamFound:
    """A team and the people in it now."""

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
    """What was found. `workspaces` is read only from a database that is up to date.

    Args:
        kind: `SQLite` or `PostgreSQL`; empty when the URL can't be read.
        there: False for a SQLite file that the first start will make.
        trouble: why the database can't be used, the end of a sentence; empty when it can.
        pending: the migrations still to come.
        forgetful: the settings that let PostgreSQL forget in a crash what it confirmed.
    """

    kind: str = ""
    there: bool = True
    trouble: str = ""
    pending: tuple[str, ...] = ()
    forgetful: tuple[str, ...] = ()
    workspaces: tuple[WorkspaceFound, ...] = ()


def checkup(url: str) -> Checkup:
    """Look at a database without changing it; a SQLite file that isn't there isn't made."""
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
    """What is wrong with a database, as the end of a sentence."""
    said = str(getattr(broken, "orig", None) or "").casefold()
    if is_busy(broken):
        return "others keep it busy"
    for driver, ours in _REASONS:
        if driver in said:
            return ours
    return f"the driver reports {type(broken).__name__}"


def _workspaces(db: Database) -> tuple[WorkspaceFound, ...]:
    with db.read() as session:
        return tuple(_workspace(session, row) for row in people.workspaces(session))


def _workspace(session: Session, row: Workspace) -> WorkspaceFound:
    curators = people.curators(session, workspace_id=row.id)
    return WorkspaceFound(
        id=row.id,
        name=row.name or row.id,
        timezone=row.timezone,
        curator_channel=row.curator_channel,
        curators=_described(session, row.id, curators),
        teams=tuple(_team(session, team) for team in people.teams(session, workspace_id=row.id)),
    )


def _team(session: Session, team: Team) -> TeamFound:
    rows = people.memberships(session, workspace_id=team.workspace_id, team_ids=[team.id or 0])
    return TeamFound(
        slug=team.slug,
        title=team.title,
        channel=team.channel,
        timezone=team.timezone,
        reporter=team.reporter,
        members=_described(session, team.workspace_id, [row.member for row in rows]),
    )


def _described(session: Session, workspace_id: str, members: list[str]) -> tuple[MemberFound, ...]:
    """What is stored of these people, in the same order; a row without a name was never filled by Slack."""
    rows = people.members(session, workspace_id=workspace_id, member_ids=members)
    return tuple(
        MemberFound(
            member=member,
            name=rows[member].name if member in rows else "",
            known=member in rows and bool(rows[member].name),
            deleted=member in rows and rows[member].deleted,
        )
        for member in members
    )
