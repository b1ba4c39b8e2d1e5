"""Queries on people: the workspace, curators, members, teams, days away."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import and_, bindparam, func, or_
from sqlalchemy import select as select_rows
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from storage.engine import connection_of
from storage.streams import takes_no_part
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


def workspace(session: Session, *, workspace_id: str) -> Workspace | None:
    """The workspace, if the bot knows it."""
    return session.get(Workspace, workspace_id)


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


def participant(session: Session, *, workspace_id: str, member_id: str) -> Participant | None:
    """What decides whether a person takes part; None in a workspace the bot doesn't know."""
    row = (
        connection_of(session).execute(_PARTICIPANT, {"workspace": workspace_id, "member": member_id}).first()
    )
    return Participant(*(bool(one) for one in row)) if row is not None else None


def standing(session: Session, *, workspace_id: str, member_id: str) -> Standing | None:
    """Where a person stands, whoever they are; None in a workspace the bot doesn't know."""
    found = session.exec(_STANDING, params={"workspace": workspace_id, "member": member_id}).first()
    if found is None:
        return None
    workspace, zone, curator = found
    return Standing(workspace, zone, curator is not None)


def team_slugs(session: Session, *, workspace_id: str) -> list[str]:
    """The slugs of all teams, in order."""
    return list(session.exec(_TEAM_SLUGS, params={"workspace": workspace_id}))


def team_ids(session: Session, *, workspace_id: str, member_id: str) -> set[int]:
    """The ids of the teams a person is in now."""
    return set(session.exec(_TEAM_IDS, params={"workspace": workspace_id, "member": member_id}))


def curators(session: Session, *, workspace_id: str) -> list[str]:
    """Member IDs of the workspace's curators."""
    query = select(Curator.member).where(Curator.workspace_id == workspace_id).order_by(col(Curator.member))
    return list(session.exec(query))


def set_curators(session: Session, *, workspace_id: str, members: Iterable[str], now: datetime) -> None:
    """Make exactly these members the curators."""
    wanted = set(members)
    query = select(Curator).where(Curator.workspace_id == workspace_id)
    known = {row.member: row for row in session.exec(query)}
    for gone in known.keys() - wanted:
        session.delete(known[gone])
    for new in wanted - known.keys():
        session.add(Curator(workspace_id=workspace_id, member=new, since=now))


def member(session: Session, *, workspace_id: str, member_id: str) -> Member | None:
    """What is known of one person."""
    return session.get(Member, (workspace_id, member_id))


def members(session: Session, *, workspace_id: str, member_ids: Iterable[str]) -> dict[str, Member]:
    """What is known of several people, by ID."""
    found: dict[str, Member] = {}
    wanted = sorted(set(member_ids))
    for start in range(0, len(wanted), 500):
        query = select(Member).where(
            Member.workspace_id == workspace_id, col(Member.id).in_(wanted[start : start + 500])
        )
        found.update({row.id: row for row in session.exec(query)})
    return found


def without_part(session: Session, *, workspace_id: str, member_ids: Iterable[str]) -> set[str]:
    """Those of some people who are asked nothing, even in a team: see `takes_no_part`."""
    found: set[str] = set()
    wanted = sorted(set(member_ids))
    for start in range(0, len(wanted), 500):
        query = select(Member.id).where(
            Member.workspace_id == workspace_id,
            col(Member.id).in_(wanted[start : start + 500]),
            takes_no_part(workspace_id),
        )
        found.update(session.exec(query))
    return found


def team_by_slug(session: Session, *, workspace_id: str, slug: str) -> Team | None:
    """One team."""
    return session.exec(select(Team).where(Team.workspace_id == workspace_id, Team.slug == slug)).first()


def team_by_channel(session: Session, *, workspace_id: str, channel: str) -> Team | None:
    """The team a channel belongs to."""
    query = select(Team).where(Team.workspace_id == workspace_id, Team.channel == channel)
    return session.exec(query).first()


def team_by_id(session: Session, *, workspace_id: str, team_id: int) -> Team | None:
    """One team, by its row."""
    return session.exec(select(Team).where(Team.workspace_id == workspace_id, Team.id == team_id)).first()


def teams(session: Session, *, workspace_id: str) -> list[Team]:
    """All teams, by slug."""
    query = select(Team).where(Team.workspace_id == workspace_id).order_by(col(Team.slug))
    return list(session.exec(query))


def teams_of(session: Session, *, workspace_id: str, member_id: str) -> list[Team]:
    """The teams a person is in now."""
    query = (
        select(Team)
        .join(TeamMember, col(TeamMember.team_id) == col(Team.id))
        .where(
            TeamMember.workspace_id == workspace_id,
            TeamMember.member == member_id,
            col(TeamMember.left_at).is_(None),
        )
        .order_by(col(Team.slug))
    )
    return list(session.exec(query))


def memberships(
    session: Session, *, workspace_id: str, team_ids: Sequence[int], current: bool = True
) -> list[TeamMember]:
    """Who is (or, with `current=False`, ever was) in these teams."""
    query = select(TeamMember).where(
        TeamMember.workspace_id == workspace_id, col(TeamMember.team_id).in_(team_ids)
    )
    if current:
        query = query.where(col(TeamMember.left_at).is_(None))
    return list(session.exec(query.order_by(col(TeamMember.id))))


