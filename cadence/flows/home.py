"""What stands on a person's Home: what waits for them, their playbooks, the registry; a page at a time."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from sqlmodel import Session

from cadence.flows import home_begin
from cadence.flows.callers import Caller, is_curator, why_not
from cadence.flows.checkin_copies import closes_at, copies
from cadence.flows.checkin_rows import (
    EARLY_IN_THE_WEEK,
    checkin_row,
    cycle_of_week,
    key,
    member_runs,
    missed_last_week,
    week_kpi,
)
from cadence.flows.home_handoffs import handoffs_from, handoffs_in_hand, handoffs_to
from cadence.flows.home_needs import Need, champion_needs, needs
from cadence.flows.home_playbooks import home_playbook
from cadence.flows.home_quiet import quiet
from cadence.flows.people import zone_of
from cadence.flows.runs import TeamRun, require_workspace, team_runs
from cadence.flows.snoozing import KIND, pending, snooze_menu
from cadence.flows.weeks import last_week
from cadence.mrkdwn import coded
from cadence.nudges import CHECKIN, Unless
from cadence.refusals import Refusal
from cadence.rules.calendar import local_day, monday_of, week_number
from storage import homes as rows
from storage import ledger, people, playbooks, registry, reports
from storage.tables import AdoptionState, CycleState, MessageState, PlaybookState, Workspace
from templates.contexts.checkins import CheckinRow
from templates.contexts.home import Home, HomeItem, HomeNumber, HomeRegistry

PAGE = 8
"""Entries on a page: with the longest names their text stays under 13,000 characters."""
NUMBER_FROM = 3
"""The weekday (Thursday) from which the week's number is asked for."""

Entry = Callable[[], HomeItem]
"""An entry, worked out only when its page is looked at."""


