"""Queries on Homes: who has opened one, what has happened that may change it, which are to be published again."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import case, delete, func, insert, update
from sqlmodel import Session, col, select

from storage.engine import Bound, connection_of
from storage.tables import (
    Adoption,
    Cycle,
    Handoff,
    Home,
    HomeChange,
    Playbook,
    Promotion,
    SpotAudit,
    StepVerdict,
    Team,
    TeamMember,
    TrailEntry,
)

_CHANGE = insert(HomeChange).inline()
_OF_ADOPTIONS = {"verdict": StepVerdict, "promotion": Promotion, "cycle": Cycle, "audit": SpotAudit}


def touch(session: Bound, *, workspace_id: str, subject: str, member: str | None = None) -> None:
    """Say that something happened to a subject of the trail (`adoption:7/send`), in its own transaction."""
    change = {"workspace_id": workspace_id, "subject": subject, "member": member}
    connection_of(session).execute(_CHANGE, change)


def touch_all(session: Session, *, workspace_id: str, subjects: Sequence[str]) -> None:
    """Say that something happened to each of these subjects, and that nobody did it."""
    changes = [{"workspace_id": workspace_id, "subject": subject, "member": None} for subject in subjects]
    connection_of(session).execute(_CHANGE, changes)


def get(session: Session, *, workspace_id: str, member: str) -> Home | None:
    """A person's Home; None when they never opened it."""
    return session.get(Home, (workspace_id, member))


def opened(
    session: Session, *, workspace_id: str, member: str, now: datetime, page: int | None = None
) -> Home:
    """Remember that a person looks at their Home, and that it is to be shown now."""
    row = get(session, workspace_id=workspace_id, member=member)
    if row is None:
        begun = _has_acted(session, workspace_id=workspace_id, member=member)
        row = Home(workspace_id=workspace_id, member=member, opened_at=now, not_before=now, begun=begun)
    row.opened_at, row.stale_at, row.changes = now, now, row.changes + 1
    row.page = page or row.page
    session.add(row)
    session.flush()
    return row


def _has_acted(session: Session, *, workspace_id: str, member: str) -> bool:
    query = select(TrailEntry.id).where(TrailEntry.workspace_id == workspace_id, TrailEntry.member == member)
    return session.exec(query.limit(1)).first() is not None


def changes(session: Session, *, workspace_id: str, limit: int) -> list[HomeChange]:
    """What happened and wasn't looked at yet, oldest first."""
    query = select(HomeChange).where(HomeChange.workspace_id == workspace_id)
    return list(session.exec(query.order_by(col(HomeChange.id)).limit(limit)))


def drop_changes(session: Session, *, workspace_id: str, ids: Sequence[int]) -> None:
    """They have been looked at."""
    session.execute(
        delete(HomeChange).where(
            col(HomeChange.workspace_id) == workspace_id, col(HomeChange.id).in_(list(ids))
        )
    )


def opened_since(session: Session, *, workspace_id: str, since: datetime) -> set[str]:
    """Who has looked at their Home since an instant."""
    query = select(Home.member).where(Home.workspace_id == workspace_id, Home.opened_at >= since)
    return set(session.exec(query))


def mark(
    session: Session, *, workspace_id: str, members: Collection[str], acted: Collection[str], now: datetime
) -> None:
    """These people's Homes are to be published again; some of them did something themselves."""
    wanted = sorted(members)
    for start in range(0, len(wanted), 500):
        session.execute(
            update(Home)
            .where(col(Home.workspace_id) == workspace_id, col(Home.member).in_(wanted[start : start + 500]))
            .values(
                changes=col(Home.changes) + 1,
                stale_at=func.coalesce(col(Home.stale_at), now),
                begun=case((col(Home.member).in_(sorted(acted)), True), else_=col(Home.begun)),
            )
        )


def stale(session: Session, *, workspace_id: str, since: datetime, now: datetime, limit: int) -> list[str]:
    """Whose Home may be published again now, of those who looked since an instant; the longest waiting first."""
    query = select(Home.member).where(
        Home.workspace_id == workspace_id,
        col(Home.stale_at).is_not(None),
        Home.opened_at >= since,
        Home.not_before <= now,
    )
    return list(session.exec(query.order_by(col(Home.stale_at), col(Home.member)).limit(limit)))


def claim(
    session: Session, *, workspace_id: str, member: str, now: datetime, until: datetime, at_once: bool
) -> int | None:
    """Take a stale Home to publish it; returns how much had happened by then.

    None when somebody else has it, or had it just now; `at_once` doesn't mind: whoever comes later sees that
    something happened meanwhile, and the Home stays stale.
    """
    query = update(Home).where(
        col(Home.workspace_id) == workspace_id,
        col(Home.member) == member,
        col(Home.stale_at).is_not(None),
    )
    if not at_once:
        query = query.where(col(Home.not_before) <= now)
    taken = session.execute(query.values(not_before=until).returning(col(Home.changes)))
    return taken.scalar_one_or_none()


