"""What a person asks for themselves: days away, no reminders."""

from collections.abc import Sequence
from datetime import date, timedelta

from cadence.flows.checkins import owe_missed_checkin
from cadence.flows.core import is_curator, once, record, require_workspace, visible_runs, zone_of
from cadence.mrkdwn import mention, say
from cadence.refusals import NotAllowed, Refusal
from cadence.rules.calendar import local_day, monday_of
from storage.outbox import ledger
from storage.outbox.ledger import Owed
from storage.queries import people
from storage.tables import Away, Member, Workspace
from storage.work import UnitOfWork
from templates.contexts.answers import AwaySet, Muted

LONGEST_AWAY = timedelta(days=366)


@once
def set_away(uow: UnitOfWork, *, members: Sequence[str], first: date, last: date) -> AwaySet:
    """Nobody is nudged while away; owners and curators may say it for people of their teams.

    Raises:
        Refusal: an end before the start, days that are over, a range longer than a year.
        NotAllowed: it is for somebody the caller isn't responsible for.
    """
    if last < first:
        raise Refusal("The last day is before the first one; turn them round.", field="until")
    if last - first > LONGEST_AWAY:
        raise Refusal("That is longer than a year; leave the team instead with `/cadence team leave`.")
    with uow.write():
        workspace = require_workspace(uow)
        for who in members:
            _require_may_mark(uow, who)
            if last < monday_of(local_day(uow.now, zone_of(uow, workspace, who))) - timedelta(weeks=1):
                raise Refusal("Those days are long over; give days to come.", field="until")
            if _is_known(uow, who, first, last):
                continue
            uow.session.add(
                Away(
                    workspace_id=workspace.id,
                    member=who,
                    first_day=first,
                    last_day=last,
                    set_by=uow.actor.member,
                    set_at=uow.now,
                )
            )
            record(uow, "away", who, {"from": str(first), "until": str(last)})
            if who != uow.actor.member:
                _tell(uow, workspace, who, first=first, last=last)
        others = tuple(who for who in members if who != uow.actor.member)
        return AwaySet(since=first, until=last, members=others)


def _tell(uow: UnitOfWork, workspace: Workspace, who: str, *, first: date, last: date) -> None:
    """Somebody else set them away: they hear of it by day, away or not, and can take it back."""
    ledger.owe(
        uow,
        owed=[
            Owed(
                key=f"set-away:{workspace.id}:{who}:{first}:{last}:{uow.actor.request}"[:255],
                kind="set-away",
                recipient=who,
                subject={"by": uow.actor.member, "from": first.isoformat(), "until": last.isoformat()},
                due_at=uow.now,
            )
        ],
        correlation_id=uow.actor.request,
    )


def _is_known(uow: UnitOfWork, who: str, first: date, last: date) -> bool:
    """Whether just these days were said before: a second click changes nothing."""
    rows = people.away_between(uow, first=first, last=last, member_ids=[who])
    return any((row.first_day, row.last_day) == (first, last) for row in rows)


@once
def end_away(uow: UnitOfWork, *, member: str | None) -> AwaySet:
    """Back again: take back the days away that aren't over."""
    who = member or uow.actor.member
    with uow.write():
        workspace = require_workspace(uow)
        _require_may_mark(uow, who)
        today = local_day(uow.now, zone_of(uow, workspace, who))
        ended = people.end_away(uow, member_id=who, today=today)
        owe_missed_checkin(uow, workspace, who)
        if ended:
            record(uow, "back", who, {"from": str(today)})
        return AwaySet(
            since=today, until=today, cleared=True, members=() if who == uow.actor.member else (who,)
        )


def _require_may_mark(uow: UnitOfWork, who: str) -> None:
    if who == uow.actor.member or is_curator(uow):
        return
    teams = {run.team.id for run in visible_runs(uow) if run.playbook.owner == uow.actor.member}
    theirs = people.teams_of(uow, member_id=who)
    if not any(team.id in teams for team in theirs):
        raise NotAllowed(
            say("Only {who}, an owner of their playbooks or a curator may say that.", who=mention(who))
        )


@once
def mute(uow: UnitOfWork, *, muted: bool) -> Muted:
    """Stop (or bring back) reminders; the check-in itself stays."""
    with uow.write():
        row = people.member(uow, member_id=uow.actor.member)
        if row is None:
            row = Member(workspace_id=uow.actor.workspace_id, id=uow.actor.member, seen_at=uow.now)
        changed, row.muted = row.muted != muted, muted
        uow.session.add(row)
        if changed:
            record(uow, "muted" if muted else "unmuted", uow.actor.member, None)
        return Muted(muted=muted)
