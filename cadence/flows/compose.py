"""Turn a row of the ledger into what it says now, or into the reason why it needn't be sent."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from sqlmodel import Session

from cadence.flows import (
    alert_posts,
    capacity,
    charts,
    closing_post,
    digests,
    exports,
    gate_posts,
    handoff_posts,
    join_requests,
    moving,
    personal_posts,
    promotion_posts,
    publishing,
    retiring,
    rubric_posts,
    setup_posts,
    standards_posts,
    submitting,
    welcoming,
)
from cadence.flows.checkin_copies import CLOSES
from cadence.flows.composed import Composed, Later, Say, Skip
from cadence.flows.people import reader_of
from cadence.flows.personal_posts import run_of, week_of
from cadence.flows.runs import require_workspace
from cadence.flows.working_week import working_days
from cadence.mrkdwn import mention, say
from cadence.nudges import REACHES_THE_AWAY, URGENCY, Unless, Urgency, next_open
from cadence.refusals import Refusal
from cadence.rules.calendar import local_day
from storage import ledger, people
from storage.engine import Database
from storage.tables import OwedMessage
from templates.contexts.answers import Done
from templates.contexts.base import MessageContext


def compose(db: Database, message: OwedMessage, *, now: datetime) -> Composed:
    """What a message says at this moment. Reads only; called just before the message is sent."""
    if message.useful_until < now:
        return Skip(Unless.DOWNTIME)
    with db.read() as session:
        if URGENCY[message.kind] is Urgency.NUDGE:
            closed = _closed_door(session, message, now=now)
            if closed is not None:
                return closed
        try:
            return _COMPOSERS[message.kind](session, message, now)
        except Refusal as gone:
            return Skip(Unless.GONE, gone.plain)


def _closed_door(session: Session, message: OwedMessage, *, now: datetime) -> Later | Skip | None:
    """Wait for the reader's working hours, or say that none are left while it is useful."""
    workspace = require_workspace(session, message.workspace_id)
    member = people.member(session, workspace_id=workspace.id, member_id=message.recipient)
    if member is not None and member.deleted:
        return Skip(Unless.LEFT)
    if people.without_part(session, workspace_id=workspace.id, member_ids=[message.recipient]):
        return Skip(Unless.NO_PART)
    reader = reader_of(session, workspace, message.recipient, now=now)
    if message.kind in REACHES_THE_AWAY:
        reader = replace(reader, away=())
    opens = next_open(now, reader, working_days(workspace))
    if opens == now:
        return None
    if opens > message.useful_until:
        return Skip(Unless.AWAY if reader.is_away(local_day(now, reader.zone)) else Unless.NO_HOURS)
    return Later(opens)


def _rewrite(session: Session, message: OwedMessage, now: datetime) -> Composed:
    """What a message says now, in place of the message it was."""
    original = ledger.get(session, workspace_id=message.workspace_id, message_id=message.replaces_id or 0)
    if original is None or original.ts is None or original.channel is None:
        return Skip(Unless.NO_ORIGINAL)
    closed = personal_posts.closed_already(session, original, now) if message.subject.get(CLOSES) else None
    if closed is not None:
        return Skip(closed)
    context = _REWRITES[original.kind](session, original, now)
    return Say(context, rewrites=(original.channel, original.ts))


def _asked(message: OwedMessage) -> Done:
    return Done(
        text=say(
            "{who} would like to {what}, which only you or a curator may do.",
            who=mention(str(message.subject["by"])),
            what=str(message.subject["what"]),
        )
    )


def _set_away(message: OwedMessage) -> Done:
    first, last = (date.fromisoformat(message.subject[name]) for name in ("from", "until"))
    days = (
        say("on {day:%A %-d %B}", day=first)
        if first == last
        else say("from {first:%A %-d %B} to {last:%A %-d %B}", first=first, last=last)
    )
    return Done(
        text=say(
            "{who} set you away {days}: nothing is asked of you then. `/cadence away off` takes it back.",
            who=mention(str(message.subject["by"])),
            days=days,
        )
    )


