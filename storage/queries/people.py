"""Queries on people: curators, members, teams."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Boolean, Select, String, and_, bindparam, func, or_
from sqlalchemy import select as select_rows
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from storage.engine import connection_of
from storage.queries.streams import takes_no_part
from storage.query_cache import cached, forget
from storage.tables import (
    Adoption,
    AdoptionState,
    AnsweredRequest,
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

_WORKSPACES = select(Workspace).where(col(Workspace.uninstalled_at).is_(None)).order_by(col(Workspace.id))


class Participant(NamedTuple):
    """The facts that decide whether a person takes part. `known` is whether Slack has described them.

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


# Statements of the busiest requests are built once: building takes as long as running them.
_TEAM_IDS: Final[Any] = select_rows(col(TeamMember.team_id)).where(
    col(TeamMember.workspace_id) == bindparam("workspace"),
    col(TeamMember.member) == bindparam("member"),
    col(TeamMember.left_at).is_(None),
)
_TEAM_SLUGS: Final[Any] = (
    select_rows(col(Team.slug))
    .where(col(Team.workspace_id) == bindparam("workspace"))
    .order_by(col(Team.slug))
)


def _participant() -> Any:
    """The person may be unknown: then Slack's facts about them are False."""
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


def _asker() -> Any:
    anyone = aliased(Curator)
    before = and_(
        col(AnsweredRequest.workspace_id) == bindparam("workspace"),
        col(AnsweredRequest.member) == bindparam("member"),
        col(AnsweredRequest.request) == bindparam("request"),
    )
    return _PARTICIPANT.add_columns(
        col(Curator.member).is_not(None),
        col(Workspace.timezone),
        col(Member.timezone),
        func.coalesce(col(Member.muted), False),
        func.coalesce(col(Member.is_admin), False),
        select_rows(col(anyone.member)).where(col(anyone.workspace_id) == bindparam("workspace")).exists(),
        col(AnsweredRequest.request).is_not(None),
        col(AnsweredRequest.answer),
    ).outerjoin(AnsweredRequest, before)


_PARTICIPANT: Final = _participant()
_CALLER: Final = _asker()


def participant(uow: UnitOfWork, *, member_id: str) -> Participant | None:
    """The facts that decide whether a person takes part; None in a workspace the bot doesn't know."""
    row = (
        connection_of(uow.session)
        .execute(_PARTICIPANT, {"workspace": uow.workspace_id, "member": member_id})
        .first()
    )
    return Participant(*(bool(one) for one in row)) if row is not None else None


class Caller(NamedTuple):
    """The person behind a request, and whether the request was already answered.

    Args:
        workspace_timezone: the workspace's time zone.
        timezone: the person's time zone, from Slack.
        muted: whether they turned off reminders.
        is_admin: whether they administer the Slack workspace.
        has_curators: whether the workspace has any.
        repeats: whether this request was carried out before; then `answer` is its answer.
    """

    participant: Participant
    is_curator: bool
    workspace_timezone: str
    timezone: str | None
    muted: bool
    is_admin: bool
    has_curators: bool
    repeats: bool
    answer: dict[str, Any] | None


def caller(uow: UnitOfWork) -> Caller | None:
    """The acting person, looked up once per unit of work; None in a workspace the bot doesn't know."""
    who = "caller", uow.workspace_id, uow.actor.member, uow.actor.request
    if who not in uow.facts:
        asked = {"workspace": uow.workspace_id, "member": uow.actor.member, "request": uow.actor.request}
        row = connection_of(uow.session).execute(_CALLER, asked).first()
        uow.facts[who] = row and Caller(
            participant=Participant(*map(bool, row[:8])),
            is_curator=bool(row[8]),
            workspace_timezone=row[9],
            timezone=row[10],
            muted=bool(row[11]),
            is_admin=bool(row[12]),
            has_curators=bool(row[13]),
            repeats=bool(row[14]),
            answer=row[15],
        )
    found: Caller | None = uow.facts[who]
    return found


