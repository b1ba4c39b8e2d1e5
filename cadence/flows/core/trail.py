"""What goes into the trail: what a person did with the request they came with, and what a rule found."""

from typing import Any

from storage import trail
from storage.work import UnitOfWork


def note(uow: UnitOfWork, *, action: str, subject: str, before: Any = None, after: Any = None) -> None:
    """Note what a person did; `subject` is `noun:id`."""
    trail.record(
        uow,
        at=uow.now,
        member=uow.actor.member,
        action=action,
        subject=subject,
        surface=uow.actor.surface,
        before=before,
        after=after,
    )


def note_rule(uow: UnitOfWork, *, action: str, subject: str, before: Any = None, after: Any = None) -> None:
    """Note what a rule found in a run; `correlation_id` is the request that made it look."""
    trail.record(
        uow,
        at=uow.now,
        member=None,
        action=action,
        subject=subject,
        surface="rule",
        before=before,
        after=after,
    )