_REWRITES: Final[dict[str, Callable[[Session, OwedMessage, datetime], MessageContext]]] = {
    "checkin": personal_posts.checkin_context,
    "checkin-snoozed": personal_posts.checkin_context,
    "checkin-again": personal_posts.checkin_context,
    "checkin-reminder": personal_posts.checkin_context,
    "who-is-missing": personal_posts.missing_context,
    "watch": alert_posts.watch,
    "demoted": alert_posts.demoted,
    "promotion-proposed": promotion_posts.proposal,
    "spot-audit": rubric_posts.audit_context,
    "kpi-missing": personal_posts.kpi_context,
    "drift": standards_posts.drift,
    "drift-reported": standards_posts.report,
    "week-opens": gate_posts.opens_context,
    "gate-due": gate_posts.due_context,
    "cycle-closed": lambda session, message, now: closing_post.cycle_closed(
        session, run_of(session, message, now), int(message.subject["cycle"])
    ),
    "setup": setup_posts.setup,
    "champion": setup_posts.champion,
    "setup-done": setup_posts.set_up,
    "handoff": handoff_posts.post,
    "handoff-asked": handoff_posts.post,
    "handoff-overdue": handoff_posts.post,
    join_requests.ASKED: join_requests.request_post,
}
"""What a message says now that something happened to it."""
_COMPOSERS: Final[dict[str, Callable[[Session, OwedMessage, datetime], Composed]]] = {
    "checkin": personal_posts.checkin,
    "checkin-snoozed": personal_posts.checkin,
    "checkin-again": personal_posts.checkin,
    "checkin-reminder": personal_posts.reminder,
    "rewrite": _rewrite,
    "week-opens": gate_posts.week_opens,
    "gate-due": gate_posts.gate_due,
    "kpi-missing": personal_posts.kpi_missing,
    "who-is-missing": personal_posts.who_is_missing,
    "watch": alert_posts.watched,
    "demoted": alert_posts.demotion,
    "set-away": lambda _session, message, _now: Say(_set_away(message)),
    "promotion-proposed": promotion_posts.proposed,
    "promoted": lambda session, message, now: Say(promotion_posts.promoted(session, message, now)),
    "promotion-declined": lambda session, message, now: Say(promotion_posts.declined(session, message, now)),
    "spot-audit": rubric_posts.spot_audit,
    "risky-grade": lambda session, message, now: Say(rubric_posts.risky_grade(session, message, now)),
    "drift": lambda session, message, now: Say(standards_posts.drift(session, message, now)),
    "drift-reported": standards_posts.reported,
    "mode-declared": lambda session, message, now: Say(standards_posts.declared(session, message, now)),
    "submitted": lambda session, message, now: Say(submitting.submitted_post(session, message, now)),
    "setup": setup_posts.asked,
    "champion": setup_posts.asked,
    "setup-done": setup_posts.ready,
    "capacity-overridden": lambda session, message, now: Say(capacity.overridden(session, message, now)),
    "asked": lambda _session, message, _now: Say(_asked(message)),
    "handoff": handoff_posts.posted,
    "handoff-asked": handoff_posts.posted,
    "handoff-overdue": handoff_posts.posted,
    "handoff-answered": handoff_posts.answered,
    join_requests.ASKED: lambda session, message, now: Say(join_requests.request_post(session, message, now)),
    join_requests.ANSWERED: lambda session, message, now: Say(
        join_requests.answer_post(session, message, now)
    ),
    join_requests.LEFT: lambda session, message, now: Say(join_requests.leaving_post(session, message, now)),
    "welcome": lambda session, message, now: Say(welcoming.welcome(session, message, now)),
    "cycle-chart": charts.cycle_chart,
    exports.KIND: exports.export_file,
    "cycle-closed": lambda session, message, now: Say(
        closing_post.cycle_closed(session, run_of(session, message, now), int(message.subject["cycle"]))
    ),
    "team-moved": lambda session, message, now: Say(moving.moved(session, message, now)),
    "playbook-retired": lambda session, message, now: Say(retiring.retired(session, message, now)),
    "playbook-published": lambda session, message, now: Say(publishing.published(session, message, now)),
    "digest": lambda session, message, now: Say(
        digests.digest(session, workspace_id=message.workspace_id, week_start=week_of(message), now=now)
    ),
}
