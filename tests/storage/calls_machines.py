"""The queries on tokens and on what tools report, tried on two workspaces by `test_workspaces`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlmodel import Session

from cadence.actor import Actor
from storage.queries import tokens
from storage.work import UnitOfWork
from tests.storage.seeds_machines import KEY

if TYPE_CHECKING:
    from tests.storage.seeds import Planted

Call = Callable[[Session, str, "Planted"], Any]


def _uow(session: Session, workspace_id: str) -> UnitOfWork:
    from tests.storage.seeds import NOW

    return UnitOfWork.around(session, Actor.system(workspace_id), NOW)


def _used(session: Session, workspace_id: str, ids: "Planted") -> bool:
    """Note a use, and take it back."""
    from tests.storage.seeds import NOW

    with session.begin_nested() as kept:
        found = tokens.note_use(_uow(session, workspace_id), token_id=ids.token, before=NOW)
        kept.rollback()
    return found


BY_NAME: dict[str, Call] = {
    "tokens.by_key": lambda s, ws, _: tokens.by_key(_uow(s, ws), key=KEY),
    "tokens.valid": lambda s, ws, _: tokens.valid(_uow(s, ws)),
}
BY_ID: dict[str, Call] = {
    "tokens.token": lambda s, ws, ids: tokens.token(_uow(s, ws), token_id=ids.token),
    "tokens.names": lambda s, ws, ids: tokens.names(_uow(s, ws), token_ids=[ids.token]),
    "tokens.note_use": _used,
}
