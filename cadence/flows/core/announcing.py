"""Who is told of what happens: the channel of every team it is about, the curators, or somebody in person."""

from collections.abc import Iterable, Sequence
from typing import Any

from storage.outbox import ledger
from storage.outbox.ledger import Owed
from storage.queries import people
from storage.tables import Team, Workspace
from storage.work import UnitOfWork


def announce(
    uow: UnitOfWork,
    workspace: Workspace,
    teams: Sequence[Team],
    *,
    kind: str,
    slot: object,
    subject: dict[str, Any],
) -> None:
    """Owe a message of a kind to each team's channel and to the curators, each once for a `slot`."""
    tell(
        uow,
        workspace,
        [*(team.channel for team in teams), *curators_read(uow, workspace)],
        kind=kind,
        slot=slot,
        subject=subject,
    )


def tell(
    uow: UnitOfWork,
    workspace: Workspace,
    recipients: Iterable[str],
    *,
    kind: str,
    slot: object,
    subject: dict[str, Any],
) -> None:
    """Owe a message of a kind to channels and members, to each once for a `slot`."""
    ledger.owe(
        uow,
        owed=[
            Owed(
                key=f"{kind}:{workspace.id}:{slot}:{recipient}",
                kind=kind,
                recipient=recipient,
                subject=subject,
                due_at=uow.now,
            )
            for recipient in dict.fromkeys(recipients)
        ],
        correlation_id=uow.correlation_id,
    )


def curators_read(uow: UnitOfWork, workspace: Workspace) -> list[str]:
    """Where curators read: their channel, else each one's DM."""
    if workspace.curator_channel:
        return [workspace.curator_channel]
    return people.curators(uow)
