"""People's own settings: days away, no reminders."""

from collections.abc import Sequence
from datetime import date, timedelta

from cadence.flows.checkins import send_missed_checkin
from cadence.flows.core import (
    MessageKind,
    Skip,
    ask_offer,
    first_day_at_work,
    is_curator,
    once,
    record,
    require_workspace,
    visible_adoptions,
    zone_of,
)
from cadence.mrkdwn import mention, say
from cadence.nudges import Unless
from cadence.refusals import NotAllowed, Refusal
from cadence.rules.calendar import local_day, monday_of
from storage.outbox.queueing import NewMessage
from storage.queries import absences, people
from storage.tables import Away, Member, OutboxMessage
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.people import AwaySet, BackAgain, Muted

LONGEST_AWAY = timedelta(days=366)


@once
def set_away(
    uow: UnitOfWork, *, members: Sequence[str], first: date, last: date, is_guess: bool = False
) -> AwaySet:
    """Set days away, on which nobody is nudged; owners and curators can set them for people in their teams.

    `is_guess`: only one day was given, which could have meant "until then"; the answer says so.

    Raises:
        Refusal: an end before the start, past days, a range longer than a year. NotAllowed: the caller isn't
        responsible for that person.
    """
    if last < first:
        raise Refusal("The last day is before the first. Swap them.", field="until")
    if last - first > LONGEST_AWAY:
        raise Refusal("That's longer than a year. To leave the team instead, type `/cadence team leave`.")
    with uow.write():
        workspace = require_workspace(uow)
        for who in members:
            _require_may_mark(uow, who)
            if last < monday_of(local_day(uow.now, zone_of(uow, workspace, who))) - timedelta(weeks=1):
                raise Refusal("Those days are in the past. Choose future days.", field="until")
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
                _tell(uow, who, first=first, last=last)
        others = tuple(who for who in members if who != uow.actor.member)
        return AwaySet(since=first, until=last, members=others, is_guess=is_guess)


def _tell(uow: UnitOfWork, who: str, *, first: date, last: date) -> None:
    """Tell a person that somebody else set them away; the message is sent even while they are away, and
    offers to undo it."""
    subject = {"by": uow.actor.member, "from": first.isoformat(), "until": last.isoformat()}
    uow.send(NewMessage(SET_AWAY.name, who, subject, about=(who, first, last, uow.correlation_id)))


def _set_away_post(uow: UnitOfWork, message: OutboxMessage) -> Done | Skip:
    first, last = (date.fromisoformat(message.subject[name]) for name in ("from", "until"))
    if not _is_known(uow, message.recipient, first, last):  # canceled before this could be sent
        return Skip(Unless.CORRECTED)
    days = (
        say("on {day:%A %-d %B}", day=first)
        if first == last
        else say("from {first:%A %-d %B} to {last:%A %-d %B}", first=first, last=last)
    )
    return Done(
        text=say(
            "{who} marked you as away {days}. You won't get nudges then. Back early? Type `/cadence away off`.",
            who=mention(str(message.subject["by"])),
            days=days,
        )
    )


SET_AWAY = MessageKind("set-away", _set_away_post, reaches_the_away=True)


def _is_known(uow: UnitOfWork, who: str, first: date, last: date) -> bool:
    """Whether exactly these days were already set: a second click changes nothing."""
    rows = absences.away_between(uow, first=first, last=last, member_ids=[who])
    return any((row.first_day, row.last_day) == (first, last) for row in rows)


@once
def end_away(uow: UnitOfWork, *, member: str | None) -> BackAgain:
    """End a person's absence; if they aren't away, cancel their upcoming ones.

    Days whose working hours are over stay days away: no check-in could reach them there. The answer says what was
    canceled, and which days away are still to come.
    """
    who = member or uow.actor.member
    with uow.write():
        workspace = require_workspace(uow)
        _require_may_mark(uow, who)
        today = local_day(uow.now, zone_of(uow, workspace, who))
        back = first_day_at_work(uow, workspace, who)
        ended = absences.end_away(uow, member_id=who, today=today, back=back)
        send_missed_checkin(uow, workspace, who)
        if ended:
            record(uow, "back", who, {"from": str(today)})
        ahead = absences.away_between(uow, first=max(today, back), last=date.max, member_ids=[who])
        was_away = any(row.first_day <= today for row in ended)
        return BackAgain(
            member=None if who == uow.actor.member else who,
            was_away=was_away,
            until=max((row.last_day for row in ended), default=None) if was_away else None,
            canceled=() if was_away else tuple((row.first_day, row.last_day) for row in ended),
            ahead=tuple(sorted((row.first_day, row.last_day) for row in ahead)),
        )


def _require_may_mark(uow: UnitOfWork, who: str) -> None:
    if who == uow.actor.member or is_curator(uow):
        return
    teams = {view.team.id for view in visible_adoptions(uow) if view.playbook.owner == uow.actor.member}
    theirs = people.teams_of(uow, member_id=who)
    if not any(team.id in teams for team in theirs):
        raise NotAllowed(
            say(
                "Only {who}, an owner of their playbooks or a curator can set their days away.",
                who=mention(who),
            ),
            offer=ask_offer(uow, to="set a teammate's days away"),
        )


@once
def mute(uow: UnitOfWork, *, muted: bool) -> Muted:
    """Turn reminders off or on; the check-in itself still comes."""
    with uow.write():
        row = people.member(uow, member_id=uow.actor.member)
        if row is None:
            row = Member(workspace_id=uow.actor.workspace_id, id=uow.actor.member, seen_at=uow.now)
        changed, row.muted = row.muted != muted, muted
        uow.session.add(row)
        if changed:
            record(uow, "muted" if muted else "unmuted", uow.actor.member, None)
        return Muted(muted=muted)
