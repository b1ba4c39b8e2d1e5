"""Queries on Slack's tokens by workspace, which are written by the SDK's stores."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from storage.tables import MessageState, OutboxMessage, SlackBot, SlackInstallation, SlackState
from storage.tables.columns import without_zone
from storage.work import UnitOfWork


def current(session: Session, *, client_id: str) -> list[SlackBot]:
    """The current installation of each workspace: the newest that has a token."""
    query = (
        select(SlackBot)
        .where(SlackBot.client_id == client_id, col(SlackBot.bot_token).is_not(None))
        .order_by(col(SlackBot.installed_at), col(SlackBot.id))
    )
    return list({row.workspace_id: row for row in session.exec(query) if row.workspace_id}.values())


def keep_newest(uow: UnitOfWork, *, client_id: str) -> None:
    """Delete tokens of earlier installations in the same workspace."""
    for table in (SlackBot, SlackInstallation):
        rows = select(table.id).where(table.workspace_id == uow.workspace_id, table.client_id == client_id)
        newest = uow.session.exec(rows.order_by(col(table.installed_at).desc(), col(table.id).desc())).first()
        uow.session.execute(
            delete(table).where(
                col(table.workspace_id) == uow.workspace_id,
                col(table.client_id) == client_id,
                col(table.id) != newest,
            )
        )


def remove(uow: UnitOfWork, *, client_id: str) -> int:
    """Delete a workspace's tokens; returns how many there were."""
    gone = 0
    for table in (SlackBot, SlackInstallation):
        deleted = uow.session.execute(
            delete(table).where(
                col(table.workspace_id) == uow.workspace_id, col(table.client_id) == client_id
            )
        )
        gone += int(getattr(deleted, "rowcount", 0))
    return gone


def rotate(uow: UnitOfWork, *, used: str, token: str, refresh_token: str, expires_at: datetime) -> bool:
    """Save the token received for the refresh token `used`; False if that isn't the current one any more."""
    values: dict[str, Any] = {
        "bot_token": token,
        "bot_refresh_token": refresh_token,
        "bot_token_expires_at": without_zone(expires_at),
    }
    changed = 0
    for table in (SlackBot, SlackInstallation):
        done = uow.session.execute(
            update(table)
            .where(col(table.workspace_id) == uow.workspace_id, col(table.bot_refresh_token) == used)
            .values(**values)
        )
        changed += int(getattr(done, "rowcount", 0))
    return changed > 0


def use_state(session: Session, *, state: str, now: datetime) -> bool:
    """Use up the state of an OAuth installation; False if it was used, expired or made up."""
    drop_states(session, now=now)
    used = session.execute(delete(SlackState).where(col(SlackState.state) == state))
    return bool(getattr(used, "rowcount", 0))


def drop_states(session: Session, *, now: datetime) -> None:
    """Delete states of installations that weren't finished in time."""
    session.execute(delete(SlackState).where(col(SlackState.expire_at) <= without_zone(now)))


def skip_due(uow: UnitOfWork, *, reason: str) -> int:
    """Skip every due message of a workspace; returns how many."""
    skipped = uow.session.execute(
        update(OutboxMessage)
        .where(
            col(OutboxMessage.workspace_id) == uow.workspace_id, col(OutboxMessage.state) == MessageState.DUE
        )
        .values(state=MessageState.SKIPPED, reason=reason)
    )
    return int(getattr(skipped, "rowcount", 0))
