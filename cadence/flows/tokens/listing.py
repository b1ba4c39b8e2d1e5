"""The tokens that somebody can see, and what each is for, in words and for the trail."""

from typing import Any

from cadence.flows.core import require_workspace, zone_of
from cadence.flows.tokens.access import sees
from cadence.refusals import Offer
from storage.queries import people, playbooks, tokens
from storage.tables import ApiToken
from storage.work import UnitOfWork
from templates.contexts.tokens import TokenLine, TokenList
from templates.ids import Action


def token_list(uow: UnitOfWork) -> TokenList:
    """The valid tokens of the caller, of their playbooks, and for a curator all; newest first."""
    with uow.read():
        workspace = require_workspace(uow)
        zone = zone_of(uow, workspace, uow.actor.member)
        return TokenList(
            tokens=tuple(
                TokenLine(
                    ref=str(row.id),
                    name=row.name,
                    scope=what_for(uow, row),
                    member=row.member,
                    write=row.may_write,
                    read=row.may_read,
                    made_by=row.made_by,
                    made_at=row.made_at.astimezone(zone),
                    used_at=row.last_used_at.astimezone(zone) if row.last_used_at else None,
                )
                for row in tokens.valid(uow)
                if sees(uow, row)
            ),
            offers=(Offer("Make a token", Action.MAKE_TOKEN),),
        )


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
