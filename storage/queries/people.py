"""Queries on people: the workspace, curators, members, teams, days away."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Boolean, Select, and_, bindparam, func, or_
from sqlalchemy import select as select_rows
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from storage.engine import connection_of
from storage.queries.streams import takes_no_part
from storage.tables import (
    Adoption,
    AdoptionState,
    Away,
    Curator,
    JoinRequest,
    JoinState,
    Member,
    Playbook,
    Team,
    TeamMember,
    Workspace,
)
from storage.work import UnitOfWork


def workspace(uow: UnitOfWork) -> Workspace | None:
    """The workspace, if the bot knows it."""
    return uow.session.get(Workspace, uow.workspace_id)


def workspaces(session: Session) -> list[Workspace]:
    """Every workspace of this installation, but those that took the bot out."""
    query = select(Workspace).where(col(Workspace.uninstalled_at).is_(None))
    return list(session.exec(query.order_by(col(Workspace.id))))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands in a workspace.

    Args:
        timezone: their own, as Slack gives it.
    """

    workspace: Workspace
    timezone: str | None
    is_curator: bool


class Whereabouts(NamedTuple):
    """The zones of a workspace and of a person in it (as Slack gives it), and whether they are a curator."""

    here: str
    own: str | None
    is_curator: bool


class Participant(NamedTuple):
    """What decides whether a person takes part. `known` is whether Slack has said what they are.

    `named` is whether they own a playbook or are a curator.
    """

    guests_allowed: bool
    known: bool
    bot: bool
    deleted: bool
    stranger: bool
    guest: bool
    in_team: bool
    named: bool


# Statements of the busiest requests are put together once: that takes as long as running them.
_STANDING = (
    select(Workspace, Member.timezone, Curator.member)
    .outerjoin(Member, and_(col(Member.workspace_id) == Workspace.id, col(Member.id) == bindparam("member")))
    .outerjoin(
        Curator, and_(col(Curator.workspace_id) == Workspace.id, col(Curator.member) == bindparam("member"))
    )
    .where(Workspace.id == bindparam("workspace"))
)
_TEAM_IDS = select(TeamMember.team_id).where(
    TeamMember.workspace_id == bindparam("workspace"),
    TeamMember.member == bindparam("member"),
    col(TeamMember.left_at).is_(None),
)
_TEAM_SLUGS = select(Team.slug).where(Team.workspace_id == bindparam("workspace")).order_by(col(Team.slug))


def _participant() -> Any:
    """The person may be unknown: then what Slack would say of them is False."""
    workspace: Any = bindparam("workspace")
    person: Any = bindparam("member")
    in_team = select_rows(col(TeamMember.id)).where(
        col(TeamMember.workspace_id) == workspace,
        col(TeamMember.member) == person,
        col(TeamMember.left_at).is_(None),
    )
    owns = select_rows(col(Playbook.id)).where(
        col(Playbook.workspace_id) == workspace, col(Playbook.owner) == person
    )
    flags = (Member.is_bot, Member.deleted, Member.is_stranger, Member.is_guest)
    return (
        select_rows(
            col(Workspace.guests_allowed),
            and_(col(Member.is_stranger).is_not(None), col(Member.name) != ""),
            *(func.coalesce(col(flag), False) for flag in flags),
            in_team.exists(),
            or_(col(Curator.member).is_not(None), owns.exists()),
        )
        .select_from(Workspace)
        .outerjoin(Member, and_(col(Member.workspace_id) == Workspace.id, col(Member.id) == person))
        .outerjoin(Curator, and_(col(Curator.workspace_id) == Workspace.id, col(Curator.member) == person))
        .where(col(Workspace.id) == workspace)
    )


_PARTICIPANT: Final = _participant()


def participant(uow: UnitOfWork, *, member_id: str) -> Participant | None:
    """What decides whether a person takes part; None in a workspace the bot doesn't know."""
    row = (
        connection_of(uow.session)
        .execute(_PARTICIPANT, {"workspace": uow.workspace_id, "member": member_id})
        .first()
    )
    return Participant(*(bool(one) for one in row)) if row is not None else None


def standing(uow: UnitOfWork, *, member_id: str) -> Standing | None:
    """Where a person stands, whoever they are; None in a workspace the bot doesn't know."""
    found = uow.session.exec(_STANDING, params={"workspace": uow.workspace_id, "member": member_id}).first()
    if found is None:
        return None
    workspace, zone, curator = found
    return Standing(workspace, zone, curator is not None)


def team_slugs(uow: UnitOfWork) -> list[str]:
    """The slugs of all teams, in order."""
    return list(uow.session.exec(_TEAM_SLUGS, params={"workspace": uow.workspace_id}))


def team_ids(uow: UnitOfWork, *, member_id: str) -> set[int]:
    """The ids of the teams a person is in now."""
    return set(uow.session.exec(_TEAM_IDS, params={"workspace": uow.workspace_id, "member": member_id}))


