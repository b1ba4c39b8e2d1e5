"""Choose the check-in a command or form is about: the open one, or the one that can be changed."""

from dataclasses import dataclass
from datetime import date, timedelta

from cadence.flows.checkins.rows import is_missing, member_adoptions, open_adoptions
from cadence.flows.core import (
    ASKED_UNTIL,
    AdoptionView,
    how_to_begin,
    is_in_team,
    last_week,
    meant_week,
    require_cycle,
    require_workspace,
    visible_adoptions,
    zone_of,
)
from cadence.flows.numbers import pick_adoption
from cadence.mrkdwn import say
from cadence.refusals import Refusal
from cadence.rules.calendar import local_day, monday_of
from storage.work import UnitOfWork
from templates.contexts.base import Choice
from templates.contexts.checkins import ChooseCheckinForm


@dataclass(frozen=True, slots=True)
class Chosen:
    """A check-in: its adoption, and the Monday of its week."""

    adoption_id: int
    week_start: date


def choose_checkin(uow: UnitOfWork, *, playbook: str | None, team: str | None, week: int | None) -> Chosen:
    """The check-in a person means if they don't specify it.

    Raises:
        NeedsChoice: several adoptions fit. NeedsWeek: early in a week, with last week's unanswered, it could
        be either. Refusal: no cycle is running.
    """
    with uow.read():
        only = None
        if playbook is None and team is None and week is None:
            workspace = require_workspace(uow)
            start = monday_of(local_day(uow.now, zone_of(uow, workspace, uow.actor.member)))
            still_open = open_adoptions(uow, week_start=start)
            only = still_open[0] if len(still_open) == 1 else None
        view = only or pick_adoption(uow, adoption_id=None, playbook=playbook, team=team)
        meant = meant_week(
            uow,
            view,
            week=week,
            is_missing=lambda before: is_missing(uow, view, before),
        )
        return Chosen(view.id, meant.start)


def choose_checkin_form(uow: UnitOfWork) -> ChooseCheckinForm:
    """The form that asks which check-in to answer, or the check-in form itself if there is only one.

    Only the open ones if there are any, else those that can be changed. Early in a week they include last
    week's unanswered ones.

    Raises:
        Refusal: there is no check-in.
    """
    with uow.read():
        workspace = require_workspace(uow)
        today = local_day(uow.now, zone_of(uow, workspace, uow.actor.member))
        week = monday_of(today)
        before = week - timedelta(weeks=1) if today.weekday() <= ASKED_UNTIL else None
        late = open_adoptions(uow, week_start=before) if before else []
        still = open_adoptions(uow, week_start=week)
        found = [_choice(view, before, "last week") for view in late if before]
        if len(still) > 1:
            label = f"{'Both' if len(still) == 2 else f'All {len(still)}'} of this week, as planned"
            found.append(Choice(label=label, value=f"{ChooseCheckinForm.ALL}:{week}"))
        found += [_choice(view, week, "this week") for view in still]
        if not found:
            answered = member_adoptions(uow, member=uow.actor.member, week_start=week)
            found = [_choice(view, week, "paused" if view.is_paused else "answered") for view in answered]
        if not found and before:
            over = [view for view in visible_adoptions(uow) if is_in_team(uow, view, uow.actor.member)]
            found = [_choice(view, before, "last week") for view in over if _can_report_late(uow, view)]
        if not found:
            for view in visible_adoptions(uow):
                if is_in_team(uow, view, uow.actor.member):
                    require_cycle(view)  # says when it starts, or who can start it
            raise Refusal(
                say(
                    "You don't have a check-in: none of your teams is in a cycle. {next}",
                    next=how_to_begin(uow),
                )
            )
    return ChooseCheckinForm(choices=tuple(found))


def _can_report_late(uow: UnitOfWork, view: AdoptionView) -> bool:
    """Whether last week's cycle is over, no other has begun, and the actor's answer is missing."""
    before = last_week(uow, view) if view.week is None else None
    return before is not None and is_missing(uow, view, before)


def _choice(view: AdoptionView, week: date, state: str) -> Choice:
    return Choice(label=f"{view.playbook.title} · {view.team.title}, {state}", value=f"{view.id}:{week}")
