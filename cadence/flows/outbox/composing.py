"""Turn a row of the ledger into what it says now, or into the reason why it needn't be sent."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Final

from cadence.flows import (
    adoption,
    checkins,
    cycles,
    gates,
    handoffs,
    history,
    overview,
    playbooks,
    promotions,
    rubrics,
    setup,
    standards,
    workspaces,
)
from cadence.flows import people as people_flows
from cadence.flows.checkins import CLOSES
from cadence.flows.core import (
    Composed,
    Later,
    Say,
    Skip,
    reader_of,
    require_workspace,
    run_of,
    week_of,
    working_days,
)
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
    closed = checkins.closed_already(uow, original) if message.subject.get(CLOSES) else None
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
    "checkin": checkins.checkin_context,
    "checkin-snoozed": checkins.checkin_context,
    "checkin-again": checkins.checkin_context,
    "checkin-reminder": checkins.checkin_context,
    "who-is-missing": checkins.missing_context,
    "watch": standards.watch,
    "demoted": standards.demoted,
    "promotion-proposed": promotions.proposal,
    "spot-audit": rubrics.audit_context,
    "kpi-missing": checkins.kpi_context,
    "drift": standards.drift,
    "drift-reported": standards.report,
    "week-opens": gates.opens_context,
    "gate-due": gates.due_context,
    "cycle-closed": lambda uow, message: cycles.cycle_closed(
        uow, run_of(uow, message), int(message.subject["cycle"])
    ),
    "setup": setup.setup,
    "champion": setup.champion,
    "setup-done": setup.set_up,
    "handoff": handoffs.post,
    "handoff-asked": handoffs.post,
    "handoff-overdue": handoffs.post,
    people_flows.ASKED: people_flows.request_post,
}
"""What a message says now that something happened to it."""
_COMPOSERS: Final[dict[str, Callable[[UnitOfWork, OwedMessage], Composed]]] = {
    "checkin": checkins.checkin,
    "checkin-snoozed": checkins.checkin,
    "checkin-again": checkins.checkin,
    "checkin-reminder": checkins.reminder,
    "rewrite": _rewrite,
    "week-opens": gates.week_opens,
    "gate-due": gates.gate_due,
    "kpi-missing": checkins.kpi_missing,
    "who-is-missing": checkins.who_is_missing,
    "watch": standards.watched,
    "demoted": standards.demotion,
    "set-away": lambda _uow, message: Say(_set_away(message)),
    "promotion-proposed": promotions.proposed,
    "promoted": lambda uow, message: Say(promotions.promoted(uow, message)),
    "promotion-declined": lambda uow, message: Say(promotions.declined(uow, message)),
    "spot-audit": rubrics.spot_audit,
    "risky-grade": lambda uow, message: Say(rubrics.risky_grade(uow, message)),
    "drift": lambda uow, message: Say(standards.drift(uow, message)),
    "drift-reported": standards.reported,
    "mode-declared": lambda uow, message: Say(standards.declared(uow, message)),
    "submitted": lambda uow, message: Say(cycles.submitted_post(uow, message)),
    "setup": setup.asked,
    "champion": setup.asked,
    "setup-done": setup.ready,
    "capacity-overridden": lambda uow, message: Say(adoption.overridden(uow, message)),
    "asked": lambda _uow, message: Say(_asked(message)),
    "handoff": handoffs.posted,
    "handoff-asked": handoffs.posted,
    "handoff-overdue": handoffs.posted,
    "handoff-answered": handoffs.answered,
    people_flows.ASKED: lambda uow, message: Say(people_flows.request_post(uow, message)),
    people_flows.ANSWERED: lambda uow, message: Say(people_flows.answer_post(uow, message)),
    people_flows.LEFT: lambda uow, message: Say(people_flows.leaving_post(uow, message)),
    "welcome": lambda uow, message: Say(workspaces.welcome(uow, message)),
    "cycle-chart": cycles.cycle_chart,
    history.KIND: history.export_file,
    "cycle-closed": lambda uow, message: Say(
        cycles.cycle_closed(uow, run_of(uow, message), int(message.subject["cycle"]))
    ),
    "team-moved": lambda uow, message: Say(cycles.moved(uow, message)),
    "playbook-retired": lambda uow, message: Say(playbooks.retired(uow, message)),
    "playbook-published": lambda uow, message: Say(playbooks.published(uow, message)),
    "digest": lambda uow, message: Say(overview.digest(uow, week_start=week_of(message))),
}
