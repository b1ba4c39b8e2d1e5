"""A Slack status that says away suspends nudges, as if the person had set days away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final
from zlib import crc32
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cadence.flows.checkins import send_missed_checkin
from cadence.flows.core import ask_for_duties, first_day_at_work, require_workspace, zone_of
from cadence.nudges import Unless
from cadence.rules.calendar import local_day
from cadence.rules.statuses import OPEN_END, days_away
from storage.engine import Database
from storage.queries import absences, installations, people, workspaces
from storage.tables import Away, Member, Workspace
from storage.work import UnitOfWork

BY_STATUS: Final = "slack status"
"""The setter of such days away."""
RENEW: Final = timedelta(days=7)
"""A status without an end is extended when its days are nearly over."""


@dataclass(frozen=True, slots=True)
class Status:
    """A person's Slack status; `expires` is unix time, 0 for never."""

    text: str = ""
    emoji: str = ""
    expires: int = 0

    @property
    def mark(self) -> str:
        """The setter of days away, with a checksum of the status; its text isn't stored."""
        said = f"{self.text}|{self.emoji}|{self.expires}"
        return f"{BY_STATUS} {crc32(said.encode()):08x}"


def follow(uow: UnitOfWork, workspace: Workspace, statuses: Mapping[str, Status]) -> None:
    """Update days away from current statuses; days that somebody set by hand are left alone."""
    today = uow.now.date()
    rows = absences.away_rows(
        uow, first=today - timedelta(days=1), last=today + timedelta(days=400), member_ids=statuses
    )
    kept = {row.member: row for row in rows if row.set_by.startswith(BY_STATUS)}
    refused = _taken_back(uow, statuses)
    for member, status in statuses.items():
        if member not in kept and (member in refused or status == Status()):
            continue
        zone = zone_of(uow, workspace, member)
        said = days_away(status.text, status.emoji, status.expires, zone=zone, now=uow.now)
        if _settle(uow, workspace, member, kept.get(member), said, status, zone=zone):
            send_missed_checkin(uow, workspace, member)


def _taken_back(uow: UnitOfWork, statuses: Mapping[str, Status]) -> set[str]:
    """Members whose status days were revoked by hand: that holds while their status stays the same."""
    rows = absences.away_taken_back(uow, set_by=BY_STATUS, member_ids=statuses)
    for row in rows:
        if row.set_by != statuses[row.member].mark:
            row.set_by = BY_STATUS
            uow.session.add(row)
    return {row.member for row in rows if row.set_by != BY_STATUS}


def _settle(
    uow: UnitOfWork,
    workspace: Workspace,
    member: str,
    row: Away | None,
    said: tuple[date, date] | None,
    status: Status,
    *,
    zone: ZoneInfo,
) -> bool:
    """Store a status; True if current or upcoming days away were revoked or shortened.

    Days that are over stay, also today once its working hours are: no check-in could reach them there.
    """
    today = local_day(uow.now, zone)
    if row is not None and row.last_day < today:
        row = None
    if row is not None and said is not None and _same(row, said, status):
        row.set_by = status.mark
        uow.session.add(row)
        return False
    if row is not None:
        back = said[0] if said is not None else first_day_at_work(uow, workspace, member)
        absences.shorten(uow, row, until=back - timedelta(days=1))
        row.set_by = BY_STATUS
        if said is None:
            _record(uow, member, "back", {"from": str(today)})
    if said is None or not people.teams_of(uow, member_id=member):
        return row is not None
    first, last = said
    uow.session.add(
        Away(
            workspace_id=workspace.id,
            member=member,
            first_day=first,
            last_day=last,
            set_by=status.mark,
            set_at=uow.now,
        )
    )
    _record(uow, member, "away", {"from": str(first), "until": str(last)})
    return row is not None and last < row.last_day


def _same(row: Away, said: tuple[date, date], status: Status) -> bool:
    if status.expires:
        return row.last_day == said[1]
    return said[1] - row.last_day < OPEN_END - RENEW


def _record(uow: UnitOfWork, member: str, action: str, after: dict[str, str]) -> None:
    uow.record(action=action, subject=f"member:{member}", after=after, surface=BY_STATUS)


