"""Turn a row of the ledger into what it says now, or into the reason why it needn't be sent."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlmodel import Session

from cadence.flows import alert_posts, closing_post, digests
from cadence.flows.checkin_rows import CHECKIN_KINDS, checkin_rows, cycle_of_week, key, week_kpi
from cadence.flows.followups import nudged_again
from cadence.flows.gathering import away_members, expected_members
from cadence.flows.people import zone_of
from cadence.flows.planning import public_holidays
from cadence.flows.runs import TeamRun, require_workspace, run_by_id
from cadence.mrkdwn import mention, say
from cadence.nudges import NUDGES, Person, next_open
from cadence.refusals import Refusal
from cadence.rules.calendar import local_day, week_number
from storage import ledger, people, reports
from storage.engine import Database
from storage.tables import MessageState, OwedMessage
from templates.contexts.answers import Done
from templates.contexts.base import MessageContext
from templates.contexts.checkins import CheckinMessage, CheckinReminder, KpiMissing, WhoIsMissing


@dataclass(frozen=True, slots=True)
class Skip:
    """The message needn't be sent any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Later:
    """The message waits: nobody is nudged at night or on a day off."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Say:
    """What the message says, and where: a channel or member, or the message it rewrites."""

    context: MessageContext
    rewrites: tuple[str, str] | None = None


Composed = Say | Skip | Later
_PERSONAL: Final = frozenset(nudge.kind for nudge in NUDGES if nudge.kind != "digest") | {
    "checkin-snoozed",
    "checkin-again",
    "asked",
}
BREATHER = timedelta(hours=2)
"""Two messages that ask one person for the same number are at least so far apart."""


def compose(db: Database, message: OwedMessage, *, now: datetime) -> Composed:
    """What a message says at this moment. Reads only; called just before the message is sent."""
    if message.useful_until < now:
        return Skip("no longer useful after downtime")
    with db.read() as session:
        if message.kind in _PERSONAL:
            closed = _closed_door(session, message, now=now)
            if closed is not None:
                return closed
        try:
            return _COMPOSERS[message.kind](session, message, now)
        except Refusal as gone:
            return Skip(gone.plain)


def _closed_door(session: Session, message: OwedMessage, *, now: datetime) -> Composed | None:
    """Wait for the person's own working hours, or say that this week has none left."""
    workspace = require_workspace(session, message.workspace_id)
    member = people.member(session, workspace_id=workspace.id, member_id=message.recipient)
    if member is not None and member.deleted:
        return Skip("left the workspace")
    zone = zone_of(session, workspace, message.recipient)
    today = local_day(now, zone)
    away = people.away_between(
        session,
        workspace_id=workspace.id,
        first=today,
        last=today + timedelta(days=7),
        member_ids=[message.recipient],
    )
    teams = people.teams_of(session, workspace_id=workspace.id, member_id=message.recipient)
    country = teams[0].country if teams and teams[0].country else workspace.country
    person = Person(
        member=message.recipient,
        zone=zone,
        days_off=public_holidays(country, today.year, today.year + 1),
        away=tuple((row.first_day, row.last_day) for row in away),
    )
    opens = next_open(now, person)
    if opens == now:
        return None
    if opens > message.useful_until:
        return Skip("away" if person.is_away(today) else "no working hours left while it was useful")
    return Later(opens)


def _week(message: OwedMessage) -> date:
    return date.fromisoformat(message.subject["week"])


def _checkin(session: Session, message: OwedMessage, now: datetime) -> Composed:
    if message.kind in {"checkin", "checkin-snoozed"}:
        moved = _moved(session, message)
        if moved is not None:
            return moved
    rows = checkin_rows(
        session,
        workspace_id=message.workspace_id,
        member=message.recipient,
        week_start=_week(message),
        now=now,
    )
    if not rows:
        return Skip("no check-in is due")
    if all(row.answer for row in rows):
        return Skip("already answered")
    return Say(CheckinMessage(rows=rows))


def _moved(session: Session, message: OwedMessage) -> Skip | None:
    """Why a check-in needn't come now: it was snoozed since, or it came already."""
    ids = (message.workspace_id, message.recipient, _week(message))
    snoozed = ledger.by_prefix(
        session, workspace_id=message.workspace_id, prefix=key("checkin-snoozed", *ids)
    )[-1:]
    if any(one.id != message.id and one.state is MessageState.DUE for one in snoozed):
        return Skip("snoozed")
    same = ledger.by_prefix(session, workspace_id=message.workspace_id, prefix=key("checkin", *ids))
    came = any(one.id != message.id and one.state is MessageState.SENT for one in same)
    return Skip("already asked") if message.kind == "checkin" and came else None


def _reminder(session: Session, message: OwedMessage, now: datetime) -> Composed:
    workspace = require_workspace(session, message.workspace_id)
    member = people.member(session, workspace_id=workspace.id, member_id=message.recipient)
    if member is not None and member.muted:
        return Skip("muted")
    zone = zone_of(session, workspace, message.recipient)
    first = None
    for kind in CHECKIN_KINDS:
        prefix = key(kind, workspace.id, message.recipient, _week(message))
        for other in ledger.by_prefix(session, workspace_id=workspace.id, prefix=prefix):
            if other.id == message.id or other.kind == "checkin-reminder":
                continue
            if other.state is MessageState.DUE:
                return Skip("the check-in itself is still to come")
            if other.sent_at and local_day(other.sent_at, zone) == local_day(now, zone):
                return Skip("the check-in came today")
            first = other if other.kind == "checkin" and other.state is MessageState.SENT else first
    composed = _checkin(session, message, now)
    if not isinstance(composed, Say) or not isinstance(composed.context, CheckinMessage):
        return composed
    rows = tuple(row for row in composed.context.rows if row.answer is None)
    return Say(CheckinReminder(rows=rows, permalink=permalink(workspace.settings, first)))


