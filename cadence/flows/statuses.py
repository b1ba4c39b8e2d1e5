"""A Slack status that says away suspends nudges, as if the person had said so to the bot."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zlib import crc32
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.flows.coming_back import owe_missed_checkin
from cadence.flows.people import zone_of
from cadence.rules.calendar import local_day
from cadence.rules.statuses import OPEN_END, days_away
from storage import people, trail
from storage.tables import Away, Workspace

BY_STATUS: Final = "slack status"
"""Who set such days away."""
RENEW: Final = timedelta(days=7)
"""A status without an end is carried on when its days are nearly over."""


@dataclass(frozen=True, slots=True)
class Status:
    """A person's Slack status; `expires` is unix time, 0 for never."""

    text: str = ""
    emoji: str = ""
    expires: int = 0

    @property
    def mark(self) -> str:
        """Who set days away, with a checksum that tells this status from another; what it says isn't kept."""
        said = f"{self.text}|{self.emoji}|{self.expires}"
        return f"{BY_STATUS} {crc32(said.encode()):08x}"


def follow(session: Session, workspace: Workspace, statuses: Mapping[str, Status], *, now: datetime) -> None:
    """Keep days away in step with what statuses say now; days that somebody set by hand are left alone."""
    today = now.date()
    rows = people.away_between(
        session,
        workspace_id=workspace.id,
        first=today - timedelta(days=1),
        last=today + timedelta(days=400),
        member_ids=statuses,
    )
    kept = {row.member: row for row in rows if row.set_by.startswith(BY_STATUS)}
    refused = _taken_back(session, workspace, statuses)
    for member, status in statuses.items():
        if member in refused and member not in kept:
            continue
        zone = zone_of(session, workspace, member)
        said = days_away(status.text, status.emoji, status.expires, zone=zone, now=now)
        if _settle(session, workspace, member, kept.get(member), said, status, zone=zone, now=now):
            owe_missed_checkin(session, workspace, member, now=now)


def _taken_back(session: Session, workspace: Workspace, statuses: Mapping[str, Status]) -> set[str]:
    """Whose days away were taken back by hand: that holds while their status stays as it was then."""
    rows = people.away_taken_back(session, workspace_id=workspace.id, set_by=BY_STATUS, member_ids=statuses)
    for row in rows:
        if row.set_by != statuses[row.member].mark:
            row.set_by = BY_STATUS
            session.add(row)
    return {row.member for row in rows if row.set_by != BY_STATUS}


def _settle(
    session: Session,
    workspace: Workspace,
    member: str,
    row: Away | None,
    said: tuple[date, date] | None,
    status: Status,
    *,
    zone: ZoneInfo,
    now: datetime,
) -> bool:
    """Write down what a status says now; True when days away that aren't over were taken back or cut short."""
    today = local_day(now, zone)
    if row is not None and row.last_day < today:
        row = None
    if row is not None and said is not None and _same(row, said, status):
        row.set_by = status.mark
        session.add(row)
        return False
    if row is not None:
        row.ended_at, row.set_by = now, BY_STATUS
        session.add(row)
        if said is None:
            _record(session, workspace, member, "back", {"from": str(today)}, now=now)
    if said is None or not people.teams_of(session, workspace_id=workspace.id, member_id=member):
        return row is not None
    first, last = said
    session.add(
        Away(
            workspace_id=workspace.id,
            member=member,
            first_day=first,
            last_day=last,
            set_by=status.mark,
            set_at=now,
        )
    )
    _record(session, workspace, member, "away", {"from": str(first), "until": str(last)}, now=now)
    return row is not None and last < row.last_day


def _same(row: Away, said: tuple[date, date], status: Status) -> bool:
    if status.expires:
        return row.last_day == said[1]
    return said[1] - row.last_day < OPEN_END - RENEW


def _record(
    session: Session, workspace: Workspace, member: str, action: str, after: dict[str, str], *, now: datetime
) -> None:
    trail.record(
        session,
        workspace_id=workspace.id,
        at=now,
        member=None,
        action=action,
        subject=f"member:{member}",
        surface=BY_STATUS,
        after=after,
    )
