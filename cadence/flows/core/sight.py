"""Lets people see what the table in `cadence.rules.sight` says they may; who they are is looked up here."""

from cadence.flows.core.actor import is_curator, require_curator, require_owner_or_curator
from cadence.flows.core.adoptions import TeamRun
from cadence.mrkdwn import mention, say
from cadence.refusals import NotAllowed, Offer
from cadence.rules.sight import WHO_SEES, Fact, Role, sees
from storage.queries import people
from storage.work import UnitOfWork
from templates.ids import Action


def role_in(uow: UnitOfWork, run: TeamRun) -> Role:
    """What the caller is to a team's run of a playbook."""
    if is_curator(uow):
        return Role.CURATOR
    if uow.actor.member == run.playbook.owner:
        return Role.OWNER
    teams = people.team_ids(uow, member_id=uow.actor.member)
    return Role.TEAM if run.team.id in teams else Role.MEMBER


def may_see(uow: UnitOfWork, run: TeamRun, fact: Fact) -> bool:
    """Whether the caller may see a fact about a run."""
    return sees(role_in(uow, run), fact)


def require_sight(uow: UnitOfWork, run: TeamRun, fact: Fact) -> None:
    """Let those through who may see a fact about a run.

    Raises:
        NotAllowed: the sentence says who may.
    """
    if may_see(uow, run, fact):
        return
    match WHO_SEES[fact]:
        case Role.CURATOR:
            require_curator(uow, to=fact)
        case Role.OWNER:
            require_owner_or_curator(uow, owner=run.playbook.owner, to=fact)
        case _:
            raise NotAllowed(
                say(
                    "Only members of {team}, the owner ({owner}) or a curator can {to}.",
                    team=run.team.title,
                    owner=mention(run.playbook.owner),
                    to=fact,
                ),
                offer=Offer(f"Join {run.team.title}"[:75], Action.TEAM_JOIN, run.team.slug),
            )


def require_digest(uow: UnitOfWork) -> None:
    """Let those through who may read the digest of the workspace.

    Raises:
        NotAllowed: the sentence names the curators.
    """
    if not sees(Role.CURATOR if is_curator(uow) else Role.MEMBER, Fact.DIGEST):
        require_curator(uow, to=Fact.DIGEST)
