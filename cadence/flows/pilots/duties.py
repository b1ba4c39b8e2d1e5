"""Who is responsible for what once a playbook runs in production: five duties, each with a name (SPEC §6)."""

from collections.abc import Mapping

from storage.queries import pilots
from storage.tables import DutyKind
from storage.work import UnitOfWork


def duties_of(uow: UnitOfWork, playbook_id: int) -> Mapping[DutyKind, str]:
    """The person responsible for each duty of a playbook, a Slack ID; duties without one are left out."""
    return {row.duty: row.member for row in pilots.duties(uow, playbook_id=playbook_id)}