@cached(Team)
def team_slugs(uow: UnitOfWork) -> list[str]:
    """The slugs of all teams, in order."""
    return list(connection_of(uow.session).execute(_TEAM_SLUGS, {"workspace": uow.workspace_id}).scalars())


@cached(TeamMember)
def team_ids(uow: UnitOfWork, *, member_id: str) -> set[int]:
    """The ids of a person's current teams."""
    asked = {"workspace": uow.workspace_id, "member": member_id}
    return set(connection_of(uow.session).execute(_TEAM_IDS, asked).scalars())


@cached(Curator)
def curators(uow: UnitOfWork) -> list[str]:
    """Member IDs of the workspace's curators."""
    query = (
        select(Curator.member).where(Curator.workspace_id == uow.workspace_id).order_by(col(Curator.member))
    )
    return list(uow.session.exec(query))


def set_curators(uow: UnitOfWork, *, members: Iterable[str]) -> None:
    """Make exactly these members the curators."""
    uow.facts.clear()
    wanted = set(members)
    query = select(Curator).where(Curator.workspace_id == uow.workspace_id)
    known = {row.member: row for row in uow.session.exec(query)}
    for gone in known.keys() - wanted:
        uow.session.delete(known[gone])
    for new in wanted - known.keys():
        uow.session.add(Curator(workspace_id=uow.workspace_id, member=new, since=uow.now))


@cached(Member)
def member(uow: UnitOfWork, *, member_id: str) -> Member | None:
    """One member."""
    return uow.session.exec(_ONE, params={"workspace": uow.workspace_id, "member": member_id}).first()


_ONE: Final = select(Member).where(
    Member.workspace_id == bindparam("workspace"), Member.id == bindparam("member")
)


def members(uow: UnitOfWork, *, member_ids: Iterable[str]) -> dict[str, Member]:
    """Several members, by ID."""
    found: dict[str, Member] = {}
    wanted = sorted(set(member_ids))
    for start in range(0, len(wanted), 500):
        query = select(Member).where(
            Member.workspace_id == uow.workspace_id, col(Member.id).in_(wanted[start : start + 500])
        )
        found.update({row.id: row for row in uow.session.exec(query)})
    return found


@cached(Member, TeamMember, Playbook, Curator, Workspace)
def members_named(uow: UnitOfWork, *, name: str) -> list[str]:
    """The Slack IDs of the people with a name, in any case."""
    query = select(col(Member.id)).where(
        col(Member.workspace_id) == uow.workspace_id, func.lower(col(Member.name)) == name.lower()
    )
    return list(uow.session.exec(query))


def without_part(uow: UnitOfWork, *, member_ids: Iterable[str]) -> set[str]:
    """Those of some people who are asked nothing, even as team members: see `takes_no_part`."""
    found: set[str] = set()
    wanted = sorted(set(member_ids))
    for start in range(0, len(wanted), 500):
        asked = {"workspace": uow.workspace_id, "ids": wanted[start : start + 500]}
        found.update(connection_of(uow.session).execute(_WITHOUT_PART, asked).scalars())
    return found


_WITHOUT_PART: Final[Any] = select_rows(col(Member.id)).where(
    col(Member.workspace_id) == bindparam("workspace"),
    col(Member.id).in_(bindparam("ids", expanding=True)),
    takes_no_part(bindparam("workspace", type_=String())),
)


def team_by_slug(uow: UnitOfWork, *, slug: str) -> Team | None:
    """A team by its slug."""
    return uow.session.exec(
        select(Team).where(Team.workspace_id == uow.workspace_id, Team.slug == slug)
    ).first()


def team_by_channel(uow: UnitOfWork, *, channel: str) -> Team | None:
    """A team by its channel."""
    asked = {"workspace": uow.workspace_id, "channel": channel}
    return uow.session.exec(_BY_CHANNEL, params=asked).first()


_BY_CHANNEL: Final = select(Team).where(
    Team.workspace_id == bindparam("workspace"), Team.channel == bindparam("channel")
)


