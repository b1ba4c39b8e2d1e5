"""Queries on tokens, newest first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, or_, update
from sqlmodel import col, select

from storage.engine import connection_of
from storage.tables import ApiToken, Workspace
from storage.work import UnitOfWork


def hold(uow: UnitOfWork) -> str | None:
    """Until the transaction ends, let nobody else of the workspace make or revoke a token; returns its id."""
    query = select(Workspace.id).where(Workspace.id == uow.workspace_id)
    return uow.session.exec(query.with_for_update(key_share=True)).first()


def by_key(uow: UnitOfWork, *, key: str) -> ApiToken | None:
    """The token with this key, revoked or not."""
    query = select(ApiToken).where(ApiToken.workspace_id == uow.workspace_id, ApiToken.key == key)
    return uow.session.exec(query).first()


def token(uow: UnitOfWork, *, token_id: int) -> ApiToken | None:
    """One token, revoked or not."""
    query = select(ApiToken).where(ApiToken.workspace_id == uow.workspace_id, ApiToken.id == token_id)
    return uow.session.exec(query).first()


def valid(uow: UnitOfWork) -> list[ApiToken]:
    """The tokens that weren't revoked."""
    query = select(ApiToken).where(
        ApiToken.workspace_id == uow.workspace_id, col(ApiToken.revoked_at).is_(None)
    )
    return list(uow.session.exec(query.order_by(col(ApiToken.id).desc())))


def names(uow: UnitOfWork, *, token_ids: Sequence[int]) -> dict[int, str]:
    """The names of tokens by their id, revoked ones included."""
    if not token_ids:
        return {}
    query = select(ApiToken.id, ApiToken.name).where(
        ApiToken.workspace_id == uow.workspace_id, col(ApiToken.id).in_(sorted(set(token_ids)))
    )
    return {row[0] or 0: row[1] for row in uow.session.exec(query)}


def note_use(uow: UnitOfWork, *, token_id: int, before: datetime) -> bool:
    """Save that a token was used now, unless that was saved since `before`; returns whether it was saved."""
    used = col(ApiToken.last_used_at)
    query = (
        update(ApiToken)
        .where(
            col(ApiToken.workspace_id) == uow.workspace_id,
            col(ApiToken.id) == token_id,
            or_(used.is_(None), used < before),
        )
        .values(last_used_at=uow.now)
    )
    done: CursorResult[Any] = connection_of(uow.session).execute(query)
    return done.rowcount > 0