def curators(uow: UnitOfWork) -> list[str]:
    """Member IDs of the workspace's curators."""
    query = (
        select(Curator.member).where(Curator.workspace_id == uow.workspace_id).order_by(col(Curator.member))
    )
    return list(uow.session.exec(query))


def set_curators(uow: UnitOfWork, *, members: Iterable[str]) -> None:
    """Make exactly these members the curators."""
    wanted = set(members)
    query = select(Curator).where(Curator.workspace_id == uow.workspace_id)
    known = {row.member: row for row in uow.session.exec(query)}
    for gone in known.keys() - wanted:
        uow.session.delete(known[gone])
    for new in wanted - known.keys():
        uow.session.add(Curator(workspace_id=uow.workspace_id, member=new, since=uow.now))


def member(uow: UnitOfWork, *, member_id: str) -> Member | None:
    """What is known of one person."""
    return uow.session.get(Member, (uow.workspace_id, member_id))


def members(uow: UnitOfWork, *, member_ids: Iterable[str]) -> dict[str, Member]:
    """What is known of several people, by ID."""
    found: dict[str, Member] = {}
    wanted = sorted(set(member_ids))
    for start in range(0, len(wanted), 500):
        query = select(Member).where(
            Member.workspace_id == uow.workspace_id, col(Member.id).in_(wanted[start : start + 500])
        )
        found.update({row.id: row for row in uow.session.exec(query)})
    return found


def without_part(uow: UnitOfWork, *, member_ids: Iterable[str]) -> set[str]:
    """Those of some people who are asked nothing, even in a team: see `takes_no_part`."""
    found: set[str] = set()
    wanted = sorted(set(member_ids))
    for start in range(0, len(wanted), 500):
        query = select(Member.id).where(
            Member.workspace_id == uow.workspace_id,
            col(Member.id).in_(wanted[start : start + 500]),
            takes_no_part(uow.workspace_id),
        )
        found.update(uow.session.exec(query))
    return found


def team_by_slug(uow: UnitOfWork, *, slug: str) -> Team | None:
    """One team."""
    return uow.session.exec(
        select(Team).where(Team.workspace_id == uow.workspace_id, Team.slug == slug)
    ).first()


def team_by_channel(uow: UnitOfWork, *, channel: str) -> Team | None:
    """The team a channel belongs to."""
    query = select(Team).where(Team.workspace_id == uow.workspace_id, Team.channel == channel)
    return uow.session.exec(query).first()


def team_by_id(uow: UnitOfWork, *, team_id: int) -> Team | None:
    """One team, by its row."""
    return uow.session.exec(
        select(Team).where(Team.workspace_id == uow.workspace_id, Team.id == team_id)
    ).first()


def teams(uow: UnitOfWork) -> list[Team]:
    """All teams, by slug."""
    query = select(Team).where(Team.workspace_id == uow.workspace_id).order_by(col(Team.slug))
    return list(uow.session.exec(query))


def teams_of(uow: UnitOfWork, *, member_id: str) -> list[Team]:
    """The teams a person is in now."""
    query = (
        select(Team)
        .join(TeamMember, col(TeamMember.team_id) == col(Team.id))
        .where(
            TeamMember.workspace_id == uow.workspace_id,
            TeamMember.member == member_id,
            col(TeamMember.left_at).is_(None),
        )
        .order_by(col(Team.slug))
    )
    return list(uow.session.exec(query))


def memberships(uow: UnitOfWork, *, team_ids: Sequence[int], current: bool = True) -> list[TeamMember]:
    """Who is (or, with `current=False`, ever was) in these teams."""
    query = select(TeamMember).where(
        TeamMember.workspace_id == uow.workspace_id, col(TeamMember.team_id).in_(team_ids)
    )
    if current:
        query = query.where(col(TeamMember.left_at).is_(None))
    return list(uow.session.exec(query.order_by(col(TeamMember.id))))


def set_members(
    uow: UnitOfWork, *, team_id: int, members: Iterable[str], self_joined: str | None = None
) -> tuple[set[str], set[str]]:
    """Make exactly these people the team's members; returns who joined and who left.

    Args:
        self_joined: the one of them who joins by themselves, if any.
    """
    wanted = set(members)
    rows = {row.member: row for row in memberships(uow, team_ids=[team_id])}
    joined, left = wanted - rows.keys(), rows.keys() - wanted
    for gone in left:
        rows[gone].left_at = uow.now
        uow.session.add(rows[gone])
    for new in sorted(joined):
        uow.session.add(
            TeamMember(
                workspace_id=uow.workspace_id,
                team_id=team_id,
                member=new,
                joined_at=uow.now,
                self_joined=new == self_joined,
            )
        )
    return joined, left


def join_request(uow: UnitOfWork, *, request_id: int, lock: bool = False) -> JoinRequest | None:
    """A request to join a team; with `lock`, no other transaction decides it meanwhile."""
    query = select(JoinRequest).where(
        JoinRequest.workspace_id == uow.workspace_id, JoinRequest.id == request_id
    )
    return uow.session.exec(query.with_for_update() if lock else query).first()