@cached(Team)
def team_by_id(uow: UnitOfWork, *, team_id: int) -> Team | None:
    """A team by its id."""
    return uow.session.exec(
        select(Team).where(Team.workspace_id == uow.workspace_id, Team.id == team_id)
    ).first()


@cached(Team)
def teams(uow: UnitOfWork) -> list[Team]:
    """All teams, by slug."""
    query = select(Team).where(Team.workspace_id == uow.workspace_id).order_by(col(Team.slug))
    return list(uow.session.exec(query))


@cached(Team, TeamMember)
def teams_of(uow: UnitOfWork, *, member_id: str) -> list[Team]:
    """A person's current teams."""
    asked = {"workspace": uow.workspace_id, "member": member_id}
    return list(uow.session.exec(_TEAMS_OF, params=asked))


_TEAMS_OF = (
    select(Team)
    .join(TeamMember, col(TeamMember.team_id) == col(Team.id))
    .where(
        TeamMember.workspace_id == bindparam("workspace"),
        TeamMember.member == bindparam("member"),
        col(TeamMember.left_at).is_(None),
    )
    .order_by(col(Team.slug))
)


class Reader(NamedTuple):
    """What decides when a person is written to, from Slack and from the first of their current teams.

    Args:
        timezone: their own time zone; None if Slack hasn't said.
        is_gone: whether they have left Slack's workspace.
        takes_part: False for somebody who is asked nothing, even as a team member: see `takes_no_part`.
        muted: whether they turned off reminders.
        team_timezone, country: the team's; None if they are in none.
    """

    timezone: str | None
    is_gone: bool
    takes_part: bool
    muted: bool
    team_timezone: str | None
    country: str | None


@cached(Member, Team, TeamMember, Workspace)
def reader(uow: UnitOfWork, *, member_id: str) -> Reader:
    """The reader of a message; somebody of whom nothing is stored yet takes part."""
    asked = {"workspace": uow.workspace_id, "member": member_id}
    row = connection_of(uow.session).execute(_READER, asked).first()
    if row is None:
        return Reader(None, is_gone=False, takes_part=True, muted=False, team_timezone=None, country=None)
    zone, gone, no_part, muted, team_zone, country = row
    return Reader(zone, bool(gone), not no_part, bool(muted), team_zone, country)


def _reader() -> Any:
    workspace: Any = bindparam("workspace", type_=String())
    first = (
        select_rows(col(Team.id))
        .join(TeamMember, col(TeamMember.team_id) == col(Team.id))
        .where(
            col(TeamMember.workspace_id) == workspace,
            col(TeamMember.member) == bindparam("member"),
            col(TeamMember.left_at).is_(None),
        )
        .order_by(col(Team.slug))
        .limit(1)
        .scalar_subquery()
    )
    return (
        select_rows(
            col(Member.timezone),
            func.coalesce(col(Member.deleted), False),
            takes_no_part(workspace),
            func.coalesce(col(Member.muted), False),
            col(Team.timezone),
            col(Team.country),
        )
        .select_from(Workspace)
        .outerjoin(
            Member, and_(col(Member.workspace_id) == Workspace.id, col(Member.id) == bindparam("member"))
        )
        .outerjoin(Team, col(Team.id) == first)
        .where(col(Workspace.id) == workspace)
    )


_READER: Final = _reader()


@cached(TeamMember)
def memberships(uow: UnitOfWork, *, team_ids: Sequence[int], current: bool = True) -> list[TeamMember]:
    """Current members (or, with `current=False`, all past and current ones) of these teams."""
    asked = {"workspace": uow.workspace_id, "teams": list(team_ids)}
    return list(uow.session.exec(_CURRENT_MEMBERS if current else _ALL_MEMBERS, params=asked))


_ALL_MEMBERS: Final = (
    select(TeamMember)
    .where(
        TeamMember.workspace_id == bindparam("workspace"),
        col(TeamMember.team_id).in_(bindparam("teams", expanding=True)),
    )
    .order_by(col(TeamMember.id))
)
_CURRENT_MEMBERS: Final = _ALL_MEMBERS.where(col(TeamMember.left_at).is_(None))