@dataclass(frozen=True, slots=True)
class Profile:
    """Slack's data on a person; `timezone` is None on servers that don't know it.

    `homes` are the workspaces they belong to; empty if the server doesn't say.
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


def ensure_workspace(uow: UnitOfWork, *, name: str) -> None:
    """Create the workspace's row if needed, and update its name."""
    with uow.write():
        row = workspaces.workspace(uow)
        if row is None:
            row = Workspace(id=uow.workspace_id, name=name, created_at=uow.now)
        row.name = name or row.name
        uow.session.add(row)


def save_profiles(uow: UnitOfWork, *, profiles: Sequence[Profile]) -> int:
    """Store Slack's data on people; an invalid zone is left out. Returns how many.

    A person whose status says that they are away isn't nudged until it changes. If a person has left, others
    are asked to take over their duties.
    """
    statuses: dict[str, Status] = {}
    gone: set[str] = set()
    with uow.write():
        before: dict[str, object] = {}
        after: dict[str, object] = {}
        known = people.members(uow, member_ids=[profile.member for profile in profiles])
        for profile in profiles:
            row = known.get(profile.member)
            was = _what_counts(row) if row else None
            if profile.deleted and not (row and row.deleted):
                gone.add(profile.member)
            if row is None:
                row = Member(workspace_id=uow.workspace_id, id=profile.member, seen_at=uow.now)
                known[row.id] = row
            row.name, row.timezone = profile.name, valid_zone(profile.timezone)
            row.is_admin, row.is_bot, row.deleted = profile.is_admin, profile.is_bot, profile.deleted
            row.is_guest, row.is_stranger = profile.is_guest, _is_stranger(profile, uow.workspace_id)
            row.seen_at = uow.now
            uow.session.add(row)
            statuses[profile.member] = Status() if profile.deleted else profile.status
            if _what_counts(row) != was:
                before[row.id], after[row.id] = was, _what_counts(row)
        if after:
            subject = f"workspace:{uow.workspace_id}"
            uow.record(
                action="profiles-changed", subject=subject, before=before, after=after, surface="slack"
            )
        workspace = require_workspace(uow)
        follow(uow, workspace, statuses)
        ask_for_duties(uow, workspace, gone=gone)
    return len(statuses)


def _is_stranger(profile: Profile, workspace_id: str) -> bool:
    """Whether a person belongs to another workspace, as people in a Slack Connect channel do."""
    return profile.is_stranger or bool(profile.homes and workspace_id not in profile.homes)


def _what_counts(row: Member) -> dict[str, object]:
    """The fields that decide when somebody is nudged, and whether."""
    return {
        "timezone": row.timezone,
        "deleted": row.deleted,
        "bot": row.is_bot,
        **({"guest": True} if row.is_guest else {}),
        **({"stranger": True} if row.is_stranger else {}),
    }


def remember_address(uow: UnitOfWork, *, url: str, bot: str) -> None:
    """Store the workspace's address, for links to messages, and the bot's member ID; the bot is installed
    again."""
    with uow.write():
        row = require_workspace(uow)
        go_on(uow, row)
        if row.settings.get("url") != url or row.settings.get("bot") != bot:
            row.settings = row.settings | {"url": url, "bot": bot}
            uow.session.add(row)


def workspace_ids(db: Database) -> list[str]:
    """Every workspace of this installation."""
    with db.read() as session:
        return workspaces.ids(session)


def has_profile(uow: UnitOfWork, *, member: str) -> bool:
    """Whether Slack has described a person, and whether they are a guest or of another workspace."""
    with uow.read():
        row = people.member(uow, member_id=member)
        return row is not None and bool(row.name) and row.is_stranger is not None


def valid_zone(name: str | None) -> str | None:
    """A zone's name if zoneinfo knows it."""
    try:
        return name if name and ZoneInfo(name) else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, such as `Europe`
        return None


def known_members(uow: UnitOfWork) -> set[str]:
    """Everyone the bot deals with: members of teams, owners, reporters, curators."""
    with uow.read():
        teams = people.teams(uow)
        rows = people.memberships(uow, team_ids=[team.id or 0 for team in teams])
        return {
            *(row.member for row in rows),
            *(team.reporter for team in teams if team.reporter),
            *people.curators(uow),
        }


def go_on(uow: UnitOfWork, row: Workspace) -> bool:
    """Resume work in a workspace that had uninstalled the bot; False if it hadn't."""
    if row.uninstalled_at is None:
        return False
    installations.skip_due(uow, reason=Unless.UNINSTALLED.value)
    row.uninstalled_at, row.planned_until = None, uow.now
    uow.session.add(row)
    return True
