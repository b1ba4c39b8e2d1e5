"""The workspace's own row, and what Slack says of the people in it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cadence.flows.installing import go_on
from cadence.flows.runs import require_workspace
from cadence.flows.statuses import Status, follow
from storage import people, trail
from storage.engine import Database
from storage.tables import Member, Workspace


@dataclass(frozen=True, slots=True)
class Profile:
    """What Slack says of a person; `timezone` is None on servers that don't know it.

    `homes` are the workspaces they belong to; none when the server doesn't say.
    """

    member: str
    name: str
    timezone: str | None = None
    is_admin: bool = False
    is_bot: bool = False
    is_guest: bool = False
    is_stranger: bool = False
    homes: frozenset[str] = frozenset()
    deleted: bool = False
    status: Status = field(default_factory=Status)


def ensure_workspace(db: Database, *, workspace_id: str, name: str, now: datetime) -> None:
    """Make the workspace's row if it isn't there, and keep its name up to date."""
    with db.write() as session:
        row = people.workspace(session, workspace_id=workspace_id)
        if row is None:
            row = Workspace(id=workspace_id, name=name, created_at=now)
        row.name = name or row.name
        session.add(row)


def save_profiles(db: Database, *, workspace_id: str, profiles: Iterable[Profile], now: datetime) -> int:
    """Keep what Slack says of people; a zone that isn't one is left out. Returns how many.

    Whose status says that they are away isn't nudged until it says so no more.
    """
    statuses: dict[str, Status] = {}
    with db.write() as session:
        before: dict[str, object] = {}
        after: dict[str, object] = {}
        for profile in profiles:
            row = people.member(session, workspace_id=workspace_id, member_id=profile.member)
            was = _what_counts(row) if row else None
            if row is None:
                row = Member(workspace_id=workspace_id, id=profile.member, seen_at=now)
            row.name, row.timezone = profile.name, valid_zone(profile.timezone)
            row.is_admin, row.is_bot, row.deleted = profile.is_admin, profile.is_bot, profile.deleted
            row.is_guest, row.is_stranger = profile.is_guest, _is_stranger(profile, workspace_id)
            row.seen_at = now
            session.add(row)
            statuses[profile.member] = Status() if profile.deleted else profile.status
            if _what_counts(row) != was:
                before[row.id], after[row.id] = was, _what_counts(row)
        if after:
            trail.record(
                session,
                workspace_id=workspace_id,
                at=now,
                member=None,
                action="profiles-changed",
                subject=f"workspace:{workspace_id}",
                surface="slack",
                before=before,
                after=after,
            )
        follow(session, require_workspace(session, workspace_id), statuses, now=now)
    return len(statuses)


def _is_stranger(profile: Profile, workspace_id: str) -> bool:
    """Whether a person belongs to another workspace, as people in a Slack Connect channel do."""
    return profile.is_stranger or bool(profile.homes and workspace_id not in profile.homes)


def _what_counts(row: Member) -> dict[str, object]:
    """What decides when somebody is nudged, and whether."""
    return {
        "timezone": row.timezone,
        "deleted": row.deleted,
        "bot": row.is_bot,
        **({"guest": True} if row.is_guest else {}),
        **({"stranger": True} if row.is_stranger else {}),
    }


def remember_address(db: Database, *, workspace_id: str, url: str, bot: str, now: datetime) -> None:
    """Keep the workspace's address, for links to messages, and which member the bot is. It has the bot again."""
    with db.write() as session:
        row = require_workspace(session, workspace_id)
        go_on(session, row, now=now)
        if row.settings.get("url") != url or row.settings.get("bot") != bot:
            row.settings = row.settings | {"url": url, "bot": bot}
            session.add(row)


def workspace_ids(db: Database) -> list[str]:
    """Every workspace of this installation."""
    with db.read() as session:
        return [row.id for row in people.workspaces(session)]


def has_profile(db: Database, *, workspace_id: str, member: str) -> bool:
    """Whether Slack has said yet who a person is, and whether they are a guest or of another workspace."""
    with db.read() as session:
        row = people.member(session, workspace_id=workspace_id, member_id=member)
        return row is not None and bool(row.name) and row.is_stranger is not None


def valid_zone(name: str | None) -> str | None:
    """A zone's name if zoneinfo knows it."""
    try:
        return name if name and ZoneInfo(name) else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, such as `Europe`
        return None


def known_members(db: Database, *, workspace_id: str) -> set[str]:
    """Everyone the bot has something to do with: members of teams, owners, reporters, curators."""
    with db.read() as session:
        teams = people.teams(session, workspace_id=workspace_id)
        rows = people.memberships(
            session, workspace_id=workspace_id, team_ids=[team.id or 0 for team in teams]
        )
        return {
            *(row.member for row in rows),
            *(team.reporter for team in teams if team.reporter),
            *people.curators(session, workspace_id=workspace_id),
        }
