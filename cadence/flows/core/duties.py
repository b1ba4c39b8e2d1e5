"""Duties of people who leave the workspace: their playbooks' owners and the curators are asked once to name
others."""

from collections.abc import Collection
from typing import Final

from cadence.flows.core.messages import curators_read
from storage.outbox.queueing import NewMessage
from storage.queries import pilots
from storage.tables import Playbook, Workspace
from storage.work import UnitOfWork

DUTY_OPEN: Final = "duty-open"
"""The message that asks for another person."""


def ask_for_duties(uow: UnitOfWork, workspace: Workspace, *, gone: Collection[str]) -> None:
    """Ask the owner of each playbook and the curators to replace people who have left, once each time they
    leave."""
    if not gone:
        return
    first: dict[tuple[int, str], tuple[int, Playbook]] = {}
    for duty, playbook in pilots.duties_held(uow, members=sorted(gone)):
        first.setdefault((duty.playbook_id, duty.member), (duty.id or 0, playbook))
    for (playbook_id, member), (duty_id, playbook) in first.items():
        told = dict.fromkeys([playbook.owner, *curators_read(uow, workspace)])
        uow.send(
            [
                NewMessage(
                    DUTY_OPEN,
                    recipient,
                    {"playbook": playbook_id, "member": member},
                    about=(playbook_id, duty_id, recipient),
                )
                for recipient in told
                if recipient not in gone
            ]
        )
