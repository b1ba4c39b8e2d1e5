"""Queries on Homes: who opened one, which events may change it, which need publishing."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, case, delete, exists, func, or_, update
from sqlalchemy import select as select_rows
from sqlmodel import Session, col, select

from storage.engine import connection_of
from storage.query_cache import cached
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
    Workspace,
)
from storage.work import UnitOfWork

_OF_ADOPTIONS = {"verdict": StepVerdict, "promotion": Promotion, "cycle": Cycle, "audit": SpotAudit}


@cached(Home)
def get(uow: UnitOfWork, *, member: str) -> Home | None:
    """A person's Home; None if they never opened it."""
    return uow.session.exec(_HOME, params={"workspace": uow.workspace_id, "member": member}).first()


_HOME: Final = select(Home).where(
    Home.workspace_id == bindparam("workspace"), Home.member == bindparam("member")
)


def opened(
    uow: UnitOfWork, *, member: str, page: int | None = None, claimed_until: datetime | None = None
) -> Home:
    """Record that a person opened their Home, and that it must be published now.

    Args:
        claimed_until: no other worker publishes it until then.
    """
    row = get(uow, member=member)
    if row is None:
        begun = _has_acted(uow, member=member)
        row = Home(
            workspace_id=uow.workspace_id, member=member, opened_at=uow.now, not_before=uow.now, begun=begun
        )
    row.opened_at, row.stale_at, row.changes = uow.now, uow.now, row.changes + 1
    row.page = page or row.page
    row.not_before = claimed_until or row.not_before
    uow.session.add(row)
    uow.session.flush()
    return row


def _has_acted(uow: UnitOfWork, *, member: str) -> bool:
    uow.flush_trail()
    asked = {"workspace": uow.workspace_id, "member": member}
    return connection_of(uow.session).execute(_ACTED, asked).first() is not None


_ACTED: Final[Any] = (
    select_rows(col(TrailEntry.id))
    .where(
        col(TrailEntry.workspace_id) == bindparam("workspace"), col(TrailEntry.member) == bindparam("member")
    )
    .limit(1)
)


def changes(uow: UnitOfWork, *, limit: int) -> list[HomeChange]:
    """Unprocessed events, oldest first."""
    return list(uow.session.exec(_HOME_CHANGES, params={"workspace": uow.workspace_id, "limit": limit}))


_HOME_CHANGES = (
    select(HomeChange)
    .where(HomeChange.workspace_id == bindparam("workspace"))
    .order_by(col(HomeChange.id))
    .limit(bindparam("limit"))
)


def changed_workspaces(session: Session, *, now: datetime, since: datetime) -> list[tuple[str, bool]]:
    """The workspaces with unprocessed events, or with a Home that can be published now (see `stale`); and whether
    there are events."""
    asked = {"now": now, "since": since}
    rows = connection_of(session).execute(_CHANGED_WORKSPACES, asked)
    return [(workspace_id, bool(has_events)) for workspace_id, has_events in rows]


_CAN_BE_SHOWN = (
    col(Home.stale_at).is_not(None),
    col(Home.opened_at) >= bindparam("since"),
    col(Home.not_before) <= bindparam("now"),
)
_HAS_EVENTS = exists().where(col(HomeChange.workspace_id) == Workspace.id).correlate(Workspace)
_CHANGED_WORKSPACES: Final[Any] = (
    select(Workspace.id, _HAS_EVENTS)
    .where(
        col(Workspace.uninstalled_at).is_(None),
        or_(
            _HAS_EVENTS,
            exists().where(col(Home.workspace_id) == Workspace.id, *_CAN_BE_SHOWN).correlate(Workspace),
        ),
    )
    .order_by(col(Workspace.id))
)


def drop_changes(uow: UnitOfWork, *, ids: Sequence[int]) -> None:
    """Delete processed events."""
    connection_of(uow.session).execute(_DROP, {"workspace": uow.workspace_id, "ids": list(ids)})


_DROP: Final = delete(HomeChange).where(
    col(HomeChange.workspace_id) == bindparam("workspace"),
    col(HomeChange.id).in_(bindparam("ids", expanding=True)),
)


def opened_since(uow: UnitOfWork, *, since: datetime) -> set[str]:
    """Members who opened their Home since an instant."""
    return set(uow.session.exec(_OPENED_SINCE, params={"workspace": uow.workspace_id, "since": since}))


_OPENED_SINCE: Final = select(Home.member).where(
    Home.workspace_id == bindparam("workspace"), col(Home.opened_at) >= bindparam("since")
)


def mark(uow: UnitOfWork, *, members: Collection[str], acted: Collection[str]) -> None:
    """Mark these people's Homes as stale; some of them acted themselves."""
    wanted = sorted(members)
    for start in range(0, len(wanted), 500):
        uow.session.execute(
            update(Home)
            .where(
                col(Home.workspace_id) == uow.workspace_id, col(Home.member).in_(wanted[start : start + 500])
            )
            .values(
                changes=col(Home.changes) + 1,
                stale_at=func.coalesce(col(Home.stale_at), uow.now),
                begun=case((col(Home.member).in_(sorted(acted)), True), else_=col(Home.begun)),
            )
        )


