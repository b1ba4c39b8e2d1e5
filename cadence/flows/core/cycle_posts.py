"""Rewriting the posts about a cycle, and about the setup before the first one."""

from datetime import time, timedelta
from typing import Final

from cadence.flows.core.adoptions import AdoptionView
from cadence.flows.core.expected import expected_members
from cadence.flows.core.messages import CHECKIN_KINDS, checkin_messages
from cadence.flows.core.watching import rollout_cycles
from cadence.rules.calendar import WEEKS, instant, monday_of, week_monday
from storage.outbox.queueing import NewMessage
from storage.queries import cycles, people, setup
from storage.tables import Cycle, CycleState, OutboxMessage
from storage.work import UnitOfWork

CYCLE_CHART: Final = "cycle-chart"
CHART_USEFUL: Final = timedelta(days=7)
"""As long as the closing post may wait for working hours, including holidays, and a margin."""


def rewrite_cycle_posts(uow: UnitOfWork, view: AdoptionView, cycle: Cycle, *, mark: str) -> None:
    """Rewrite the cycle's opening posts and gate messages, this week's, and its closing post.

    An earlier week's gate may be met by now. `mark` identifies the change: each change rewrites a post once.
    """
    _rewrite_weeks(uow, view, {*_weeks(cycle), str(monday_of(view.today))}, mark=mark)
    if cycle.state is CycleState.CLOSED:
        uow.rewrite("cycle-closed", cycle.id, mark=mark)


def redraw_chart(uow: UnitOfWork, cycle: Cycle, *, mark: str) -> None:
    """Queue another chart for each closing post, after a number of the cycle changed."""
    for post in uow.messages("cycle-closed", cycle.id):
        if post.replaces_id is None:
            redraw_chart_of(uow, post, mark)


def redraw_chart_of(uow: UnitOfWork, post: OutboxMessage, mark: str) -> None:
    """Queue another chart for one closing post, once per `mark`."""
    about = (post.subject["cycle"], post.recipient, mark)
    uow.send([NewMessage(CYCLE_CHART, post.recipient, dict(post.subject), about=about, useful=CHART_USEFUL)])


def rewrite_setup(uow: UnitOfWork, view: AdoptionView, *, mark: str) -> None:
    """Rewrite the team's setup message and the DMs of champion and owner, once per mark."""
    uow.rewrite(("setup", "champion"), view.id, mark=mark)
    row = setup.of_adoption(uow, adoption_id=view.id)
    if row is not None:
        uow.rewrite("setup-done", row.id, mark=mark)


def close_cycle_posts(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> None:
    """Rewrite every gate message and opening post of a closed cycle, to remove their buttons."""
    _rewrite_weeks(uow, view, _weeks(cycle), mark=f"closed:{cycle.id}")


def _weeks(cycle: Cycle) -> set[str]:
    return {str(week_monday(cycle.starts_on, week)) for week in range(1, WEEKS + 1)}


def _rewrite_weeks(uow: UnitOfWork, view: AdoptionView, weeks: set[str], *, mark: str) -> None:
    for week in sorted(weeks):
        uow.rewrite(("week-opens", "gate-due"), view.id, mark=mark, week=week)


def rewrite_modes(uow: UnitOfWork, view: AdoptionView, *, mark: str) -> None:
    """Rewrite this week's check-ins and opening post with the current modes."""
    week = view.week_start
    uow.rewrite("week-opens", view.id, view.team.channel, week, mark=mark)
    for member in expected_members(uow, view, week_start=week):
        uow.rewrite(CHECKIN_KINDS, member, week, mark=mark)


def rewrite_checkins(uow: UnitOfWork, view: AdoptionView, *, mark: str) -> None:
    """Rewrite the team's check-ins of this week and of last week, and who is missing, after a pause or its end."""
    members = sorted({row.member for row in people.memberships(uow, team_ids=[view.team.id or 0])})
    weeks = view.week_start, view.week_start - timedelta(weeks=1)
    uow.rewrite_messages(checkin_messages(uow, members, *weeks), mark=mark)
    for week in weeks:
        uow.rewrite("who-is-missing", view.id, mark=mark, week=week)


def rewrite_as_next_begins(uow: UnitOfWork, view: AdoptionView) -> None:
    """Rewrite the newest closing post when the next cycle begins, which then can't be paused from it."""
    closed = _last_closed(uow, view)
    later = [
        row
        for row in cycles.cycles_of(uow, adoption_id=view.id)
        if closed is not None and row.number > closed.number
    ]
    if closed is None or not later:
        return
    at = instant(later[0].starts_on, time.min, view.zone)
    sent = uow.messages("cycle-closed", closed.id)
    uow.rewrite_messages(sent, mark=f"begun:{later[0].id}", at=at)


def _last_closed(uow: UnitOfWork, view: AdoptionView) -> Cycle | None:
    rows = rollout_cycles(uow, view)
    return next((row for row in reversed(rows) if row.state is CycleState.CLOSED), None)


def rewrite_last_closing(uow: UnitOfWork, view: AdoptionView, *, mark: str) -> None:
    """Rewrite the newest closing post after the plan for the next cycle changed."""
    closed = _last_closed(uow, view)
    if closed is not None:
        rewrite_cycle_posts(uow, view, closed, mark=mark)