def open_join_requests(uow: UnitOfWork, *, team_id: int, members: Iterable[str]) -> list[JoinRequest]:
    """The requests of these people to join a team that nobody has decided yet."""
    query = select(JoinRequest).where(
        JoinRequest.workspace_id == uow.workspace_id,
        JoinRequest.team_id == team_id,
        JoinRequest.state == JoinState.OPEN,
        col(JoinRequest.member).in_(sorted(set(members))),
    )
    return list(uow.session.exec(query.order_by(col(JoinRequest.id))))


def able(uow: UnitOfWork, *, member_ids: Iterable[str]) -> list[str]:
    """Those of some people who aren't known to take no part, in their order."""
    wanted = list(dict.fromkeys(member_ids))
    gone = without_part(uow, member_ids=wanted)
    return [one for one in wanted if one not in gone]


def owners_of(uow: UnitOfWork, *, team_id: int) -> list[str]:
    """Who owns the playbooks that a team runs."""
    query = (
        select(Playbook.owner)
        .join(Adoption, col(Adoption.playbook_id) == col(Playbook.id))
        .where(
            Adoption.workspace_id == uow.workspace_id,
            Adoption.team_id == team_id,
            Adoption.state != AdoptionState.ENDED,
        )
        .order_by(col(Playbook.owner))
        .distinct()
    )
    return list(uow.session.exec(query))


def away_between(
    uow: UnitOfWork,
    *,
    first: date,
    last: date,
    member_ids: Iterable[str] | None = None,
    as_of: datetime | None = None,
) -> list[Away]:
    """Days away that overlap a range and still stand, or stood at an instant."""
    query = select(Away).where(
        Away.workspace_id == uow.workspace_id, Away.first_day <= last, Away.last_day >= first
    )
    if as_of is None:
        query = query.where(col(Away.ended_at).is_(None))
    else:
        stood = or_(col(Away.ended_at).is_(None), col(Away.ended_at) > as_of)
        query = query.where(Away.set_at <= as_of, stood)
    if member_ids is not None:
        query = query.where(col(Away.member).in_(sorted(set(member_ids))))
    return list(uow.session.exec(query))


def away_taken_back(uow: UnitOfWork, *, set_by: str, member_ids: Iterable[str]) -> list[Away]:
    """Days away that were taken back, of those whose setter's name begins so and goes on."""
    query = select(Away).where(
        Away.workspace_id == uow.workspace_id,
        col(Away.ended_at).is_not(None),
        col(Away.set_by).startswith(f"{set_by} "),
        col(Away.member).in_(sorted(set(member_ids))),
    )
    return list(uow.session.exec(query))


def end_away(uow: UnitOfWork, *, member_id: str, today: date) -> int:
    """Take back a person's days away from today on; returns how many ranges that were.

    The days before today stay: as a range of their own, so that what was said before can still be read.
    """
    rows = away_between(uow, first=today, last=date.max, member_ids=[member_id])
    for row in rows:
        row.ended_at = uow.now
        uow.session.add(row)
        if row.first_day < today:
            uow.session.add(
                Away(
                    workspace_id=uow.workspace_id,
                    member=member_id,
                    first_day=row.first_day,
                    last_day=today - timedelta(days=1),
                    set_by=row.set_by,
                    set_at=uow.now,
                )
            )
    uow.session.flush()
    return len(rows)


def _remembering(build: Any) -> Any:
    insert = build(Member).values(
        workspace_id=bindparam("workspace"),
        id=bindparam("member"),
        dm_channel=bindparam("dm"),
        seen_at=bindparam("at"),
    )
    return insert.on_conflict_do_update(
        index_elements=["workspace_id", "id"], set_={"dm_channel": insert.excluded.dm_channel}
    )


_REMEMBER: Final = {"sqlite": _remembering(sqlite.insert), "postgresql": _remembering(postgresql.insert)}


def remember_dm(uow: UnitOfWork, *, member_id: str, channel: str) -> None:
    """Keep the DM channel of a person, so that it is looked up once; whoever isn't known yet is from now on."""
    connection = connection_of(uow.session)
    given = {"workspace": uow.workspace_id, "member": member_id, "dm": channel, "at": uow.now}
    connection.execute(_REMEMBER[connection.dialect.name], given)


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


def known_to(uow: UnitOfWork, *, member_id: str, everywhere: bool = False) -> Known:
    """Where a person is, and all playbooks by their names: whether teams of theirs run them.

    For curators, and for whoever looks `everywhere`, any team counts.
    """
    asked = {"workspace": uow.workspace_id, "member": member_id, "everywhere": everywhere}
    rows = connection_of(uow.session).execute(_KNOWN, asked).all()
    if not rows:
        return Known(None, ())
    named = (Named(row[3], *row[4:]) for row in rows if row[3] is not None)
    return Known(Whereabouts(*rows[0][:3]), tuple(named))
