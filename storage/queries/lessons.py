"""Queries on lessons, newest first."""

from sqlmodel import col, or_, select

from storage.tables import Lesson
from storage.work import UnitOfWork


def of_playbook(
    uow: UnitOfWork, *, playbook_id: int, limit: int, only_of: int | None = None, but_of: int | None = None
) -> list[Lesson]:
    """The lessons of a playbook, of every version, newest first.

    `only_of` and `but_of` are adoptions: only that team's lessons, or all others'.
    """
    query = select(Lesson).where(Lesson.workspace_id == uow.workspace_id, Lesson.playbook_id == playbook_id)
    if only_of is not None:
        query = query.where(Lesson.adoption_id == only_of)
    if but_of is not None:
        query = query.where(or_(col(Lesson.adoption_id).is_(None), col(Lesson.adoption_id) != but_of))
    query = query.order_by(col(Lesson.learned_at).desc(), col(Lesson.id).desc()).limit(limit)
    return list(uow.session.exec(query))


def of_cycle(uow: UnitOfWork, *, cycle_id: int) -> list[Lesson]:
    """The lessons of one cycle, oldest first."""
    query = select(Lesson).where(Lesson.workspace_id == uow.workspace_id, Lesson.cycle_id == cycle_id)
    return list(uow.session.exec(query.order_by(col(Lesson.id))))
