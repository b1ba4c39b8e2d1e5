"""What a token is for, in words and for the trail."""

from typing import Any

from storage.queries import people, playbooks
from storage.tables import ApiToken
from storage.work import UnitOfWork


def what_for(uow: UnitOfWork, row: ApiToken) -> str:
    """The playbook and the team that a token is limited to: "Support reply in Support EMEA"."""
    if row.member is not None:
        return ""
    playbook = playbooks.by_id(uow, playbook_id=row.playbook_id).title if row.playbook_id else ""
    team = _team(uow, row.team_id) if row.team_id else ""
    if playbook and team:
        return f"{playbook} in {team}"
    return playbook or f"every playbook of {team}"


def scope_of(uow: UnitOfWork, row: ApiToken) -> dict[str, Any]:
    """A token for the trail: its name and what it may do; never its secret."""
    return {
        "name": row.name,
        "for": what_for(uow, row) or "assistant",
        "playbook": row.playbook_id,
        "team": row.team_id,
        "member": row.member,
        "write": row.may_write,
        "read": row.may_read,
    }


def _team(uow: UnitOfWork, team_id: int) -> str:
    found = people.team_by_id(uow, team_id=team_id)
    return found.title if found else ""
