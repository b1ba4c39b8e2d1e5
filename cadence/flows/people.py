"""What a person asks for themselves: days away, no reminders."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.flows.callers import Caller, is_curator
from cadence.flows.coming_back import open_runs as owed_runs
from cadence.flows.coming_back import owe_missed_checkin
from cadence.flows.days_off import public_holidays
from cadence.flows.noting import note
from cadence.flows.repeats import once
from cadence.flows.runs import TeamRun, require_workspace, visible_runs
from cadence.mrkdwn import mention, say
from cadence.nudges import Person
from cadence.refusals import NotAllowed, Refusal
from cadence.rules.calendar import local_day, monday_of
from storage import ledger, people
from storage.engine import Database
from storage.ledger import Owed
from storage.tables import Away, Member, Workspace
from templates.contexts.answers import AwaySet, Muted

MENTIONED = re.compile(r"<@([UW][A-Z0-9]+)>")
LONGEST_AWAY = timedelta(days=366)


def zone_of(session: Session, workspace: Workspace, member: str) -> ZoneInfo:
    """A person's zone: Slack's, else their team's, else the workspace's."""
    row = people.member(session, workspace_id=workspace.id, member_id=member)
    if row is not None and row.timezone:
        return ZoneInfo(row.timezone)
    teams = people.teams_of(session, workspace_id=workspace.id, member_id=member)
    return ZoneInfo(teams[0].timezone if teams else workspace.timezone)


def person_of(session: Session, workspace: Workspace, member: str, *, now: datetime) -> Person:
    """Somebody as they can be nudged in the days to come: their zone, public holidays and days away."""
    zone = zone_of(session, workspace, member)
    today = local_day(now, zone)
    away = people.away_between(
        session,
        workspace_id=workspace.id,
        first=today,
        last=today + timedelta(days=7),
        member_ids=[member],
    )
    teams = people.teams_of(session, workspace_id=workspace.id, member_id=member)
    country = teams[0].country if teams and teams[0].country else workspace.country
    return Person(
        member=member,
        zone=zone,
        days_off=public_holidays(country, today.year, today.year + 1),
        away=tuple((row.first_day, row.last_day) for row in away),
    )


def reader_of(session: Session, workspace: Workspace, recipient: str, *, now: datetime) -> Person:
    """Who reads a message: a person, or a channel with its team's hours (the workspace's if it has no team)."""
    if recipient.startswith(("U", "W")):
        return person_of(session, workspace, recipient, now=now)
    team = people.team_by_channel(session, workspace_id=workspace.id, channel=recipient)
    zone = ZoneInfo(team.timezone if team else workspace.timezone)
    country = (team.country if team else None) or workspace.country
    year = local_day(now, zone).year
    return Person(recipient, zone, public_holidays(country, year - 1, year + 1))


def today_of(db: Database, caller: Caller, *, now: datetime) -> date:
    """The caller's local date."""
    with db.read() as session:
        workspace = people.workspace(session, workspace_id=caller.workspace_id)
        if workspace is None:
            return now.date()
        return local_day(now, zone_of(session, workspace, caller.member))


def named(db: Database, caller: Caller, text: str) -> str:
    """A sentence for where Slack shows no mentions, such as a form's error: names in place of `<@U…>`."""
    ids = set(MENTIONED.findall(text))
    if not ids:
        return text
    with db.read() as session:
        known = people.members(session, workspace_id=caller.workspace_id, member_ids=ids)
    return MENTIONED.sub(lambda found: (known[found[1]].name if found[1] in known else "") or found[1], text)


