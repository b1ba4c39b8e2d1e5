"""Who is told of what happens: the channel of every team it is about, the curators, or somebody in person."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from storage import ledger, people
from storage.ledger import Owed
from storage.tables import Team, Workspace


def announce(
    session: Session,
    workspace: Workspace,
    teams: Sequence[Team],
    *,
    kind: str,
    slot: object,
    subject: dict[str, Any],
    now: datetime,
    correlation_id: str = "",
) -> None:
    """Owe a message of a kind to each team's channel and to the curators, each once for a `slot`."""
    tell(
        session,
        workspace,
        [*(team.channel for team in teams), *curators_read(session, workspace)],
        kind=kind,
        slot=slot,
        subject=subject,
        now=now,
        correlation_id=correlation_id,
    )


def tell(
    session: Session,
    workspace: Workspace,
    recipients: Iterable[str],
    *,
    kind: str,
    slot: object,
    subject: dict[str, Any],
    now: datetime,
    correlation_id: str = "",
) -> None:
    """Owe a message of a kind to channels and members, to each once for a `slot`."""
    ledger.owe(
        session,
        workspace_id=workspace.id,
        owed=[
            Owed(
                key=f"{kind}:{workspace.id}:{slot}:{recipient}",
                kind=kind,
                recipient=recipient,
                subject=subject,
                due_at=now,
            )
            for recipient in dict.fromkeys(recipients)
        ],
        now=now,
        correlation_id=correlation_id,
    )


def curators_read(session: Session, workspace: Workspace) -> list[str]:
    """Where curators read: their channel, else each one's DM."""
    if workspace.curator_channel:
        return [workspace.curator_channel]
    return people.curators(session, workspace_id=workspace.id)
