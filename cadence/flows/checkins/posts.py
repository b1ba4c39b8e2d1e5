"""The week's DMs: the check-in and its reminder, the missing number, missing members."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cadence.flows.checkins.copies import KPI_MISSING, WHO_IS_MISSING, came, closes_at, sent_copies
from cadence.flows.checkins.differences import RUNS_DIFFER, runs_differ, uncounted
from cadence.flows.checkins.missed_checkins import nudged_again
from cadence.flows.checkins.rows import checkin_rows, has_answered, week_kpi
from cadence.flows.checkins.snoozing import pending, snooze_menu
from cadence.flows.core import (
    CHECKIN_KINDS,
    Later,
    MessageKind,
    Skip,
    adoption_about,
    adoption_by_id,
    away_members,
    checkin_messages,
    cycle_of_week,
    expected_members,
    hours_in,
    is_asked_for,
    message_link,
    reader_of,
    require_workspace,
    shown_week,
    week_of,
    working_days,
    zone_of,
)
from cadence.nudges import CYCLE_CLOSES, Unless, next_open
from cadence.rules.calendar import instant, local_day, monday_of, week_number
from storage.queries import checkins, numbers, people
from storage.tables import MessageState, OutboxMessage
from storage.work import UnitOfWork
from templates.contexts.base import MessageContext
from templates.contexts.checkins import (
    CheckinMessage,
    CheckinMoved,
    CheckinReminder,
    KpiMissing,
    WhoIsMissing,
)

BREATHER = timedelta(hours=2)
"""Minimum time between two messages that ask one person for the same number."""


def checkin(uow: UnitOfWork, message: OutboxMessage) -> CheckinMessage | Skip:
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
    if all(row.answer or row.resumes for row in rows):
        return Skip(Unless.PAUSED)
    if all(row.answer or row.late_until is None for row in rows):
        return Skip(Unless.CLOSED)
    workspace = require_workspace(uow)
    today = local_day(uow.now, zone_of(uow, workspace, message.recipient))
    return CheckinMessage(
        rows=rows,
        last_week=week_of(message) < monday_of(today),
        snoozes=snooze_menu(uow, workspace, message.recipient, week=week_of(message)),
    )


def checkin_context(uow: UnitOfWork, message: OutboxMessage) -> CheckinMessage | CheckinMoved:
    """The current state of a check-in that was sent: the newest copy has the buttons, the others link to
    it."""
    workspace, week = require_workspace(uow), week_of(message)
    ids = {"member": message.recipient}
    rows = checkin_rows(uow, **ids, week_start=week)
    if not rows:
        return CheckinMoved(gone=True)
    live = sent_copies(uow, **ids, week=week.isoformat())[-1]
    if live.id != message.id:
        return CheckinMoved(
            playbook=rows[0].playbook if len(rows) == 1 else None,
            week=None if rows[0].watched else rows[0].week,
            answered=all(row.answer for row in rows),
            permalink=permalink(workspace.settings, live),
        )
    zone = zone_of(uow, workspace, message.recipient)
    snoozed = pending(uow, **ids, week=week)
    return CheckinMessage(
        rows=rows,
        last_week=week < monday_of(local_day(uow.now, zone)),
        snoozes=snooze_menu(uow, workspace, message.recipient, week=week),
        snoozed_until=snoozed.astimezone(zone) if snoozed else None,
        closed=_is_closed(uow, live),
    )


def closed_already(uow: UnitOfWork, message: OutboxMessage) -> Unless | None:
    """Why a check-in needs no closing rewrite at the end of its week: a newer copy replaced it, or all is
    answered."""
    if message.kind not in CHECKIN_KINDS:
        return None
    ids = {"member": message.recipient}
    if sent_copies(uow, **ids, week=str(message.subject["week"]))[-1].id != message.id:
        return Unless.NEWER_SAID
    return Unless.ANSWERED if has_answered(uow, **ids, week_start=week_of(message)) else None


def _moved(uow: UnitOfWork, message: OutboxMessage) -> Skip | None:
    """Why a check-in isn't sent now: it was snoozed since, or already sent."""
    about = message.recipient, week_of(message)
    snoozed = uow.messages("checkin-snoozed", *about)[-1:]
    if any(one.id != message.id and one.state is MessageState.DUE for one in snoozed):
        return Skip(Unless.SNOOZED)
    same = uow.messages("checkin", *about)
    came = any(one.id != message.id and one.state is MessageState.SENT for one in same)
    return Skip(Unless.ASKED) if message.kind == "checkin" and came else None