def home_view(session: Session, caller: Caller, *, page: int, now: datetime) -> Home:
    """One page of a person's Home; a page past the last is the last."""
    try:
        workspace = require_workspace(session, caller.workspace_id)
    except Refusal as unknown:
        return Home(waiting=0, items=(), begin=(unknown.text,))
    barred = why_not(session, caller)
    if barred is not None:
        return Home(waiting=0, items=(), begin=(coded(barred),))
    row = rows.get(session, workspace_id=workspace.id, member=caller.member)
    curator = is_curator(session, caller)
    mine = _mine(session, caller, workspace, now=now)
    open_rows = _open_checkins(session, caller, workspace, now=now)
    waiting: list[Entry] = [*_checkins(open_rows), *_numbers(session, caller, mine, open_rows)]
    needed = needs(session, caller, workspace, mine, curator=curator, now=now)
    handed = (
        *handoffs_to(session, caller, now=now),
        *handoffs_in_hand(session, caller, now=now),
        *handoffs_from(session, caller, mine, now=now),
    )
    waiting += [_item(HomeItem(kind="need", need=need)) for need in handed]
    waiting += [_needed(need) for need in champion_needs(session, caller, mine)]
    waiting += [_needed(need) for need in needed.listed]
    entries = [*waiting, *_playbooks(session, caller, mine, now=now)]
    if curator:
        entries.append(_item(HomeItem(kind="registry", registry=_registry(session, workspace))))
    pages = max(1, -(-len(entries) // PAGE))
    page = min(max(page, 1), pages)
    busy = bool(mine or waiting)
    begin = home_begin.first_steps(session, caller, workspace, busy=busy, curator=curator)
    return Home(
        waiting=len(waiting) + needed.more,
        items=tuple(entry() for entry in entries[(page - 1) * PAGE : page * PAGE]),
        welcome=row is not None and not row.begun,
        several_open=_several(open_rows),
        next_checkin=None if waiting else home_begin.next_checkin(session, caller, workspace, now=now),
        snoozes=snooze_menu(
            session,
            workspace,
            caller.member,
            week=date.fromisoformat(min(row.week_start for row in open_rows)) if open_rows else None,
            now=now,
        ),
        quiet=tuple(quiet(session, caller, workspace, now=now)),
        begin=tuple(map(coded, begin.lines)),
        offers=begin.offers,
        page=page,
        pages=pages,
    )


def _item(item: HomeItem) -> Entry:
    return lambda: item


def _mine(session: Session, caller: Caller, workspace: Workspace, *, now: datetime) -> list[TeamRun]:
    """The runs of one's own teams, and of the playbooks one owns; others aren't even loaded."""
    teams = people.teams_of(session, workspace_id=caller.workspace_id, member_id=caller.member)
    ids = [team.id or 0 for team in teams]
    found = team_runs(session, workspace=workspace, now=now, team_ids=ids) if ids else []
    found += team_runs(session, workspace=workspace, now=now, owner=caller.member)
    by_id = {run.id: run for run in found}
    return sorted(by_id.values(), key=lambda run: (run.playbook.slug, run.team.slug))


def _needed(need: Need) -> Entry:
    return lambda: HomeItem(kind="need", need=need())


# --- what one is asked ----------------------------------------------------------------------------------------


def _open_checkins(
    session: Session, caller: Caller, workspace: Workspace, *, now: datetime
) -> list[CheckinRow]:
    """This week's open check-ins, once they were asked; before them last week's, early or while a DM asks."""
    today = local_day(now, zone_of(session, workspace, caller.member))
    week = monday_of(today)
    before = week - timedelta(weeks=1)
    found = []
    if today.weekday() < EARLY_IN_THE_WEEK or _is_live(session, caller, workspace, before, now):
        found += _open_in(session, caller, before, missed=True, now=now)
    if _was_asked(session, caller, week, now=now):
        found += _open_in(session, caller, week, missed=False, now=now)
    return found


def _open_in(
    session: Session, caller: Caller, week: date, *, missed: bool, now: datetime
) -> list[CheckinRow]:
    runs = member_runs(
        session, workspace_id=caller.workspace_id, member=caller.member, week_start=week, now=now
    )
    asked = [
        run
        for run in runs
        if run.adoption.state is AdoptionState.ACTIVE
        and (not missed or missed_last_week(session, run, member=caller.member))
    ]
    shown = [checkin_row(session, run, member=caller.member, week_start=week) for run in asked]
    return [row for row in shown if row.answer is None]


def _was_asked(session: Session, caller: Caller, week: date, *, now: datetime) -> bool:
    """Whether the week's check-in has come; one that couldn't be delivered is asked here all the same."""
    found = []
    for kind in (CHECKIN.kind, KIND):
        prefix = key(kind, caller.workspace_id, caller.member, week)
        found += ledger.by_prefix(session, workspace_id=caller.workspace_id, prefix=prefix)
    return any(
        row.due_at <= now
        and (
            row.state is not MessageState.SKIPPED
            or (row.kind == CHECKIN.kind and row.reason == Unless.SNOOZED)
        )
        for row in found
    )


def _is_live(session: Session, caller: Caller, workspace: Workspace, week: date, now: datetime) -> bool:
    """Whether a week's check-in has a DM with buttons, or comes back after it was snoozed."""
    ids = {"workspace_id": caller.workspace_id, "member": caller.member}
    newest = copies(session, **ids, week=week.isoformat())[-1:]
    return week.isoformat() in pending(session, **ids) or any(
        now < closes_at(session, workspace, one) for one in newest
    )


def _checkins(open_rows: Sequence[CheckinRow]) -> list[Entry]:
    alone = len(open_rows) == 1
    return [_item(HomeItem(kind="checkin", checkin=row, alone=alone)) for row in open_rows]


def _several(open_rows: Sequence[CheckinRow]) -> str:
    """The newest week, when several of its check-ins are open."""
    weeks = [row.week_start for row in open_rows]
    newest = max(weeks, default="")
    return newest if weeks.count(newest) > 1 else ""


def _numbers(
    session: Session, caller: Caller, mine: Sequence[TeamRun], open_rows: Sequence[CheckinRow]
) -> list[Entry]:
    """The numbers one reports that are missing; an open check-in asks for its own."""
    asked = {(row.adoption_id, row.week_start) for row in open_rows}
    found = []
    for run in mine:
        if run.team.reporter != caller.member or run.adoption.state is not AdoptionState.ACTIVE:
            continue
        for about in _weeks_to_report(session, run):
            week = about.isoformat()
            if (run.id, week) in asked or _is_reported(session, run, about):
                continue
            cycle = cycle_of_week(session, run, about)
            number = HomeNumber(
                adoption_id=run.id,
                week_start=week,
                playbook=run.playbook.title,
                team=run.team.title,
                week=week_number(cycle.starts_on, about) if cycle else None,
                kpi=week_kpi(session, run, week_start=about),
            )
            found.append(_item(HomeItem(kind="number", number=number)))
    return found


def _weeks_to_report(session: Session, run: TeamRun) -> list[date]:
    """Last week early in a week, while its cycle runs; this week late in it."""
    weekday = run.today.weekday()
    before = last_week(session, run) if weekday < EARLY_IN_THE_WEEK else None
    late = before is not None and before.cycle.state is CycleState.RUNNING
    weeks = [before.start] if before is not None and late else []
    return [*weeks, run.week_start] if run.week is not None and weekday >= NUMBER_FROM else weeks


def _is_reported(session: Session, run: TeamRun, week_start: date) -> bool:
    found = reports.reading(session, workspace_id=run.workspace.id, adoption_id=run.id, week_start=week_start)
    return found is not None


# --- what one runs --------------------------------------------------------------------------------------------


def _playbooks(session: Session, caller: Caller, mine: Sequence[TeamRun], *, now: datetime) -> list[Entry]:
    def shown(run: TeamRun) -> Entry:
        return lambda: HomeItem(kind="playbook", playbook=home_playbook(session, caller, run, now=now))

    return [shown(run) for run in mine]


def _registry(session: Session, workspace: Workspace) -> HomeRegistry:
    counted = registry.counts(session, workspace_id=workspace.id)
    published = sum(count for (_, state), count in counted.items() if state is not PlaybookState.RETIRED)
    everything = playbooks.playbooks(session, workspace_id=workspace.id)
    live = sum(1 for playbook in everything if playbook.state is not PlaybookState.RETIRED)
    adopted = playbooks.adoption_counts(session, workspace_id=workspace.id)
    return HomeRegistry(published=published, drafts=live - published, adoptions=sum(adopted.values()))