class Presence(NamedTuple):
    """A current or former team member: from when to when, whether they take part, their own time zone."""

    member: str
    joined_at: datetime
    left_at: datetime | None
    takes_part: bool
    timezone: str | None


@cached(TeamMember, Member, Workspace)
def presences(uow: UnitOfWork, *, team_id: int) -> list[Presence]:
    """All current and former members, in the order in which they joined."""
    rows = connection_of(uow.session).execute(_PRESENCES, {"workspace": uow.workspace_id, "team": team_id})
    return [Presence(*row) for row in rows]


_PRESENCES: Final[Any] = (
    select_rows(
        col(TeamMember.member),
        col(TeamMember.joined_at),
        col(TeamMember.left_at),
        ~takes_no_part(bindparam("workspace", type_=String())),
        col(Member.timezone),
    )
    .outerjoin(
        Member,
        and_(col(Member.workspace_id) == bindparam("workspace"), col(Member.id) == col(TeamMember.member)),
    )
    .where(
        col(TeamMember.workspace_id) == bindparam("workspace"), col(TeamMember.team_id) == bindparam("team")
    )
    .order_by(col(TeamMember.id))
)


def set_members(
    uow: UnitOfWork, *, team_id: int, members: Iterable[str], self_joined: str | None = None
) -> tuple[set[str], set[str]]:
    """Make exactly these people the team's members; returns who joined and who left.

    Args:
        self_joined: the one of them who joined on their own, if any.
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
    if lock:
        forget(uow)
    query = select(JoinRequest).where(
        JoinRequest.workspace_id == uow.workspace_id, JoinRequest.id == request_id
    )
    return uow.session.exec(query.with_for_update() if lock else query).first()


def open_join_requests(uow: UnitOfWork, *, team_id: int, members: Iterable[str]) -> list[JoinRequest]:
    """Undecided requests of these people to join a team."""
    query = select(JoinRequest).where(
        JoinRequest.workspace_id == uow.workspace_id,
        JoinRequest.team_id == team_id,
        JoinRequest.state == JoinState.OPEN,
        col(JoinRequest.member).in_(sorted(set(members))),
    )
    return list(uow.session.exec(query.order_by(col(JoinRequest.id))))


def able(uow: UnitOfWork, *, member_ids: Iterable[str]) -> list[str]:
    """Those of some people who take part, or whose participation is unknown, in their order."""
    wanted = list(dict.fromkeys(member_ids))
    gone = without_part(uow, member_ids=wanted)
    return [one for one in wanted if one not in gone]


def owners_of(uow: UnitOfWork, *, team_id: int) -> list[str]:
    """Owners of the playbooks that a team runs."""
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
    """Save a person's DM channel, so that it is looked up once; adds the person if unknown."""
    connection = connection_of(uow.session)
    given = {"workspace": uow.workspace_id, "member": member_id, "dm": channel, "at": uow.now}
    connection.execute(_REMEMBER[connection.dialect.name], given)


class Named(NamedTuple):
    """The named columns of a playbook's row; `is_run` says whether the people in question run it."""

    id: int
    slug: str
    title: str
    owner: str
    is_run: bool


def _named() -> Select[int | None, str, str, str, bool]:
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
                col(Adoption.team_id).in_(theirs),
            ),
        )
        .correlate(Playbook)
    )
    return (
        select_rows(
            col(Playbook.id), col(Playbook.slug), col(Playbook.title), col(Playbook.owner), running.exists()
        )
        .where(col(Playbook.workspace_id) == bindparam("workspace"))
        .order_by(col(Playbook.slug))
    )


_NAMED = _named()


def named_playbooks(uow: UnitOfWork, *, member_id: str, everywhere: bool = False) -> list[Named]:
    """All playbooks by their names, and whether a person's teams run them.

    Args:
        everywhere: whether any team runs them.
    """
    asked = {"workspace": uow.workspace_id, "member": member_id, "everywhere": everywhere}
    return [Named(row[0] or 0, *row[1:]) for row in connection_of(uow.session).execute(_NAMED, asked)]