@once
def set_away(
    db: Database, caller: Caller, *, members: Sequence[str], first: date, last: date, now: datetime
) -> AwaySet:
    """Nobody is nudged while away; owners and curators may say it for people of their teams.

    Raises:
        Refusal: an end before the start, days that are over, a range longer than a year.
        NotAllowed: it is for somebody the caller isn't responsible for.
    """
    if last < first:
        raise Refusal("The last day is before the first one; turn them round.", field="until")
    if last - first > LONGEST_AWAY:
        raise Refusal("That is longer than a year; leave the team instead with `/cadence team leave`.")
    with db.write() as session:
        workspace = require_workspace(session, caller.workspace_id)
        for who in members:
            _require_may_mark(session, caller, who, now=now)
            if last < monday_of(local_day(now, zone_of(session, workspace, who))) - timedelta(weeks=1):
                raise Refusal("Those days are long over; give days to come.", field="until")
            if _is_known(session, workspace.id, who, first, last):
                continue
            session.add(
                Away(
                    workspace_id=workspace.id,
                    member=who,
                    first_day=first,
                    last_day=last,
                    set_by=caller.member,
                    set_at=now,
                )
            )
            record(session, caller, "away", who, {"from": str(first), "until": str(last)}, now=now)
            if who != caller.member:
                _tell(session, caller, workspace, who, first=first, last=last, now=now)
        others = tuple(who for who in members if who != caller.member)
        return AwaySet(since=first, until=last, members=others)


def _tell(
    session: Session,
    caller: Caller,
    workspace: Workspace,
    who: str,
    *,
    first: date,
    last: date,
    now: datetime,
) -> None:
    """Somebody else set them away: they hear of it by day, away or not, and can take it back."""
    ledger.owe(
        session,
        workspace_id=workspace.id,
        owed=[
            Owed(
                key=f"set-away:{workspace.id}:{who}:{first}:{last}:{caller.request}"[:255],
                kind="set-away",
                recipient=who,
                subject={"by": caller.member, "from": first.isoformat(), "until": last.isoformat()},
                due_at=now,
            )
        ],
        now=now,
        correlation_id=caller.request,
    )


def _is_known(session: Session, workspace_id: str, who: str, first: date, last: date) -> bool:
    """Whether just these days were said before: a second click changes nothing."""
    rows = people.away_between(session, workspace_id=workspace_id, first=first, last=last, member_ids=[who])
    return any((row.first_day, row.last_day) == (first, last) for row in rows)


@once
def end_away(db: Database, caller: Caller, *, member: str | None, now: datetime) -> AwaySet:
    """Back again: take back the days away that aren't over."""
    who = member or caller.member
    with db.write() as session:
        workspace = require_workspace(session, caller.workspace_id)
        _require_may_mark(session, caller, who, now=now)
        today = local_day(now, zone_of(session, workspace, who))
        ended = people.end_away(session, workspace_id=workspace.id, member_id=who, today=today, now=now)
        owe_missed_checkin(session, workspace, who, now=now, correlation_id=caller.request)
        if ended:
            record(session, caller, "back", who, {"from": str(today)}, now=now)
        return AwaySet(since=today, until=today, cleared=True, members=() if who == caller.member else (who,))


def _require_may_mark(session: Session, caller: Caller, who: str, *, now: datetime) -> None:
    if who == caller.member or is_curator(session, caller):
        return
    teams = {
        run.team.id for run in visible_runs(session, caller, now=now) if run.playbook.owner == caller.member
    }
    theirs = people.teams_of(session, workspace_id=caller.workspace_id, member_id=who)
    if not any(team.id in teams for team in theirs):
        raise NotAllowed(
            say("Only {who}, an owner of their playbooks or a curator may say that.", who=mention(who))
        )


@once
def mute(db: Database, caller: Caller, *, muted: bool, now: datetime) -> Muted:
    """Stop (or bring back) reminders; the check-in itself stays."""
    with db.write() as session:
        row = people.member(session, workspace_id=caller.workspace_id, member_id=caller.member)
        if row is None:
            row = Member(workspace_id=caller.workspace_id, id=caller.member, seen_at=now)
        changed, row.muted = row.muted != muted, muted
        session.add(row)
        if changed:
            record(session, caller, "muted" if muted else "unmuted", caller.member, None, now=now)
        return Muted(muted=muted)


def open_runs(session: Session, caller: Caller, *, week_start: date, now: datetime) -> list[TeamRun]:
    """The runs whose check-in the caller still owes for a week."""
    return owed_runs(
        session, workspace_id=caller.workspace_id, member=caller.member, week_start=week_start, now=now
    )


def record(
    session: Session,
    caller: Caller,
    action: str,
    who: str,
    after: Mapping[str, object] | None,
    *,
    now: datetime,
) -> None:
    """What somebody set for themselves, or for another, in the trail."""
    note(
        session,
        caller,
        action=action,
        subject=f"member:{who}",
        after=after,
        now=now,
    )
