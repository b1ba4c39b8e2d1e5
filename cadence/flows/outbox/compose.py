"""Turn a row of the ledger into what it says now, or into the reason why it needn't be sent."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Final

from cadence.flows.adoption import capacity
from cadence.flows.checkins import posts as personal_posts
from cadence.flows.checkins.copies import CLOSES
from cadence.flows.core.adoptions import require_workspace
from cadence.flows.core.calendar import working_days
from cadence.flows.core.messages import Composed, Later, Say, Skip, run_of, week_of
from cadence.flows.core.persons import reader_of
from cadence.flows.cycles import closing, moving, submitting
from cadence.flows.cycles import closing as closing_post
from cadence.flows.gates import gates
from cadence.flows.handoffs import posts
from cadence.flows.history import exports
from cadence.flows.overview import digest
from cadence.flows.people import join_requests
from cadence.flows.playbooks import publishing, retiring
from cadence.flows.promotions import posts as promotion_posts
from cadence.flows.rubrics import posts as rubric_posts
from cadence.flows.setup import checklist
from cadence.flows.standards import alerts
from cadence.flows.standards import posts as standards_posts
from cadence.flows.workspaces import welcoming
from cadence.mrkdwn import mention, say
from cadence.nudges import REACHES_THE_AWAY, URGENCY, Unless, Urgency, next_open
from cadence.refusals import Refusal
from cadence.rules.calendar import local_day
from storage.outbox import ledger
from storage.queries import people
from storage.tables import OwedMessage
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import MessageContext


def compose(uow: UnitOfWork, message: OwedMessage) -> Composed:
    """What a message says at this moment. Reads only; called just before the message is sent."""
    if message.useful_until < uow.now:
        return Skip(Unless.DOWNTIME)
    with uow.read():
        if URGENCY[message.kind] is Urgency.NUDGE:
            closed = _closed_door(uow, message)
            if closed is not None:
                return closed
        try:
            return _COMPOSERS[message.kind](uow, message)
        except Refusal as gone:
            return Skip(Unless.GONE, gone.plain)


def _closed_door(uow: UnitOfWork, message: OwedMessage) -> Later | Skip | None:
    """Wait for the reader's working hours, or say that none are left while it is useful."""
    workspace = require_workspace(uow)
    member = people.member(uow, member_id=message.recipient)
    if member is not None and member.deleted:
        return Skip(Unless.LEFT)
    if people.without_part(uow, member_ids=[message.recipient]):
        return Skip(Unless.NO_PART)
    reader = reader_of(uow, workspace, message.recipient)
    if message.kind in REACHES_THE_AWAY:
        reader = replace(reader, away=())
    opens = next_open(uow.now, reader, working_days(workspace))
    if opens == uow.now:
        return None
    if opens > message.useful_until:
        return Skip(Unless.AWAY if reader.is_away(local_day(uow.now, reader.zone)) else Unless.NO_HOURS)
    return Later(opens)


def _rewrite(uow: UnitOfWork, message: OwedMessage) -> Composed:
    """What a message says now, in place of the message it was."""
    original = ledger.get(uow, message_id=message.replaces_id or 0)
    if original is None or original.ts is None or original.channel is None:
        return Skip(Unless.NO_ORIGINAL)
    closed = personal_posts.closed_already(uow, original) if message.subject.get(CLOSES) else None
    if closed is not None:
        return Skip(closed)
    context = _REWRITES[original.kind](uow, original)
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


_REWRITES: Final[dict[str, Callable[[UnitOfWork, OwedMessage], MessageContext]]] = {
    "checkin": personal_posts.checkin_context,
    "checkin-snoozed": personal_posts.checkin_context,
    "checkin-again": personal_posts.checkin_context,
    "checkin-reminder": personal_posts.checkin_context,
    "who-is-missing": personal_posts.missing_context,
    "watch": alerts.watch,
    "demoted": alerts.demoted,
    "promotion-proposed": promotion_posts.proposal,
    "spot-audit": rubric_posts.audit_context,
    "kpi-missing": personal_posts.kpi_context,
    "drift": standards_posts.drift,
    "drift-reported": standards_posts.report,
    "week-opens": gates.opens_context,
    "gate-due": gates.due_context,
    "cycle-closed": lambda uow, message: closing_post.cycle_closed(
        uow, run_of(uow, message), int(message.subject["cycle"])
    ),
    "setup": checklist.setup,
    "champion": checklist.champion,
    "setup-done": checklist.set_up,
    "handoff": posts.post,
    "handoff-asked": posts.post,
    "handoff-overdue": posts.post,
    join_requests.ASKED: join_requests.request_post,
}
"""What a message says now that something happened to it."""
_COMPOSERS: Final[dict[str, Callable[[UnitOfWork, OwedMessage], Composed]]] = {
    "checkin": personal_posts.checkin,
    "checkin-snoozed": personal_posts.checkin,
    "checkin-again": personal_posts.checkin,
    "checkin-reminder": personal_posts.reminder,
    "rewrite": _rewrite,
    "week-opens": gates.week_opens,
    "gate-due": gates.gate_due,
    "kpi-missing": personal_posts.kpi_missing,
    "who-is-missing": personal_posts.who_is_missing,
    "watch": alerts.watched,
    "demoted": alerts.demotion,
    "set-away": lambda _uow, message: Say(_set_away(message)),
    "promotion-proposed": promotion_posts.proposed,
    "promoted": lambda uow, message: Say(promotion_posts.promoted(uow, message)),
    "promotion-declined": lambda uow, message: Say(promotion_posts.declined(uow, message)),
    "spot-audit": rubric_posts.spot_audit,
    "risky-grade": lambda uow, message: Say(rubric_posts.risky_grade(uow, message)),
    "drift": lambda uow, message: Say(standards_posts.drift(uow, message)),
    "drift-reported": standards_posts.reported,
    "mode-declared": lambda uow, message: Say(standards_posts.declared(uow, message)),
    "submitted": lambda uow, message: Say(submitting.submitted_post(uow, message)),
    "setup": checklist.asked,
    "champion": checklist.asked,
    "setup-done": checklist.ready,
    "capacity-overridden": lambda uow, message: Say(capacity.overridden(uow, message)),
    "asked": lambda _uow, message: Say(_asked(message)),
    "handoff": posts.posted,
    "handoff-asked": posts.posted,
    "handoff-overdue": posts.posted,
    "handoff-answered": posts.answered,
    join_requests.ASKED: lambda uow, message: Say(join_requests.request_post(uow, message)),
    join_requests.ANSWERED: lambda uow, message: Say(join_requests.answer_post(uow, message)),
    join_requests.LEFT: lambda uow, message: Say(join_requests.leaving_post(uow, message)),
    "welcome": lambda uow, message: Say(welcoming.welcome(uow, message)),
    "cycle-chart": closing.cycle_chart,
    exports.KIND: exports.export_file,
    "cycle-closed": lambda uow, message: Say(
        closing_post.cycle_closed(uow, run_of(uow, message), int(message.subject["cycle"]))
    ),
    "team-moved": lambda uow, message: Say(moving.moved(uow, message)),
    "playbook-retired": lambda uow, message: Say(retiring.retired(uow, message)),
    "playbook-published": lambda uow, message: Say(publishing.published(uow, message)),
    "digest": lambda uow, message: Say(digest.digest(uow, week_start=week_of(message))),
}