def set_members(
    session: Session,
    *,
    workspace_id: str,
    team_id: int,
    members: Iterable[str],
    self_joined: str | None = None,
    now: datetime,
) -> tuple[set[str], set[str]]:
    """Make exactly these people the team's members; returns who joined and who left.

    Args:
        self_joined: the one of them who joins by themselves, if any.
    """
    wanted = set(members)
    rows = {row.member: row for row in memberships(session, workspace_id=workspace_id, team_ids=[team_id])}
    joined, left = wanted - rows.keys(), rows.keys() - wanted
    for gone in left:
        rows[gone].left_at = now
        session.add(rows[gone])
    for new in sorted(joined):
        session.add(
            TeamMember(
                workspace_id=workspace_id,
                team_id=team_id,
                member=new,
                joined_at=now,
                self_joined=new == self_joined,
            )
        )
    return joined, left


def join_request(
    session: Session, *, workspace_id: str, request_id: int, lock: bool = False
) -> JoinRequest | None:
    """A request to join a team; with `lock`, no other transaction decides it meanwhile."""
    query = select(JoinRequest).where(JoinRequest.workspace_id == workspace_id, JoinRequest.id == request_id)
    return session.exec(query.with_for_update() if lock else query).first()


def open_join_requests(
    session: Session, *, workspace_id: str, team_id: int, members: Iterable[str]
) -> list[JoinRequest]:
    """The requests of these people to join a team that nobody has decided yet."""
    query = select(JoinRequest).where(
        JoinRequest.workspace_id == workspace_id,
        JoinRequest.team_id == team_id,
        JoinRequest.state == JoinState.OPEN,
        col(JoinRequest.member).in_(sorted(set(members))),
    )
    return list(session.exec(query.order_by(col(JoinRequest.id))))


def able(session: Session, *, workspace_id: str, member_ids: Iterable[str]) -> list[str]:
    """Those of some people who aren't known to take no part, in their order."""
    wanted = list(dict.fromkeys(member_ids))
    gone = without_part(session, workspace_id=workspace_id, member_ids=wanted)
    return [one for one in wanted if one not in gone]


def owners_of(session: Session, *, workspace_id: str, team_id: int) -> list[str]:
    """Who owns the playbooks that a team runs."""
    query = (
        select(Playbook.owner)
        .join(Adoption, col(Adoption.playbook_id) == col(Playbook.id))
        .where(
            Adoption.workspace_id == workspace_id,
            Adoption.team_id == team_id,
            Adoption.state != AdoptionState.ENDED,
        )
        .order_by(col(Playbook.owner))
        .distinct()
    )
    return list(session.exec(query))


def away_between(
    session: Session,
    *,
    workspace_id: str,
    first: date,
    last: date,
    member_ids: Iterable[str] | None = None,
    as_of: datetime | None = None,
) -> list[Away]:
    """Days away that overlap a range and still stand, or stood at an instant."""
    query = select(Away).where(
        Away.workspace_id == workspace_id, Away.first_day <= last, Away.last_day >= first
    )
    if as_of is None:
        query = query.where(col(Away.ended_at).is_(None))
    else:
        stood = or_(col(Away.ended_at).is_(None), col(Away.ended_at) > as_of)
        query = query.where(Away.set_at <= as_of, stood)
    if member_ids is not None:
        query = query.where(col(Away.member).in_(sorted(set(member_ids))))
    return list(session.exec(query))


def away_taken_back(
    session: Session, *, workspace_id: str, set_by: str, member_ids: Iterable[str]
) -> list[Away]:
    """Days away that were taken back, of those whose setter's name begins so and goes on."""
    query = select(Away).where(
        Away.workspace_id == workspace_id,
        col(Away.ended_at).is_not(None),
        col(Away.set_by).startswith(f"{set_by} "),
        col(Away.member).in_(sorted(set(member_ids))),
    )
    return list(session.exec(query))


def end_away(session: Session, *, workspace_id: str, member_id: str, today: date, now: datetime) -> int:
    """Take back a person's days away from today on; returns how many ranges that were.

    The days before today stay: as a range of their own, so that what was said before can still be read.
    """
    rows = away_between(
        session, workspace_id=workspace_id, first=today, last=date.max, member_ids=[member_id]
    )
    for row in rows:
        row.ended_at = now
        session.add(row)
        if row.first_day < today:
            session.add(
                Away(
                    workspace_id=workspace_id,
                    member=member_id,
                    first_day=row.first_day,
                    last_day=today - timedelta(days=1),
                    set_by=row.set_by,
                    set_at=now,
                )
            )
    session.flush()
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


def remember_dm(session: Session, *, workspace_id: str, member_id: str, channel: str, now: datetime) -> None:
    """Keep the DM channel of a person, so that it is looked up once; whoever isn't known yet is from now on."""
    connection = connection_of(session)
    given = {"workspace": workspace_id, "member": member_id, "dm": channel, "at": now}
    connection.execute(_REMEMBER[connection.dialect.name], given)