def shown(
    session: Session,
    *,
    workspace_id: str,
    member: str,
    changes: int,
    digest: str,
    now: datetime,
    not_before: datetime,
    published: bool,
) -> None:
    """A Home stands as it was when `changes` things had happened; what happened since keeps it stale."""
    row = get(session, workspace_id=workspace_id, member=member)
    if row is None:
        return
    session.refresh(row, with_for_update=True)
    row.stale_at = None if row.changes == changes else row.stale_at or now
    row.not_before, row.digest, row.problem = not_before, digest, ""
    row.published_at = now if published else row.published_at
    session.add(row)


def failed(session: Session, *, workspace_id: str, member: str, problem: str, again: datetime | None) -> None:
    """A Home couldn't be published: another try from `again` on, None for none until it is opened once more."""
    values: dict[str, object] = {"problem": problem}
    values |= {"stale_at": None} if again is None else {"not_before": again}
    session.execute(
        update(Home)
        .where(col(Home.workspace_id) == workspace_id, col(Home.member) == member)
        .values(**values)
    )


def concerned(session: Session, *, workspace_id: str, subjects: Iterable[str]) -> set[str]:
    """The people around what happened: teams that run it, their reporters, owners; or the person it is about."""
    found: set[str] = set()
    adoptions: set[int] = set()
    for subject in set(subjects):
        noun, _, rest = subject.partition(":")
        name = rest.partition("/")[0]
        if noun == "member":
            found.add(name)
        elif noun == "team":
            found |= _in_team(session, workspace_id=workspace_id, slug=name)
        elif noun == "playbook":
            owner, ids = _of_playbook(session, workspace_id=workspace_id, slug=name)
            found |= owner
            adoptions |= ids
        elif noun == "adoption" and name.isdigit():
            adoptions.add(int(name))
        elif noun in _OF_ADOPTIONS and name.isdigit():
            table = _OF_ADOPTIONS[noun]
            query = select(table.adoption_id).where(  # type: ignore[attr-defined]
                table.workspace_id == workspace_id,  # type: ignore[attr-defined]
                table.id == int(name),  # type: ignore[attr-defined]
            )
            adoptions |= set(session.exec(query))
    return found | _around(session, workspace_id=workspace_id, adoption_ids=adoptions)


def _in_team(session: Session, *, workspace_id: str, slug: str) -> set[str]:
    query = (
        select(TeamMember.member)
        .join(Team, col(Team.id) == col(TeamMember.team_id))
        .where(Team.workspace_id == workspace_id, Team.slug == slug)
    )
    return set(session.exec(query))


def _of_playbook(session: Session, *, workspace_id: str, slug: str) -> tuple[set[str], set[int]]:
    query = (
        select(Playbook.owner, Adoption.id)
        .outerjoin(Adoption, col(Adoption.playbook_id) == col(Playbook.id))
        .where(Playbook.workspace_id == workspace_id, Playbook.slug == slug)
    )
    rows = session.exec(query).all()
    return {owner for owner, _ in rows}, {adoption for _, adoption in rows if adoption is not None}


def _around(session: Session, *, workspace_id: str, adoption_ids: Collection[int]) -> set[str]:
    found: set[str] = set()
    ids = sorted(adoption_ids)
    for start in range(0, len(ids), 500):
        of = (Adoption.workspace_id == workspace_id, col(Adoption.id).in_(ids[start : start + 500]))
        members = (
            select(TeamMember.member)
            .join(Adoption, col(Adoption.team_id) == col(TeamMember.team_id))
            .where(*of, col(TeamMember.left_at).is_(None))
        )
        leaders = (
            select(Playbook.owner, Team.reporter)
            .join(Adoption, col(Adoption.playbook_id) == col(Playbook.id))
            .join(Team, col(Team.id) == col(Adoption.team_id))
            .where(*of)
        )
        receivers = (
            select(TeamMember.member)
            .join(Handoff, col(Handoff.team_id) == col(TeamMember.team_id))
            .where(
                Handoff.workspace_id == workspace_id,
                col(Handoff.adoption_id).in_(ids[start : start + 500]),
                col(TeamMember.left_at).is_(None),
            )
        )
        found |= set(session.exec(members)) | set(session.exec(receivers))
        found |= {one for pair in session.exec(leaders) for one in pair if one}
    return found
