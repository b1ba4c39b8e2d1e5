"""The tokens that somebody can see."""

from cadence.flows.core import require_workspace, zone_of
from cadence.flows.tokens.access import sees
from cadence.flows.tokens.words import what_for
from cadence.refusals import Offer
from storage.queries import tokens
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
