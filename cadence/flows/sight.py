"""Lets people see what the table in `cadence.rules.sight` says they may; who they are is looked up here."""

from sqlmodel import Session

from cadence.flows.callers import Caller, is_curator, require_curator, require_owner_or_curator
from cadence.flows.runs import TeamRun
from cadence.mrkdwn import mention, say
from cadence.refusals import NotAllowed, Offer
from cadence.rules.sight import WHO_SEES, Fact, Role, sees
from storage import people
from templates.ids import Action


def role_in(session: Session, caller: Caller, run: TeamRun) -> Role:
    """What the caller is to a team's run of a playbook."""
    if is_curator(session, caller):
        return Role.CURATOR
    if caller.member == run.playbook.owner:
        return Role.OWNER
    teams = people.team_ids(session, workspace_id=caller.workspace_id, member_id=caller.member)
    return Role.TEAM if run.team.id in teams else Role.MEMBER


def may_see(session: Session, caller: Caller, run: TeamRun, fact: Fact) -> bool:
    """Whether the caller may see a fact about a run."""
    return sees(role_in(session, caller, run), fact)


def require_sight(session: Session, caller: Caller, run: TeamRun, fact: Fact) -> None:
    """Let those through who may see a fact about a run.

    Raises:
        NotAllowed: the sentence says who may.
    """
    if may_see(session, caller, run, fact):
        return
    match WHO_SEES[fact]:
        case Role.CURATOR:
            require_curator(session, caller, to=fact)
        case Role.OWNER:
            require_owner_or_curator(session, caller, owner=run.playbook.owner, to=fact)
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


def require_digest(session: Session, caller: Caller) -> None:
    """Let those through who may read the digest of the workspace.

    Raises:
        NotAllowed: the sentence names the curators.
    """
    if not sees(Role.CURATOR if is_curator(session, caller) else Role.MEMBER, Fact.DIGEST):
        require_curator(session, caller, to=Fact.DIGEST)
