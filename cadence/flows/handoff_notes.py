"""What the digest says of handoffs: what waits for whom longer than agreed, and what was sent back in the week."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.flows.handoff_contracts import HandedOver, handed_over
from cadence.mrkdwn import Mrkdwn, say
from cadence.refusals import Refusal
from storage import handoffs
from storage.tables import Handoff, HandoffState, Workspace
from templates.filters import day

SHOWN = 5
"""Of each; the digest says how many more there are."""


def handoff_lines(
    session: Session, workspace: Workspace, *, since: datetime, until: datetime, now: datetime
) -> tuple[tuple[Mrkdwn, ...], int]:
    """A sentence for each handoff that is overdue now, the longest first, then for each sent back in an interval.

    Ten at most, how many came to their end before them, and how many lines there are.
    """
    zone = ZoneInfo(workspace.timezone)
    late = handoffs.overdue(session, workspace_id=workspace.id, now=now, limit=SHOWN)
    failed = handoffs.failed_between(
        session, workspace_id=workspace.id, since=since, until=until, limit=SHOWN
    )
    lines = [_late(one, zone) for row in late for one in _whole(session, row, now)]
    lines += [_failed(one) for row in failed for one in _whole(session, row, now)]
    count = sum(handoffs.counts(session, workspace_id=workspace.id, since=since, until=until, now=now))
    ended = _ended(handoffs.ended_between(session, workspace_id=workspace.id, since=since, until=until))
    return (*ended, *lines), count + len(ended)


def _ended(counts: Mapping[HandoffState, int]) -> tuple[Mrkdwn, ...]:
    """`3 done, 1 withdrawn in the week`; nothing when there was none."""
    words = [f"{count} {state}" for state, count in sorted(counts.items()) if count]
    return (say("{words} in the week", words=", ".join(words)),) if words else ()


def _whole(session: Session, row: Handoff, now: datetime) -> list[HandedOver]:
    """None when the sending team doesn't run the playbook any more."""
    try:
        return [handed_over(session, row, now=now)]
    except Refusal:
        return []


def _late(one: HandedOver, zone: ZoneInfo) -> Mrkdwn:
    return say(
        "{what} waits for {to}, overdue since {day} ({playbook}, {team})",
        what=one.row.what[:120],
        to=one.team.title[:60],
        day=day(one.row.due_at.astimezone(zone), one.row.sent_at.astimezone(zone)),
        playbook=one.run.playbook.title[:60],
        team=one.run.team.title[:60],
    )


def _failed(one: HandedOver) -> Mrkdwn:
    return say(
        "{to} sent back {what} ({playbook}, {team}): {reason}",
        to=one.team.title[:60],
        what=one.row.what[:120],
        playbook=one.run.playbook.title[:60],
        team=one.run.team.title[:60],
        reason=one.row.reason[:160],
    )
