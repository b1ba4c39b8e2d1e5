"""What was handed over and waits or is in hand, as a list and as lines of the status."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from cadence.flows.callers import Caller, is_curator
from cadence.flows.handoff_contracts import HandedOver, handed_over, may_answer, may_withdraw, names_of
from cadence.flows.people import zone_of
from cadence.flows.runs import TeamRun, require_workspace, team_runs, visible_runs
from cadence.mrkdwn import Mrkdwn, say
from cadence.refusals import Refusal
from storage import handoffs, people
from storage.engine import Database
from storage.tables import Handoff, HandoffState
from templates.contexts.handoffs import HandoffRow, Handoffs
from templates.filters import clock, day

SHOWN = 10
"""Handoffs that a list shows."""
LATELY = timedelta(days=7)
"""How long what was sent back is still listed."""


def show_handoffs(
    db: Database, caller: Caller, *, playbook: str | None, team: str | None, now: datetime
) -> Handoffs:
    """What waits to be accepted or is in hand, from and to the caller's teams; what was sent back lately.

    A curator sees all.
    """
    with db.read() as session:
        runs = visible_runs(session, caller, now=now)
        found = _seen(session, caller, runs, now=now)
        found += _seen(session, caller, runs, state=HandoffState.ACCEPTED, now=now)
        failed = handoffs.failed_between(
            session, workspace_id=caller.workspace_id, since=now - LATELY, until=now + LATELY, limit=100
        )
        mine = {run.id for run in runs}
        found += _whole(session, [row for row in failed if row.adoption_id in mine], runs, now=now)
        fitting = [
            one
            for one in found
            if playbook in (None, one.run.playbook.slug) and team in (None, one.run.team.slug, one.team.slug)
        ]
        title = fitting[0].run.playbook.title if playbook and fitting else None
        return listed(session, caller, fitting, playbook=title, asked=None, now=now)


def _seen(
    session: Session,
    caller: Caller,
    runs: Sequence[TeamRun],
    *,
    state: HandoffState = HandoffState.SENT,
    now: datetime,
    adoption_ids: Sequence[int] | None = None,
) -> list[HandedOver]:
    """What waits (or is in another state) and concerns the caller, due first.

    `runs`, or `adoption_ids`, are all that are visible to them.
    """
    curator = is_curator(session, caller)
    mine = people.teams_of(session, workspace_id=caller.workspace_id, member_id=caller.member)
    rows = handoffs.waiting(
        session,
        workspace_id=caller.workspace_id,
        adoption_ids=None if curator else adoption_ids or [run.id for run in runs],
        team_ids=None if curator else [team.id or 0 for team in mine],
        state=state,
    )
    return _whole(session, rows, runs, now=now)


def _whole(
    session: Session, rows: Iterable[Handoff], runs: Sequence[TeamRun], *, now: datetime
) -> list[HandedOver]:
    """The handoffs whose sender still runs the playbook."""
    rows, known = list(rows), {run.id: run for run in runs}
    unknown = {row.adoption_id for row in rows} - known.keys()
    if unknown:
        workspace = require_workspace(session, rows[0].workspace_id)
        more = team_runs(session, workspace=workspace, now=now, adoption_ids=sorted(unknown))
        known |= {run.id: run for run in more}
    found = []
    for row in rows:
        try:
            found.append(handed_over(session, row, now=now, runs=known))
        except Refusal:
            continue
    return found


def answerable(session: Session, caller: Caller, *, playbook: str | None, now: datetime) -> list[HandedOver]:
    """What waits for the caller: handed to their teams, else what they may answer otherwise."""
    return _received(session, caller, HandoffState.SENT, playbook=playbook, now=now)


def in_hand(session: Session, caller: Caller, *, playbook: str | None, now: datetime) -> list[HandedOver]:
    """What was accepted and isn't done: by the caller, else by their teams, else what they may finish otherwise."""
    found = _received(session, caller, HandoffState.ACCEPTED, playbook=playbook, now=now)
    return [one for one in found if one.row.decided_by == caller.member] or found


def withdrawable(
    session: Session, caller: Caller, *, playbook: str | None, now: datetime
) -> list[HandedOver]:
    """What waits to be accepted and the caller may withdraw: what they sent, else what others did."""
    found = [
        one
        for one in _seen(session, caller, visible_runs(session, caller, now=now), now=now)
        if playbook in (None, one.run.playbook.slug) and may_withdraw(session, caller, one)
    ]
    return [one for one in found if one.row.sent_by == caller.member] or found


def _received(
    session: Session, caller: Caller, state: HandoffState, *, playbook: str | None, now: datetime
) -> list[HandedOver]:
    mine = people.team_ids(session, workspace_id=caller.workspace_id, member_id=caller.member)
    found = [
        one
        for one in _seen(session, caller, visible_runs(session, caller, now=now), state=state, now=now)
        if playbook in (None, one.run.playbook.slug) and may_answer(session, caller, one, now=now)
    ]
    return [one for one in found if one.team.id in mine] or found


def listed(
    session: Session,
    caller: Caller,
    found: Sequence[HandedOver],
    *,
    playbook: str | None,
    asked: str | None,
    now: datetime,
) -> Handoffs:
    """Handoffs for a template."""
    zone = zone_of(session, require_workspace(session, caller.workspace_id), caller.member)
    rows = tuple(
        HandoffRow(
            handoff=names_of(one, zone),
            overdue=_is_overdue(one.row, now),
            may_answer=at < SHOWN
            and one.row.state in (HandoffState.SENT, HandoffState.ACCEPTED)
            and may_answer(session, caller, one, now=now),
            may_withdraw=at < SHOWN
            and one.row.state is HandoffState.SENT
            and may_withdraw(session, caller, one),
        )
        for at, one in enumerate(found)
    )
    return Handoffs(
        rows=rows,
        waiting=sum(1 for one in found if one.row.state is HandoffState.SENT),
        overdue=sum(1 for row in rows if row.overdue),
        in_hand=sum(1 for one in found if one.row.state is HandoffState.ACCEPTED),
        playbook=playbook,
        asked=asked,
    )


def _is_overdue(row: Handoff, now: datetime) -> bool:
    return row.state is HandoffState.SENT and row.due_at <= now


def status_lines(
    session: Session,
    caller: Caller,
    seen: Sequence[int],
    *,
    only: Collection[int] | None = None,
    runs: Sequence[TeamRun],
    now: datetime,
) -> tuple[Mrkdwn, ...]:
    """What waits to be accepted, from adoptions and to the caller's teams, or from some `only`: a sentence each.

    `runs` are those that are loaded already.
    """
    shown = set(seen if only is None else only)
    mine = {
        team.id
        for team in people.teams_of(session, workspace_id=caller.workspace_id, member_id=caller.member)
    }
    zone = zone_of(session, require_workspace(session, caller.workspace_id), caller.member)
    lines = []
    for one in _seen(session, caller, runs, now=now, adoption_ids=seen):
        if one.run.id not in shown and not (only is None and one.team.id in mine):
            continue
        due = one.row.due_at.astimezone(zone)
        lines.append(
            say(
                "#{number} {what}: {team} → {to}, {when} {day}, {clock}",
                number=one.row.id,
                what=one.row.what[:100],
                team=one.run.team.title[:40],
                to=one.team.title[:40],
                when="overdue since" if _is_overdue(one.row, now) else "to be accepted by",
                day=day(due, one.row.sent_at.astimezone(zone)),
                clock=clock(due),
            )
        )
    return tuple(lines)
