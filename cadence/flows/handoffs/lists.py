"""Open and accepted handoffs, as a list and as lines of the status."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from cadence.flows.core import (
    AdoptionView,
    adoption_views,
    is_curator,
    require_workspace,
    visible_adoptions,
    zone_of,
)
from cadence.flows.handoffs.contracts import HandedOver, handed_over, may_answer, may_withdraw, names_of
from cadence.mrkdwn import Mrkdwn, say
from cadence.refusals import Refusal
from storage.queries import handoffs, people
from storage.tables import Handoff, HandoffState
from storage.work import UnitOfWork
from templates.contexts.handoffs import HandoffRow, Handoffs
from templates.filters import clock, day

SHOWN = 10
"""Handoffs that a list shows."""
LATELY = timedelta(days=7)
"""How long a returned handoff is still listed."""


def show_handoffs(uow: UnitOfWork, *, playbook: str | None, team: str | None) -> Handoffs:
    """Handoffs from and to the caller's teams: open, accepted, and recently returned.

    A curator sees all.
    """
    with uow.read():
        runs = visible_adoptions(uow)
        found = _seen(uow, runs)
        found += _seen(uow, runs, state=HandoffState.ACCEPTED)
        failed = handoffs.failed_between(uow, since=uow.now - LATELY, until=uow.now + LATELY, limit=100)
        mine = {view.id for view in runs}
        found += _whole(uow, [row for row in failed if row.adoption_id in mine], runs)
        fitting = [
            one
            for one in found
            if playbook in (None, one.view.playbook.slug)
            and team in (None, one.view.team.slug, one.team.slug)
        ]
        title = fitting[0].view.playbook.title if playbook and fitting else None
        return listed(uow, fitting, playbook=title, asked=None)


def _seen(
    uow: UnitOfWork,
    runs: Sequence[AdoptionView],
    *,
    state: HandoffState = HandoffState.SENT,
    adoption_ids: Sequence[int] | None = None,
) -> list[HandedOver]:
    """Open handoffs (or in another state) that concern the caller, due first.

    `runs`, or `adoption_ids`, are all that they can see.
    """
    curator = is_curator(uow)
    rows = handoffs.waiting(
        uow,
        adoption_ids=None if curator else adoption_ids or [view.id for view in runs],
        member=None if curator else uow.actor.member,
        state=state,
    )
    return _whole(uow, rows, runs)


def _whole(uow: UnitOfWork, rows: Iterable[Handoff], runs: Sequence[AdoptionView]) -> list[HandedOver]:
    """The handoffs whose sender still runs the playbook."""
    rows, known = list(rows), {view.id: view for view in runs}
    unknown = {row.adoption_id for row in rows} - known.keys()
    if unknown:
        more = adoption_views(uow, adoption_ids=sorted(unknown))
        known |= {view.id: view for view in more}
    found = []
    for row in rows:
        try:
            found.append(handed_over(uow, row, runs=known))
        except Refusal:
            continue
    return found


def answerable(uow: UnitOfWork, *, playbook: str | None) -> list[HandedOver]:
    """Handoffs that the caller can answer: sent to their teams, else those they can answer otherwise."""
    return _received(uow, HandoffState.SENT, playbook=playbook)


def in_hand(uow: UnitOfWork, *, playbook: str | None) -> list[HandedOver]:
    """Accepted handoffs that aren't done: accepted by the caller, else by their teams, else those they can
    finish otherwise."""
    found = _received(uow, HandoffState.ACCEPTED, playbook=playbook)
    return [one for one in found if one.row.decided_by == uow.actor.member] or found


def withdrawable(uow: UnitOfWork, *, playbook: str | None) -> list[HandedOver]:
    """Open handoffs that the caller can withdraw: their own, else others'."""
    found = [
        one
        for one in _seen(uow, visible_adoptions(uow))
        if playbook in (None, one.view.playbook.slug) and may_withdraw(uow, one)
    ]
    return [one for one in found if one.row.sent_by == uow.actor.member] or found


def settleable(uow: UnitOfWork, *, playbook: str | None) -> list[HandedOver]:
    """Failed handoffs that hold a step in its fallback mode, of the caller's playbooks; the newest of each
    pair of teams."""
    found: dict[tuple[int, int], HandedOver] = {}
    for one in _seen(uow, visible_adoptions(uow), state=HandoffState.FAILED):
        mine = one.view.playbook.owner == uow.actor.member or is_curator(uow)
        if one.row.fallback_id is not None and playbook in (None, one.view.playbook.slug) and mine:
            found[one.row.adoption_id, one.row.team_id] = one
    return list(found.values())


def _received(uow: UnitOfWork, state: HandoffState, *, playbook: str | None) -> list[HandedOver]:
    mine = people.team_ids(uow, member_id=uow.actor.member)
    found = [
        one
        for one in _seen(uow, visible_adoptions(uow), state=state)
        if playbook in (None, one.view.playbook.slug) and may_answer(uow, one)
    ]
    return [one for one in found if one.team.id in mine] or found


def listed(
    uow: UnitOfWork, found: Sequence[HandedOver], *, playbook: str | None, asked: str | None
) -> Handoffs:
    """Handoffs for a template."""
    zone = zone_of(uow, require_workspace(uow), uow.actor.member)
    rows = tuple(
        HandoffRow(
            handoff=names_of(one, zone),
            overdue=_is_overdue(one.row, uow.now),
            may_answer=at < SHOWN
            and one.row.state in (HandoffState.SENT, HandoffState.ACCEPTED)
            and may_answer(uow, one),
            may_withdraw=at < SHOWN and one.row.state is HandoffState.SENT and may_withdraw(uow, one),
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
    uow: UnitOfWork, seen: Sequence[int], *, only: Collection[int] | None = None, runs: Sequence[AdoptionView]
) -> tuple[Mrkdwn, ...]:
    """Open handoffs from adoptions and to the caller's teams, or some of them (`only`): a sentence each.

    `runs` are adoptions that are already loaded.
    """
    shown, found = set(seen if only is None else only), _seen(uow, runs, adoption_ids=seen)
    if not found:
        return ()
    mine = people.team_ids(uow, member_id=uow.actor.member)
    zone = zone_of(uow, require_workspace(uow), uow.actor.member)
    lines = []
    for one in found:
        if one.view.id not in shown and not (only is None and one.team.id in mine):
            continue
        due = one.row.due_at.astimezone(zone)
        lines.append(
            say(
                "#{number} {what}: {team} → {to}, {when} {day}, {clock}",
                number=one.row.id,
                what=one.row.what[:100],
                team=one.view.team.title[:40],
                to=one.team.title[:40],
                when="overdue since" if _is_overdue(one.row, uow.now) else "accept by",
                day=day(due, one.row.sent_at.astimezone(zone)),
                clock=clock(due),
            )
        )
    return tuple(lines)
