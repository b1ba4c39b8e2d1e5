"""What the week's DMs say: the check-in and its reminder, the number that is missing, who is missing."""

from datetime import datetime, timedelta

from cadence.flows.checkins.copies import closes_at, sent_copies
from cadence.flows.checkins.missed_checkins import nudged_again
from cadence.flows.checkins.rows import checkin_rows, cycle_of_week, week_kpi
from cadence.flows.checkins.snoozing import pending, snooze_menu
from cadence.flows.core import (
    CHECKIN_KINDS,
    Composed,
    Later,
    Say,
    Skip,
    away_members,
    expected_members,
    hours_in,
    is_asked_for,
    key,
    message_link,
    require_workspace,
    run_by_id,
    run_of,
    week_of,
    zone_of,
)
from cadence.nudges import CYCLE_CLOSES, Unless
from cadence.rules.calendar import instant, local_day, monday_of, week_number
from storage.outbox import ledger
from storage.queries import people, reports
from storage.tables import MessageState, OwedMessage
from storage.work import UnitOfWork
from templates.contexts.checkins import (
    CheckinMessage,
    CheckinMoved,
    CheckinReminder,
    KpiMissing,
    WhoIsMissing,
)

BREATHER = timedelta(hours=2)
"""Two messages that ask one person for the same number are at least so far apart."""


def checkin(uow: UnitOfWork, message: OwedMessage) -> Composed:
    """A member's open check-ins."""
    if message.kind in {"checkin", "checkin-snoozed"}:
        moved = _moved(uow, message)
        if moved is not None:
            return moved
    rows = checkin_rows(uow, member=message.recipient, week_start=week_of(message))
    if not rows:
        return Skip(Unless.NOTHING_DUE)
    if all(row.answer for row in rows):
        return Skip(Unless.ANSWERED)
    if all(row.answer or _is_over(uow, message, int(row.adoption_id)) for row in rows):
        return Skip(Unless.CLOSED)
    workspace = require_workspace(uow)
    today = local_day(uow.now, zone_of(uow, workspace, message.recipient))
    return Say(
        CheckinMessage(
            rows=rows,
            last_week=week_of(message) < monday_of(today),
            snoozes=snooze_menu(uow, workspace, message.recipient, week=week_of(message)),
        )
    )


def checkin_context(uow: UnitOfWork, message: OwedMessage) -> CheckinMessage | CheckinMoved:
    """What a check-in that was sent says now: the newest copy has the buttons, the others point to it."""
    workspace, week = require_workspace(uow), week_of(message)
    ids = {"member": message.recipient}
    rows = checkin_rows(uow, **ids, week_start=week)
    if not rows:
        return CheckinMoved(gone=True)
    live = sent_copies(uow, **ids, week=week.isoformat())[-1]
    if live.id != message.id:
        return CheckinMoved(
            playbook=rows[0].playbook if len(rows) == 1 else None,
            week=rows[0].week,
            answered=all(row.answer for row in rows),
            permalink=permalink(workspace.settings, live),
        )
    zone = zone_of(uow, workspace, message.recipient)
    snoozed = pending(uow, **ids).get(week.isoformat())
    return CheckinMessage(
        rows=rows,
        last_week=week < monday_of(local_day(uow.now, zone)),
        snoozes=snooze_menu(uow, workspace, message.recipient, week=week),
        snoozed_until=snoozed.astimezone(zone) if snoozed else None,
        closed=_is_closed(uow, live),
    )


def closed_already(uow: UnitOfWork, message: OwedMessage) -> Unless | None:
    """Why a check-in needn't be closed as its week ends: a newer copy took its place, or all is answered."""
    if message.kind not in CHECKIN_KINDS:
        return None
    ids = {"member": message.recipient}
    if sent_copies(uow, **ids, week=str(message.subject["week"]))[-1].id != message.id:
        return Unless.NEWER_SAID
    rows = checkin_rows(uow, **ids, week_start=week_of(message))
    return Unless.ANSWERED if rows and all(row.answer for row in rows) else None


def _moved(uow: UnitOfWork, message: OwedMessage) -> Skip | None:
    """Why a check-in needn't come now: it was snoozed since, or it came already."""
    ids = (message.workspace_id, message.recipient, week_of(message))
    snoozed = ledger.by_prefix(uow, prefix=key("checkin-snoozed", *ids))[-1:]
    if any(one.id != message.id and one.state is MessageState.DUE for one in snoozed):
        return Skip(Unless.SNOOZED)
    same = ledger.by_prefix(uow, prefix=key("checkin", *ids))
    came = any(one.id != message.id and one.state is MessageState.SENT for one in same)
    return Skip(Unless.ASKED) if message.kind == "checkin" and came else None


def reminder(uow: UnitOfWork, message: OwedMessage) -> Composed:
    """The one reminder of a check-in."""
    workspace = require_workspace(uow)
    member = people.member(uow, member_id=message.recipient)
    if member is not None and member.muted:
        return Skip(Unless.MUTED)
    zone = zone_of(uow, workspace, message.recipient)
    for kind in CHECKIN_KINDS:
        prefix = key(kind, workspace.id, message.recipient, week_of(message))
        for other in ledger.by_prefix(uow, prefix=prefix):
            if other.id == message.id or other.kind == "checkin-reminder":
                continue
            if other.state is MessageState.DUE:
                return Skip(Unless.STILL_TO_COME)
            if other.sent_at and local_day(other.sent_at, zone) == local_day(uow.now, zone):
                return Skip(Unless.CAME_TODAY)
    composed = checkin(uow, message)
    if not isinstance(composed, Say) or not isinstance(composed.context, CheckinMessage):
        return composed
    unanswered = [row for row in composed.context.rows if row.answer is None]
    rows = tuple(row for row in unanswered if not _closed_before(uow, message, int(row.adoption_id)))
    if not rows:
        return Skip(Unless.CLOSED)
    return Say(
        CheckinReminder(
            rows=rows,
            snoozes=composed.context.snoozes,
        )
    )


