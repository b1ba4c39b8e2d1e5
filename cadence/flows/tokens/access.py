"""Who can make, see and revoke a token."""

from cadence.flows.core import is_curator, require_curator, require_owner_or_curator
from cadence.mrkdwn import say
from cadence.refusals import NotAllowed
from storage.queries import playbooks
from storage.tables import ApiToken
from storage.work import UnitOfWork


def sees(uow: UnitOfWork, row: ApiToken) -> bool:
    """Whether the caller sees a token: their own, those of their playbooks; for a curator all."""
    if uow.actor.member == row.member or is_curator(uow):
        return True
    if row.member is not None or row.playbook_id is None:
        return False
    return playbooks.by_id(uow, playbook_id=row.playbook_id).owner == uow.actor.member


def require_may(uow: UnitOfWork, row: ApiToken, *, to: str) -> None:
    """Require somebody who can make or revoke such a token.

    Raises:
        NotAllowed: anybody else; the sentence says who can.
    """
    if row.member is not None:
        if uow.actor.member != row.member and not is_curator(uow):
            raise NotAllowed(say("Only the person it belongs to or a curator can {to}.", to=to))
    elif row.playbook_id is not None:
        playbook = playbooks.by_id(uow, playbook_id=row.playbook_id)
        require_owner_or_curator(uow, playbook=playbook, to=f"{to} ({playbook.title[:60]})")
    else:
        require_curator(uow, to=f"{to} for every playbook of a team")
