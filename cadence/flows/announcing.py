"""Announcements of a playbook: to the channel of every team that runs it, and to the curators."""

from collections.abc import Sequence
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
    slot: str,
    subject: dict[str, Any],
    now: datetime,
    correlation_id: str = "",
) -> None:
    """Owe a message of a kind to each team's channel and to the curators, each once for a `slot`."""
    curators = (
        [workspace.curator_channel]
        if workspace.curator_channel
        else people.curators(session, workspace_id=workspace.id)
    )
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
            for recipient in dict.fromkeys([*(team.channel for team in teams), *curators])
        ],
        now=now,
        correlation_id=correlation_id,
    )