def permalink(settings: dict[str, object], message: OwedMessage | None) -> str | None:
    """Where a message stands, from the workspace's address as `auth.test` gave it."""
    base = settings.get("url")
    if message is None or not message.ts or not message.channel or not isinstance(base, str):
        return None
    return f"{base.rstrip('/')}/archives/{message.channel}/p{message.ts.replace('.', '')}"


def _rewrite(session: Session, message: OwedMessage, now: datetime) -> Composed:
    """What a message says now, in place of the message it was."""
    original = ledger.get(session, workspace_id=message.workspace_id, message_id=message.replaces_id or 0)
    if original is None or original.ts is None or original.channel is None:
        return Skip("the message it rewrites isn't there")
    place = (original.channel, original.ts)
    if original.kind == "who-is-missing":
        return Say(_missing_context(session, original, now), rewrites=place)
    if original.kind == "watch":
        return Say(alert_posts.watch(session, original, now), rewrites=place)
    if original.kind == "kpi-missing":
        return Say(_kpi_context(session, original, now), rewrites=place)
    rows = checkin_rows(
        session,
        workspace_id=message.workspace_id,
        member=message.recipient,
        week_start=_week(message),
        now=now,
    )
    return Say(CheckinMessage(rows=rows), rewrites=place) if rows else Skip("no check-in is due")


def _run(session: Session, message: OwedMessage, now: datetime) -> TeamRun:
    return run_by_id(
        session,
        workspace_id=message.workspace_id,
        adoption_id=int(message.subject["adoption"]),
        now=now,
    )


def _kpi_missing(session: Session, message: OwedMessage, now: datetime) -> Composed:
    context = _kpi_context(session, message, now)
    if context.reported is not None:
        return Skip("already reported")
    asked = _last_asked(session, message)
    if asked is not None and now < asked + BREATHER:
        return Later(asked + BREATHER)
    return Say(context)


def _kpi_context(session: Session, message: OwedMessage, now: datetime) -> KpiMissing:
    run, week = _run(session, message, now), _week(message)
    reading = reports.reading(session, workspace_id=run.workspace.id, adoption_id=run.id, week_start=week)
    cycle = cycle_of_week(session, run, week)
    return KpiMissing(
        adoption_id=run.id,
        week_start=week.isoformat(),
        slug=run.playbook.slug,
        playbook=run.playbook.title,
        team=run.team.title,
        week=week_number(cycle.starts_on, week) if cycle else None,
        kpi=week_kpi(session, run, week_start=week),
        reported=reading.value if reading else None,
    )


def _last_asked(session: Session, message: OwedMessage) -> datetime | None:
    """When the recipient's check-in of the week, which asks for the number too, last came."""
    sent = [
        one.sent_at
        for kind in CHECKIN_KINDS
        for one in ledger.by_prefix(
            session,
            workspace_id=message.workspace_id,
            prefix=key(kind, message.workspace_id, message.recipient, _week(message)),
        )
        if one.sent_at is not None
    ]
    return max(sent, default=None)


def _who_is_missing(session: Session, message: OwedMessage, now: datetime) -> Composed:
    context = _missing_context(session, message, now)
    return Say(context) if context.missing else Skip("all answered")


def _missing_context(session: Session, message: OwedMessage, now: datetime) -> WhoIsMissing:
    run, week = _run(session, message, now), _week(message)
    answered = reports.answered_members(
        session, workspace_id=run.workspace.id, adoption_id=run.id, week_start=week
    )
    away = set(away_members(session, run, week_start=week)) - answered
    expected = set(expected_members(session, run, week_start=week)) - away
    nudged = nudged_again(session, run, week_start=week)
    cycle = cycle_of_week(session, run, week)
    return WhoIsMissing(
        adoption_id=run.id,
        week_start=week.isoformat(),
        playbook=run.playbook.title,
        team=run.team.title,
        week=week_number(cycle.starts_on, week) if cycle else None,
        expected=len(expected),
        missing=tuple(sorted(expected - answered)),
        nudged_at=nudged[0].at.astimezone(zone_of(session, run.workspace, message.recipient))
        if nudged
        else None,
        away=tuple(sorted(away)),
    )


def _asked(message: OwedMessage) -> Done:
    return Done(
        text=say(
            "{who} would like to {what}, which only you or a curator may do.",
            who=mention(str(message.subject["by"])),
            what=str(message.subject["what"]),
        )
    )


_COMPOSERS: Final[dict[str, Callable[[Session, OwedMessage, datetime], Composed]]] = {
    "checkin": _checkin,
    "checkin-snoozed": _checkin,
    "checkin-again": _checkin,
    "checkin-reminder": _reminder,
    "rewrite": _rewrite,
    "kpi-missing": _kpi_missing,
    "who-is-missing": _who_is_missing,
    "watch": lambda session, message, now: Say(alert_posts.watch(session, message, now)),
    "demoted": lambda session, message, now: Say(alert_posts.demoted(session, message, now)),
    "asked": lambda _session, message, _now: Say(_asked(message)),
    "cycle-closed": lambda session, message, now: Say(
        closing_post.cycle_closed(session, _run(session, message, now), int(message.subject["cycle"]))
    ),
    "digest": lambda session, message, now: Say(
        digests.digest(session, workspace_id=message.workspace_id, week_start=_week(message), now=now)
    ),
}
