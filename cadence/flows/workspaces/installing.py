"""A workspace installs, uninstalls and reinstalls the bot; its tokens."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cadence.actor import Actor
from cadence.flows.core import require_workspace
from cadence.flows.people import go_on
from cadence.nudges import Unless
from cadence.refusals import Refusal
from storage.engine import Database
from storage.outbox import rate_limits
from storage.queries import installations, workspaces
from storage.tables import SlackBot, Workspace
from storage.tables.columns import with_zone
from storage.work import UnitOfWork

SAME_SECOND = timedelta(seconds=1)
"""Slack reports events in whole seconds."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A workspace's installation, and its current token.

    Args:
        bot_user: the bot's member ID.
        url: the workspace's address.
        expires_at: when the token expires; None if it doesn't.
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
    """Who installed the bot in which workspace."""

    workspace_id: str
    name: str
    url: str
    bot_user: str
    installer: str


def installed(db: Database, *, client_id: str) -> dict[str, Installed]:
    """Every workspace that has the bot installed, by ID."""
    with db.read() as session:
        known = {row.id: row for row in workspaces.workspaces(session)}
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
    """Record that a workspace installed the bot, for the first time or again; its token is already stored.

    After a reinstallation it continues with its rows: nudges from now on, and none that fell due in between.
    """
    uow = UnitOfWork(db, Actor(arrival.workspace_id, arrival.installer, "oauth"), now)
    with uow.write():
        row = workspaces.workspace(uow) or Workspace(id=uow.workspace_id, created_at=now)
        row.name = arrival.name or row.name
        row.settings = row.settings | {"url": arrival.url, "bot": arrival.bot_user}
        uow.session.add(row)
        uow.session.flush()
        again = go_on(uow, row)
        installations.keep_newest(uow, client_id=client_id)
        uow.record(action="installed", subject=f"workspace:{row.id}", after={"again": again})


def leave(uow: UnitOfWork, *, client_id: str, happened_at: datetime | None) -> bool:
    """Record that a workspace uninstalled the bot: its tokens are deleted, queued messages are skipped, its
    rows stay.

    Slack sends two events, and repeats them if they weren't answered: a later installation is kept.
    """
    with uow.write():
        row = workspaces.workspace(uow)
        newest = {one.workspace_id: one for one in installations.current(uow.session, client_id=client_id)}
        mine = newest.get(uow.workspace_id)
        if row is None or mine is None:
            return False
        if happened_at is not None and with_zone(mine.installed_at) >= happened_at + SAME_SECOND:
            return False
        installations.remove(uow, client_id=client_id)
        row.uninstalled_at = uow.now
        uow.session.add(row)
        skipped = installations.skip_due(uow, reason=Unless.UNINSTALLED.value)
        subject = f"workspace:{uow.workspace_id}"
        uow.record(action="uninstalled", subject=subject, after={"skipped": skipped}, surface="event")
        return True


def take_lease(uow: UnitOfWork, *, name: str, until: datetime) -> bool:
    """Take the lease to renew a token; the other processes wait `until` then."""
    with uow.write():
        require_workspace(uow)
        return rate_limits.take(uow, name=name, until=until)


def keep_token(
    db: Database, before: Installed, *, token: str, refresh_token: str, expires_at: datetime
) -> bool:
    """Save the renewed token; False if the one before isn't the newest any more."""
    with db.write() as session:
        return installations.rotate(
            UnitOfWork.around(session, Actor.system(before.workspace_id)),
            used=before.refresh_token or "",
            token=token,
            refresh_token=refresh_token,
            expires_at=expires_at,
        )


def use_state(db: Database, state: str, *, now: datetime) -> bool:
    """Use up the state of an OAuth installation, once and in time."""
    with db.write() as session:
        return installations.use_state(session, state=state, now=now)


def drop_states(db: Database, *, now: datetime) -> None:
    """Delete expired states."""
    with db.write() as session:
        installations.drop_states(session, now=now)


def count_rows(uow: UnitOfWork) -> tuple[int, str]:
    """How many rows would be deleted, and the workspace's name.

    Raises:
        Refusal: it isn't known, or still has the bot.
    """
    with uow.read():
        row = _taken_out(uow)
        return workspaces.count(uow), row.name or row.id


def forget(uow: UnitOfWork) -> None:
    """Delete all its rows, in one transaction.

    Raises:
        Refusal: the workspace isn't known, or has the bot again.
    """
    with uow.write():
        _taken_out(uow)
        workspaces.forget(uow)


def _taken_out(uow: UnitOfWork) -> Workspace:
    row = workspaces.workspace(uow)
    if row is None:
        raise Refusal(f"There's no data for workspace {uow.workspace_id}.")
    if row.uninstalled_at is None:
        raise Refusal(
            f"{row.name or row.id} still has the bot. An admin has to remove it in Slack first. Then its data can "
            "be deleted."
        )
    return row
