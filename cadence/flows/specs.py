"""What a playbook's version says, read once: it never changes, and reading it whole is slow."""

from datetime import datetime
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Pool
from sqlmodel import Session

from cadence.documents import PlaybookSpec, playbook_from_data
from storage.engine import Bound, connection_of
from storage.tables import PlaybookVersion

_MOST = 1_000
"""Versions kept of a database."""
_Key = tuple[int | None, datetime, str]
_known: WeakKeyDictionary[Pool, dict[_Key, PlaybookSpec]] = WeakKeyDictionary()
_lock = Lock()


def spec_of(session: Session, version: PlaybookVersion) -> PlaybookSpec:
    """What a version says.

    Kept under its id and when and by whom it was written: an id that a rollback gave back may come again.
    """
    kept = _kept(session)
    key = (version.id, version.created_at, version.created_by)
    spec = kept.get(key)
    if spec is None:
        spec = playbook_from_data(version.spec)
        if len(kept) >= _MOST:
            kept.clear()
        kept[key] = spec
    return spec


def spec_known(session: Bound, key: tuple[int, datetime, str]) -> PlaybookSpec | None:
    """What a version says, by its id and when and by whom it was written; None when nobody has read it here yet."""
    return _kept(session).get(key)


def _kept(session: Bound) -> dict[_Key, PlaybookSpec]:
    pool = connection_of(session).engine.pool
    with _lock:
        return _known.setdefault(pool, {})
