"""Queries on lessons, newest first."""

from typing import Final

from sqlalchemy import bindparam
from sqlmodel import col, or_, select

from storage.tables import Lesson
from storage.work import UnitOfWork


def of_playbook(
    uow: UnitOfWork, *, playbook_id: int, limit: int, only_of: int | None = None, but_of: int | None = None
) -> list[Lesson]:
    """The lessons of a playbook, of every version, newest first.

    `only_of` and `but_of` are adoptions: only that team's lessons, or all others'.
    """
    asked = {"workspace": uow.workspace_id, "playbook": playbook_id, "limit": limit}
    given = asked | {"only_of": only_of, "but_of": but_of}
    return list(uow.session.exec(_OF_PLAYBOOK[only_of is not None, but_of is not None], params=given))


_BY_PLAYBOOK = (
    select(Lesson)
    .where(Lesson.workspace_id == bindparam("workspace"), Lesson.playbook_id == bindparam("playbook"))
    .order_by(col(Lesson.learned_at).desc(), col(Lesson.id).desc())
    .limit(bindparam("limit"))
)
_ONLY_OF = col(Lesson.adoption_id) == bindparam("only_of")
_BUT_OF = or_(col(Lesson.adoption_id).is_(None), col(Lesson.adoption_id) != bindparam("but_of"))
_OF_PLAYBOOK: Final = {
    (False, False): _BY_PLAYBOOK,
    (True, False): _BY_PLAYBOOK.where(_ONLY_OF),
    (False, True): _BY_PLAYBOOK.where(_BUT_OF),
    (True, True): _BY_PLAYBOOK.where(_ONLY_OF, _BUT_OF),
}
"""The statement by whether `only_of` and `but_of` are given."""


def of_cycle(uow: UnitOfWork, *, cycle_id: int) -> list[Lesson]:
    """The lessons of one cycle, oldest first."""
    query = select(Lesson).where(Lesson.workspace_id == uow.workspace_id, Lesson.cycle_id == cycle_id)
    return list(uow.session.exec(query.order_by(col(Lesson.id))))
