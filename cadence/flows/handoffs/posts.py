"""The messages of a handoff: the request, the overdue notice, the answer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from cadence.actor import Actor
from cadence.flows.core import MessageKind, Skip, adoption_by_id, step_title, zone_of
from cadence.flows.handoffs.contracts import HandedOver, handed_over, may_answer, may_withdraw, names_of
from cadence.flows.handoffs.fallbacks import KIND, steps_above
from cadence.flows.handoffs.sending import ANSWERED, ASKED, OVERDUE, POSTED
from cadence.mrkdwn import Mrkdwn, say
from cadence.nudges import Unless
from cadence.refusals import Refusal
from storage.queries import handoffs, standards
from storage.tables import Handoff, HandoffState, OutboxMessage, Workspace
from storage.work import UnitOfWork
from templates.contexts.handoffs import HandoffAnswered, HandoffPost, Switched
from templates.filters import day

_SETTLED: Final = {
    HandoffState.ACCEPTED: Unless.ACCEPTED,
    HandoffState.DONE: Unless.ACCEPTED,
    HandoffState.FAILED: Unless.SENT_BACK,
    HandoffState.WITHDRAWN: Unless.WITHDRAWN,
}
"""Why nobody is asked any more to accept it."""


def _of(uow: UnitOfWork, message: OutboxMessage) -> tuple[HandedOver, ZoneInfo]:
    """The handoff a message is about, and its reader's zone."""
    row = handoffs.get(uow, handoff_id=int(message.subject["handoff"]))
    if row is None:
        raise Refusal("the handoff no longer exists")
    handed = handed_over(uow, row)
    if message.recipient == handed.team.channel:
        return handed, ZoneInfo(handed.team.timezone)
    return handed, zone_of(uow, handed.view.workspace, message.recipient)


def post(uow: UnitOfWork, message: OutboxMessage) -> HandoffPost:
    """The handoff, also when nobody accepted it in time; once it is answered, the answer."""
    handed, zone = _of(uow, message)
    reader = Actor(message.workspace_id, message.recipient, "message")
    return HandoffPost(
        handoff=names_of(handed, zone),
        inputs=handed.terms.inputs,
        outputs=handed.terms.outputs,
        on_failure=handed.terms.on_failure,
        overdue=message.kind == OVERDUE,
        may_withdraw=message.kind == OVERDUE and may_withdraw(uow.by(reader), handed),
        may_answer=message.recipient == handed.team.channel or may_answer(uow.by(reader), handed),
    )


def posted(uow: UnitOfWork, message: OutboxMessage) -> HandoffPost | Skip:
    """Ask the receiving team to accept; skipped once it was answered."""
    context = post(uow, message)
    reason = _SETTLED.get(HandoffState(context.handoff.state))
    return context if reason is None else Skip(reason)


def answered(uow: UnitOfWork, message: OutboxMessage) -> HandoffAnswered | Skip:
    """The receiving team's answer, to the sender and, if it can't be used, to the owner."""
    handed, zone = _of(uow, message)
    if message.subject.get("state", handed.row.state) != handed.row.state:
        return Skip(Unless.NEWER_SAID)
    return _answer(uow, message, handed, zone)


def _answer(uow: UnitOfWork, message: OutboxMessage, handed: HandedOver, zone: ZoneInfo) -> HandoffAnswered:
    view, fallback = handed.view, handed.terms.fallback
    failed = handed.row.state is HandoffState.FAILED
    switched = _switched(uow, handed) if failed else None
    above = steps_above(uow, handed) if switched is None else []
    mine = message.recipient == view.playbook.owner
    return HandoffAnswered(
        handoff=names_of(handed, zone),
        on_failure=handed.terms.on_failure,
        owner=None if mine else view.playbook.owner,
        fallback=fallback if failed and above else None,
        declare=f"{view.id}:{above[0].key if len(above) == 1 else ''}:{fallback}"
        if failed and above and mine
        else None,
        again=str(view.id) if failed else None,
        switched=switched,
        settle=str(handed.row.id) if switched is not None and mine else None,
    )


def _switched(uow: UnitOfWork, handed: HandedOver) -> Switched | None:
    """The step that the failed handoff switched to the fallback mode, while it holds it there."""
    held = handed.row.fallback_id
    change = standards.mode_change(uow, change_id=held) if held is not None else None
    if change is None:
        return None
    view = adoption_by_id(uow, adoption_id=change.adoption_id)
    return Switched(
        step=step_title(view, change.step), after=change.after, before=change.before or change.after
    )


SHOWN = 5
"""Entries shown of each kind; the digest says how many more there are."""


def handoff_lines(
    uow: UnitOfWork, workspace: Workspace, *, since: datetime, until: datetime
) -> tuple[tuple[Mrkdwn, ...], int]:
    """A sentence for each handoff that is overdue now, the longest first, then for each returned in an
    interval.

    Ten at most, preceded by how many handoffs ended, and how many lines there are.
    """
    zone = ZoneInfo(workspace.timezone)
    late = handoffs.overdue(uow, limit=SHOWN)
    failed = handoffs.failed_between(uow, since=since, until=until, limit=SHOWN)
    lines = [_late(one, zone) for row in late for one in _whole(uow, row)]
    lines += [_failed(one) for row in failed for one in _whole(uow, row)]
    count = sum(handoffs.counts(uow, since=since, until=until))
    ended = _ended(handoffs.ended_between(uow, since=since, until=until))
    return (*ended, *lines), count + len(ended)


def _ended(counts: Mapping[HandoffState, int]) -> tuple[Mrkdwn, ...]:
    """`3 done, 1 withdrawn in the week`; empty if there were none."""
    words = [f"{count} {state}" for state, count in sorted(counts.items()) if count]
    return (say("{words} in the week", words=", ".join(words)),) if words else ()


def _whole(uow: UnitOfWork, row: Handoff) -> list[HandedOver]:
    """The handoff's details; None if the sending team doesn't run the playbook any more."""
    try:
        return [handed_over(uow, row)]
    except Refusal:
        return []


def _late(one: HandedOver, zone: ZoneInfo) -> Mrkdwn:
    return say(
        "{to} hasn't accepted {what}, overdue since {day} ({playbook}, {team})",
        what=one.row.what[:120],
        to=one.team.title[:60],
        day=day(one.row.due_at.astimezone(zone), one.row.sent_at.astimezone(zone)),
        playbook=one.view.playbook.title[:60],
        team=one.view.team.title[:60],
    )


def _failed(one: HandedOver) -> Mrkdwn:
    return say(
        "{to} sent back {what} ({playbook}, {team}): {reason}",
        to=one.team.title[:60],
        what=one.row.what[:120],
        playbook=one.view.playbook.title[:60],
        team=one.view.team.title[:60],
        reason=one.row.reason[:160],
    )


_UNLESS = tuple(dict.fromkeys(_SETTLED.values()))
KINDS: Final = (
    MessageKind(POSTED, posted, rewrite=post, unless=_UNLESS),
    MessageKind(ASKED, posted, rewrite=post, unless=_UNLESS),
    MessageKind(OVERDUE, posted, rewrite=post),
    MessageKind(ANSWERED, answered, unless=(Unless.NEWER_SAID,)),
    KIND,
)
