"""Calls of assistants, recorded in the trail."""

from storage.work import UnitOfWork


def note_call(uow: UnitOfWork, *, tool: str, outcome: str) -> None:
    """Record that an assistant called a tool for a person, and whether it was answered or refused.

    What the tool itself changed is recorded by its flow.
    """
    with uow.write():
        uow.record(
            action="assistant-called", subject=f"tool:{tool}", after={"tool": tool, "outcome": outcome}
        )