def reminder(uow: UnitOfWork, message: OutboxMessage) -> CheckinReminder | Skip:
    """The one reminder of a check-in."""
    workspace = require_workspace(uow)
    if people.reader(uow, member_id=message.recipient).muted:
        return Skip(Unless.MUTED)
    zone = zone_of(uow, workspace, message.recipient)
    for other in uow.messages(CHECKIN_KINDS, message.recipient, week_of(message)):
        if other.id == message.id or other.kind == "checkin-reminder":
            continue
        if other.state is MessageState.DUE:
            return Skip(Unless.STILL_TO_COME)
        if other.sent_at and local_day(other.sent_at, zone) == local_day(uow.now, zone):
            return Skip(Unless.CAME_TODAY)
    composed = checkin(uow, message)
    if isinstance(composed, Skip):
        return composed
    unanswered = [row for row in composed.rows if row.answer is None and not row.resumes]
    rows = tuple(row for row in unanswered if not _closed_before(uow, message, int(row.adoption_id)))
    if not rows:
        return Skip(Unless.CLOSED)
    return CheckinReminder(rows=rows, snoozes=composed.snoozes)


def _is_over(uow: UnitOfWork, message: OutboxMessage, adoption_id: int) -> bool:
    """Whether a week's check-ins are no longer asked for: its cycle is closed, and its Sunday over."""
    view = adoption_by_id(uow, adoption_id=adoption_id)
    cycle = cycle_of_week(uow, view, week_of(message))
    return cycle is not None and not is_asked_for(view, cycle)


def _closed_before(uow: UnitOfWork, message: OutboxMessage, adoption_id: int) -> bool:
    """Whether the week's cycle closed before the hour of a nudge, both in the team's zone.

    A member far west of their team is nudged after the close in their own zone; those nudges are still sent.
    """
    view = adoption_by_id(uow, adoption_id=adoption_id)
    cycle = cycle_of_week(uow, view, week_of(message))
    if cycle is None or cycle.closed_at is None:
        return False
    hours = hours_in(view.workspace, view.adoption)
    nudge, closing = hours[message.kind], hours[CYCLE_CLOSES]
    asked = instant(week_of(message) + timedelta(days=nudge.weekday), nudge.at, view.zone)
    return min(cycle.closed_at, instant(cycle.closes_on, closing.at, view.zone)) <= asked


def permalink(settings: dict[str, object], message: OutboxMessage | None) -> str | None:
    """The link of a message, built from the workspace's address as returned by `auth.test`."""
    if message is None or not message.ts or not message.channel or not settings.get("url"):
        return None
    return message_link(settings, workspace_id=message.workspace_id, channel=message.channel, ts=message.ts)


def kpi_missing(uow: UnitOfWork, message: OutboxMessage) -> KpiMissing | Skip | Later:
    """Ask the reporter for the missing number."""
    if adoption_about(uow, message).is_paused:
        return Skip(Unless.PAUSED)
    context = kpi_context(uow, message)
    if context.reported is not None:
        return Skip(Unless.REPORTED)
    if _closed_before(uow, message, int(context.adoption_id)):
        return Skip(Unless.CLOSED)
    asked = _last_asked(uow, message)
    if asked is not None and uow.now < asked + BREATHER:
        return Later(asked + BREATHER)
    return context


def kpi_context(uow: UnitOfWork, message: OutboxMessage) -> KpiMissing:
    """The missing number, or what was reported meanwhile."""
    view, week = adoption_about(uow, message), week_of(message)
    reading = numbers.reading(uow, adoption_id=view.id, week_start=week)
    cycle = cycle_of_week(uow, view, week)
    return KpiMissing(
        adoption_id=view.id,
        week_start=week.isoformat(),
        slug=view.playbook.slug,
        playbook=view.playbook.title,
        team=view.team.title,
        week=shown_week(cycle, week_number(cycle.starts_on, week)) if cycle else None,
        kpi=week_kpi(uow, view, week_start=week),
        reported=reading.value if reading else None,
        closed=_is_closed(uow, message),
    )


def _is_closed(uow: UnitOfWork, message: OutboxMessage) -> bool:
    """Whether the buttons of a sent message no longer work."""
    if message.sent_at is None:
        return False
    return uow.now >= closes_at(uow, require_workspace(uow), message)


