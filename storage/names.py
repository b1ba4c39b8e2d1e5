"""Where a person is, and how the playbooks there are called."""

from typing import NamedTuple

from sqlalchemy import Boolean, Select, and_, bindparam, or_
from sqlalchemy import select as select_rows
from sqlmodel import Session, col, select

from storage.engine import connection_of
from storage.people import Whereabouts
from storage.tables import Adoption, AdoptionState, Curator, Member, Playbook, TeamMember, Workspace


class Named(NamedTuple):
    """A playbook's row without the rest of it; `run` says whether those asked about run it."""

    id: int
    slug: str
    title: str
    owner: str
    run: bool


class Known(NamedTuple):
    """Where a person is, None in a workspace the bot doesn't know, and the playbooks there, by slug."""

    there: Whereabouts | None
    playbooks: tuple[Named, ...]


def _known() -> Select[str, str | None, bool, int | None, str, str, str, bool]:
    theirs = select(TeamMember.team_id).where(
        TeamMember.workspace_id == bindparam("workspace"),
        TeamMember.member == bindparam("member"),
        col(TeamMember.left_at).is_(None),
    )
    running = (
        select(Adoption.id)
        .where(
            Adoption.playbook_id == Playbook.id,
            Adoption.state != AdoptionState.ENDED,
            or_(
                bindparam("everywhere", type_=Boolean()),
                col(Curator.member).is_not(None),
                col(Adoption.team_id).in_(theirs),
            ),
        )
        .correlate(Playbook, Curator)
    )
    there = (col(Workspace.timezone), col(Member.timezone), col(Curator.member).is_not(None))
    return (
        select_rows(
            *there,
            col(Playbook.id),
            col(Playbook.slug),
            col(Playbook.title),
            col(Playbook.owner),
            running.exists(),
        )
        .select_from(Workspace)
        .outerjoin(
            Member, and_(col(Member.workspace_id) == Workspace.id, col(Member.id) == bindparam("member"))
        )
        .outerjoin(
            Curator,
            and_(col(Curator.workspace_id) == Workspace.id, col(Curator.member) == bindparam("member")),
        )
        .outerjoin(Playbook, col(Playbook.workspace_id) == Workspace.id)
        .where(col(Workspace.id) == bindparam("workspace"))
        .order_by(col(Playbook.slug))
    )


# Statements of the busiest requests are put together once: that takes as long as running them.
_KNOWN = _known()


def known_to(session: Session, *, workspace_id: str, member_id: str, everywhere: bool = False) -> Known:
    """Where a person is, and all playbooks by their names: whether teams of theirs run them.

    For curators, and for whoever looks `everywhere`, any team counts.
    """
    asked = {"workspace": workspace_id, "member": member_id, "everywhere": everywhere}
    rows = connection_of(session).execute(_KNOWN, asked).all()
    if not rows:
        return Known(None, ())
    named = (Named(row[3], *row[4:]) for row in rows if row[3] is not None)
    return Known(Whereabouts(*rows[0][:3]), tuple(named))
