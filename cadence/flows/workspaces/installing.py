"""A workspace takes the bot in, takes it out, and takes it in again; its tokens in between."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cadence.actor import Actor
from cadence.flows.core import go_on, require_workspace
from cadence.nudges import Unless
from cadence.refusals import Refusal
from storage import trail
from storage.engine import Database
from storage.outbox import rate_limits
from storage.queries import forgetting, installations, people
from storage.tables import SlackBot, Workspace
from storage.tables.columns import with_zone
from storage.work import UnitOfWork

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
        row = people.workspace(UnitOfWork.around(session, Actor.system(arrival.workspace_id)))
        if row is None:
            row = Workspace(id=arrival.workspace_id, created_at=now)
        row.name = arrival.name or row.name
        row.settings = row.settings | {"url": arrival.url, "bot": arrival.bot_user}
        session.add(row)
        session.flush()
        again = go_on(UnitOfWork.around(session, Actor.system(row.id), now), row)
        installations.keep_newest(UnitOfWork.around(session, Actor.system(row.id)), client_id=client_id)
        trail.record(
            UnitOfWork.around(session, Actor.system(row.id)),
            at=now,
            member=arrival.installer,
            action="installed",
            subject=f"workspace:{row.id}",
            surface="oauth",
            after={"again": again},
        )


def leave(uow: UnitOfWork, *, client_id: str, happened_at: datetime | None) -> bool:
    """A workspace has taken the bot out: its tokens go, nothing owed is sent any more, its rows stay.

    Slack says so twice, and again when it wasn't answered: what was installed after that stays.
    """
    with uow.write():
        row = people.workspace(uow)
        newest = {one.workspace_id: one for one in installations.current(uow.session, client_id=client_id)}
        mine = newest.get(uow.workspace_id)
        if row is None or mine is None:
            return False
        if happened_at is not None and with_zone(mine.installed_at) >= happened_at + SAME_SECOND:
            return False
        installations.remove(uow, client_id=client_id)
        row.uninstalled_at = uow.now
        uow.session.add(row)
        skipped = installations.skip_owed(uow, reason=Unless.UNINSTALLED.value)
        trail.record(
            uow,
            at=uow.now,
            member=None,
            action="uninstalled",
            subject=f"workspace:{uow.workspace_id}",
            surface="event",
            after={"skipped": skipped},
        )
        return True


def take_turn(uow: UnitOfWork, *, name: str, until: datetime) -> bool:
    """Of several processes that would renew a token at once, one may; the others wait `until` then."""
    with uow.write():
        require_workspace(uow)
        return rate_limits.take(uow, name=name, until=until)


def keep_token(
    db: Database, before: Installed, *, token: str, refresh_token: str, expires_at: datetime
) -> bool:
    """Keep the token that came for the one before; False when that isn't the newest any more."""
    with db.write() as session:
        return installations.rotate(
            UnitOfWork.around(session, Actor.system(before.workspace_id)),
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


def count_rows(uow: UnitOfWork) -> tuple[int, str]:
    """How many rows would go, and the workspace's name.

    Raises:
        Refusal: it isn't known, or still has the bot.
    """
    with uow.read():
        row = _taken_out(uow)
        return forgetting.count(uow), row.name or row.id


def forget(uow: UnitOfWork) -> None:
    """Delete them all, in one transaction.

    Raises:
        Refusal: the workspace isn't known, or has the bot again.
    """
    with uow.write():
        _taken_out(uow)
        forgetting.forget(uow)


def _taken_out(uow: UnitOfWork) -> Workspace:
    row = people.workspace(uow)
    if row is None:
        raise Refusal(f"Nothing is stored of a workspace {uow.workspace_id}.")
    if row.uninstalled_at is None:
        raise Refusal(
            f"{row.name or row.id} still has the bot. An admin takes it out in Slack first; then its rows can go."
        )
    return row