def _last_asked(uow: UnitOfWork, message: OutboxMessage) -> datetime | None:
    """When the recipient last got the week's check-in, which also asks for the number."""
    copies = uow.messages(CHECKIN_KINDS, message.recipient, week_of(message))
    return max((one.sent_at for one in copies if one.sent_at is not None), default=None)


def who_is_missing(uow: UnitOfWork, message: OutboxMessage) -> WhoIsMissing | Skip | Later:
    """Tell the owner which members haven't answered, while the cycle still accepts answers.

    It waits for the owner's next working day if a check-in came only today, or is still to come.
    """
    if adoption_about(uow, message).is_paused:
        return Skip(Unless.PAUSED)
    if _is_over(uow, message, int(message.subject["adoption"])):
        return Skip(Unless.CLOSED)
    context = missing_context(uow, message)
    missing = [*context.missing, *([message.recipient] if context.own else [])]
    if not missing:
        return Skip(Unless.ALL_ANSWERED)
    reader = reader_of(uow, require_workspace(uow), message.recipient)
    if _were_asked_late(uow, message, missing, zone=reader.zone):
        tomorrow = next_open(uow.now + timedelta(days=1), reader, working_days(require_workspace(uow)))
        if tomorrow <= message.useful_until:
            return Later(tomorrow)
    return context


def _were_asked_late(
    uow: UnitOfWork, message: OutboxMessage, members: Sequence[str], *, zone: ZoneInfo
) -> bool:
    """Whether any of these members got the week's check-in only today, or is still to get it."""
    copies = checkin_messages(uow, members, week_of(message))
    sent: dict[str, datetime] = {}
    for one in copies:
        if one.sent_at is not None:
            sent[one.recipient] = min(one.sent_at, sent.get(one.recipient, one.sent_at))
    coming = any(one.state is MessageState.DUE and one.recipient not in sent for one in copies)
    return coming or any(local_day(at, zone) == local_day(uow.now, zone) for at in sent.values())


def missing_context(uow: UnitOfWork, message: OutboxMessage) -> WhoIsMissing:
    """Members who haven't answered, members who are away, and whether they were nudged once more."""
    view, week = adoption_about(uow, message), week_of(message)
    answered = checkins.answered_members(uow, adoption_id=view.id, week_start=week)
    away = away_members(uow, view, week_start=week)
    expected = set(expected_members(uow, view, week_start=week))
    nudged = nudged_again(uow, view, week_start=week)
    cycle = cycle_of_week(uow, view, week)
    return WhoIsMissing(
        adoption_id=view.id,
        week_start=week.isoformat(),
        playbook=view.playbook.title,
        team=view.team.title,
        week=shown_week(cycle, week_number(cycle.starts_on, week)) if cycle else None,
        expected=len(expected),
        missing=tuple(sorted(expected - answered - {message.recipient})),
        own=message.recipient in expected - answered,
        closed=_is_closed(uow, message),
        nudged_at=nudged[0].at.astimezone(zone_of(uow, view.workspace, message.recipient))
        if nudged
        else None,
        away=tuple(away),
        estimated=bool(uncounted(uow, view, expected - answered, week_start=week)),
        paused=view.is_paused,
    )


def _checkin_kind(
    name: str, compose: Callable[[UnitOfWork, OutboxMessage], MessageContext | Skip]
) -> MessageKind:
    """Declare the kind of a message that contains a member's open check-ins."""
    return MessageKind(
        name,
        compose,
        rewrite=checkin_context,
        unless=_CHECKIN_UNLESS,
        on_sent=came,
        needs_no_end=closed_already,
    )


_CHECKIN_UNLESS = (Unless.ANSWERED, Unless.NOTHING_DUE, Unless.CLOSED, Unless.SNOOZED, Unless.NEWER_SAID)
KINDS = (
    _checkin_kind("checkin", checkin),
    _checkin_kind("checkin-snoozed", checkin),
    _checkin_kind("checkin-again", checkin),
    _checkin_kind("checkin-reminder", reminder),
    MessageKind(KPI_MISSING, kpi_missing, rewrite=kpi_context, on_sent=came),
    MessageKind(RUNS_DIFFER, runs_differ, unless=(Unless.RUNS_AGREE,)),
    MessageKind(WHO_IS_MISSING, who_is_missing, rewrite=missing_context, on_sent=came),
)
