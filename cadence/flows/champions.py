"""Whether a team's champion is still there: without one, nobody keeps the team at it."""

from sqlmodel import Session

from cadence.flows.runs import TeamRun
from cadence.mrkdwn import Mrkdwn, mention, say
from storage import people


def champion_left(session: Session, run: TeamRun) -> bool:
    """Whether the champion named isn't in the team any more. An owner may be champion from outside."""
    champion = run.adoption.champion
    if champion is None or champion == run.playbook.owner:
        return False
    members = people.memberships(session, workspace_id=run.workspace.id, team_ids=[run.team.id or 0])
    return champion not in {row.member for row in members}


def champion_here(session: Session, run: TeamRun) -> str | None:
    """The champion, as long as they are in the team."""
    return None if champion_left(session, run) else run.adoption.champion


def champion_line(session: Session, run: TeamRun) -> tuple[Mrkdwn, ...]:
    """A sentence when the champion has left: who they were, and who names another."""
    if not champion_left(session, run):
        return ()
    return (
        say(
            "Its champion, {champion}, isn't in the team any more: {owner} or a curator names another",
            champion=mention(run.adoption.champion or ""),
            owner=mention(run.playbook.owner),
        ),
    )
