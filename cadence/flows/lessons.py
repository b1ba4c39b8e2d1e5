"""Lessons: logged by whoever learned something, kept with the version, shown to the next team."""

from sqlmodel import Session

from storage import lessons


def recent(session: Session, *, workspace_id: str, playbook_id: int, limit: int) -> tuple[str, ...]:
    """The newest lessons of a playbook as they were typed, newest first."""
    rows = lessons.of_playbook(session, workspace_id=workspace_id, playbook_id=playbook_id, limit=limit)
    return tuple(row.text for row in rows)


def of_cycle(session: Session, *, workspace_id: str, cycle_id: int) -> tuple[str, ...]:
    """The lessons of one cycle as they were typed, oldest first."""
    rows = lessons.of_cycle(session, workspace_id=workspace_id, cycle_id=cycle_id)
    return tuple(row.text for row in rows)
