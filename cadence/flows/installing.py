"""A workspace takes the bot in, takes it out, and takes it in again; its tokens in between."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session

from cadence.flows.runs import require_workspace
from cadence.nudges import Unless
from storage import installations, lanes, people, trail
from storage.engine import Database
from storage.tables import SlackBot, Workspace
from storage.tables.columns import with_zone

SAME_SECOND = timedelta(seconds=1)
"""Slack tells in whole seconds when something happened."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What a workspace's installation brought, and the token in use.

    Args:
        bot_user: which member the bot is.
        url: the workspace's address.
        expires_at: when the token ends; None for one that doesn't.
    """

    workspace_id: str
    name: str
    url: str
    bot_user: str
    bot_id: str
    scopes: frozenset[str]
    installed_at: datetime
    token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who has installed the bot in which workspace."""

    workspace_id: str
    name: str
    url: str
    bot_user: str
    installer: str


def installed(db: Database, *, client_id: str) -> dict[str, Installed]:
    """Every workspace that has the bot, by ID."""
    with db.read() as session:
        known = {row.id: row for row in people.workspaces(session)}
        rows = installations.current(session, client_id=client_id)
    return {
        row.workspace_id: _as_installed(row, known[row.workspace_id])
        for row in rows
        if row.workspace_id in known
    }


def _as_installed(row: SlackBot, workspace: Workspace) -> Installed:
    return Installed(
        workspace_id=workspace.id,
        name=workspace.name or row.team_name or workspace.id,
        url=workspace.settings.get("url", ""),
        bot_user=row.bot_user_id or "",
        bot_id=row.bot_id or "",
        scopes=frozenset(filter(None, (row.bot_scopes or "").split(","))),
        installed_at=with_zone(row.installed_at),
        token=row.bot_token or "",
        refresh_token=row.bot_refresh_token,
        expires_at=with_zone(row.bot_token_expires_at) if row.bot_token_expires_at else None,
    )


def arrive(db: Database, arrival: Arrival, *, client_id: str, now: datetime) -> None:
    """A workspace has installed the bot, for the first time or again; its token is stored already.

    Again, it goes on with what it has: nudges from now on, and nothing of what fell due in between.
    """
    with db.write() as session:
        row = people.workspace(session, workspace_id=arrival.workspace_id)
        if row is None:
            row = Workspace(id=arrival.workspace_id, created_at=now)
        row.name = arrival.name or row.name
        row.settings = row.settings | {"url": arrival.url, "bot": arrival.bot_user}
        session.add(row)
        session.flush()
        again = go_on(session, row, now=now)
        installations.keep_newest(session, workspace_id=row.id, client_id=client_id)
        trail.record(
            session,
            workspace_id=row.id,
            at=now,
            member=arrival.installer,
            action="installed",
            subject=f"workspace:{row.id}",
            surface="oauth",
            after={"again": again},
        )


def go_on(session: Session, row: Workspace, *, now: datetime) -> bool:
    """Work in a workspace again that had taken the bot out; False when it hadn't."""
    if row.uninstalled_at is None:
        return False
    installations.skip_owed(session, workspace_id=row.id, reason=Unless.UNINSTALLED.value)
    row.uninstalled_at, row.planned_until = None, now
    session.add(row)
    return True


def leave(
    db: Database, workspace_id: str, *, client_id: str, happened_at: datetime | None, now: datetime
) -> bool:
    """A workspace has taken the bot out: its tokens go, nothing owed is sent any more, its rows stay.

    Slack says so twice, and again when it wasn't answered: what was installed after that stays.
    """
    with db.write() as session:
        row = people.workspace(session, workspace_id=workspace_id)
        newest = {one.workspace_id: one for one in installations.current(session, client_id=client_id)}
        mine = newest.get(workspace_id)
        if row is None or mine is None:
            return False
        if happened_at is not None and with_zone(mine.installed_at) >= happened_at + SAME_SECOND:
            return False
        installations.remove(session, workspace_id=workspace_id, client_id=client_id)
        row.uninstalled_at = now
        session.add(row)
        skipped = installations.skip_owed(session, workspace_id=workspace_id, reason=Unless.UNINSTALLED.value)
        trail.record(
            session,
            workspace_id=workspace_id,
            at=now,
            member=None,
            action="uninstalled",
            subject=f"workspace:{workspace_id}",
            surface="event",
            after={"skipped": skipped},
        )
        return True


def take_turn(db: Database, workspace_id: str, *, name: str, now: datetime, until: datetime) -> bool:
    """Of several processes that would renew a token at once, one may; the others wait `until` then."""
    with db.write() as session:
        require_workspace(session, workspace_id)
        return lanes.take(session, workspace_id=workspace_id, name=name, now=now, until=until)


def keep_token(
    db: Database, before: Installed, *, token: str, refresh_token: str, expires_at: datetime
) -> bool:
    """Keep the token that came for the one before; False when that isn't the newest any more."""
    with db.write() as session:
        return installations.rotate(
            session,
            workspace_id=before.workspace_id,
            used=before.refresh_token or "",
            token=token,
            refresh_token=refresh_token,
            expires_at=expires_at,
        )


def use_state(db: Database, state: str, *, now: datetime) -> bool:
    """Take the state of an installation that somebody has begun, once and in time."""
    with db.write() as session:
        return installations.use_state(session, state=state, now=now)


def drop_states(db: Database, *, now: datetime) -> None:
    """Forget what was begun and not finished in time."""
    with db.write() as session:
        installations.drop_states(session, now=now)