def _is_over(uow: UnitOfWork, message: OwedMessage, adoption_id: int) -> bool:
    """Whether a week's check-ins aren't asked for any more: its cycle is closed, and its Sunday over."""
    run = run_by_id(uow, adoption_id=adoption_id)
    cycle = cycle_of_week(uow, run, week_of(message))
    return cycle is not None and not is_asked_for(run, cycle)


def _closed_before(uow: UnitOfWork, message: OwedMessage, adoption_id: int) -> bool:
    """Whether the week's cycle was closed before the hour of a nudge, both by the team's clock.

    Who lives far west of their team is nudged after the close by their own clock; theirs still comes.
    """
    run = run_by_id(uow, adoption_id=adoption_id)
    cycle = cycle_of_week(uow, run, week_of(message))
    if cycle is None or cycle.closed_at is None:
        return False
    hours = hours_in(run.workspace, run.adoption)
    nudge, closing = hours[message.kind], hours[CYCLE_CLOSES]
    asked = instant(week_of(message) + timedelta(days=nudge.weekday), nudge.at, run.zone)
    return min(cycle.closed_at, instant(cycle.closes_on, closing.at, run.zone)) <= asked


def permalink(settings: dict[str, object], message: OwedMessage | None) -> str | None:
    """Where a message stands, from the workspace's address as `auth.test` gave it."""
    if message is None or not message.ts or not message.channel or not settings.get("url"):
        return None
    return message_link(settings, workspace_id=message.workspace_id, channel=message.channel, ts=message.ts)


def kpi_missing(uow: UnitOfWork, message: OwedMessage) -> Composed:
    """Ask the reporter for the number that is missing."""
    context = kpi_context(uow, message)
    if context.reported is not None:
        return Skip(Unless.REPORTED)
    if _closed_before(uow, message, int(context.adoption_id)):
        return Skip(Unless.CLOSED)
    asked = _last_asked(uow, message)
    if asked is not None and uow.now < asked + BREATHER:
        return Later(asked + BREATHER)
    return Say(context)


def kpi_context(uow: UnitOfWork, message: OwedMessage) -> KpiMissing:
    """The number that is missing, or what was reported meanwhile."""
    run, week = run_of(uow, message), week_of(message)
    reading = reports.reading(uow, adoption_id=run.id, week_start=week)
    cycle = cycle_of_week(uow, run, week)
    return KpiMissing(
        adoption_id=run.id,
        week_start=week.isoformat(),
        slug=run.playbook.slug,
        playbook=run.playbook.title,
        team=run.team.title,
        week=week_number(cycle.starts_on, week) if cycle else None,
        kpi=week_kpi(uow, run, week_start=week),
        reported=reading.value if reading else None,
        closed=_is_closed(uow, message),
    )


def _is_closed(uow: UnitOfWork, message: OwedMessage) -> bool:
    """Whether the buttons of a message that was sent can't do anything any more."""
    if message.sent_at is None:
        return False
    return uow.now >= closes_at(uow, require_workspace(uow), message)


def _last_asked(uow: UnitOfWork, message: OwedMessage) -> datetime | None:
    """When the recipient's check-in of the week, which asks for the number too, last came."""
    sent = [
        one.sent_at
        for kind in CHECKIN_KINDS
        for one in ledger.by_prefix(
            uow, prefix=key(kind, message.workspace_id, message.recipient, week_of(message))
        )
        if one.sent_at is not None
    ]
    return max(sent, default=None)


def who_is_missing(uow: UnitOfWork, message: OwedMessage) -> Composed:
    """Tell the owner who has not answered, while the cycle still takes answers."""
    if _is_over(uow, message, int(message.subject["adoption"])):
        return Skip(Unless.CLOSED)
    context = missing_context(uow, message)
    return Say(context) if context.missing or context.own else Skip(Unless.ALL_ANSWERED)


def missing_context(uow: UnitOfWork, message: OwedMessage) -> WhoIsMissing:
    """Who has not answered, who is away, and whether they were nudged once more."""
    run, week = run_of(uow, message), week_of(message)
    answered = reports.answered_members(uow, adoption_id=run.id, week_start=week)
    away = away_members(uow, run, week_start=week)
    expected = set(expected_members(uow, run, week_start=week))
    nudged = nudged_again(uow, run, week_start=week)
    cycle = cycle_of_week(uow, run, week)
    return WhoIsMissing(
        adoption_id=run.id,
        week_start=week.isoformat(),
        playbook=run.playbook.title,
        team=run.team.title,
        week=week_number(cycle.starts_on, week) if cycle else None,
        expected=len(expected),
        missing=tuple(sorted(expected - answered - {message.recipient})),
        own=message.recipient in expected - answered,
        closed=_is_closed(uow, message),
        nudged_at=nudged[0].at.astimezone(zone_of(uow, run.workspace, message.recipient)) if nudged else None,
        away=tuple(away),
    )
