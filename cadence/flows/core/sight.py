"""Check visibility by the table in `cadence.rules.sight`; roles are looked up here."""

from cadence.flows.core.actor import is_curator, require_curator, require_owner_or_curator
from cadence.flows.core.adoptions import AdoptionView
from cadence.mrkdwn import mention, say
from cadence.refusals import NotAllowed, Offer
from cadence.rules.sight import WHO_SEES, Fact, Role, sees
from storage.queries import people
from storage.work import UnitOfWork
from templates.ids import Action


def role_in(uow: UnitOfWork, view: AdoptionView) -> Role:
    """The caller's role toward an adoption."""
    if is_curator(uow):
        return Role.CURATOR
    if uow.actor.member == view.playbook.owner:
        return Role.OWNER
    teams = people.team_ids(uow, member_id=uow.actor.member)
    return Role.TEAM if view.team.id in teams else Role.MEMBER


def may_see(uow: UnitOfWork, view: AdoptionView, fact: Fact) -> bool:
    """Whether the caller can see a fact about an adoption."""
    return sees(role_in(uow, view), fact)


def require_sight(uow: UnitOfWork, view: AdoptionView, fact: Fact) -> None:
    """Require that the caller can see a fact about an adoption.

    Raises:
        NotAllowed: the sentence says who can.
    """
    if may_see(uow, view, fact):
        return
    match WHO_SEES[fact]:
        case Role.CURATOR:
            require_curator(uow, to=fact)
        case Role.OWNER:
            require_owner_or_curator(uow, playbook=view.playbook, to=fact)
        case _:
            raise NotAllowed(
                say(
                    "Only members of {team}, the owner ({owner}) or a curator can {to}.",
                    team=view.team.title,
                    owner=mention(view.playbook.owner),
                    to=fact,
                ),
                offer=Offer(f"Join {view.team.title}"[:75], Action.TEAM_JOIN, view.team.slug),
            )


def require_digest(uow: UnitOfWork) -> None:
    """Require that the caller can read the workspace's digest.

    Raises:
        NotAllowed: the sentence names the curators.
    """
    if not sees(Role.CURATOR if is_curator(uow) else Role.MEMBER, Fact.DIGEST):
        require_curator(uow, to=Fact.DIGEST, ask=False)
