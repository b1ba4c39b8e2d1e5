"""Which runs a person has to do with: their names alone, however many there are."""

from typing import NamedTuple

from sqlalchemy import or_, select
from sqlmodel import Session, col

from storage.engine import connection_of
from storage.tables import Adoption, AdoptionState, Playbook, Team, TeamMember


class NamedRun(NamedTuple):
    """A run by its id and the slugs people call it by."""

    adoption_id: int
    playbook: str
    team: str


def runs_named(session: Session, *, workspace_id: str, member: str | None = None) -> list[NamedRun]:
    """Every run that isn't ended, by playbook and team.

    Args:
        member: only the runs of the teams this person is in, and of the playbooks they own.
    """
    query = (
        select(col(Adoption.id), col(Playbook.slug), col(Team.slug))
        .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .where(col(Adoption.workspace_id) == workspace_id, col(Adoption.state) != AdoptionState.ENDED)
        .order_by(col(Playbook.slug), col(Team.slug))
    )
    if member is not None:
        theirs = select(col(TeamMember.team_id)).where(
            col(TeamMember.workspace_id) == workspace_id,
            col(TeamMember.member) == member,
            col(TeamMember.left_at).is_(None),
        )
        query = query.where(or_(col(Adoption.team_id).in_(theirs), col(Playbook.owner) == member))
    rows = connection_of(session).execute(query)
    return [NamedRun(adoption or 0, playbook, team) for adoption, playbook, team in rows]