def stale(uow: UnitOfWork, *, since: datetime, limit: int) -> list[str]:
    """Members whose Home can be published now, if they opened it since an instant; longest waiting first."""
    asked = {"workspace": uow.workspace_id, "since": since, "now": uow.now, "limit": limit}
    return list(connection_of(uow.session).execute(_STALE, asked).scalars())


_STALE: Final[Any] = (
    select(Home.member)
    .where(Home.workspace_id == bindparam("workspace"), *_CAN_BE_SHOWN)
    .order_by(col(Home.stale_at), col(Home.member))
    .limit(bindparam("limit"))
)


def claim(uow: UnitOfWork, *, member: str, until: datetime, at_once: bool) -> int | None:
    """Claim a stale Home for publishing; returns its count of events so far.

    Returns None if another worker claimed it, or published it just now. `at_once` ignores that: the other
    worker notices the later event, and the Home stays stale.
    """
    query = update(Home).where(
        col(Home.workspace_id) == uow.workspace_id,
        col(Home.member) == member,
        col(Home.stale_at).is_not(None),
    )
    if not at_once:
        query = query.where(col(Home.not_before) <= uow.now)
    taken = uow.session.execute(query.values(not_before=until).returning(col(Home.changes)))
    return taken.scalar_one_or_none()


def shown(
    uow: UnitOfWork, *, member: str, changes: int, digest: str, not_before: datetime, published: bool
) -> None:
    """Record that a Home shows its first `changes` events; later events keep it stale."""
    connection_of(uow.session).execute(
        _SHOWN,
        {
            "workspace": uow.workspace_id,
            "whose": member,
            "seen": changes,
            "now": uow.now,
            "until": not_before,
            "shown": digest,
            "at": uow.now if published else None,
        },
    )


_AT: Final = Home.__table__.c.stale_at.type  # type: ignore[attr-defined]
_SHOWN: Final = (
    update(Home)
    .where(col(Home.workspace_id) == bindparam("workspace"), col(Home.member) == bindparam("whose"))
    .values(
        stale_at=case(
            (col(Home.changes) == bindparam("seen"), None),
            else_=func.coalesce(col(Home.stale_at), bindparam("now", type_=_AT)),
        ),
        not_before=bindparam("until"),
        digest=bindparam("shown"),
        problem="",
        published_at=func.coalesce(bindparam("at", type_=_AT), col(Home.published_at)),
    )
)


def failed(uow: UnitOfWork, *, member: str, problem: str, again: datetime | None) -> None:
    """Record that a Home couldn't be published: retried after `again`, or with None when it is opened
    again."""
    values: dict[str, object] = {"problem": problem}
    values |= {"stale_at": None} if again is None else {"not_before": again}
    uow.session.execute(
        update(Home)
        .where(col(Home.workspace_id) == uow.workspace_id, col(Home.member) == member)
        .values(**values)
    )


def concerned(uow: UnitOfWork, *, subjects: Iterable[str]) -> set[str]:
    """The people an event concerns: of teams that run the playbook, their reporters and owners; or the
    person it is about."""
    found: set[str] = set()
    adoptions: set[int] = set()
    for subject in set(subjects):
        noun, _, rest = subject.partition(":")
        name = rest.partition("/")[0]
        if noun == "member":
            found.add(name)
        elif noun == "team":
            found |= _in_team(uow, slug=name)
        elif noun == "playbook":
            owner, ids = _of_playbook(uow, slug=name)
            found |= owner
            adoptions |= ids
        elif noun == "adoption" and name.isdecimal():
            adoptions.add(int(name))
        elif noun in _OF_ADOPTIONS and name.isdecimal():
            table = _OF_ADOPTIONS[noun]
            query = select(table.adoption_id).where(  # type: ignore[attr-defined]
                table.workspace_id == uow.workspace_id,  # type: ignore[attr-defined]
                table.id == int(name),  # type: ignore[attr-defined]
            )
            adoptions |= set(uow.session.exec(query))
    return found | _around(uow, adoption_ids=adoptions)


def _in_team(uow: UnitOfWork, *, slug: str) -> set[str]:
    query = (
        select(TeamMember.member)
        .join(Team, col(Team.id) == col(TeamMember.team_id))
        .where(Team.workspace_id == uow.workspace_id, Team.slug == slug)
    )
    return set(uow.session.exec(query))


def _of_playbook(uow: UnitOfWork, *, slug: str) -> tuple[set[str], set[int]]:
    query = (
        select(Playbook.owner, Adoption.id)
        .outerjoin(Adoption, col(Adoption.playbook_id) == col(Playbook.id))
        .where(Playbook.workspace_id == uow.workspace_id, Playbook.slug == slug)
    )
    rows = uow.session.exec(query).all()
    return {owner for owner, _ in rows}, {adoption for _, adoption in rows if adoption is not None}


def _around(uow: UnitOfWork, *, adoption_ids: Collection[int]) -> set[str]:
    found: set[str] = set()
    ids = sorted(adoption_ids)
    for start in range(0, len(ids), 500):
        of = (Adoption.workspace_id == uow.workspace_id, col(Adoption.id).in_(ids[start : start + 500]))
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
                Handoff.workspace_id == uow.workspace_id,
                col(Handoff.adoption_id).in_(ids[start : start + 500]),
                col(TeamMember.left_at).is_(None),
            )
        )
        found |= set(uow.session.exec(members)) | set(uow.session.exec(receivers))
        found |= {one for pair in uow.session.exec(leaders) for one in pair if one}
    return found
