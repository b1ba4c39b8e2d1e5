"""What is quiet for a person, and until when: days away, a snoozed check-in, reminders turned off."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from textwrap import shorten
from zoneinfo import ZoneInfo

from cadence.flows.adoption import standing
from cadence.flows.checkins import (
    EARLY_IN_THE_WEEK,
    KIND,
    answer_context,
    checkin_row,
    closes_at,
    cycle_of_week,
    member_runs,
    member_zone,
    missed_last_week,
    open_runs,
    pending,
    sent_copies,
    snooze_menu,
    week_kpi,
)
from cadence.flows.core import (
    TeamRun,
    current_modes,
    expected_members,
    is_curator,
    key,
    last_week,
    mode_of,
    require_workspace,
    starts_on,
    team_runs,
    why_not,
    zone_of,
)
from cadence.flows.cycles import step_evidence
from cadence.flows.gates import gate_line, gate_of
from cadence.flows.handoffs import handed_over
from cadence.flows.numbers import kpi_context
from cadence.flows.overview.decisions import Need, champion_needs, needs
from cadence.flows.schedule import rollout_of
from cadence.mrkdwn import coded, say
from cadence.nudges import CHECKIN, Unless, due
from cadence.refusals import Offer, Refusal
from cadence.rules.calendar import WEEKS, local_day, monday_of, week_number
from storage.outbox import ledger
from storage.queries import handoffs, people, playbooks, registry, reports
from storage.queries import homes as rows
from storage.tables import (
    AdoptionState,
    Cycle,
    CycleState,
    HandoffState,
    MessageState,
    PlaybookState,
    Workspace,
)
from storage.work import UnitOfWork
from templates.contexts.checkins import CheckinRow
from templates.contexts.home import Home, HomeItem, HomeNeed, HomeNumber, HomePlaybook, HomeRegistry, HomeStep
from templates.contexts.playbooks import GateLine
from templates.filters import clock, day
from templates.ids import Action


def quiet(uow: UnitOfWork, workspace: Workspace) -> Iterator[HomeNeed]:
    """A line for each, with the button that ends it."""
    zone = zone_of(uow, workspace, uow.actor.member)
    today = local_day(uow.now, zone)
    away = people.away_between(uow, first=today, last=today, member_ids=[uow.actor.member])
    if away:
        last = max(row.last_day for row in away)
        yield HomeNeed(
            text=say("You are away until {day}: nothing is sent to you.", day=day(last)),
            offers=(Offer("I'm back", Action.SNOOZE, "back"),),
        )
    for week, at in sorted(pending(uow, member=uow.actor.member).items()):
        if not open_runs(uow, week_start=date.fromisoformat(week)):
            continue
        comes = at.astimezone(zone)
        yield HomeNeed(
            text=say(
                "{which} week's check-in is snoozed until {day} at {clock}.",
                which="This" if week >= monday_of(today).isoformat() else "Last",
                day=day(comes.date()),
                clock=clock(comes),
            )
        )
    row = people.member(uow, member_id=uow.actor.member)
    if row is not None and row.muted:
        yield HomeNeed(
            text=say("Reminders are off; the weekly check-in still comes."),
            offers=(Offer("Turn reminders on", Action.SNOOZE, "unmute"),),
        )


AHEAD = timedelta(days=15)
TEAMS_OFFERED = 4


@dataclass(frozen=True, slots=True)
class Begin:
    """Sentences that say how to begin, and the buttons for it; empty when there is nothing to say."""

    lines: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()


def first_steps(uow: UnitOfWork, *, busy: bool, curator: bool) -> Begin:
    """What a person whose Home is empty otherwise (not `busy`) does first, by their role."""
    if not people.curators(uow):
        member = people.member(uow, member_id=uow.actor.member)
        if member is not None and member.is_admin:
            line = "This workspace has no curator yet: name one, and a channel for the weekly digest."
            return Begin((line,), (Offer("Set up", Action.OPEN_SETTINGS),))
        return Begin(("Nobody has set this up yet. A workspace admin does it with `/cadence settings`.",))
    if busy:
        return Begin()
    if curator:
        if playbooks.playbooks(uow):
            return Begin()
        line = "There is no playbook yet: write or import one, then start its first cycle in a team."
        offers = (
            Offer("New playbook", Action.NEW_PLAYBOOK),
            Offer("Import a playbook", Action.IMPORT_PLAYBOOK),
        )
        return Begin((line,), offers)
    return _join(uow)


def _join(uow: UnitOfWork) -> Begin:
    if people.teams_of(uow, member_id=uow.actor.member):
        return Begin(("Your team runs no playbook yet; `/cadence playbook list` shows what there is.",))
    teams = people.teams(uow)
    if not teams:
        return Begin(("There is no team yet; `/cadence team create` makes one.",))
    more = " `/cadence team join` with a team's name joins any other." if len(teams) > TEAMS_OFFERED else ""
    return Begin(
        (f"You are in no team yet: join the one you work in.{more}",),
        tuple(
            Offer(f"Join {team.title}"[:75], Action.TEAM_JOIN, team.slug) for team in teams[:TEAMS_OFFERED]
        ),
    )


def next_checkin(uow: UnitOfWork, workspace: Workspace) -> datetime | None:
    """When the person's next check-in comes, in their own zone; None when none is planned."""
    until = uow.now + AHEAD
    own = rollout_of(uow, workspace, [uow.actor.member], until=until)
    snoozed = pending(uow, member=uow.actor.member)
    slots = [
        slot.at
        for slot in due(uow.now, until, own)
        if slot.kind == CHECKIN.kind and not slot.skipped and slot.subject["week"] not in snoozed
    ]
    for week, at in snoozed.items():
        if open_runs(uow, week_start=date.fromisoformat(week)):
            slots.append(at)
    return min(slots).astimezone(zone_of(uow, workspace, uow.actor.member)) if slots else None


def handoffs_to(uow: UnitOfWork) -> Iterator[HomeNeed]:
    """Each handoff to a team of the caller's, due first, with the buttons that answer it."""
    teams = people.teams_of(uow, member_id=uow.actor.member)
    if not teams:
        return
    zone = zone_of(uow, require_workspace(uow), uow.actor.member)
    ids = [team.id or 0 for team in teams]
    for row in handoffs.waiting(uow, team_ids=ids):
        try:
            whole = handed_over(uow, row)
        except Refusal:  # the sending team doesn't run the playbook any more
            continue
        due = row.due_at.astimezone(zone)
        yield HomeNeed(
            text=say(
                "{playbook} ({sender}) hands over to {to}: {what}, {due} {day} {clock}",
                sender=whole.run.team.title,
                to=whole.team.title,
                what=row.what[:200],
                playbook=whole.run.playbook.title,
                due="overdue since" if row.due_at < uow.now else "to be accepted by",
                day=day(due, row.sent_at.astimezone(zone)),
                clock=clock(due),
            ),
            offers=(
                Offer("Accept", Action.ACCEPT_HANDOFF, str(row.id)),
                Offer("Can't use it", Action.FAIL_HANDOFF, str(row.id)),
            ),
        )


def handoffs_in_hand(uow: UnitOfWork) -> Iterator[HomeNeed]:
    """Each handoff that the caller accepted for a team of theirs and hasn't said to be done, due first."""
    ids = list(people.team_ids(uow, member_id=uow.actor.member))
    if not ids:
        return
    zone = zone_of(uow, require_workspace(uow), uow.actor.member)
    for row in handoffs.waiting(uow, team_ids=ids, state=HandoffState.ACCEPTED):
        if row.decided_by != uow.actor.member or row.decided_at is None:
            continue
        try:
            whole = handed_over(uow, row)
        except Refusal:  # the sending team doesn't run the playbook any more
            continue
        yield HomeNeed(
            text=say(
                "You accepted {what} from {sender} on {day} ({playbook}): say when it is done",
                what=row.what[:200],
                sender=whole.run.team.title,
                day=day(row.decided_at.astimezone(zone)),
                playbook=whole.run.playbook.title,
            ),
            offers=(Offer("Done", Action.FINISH_HANDOFF, str(row.id)),),
        )


def handoffs_from(uow: UnitOfWork, runs: Sequence[TeamRun]) -> Iterator[HomeNeed]:
    """Each overdue handoff that the caller sent or whose playbook they own, the longest first.

    `runs` are those of their teams and of the playbooks they own.
    """
    known = {run.id: run for run in runs}
    receives = people.team_ids(uow, member_id=uow.actor.member)
    zone = zone_of(uow, require_workspace(uow), uow.actor.member)
    for row in handoffs.waiting(uow, adoption_ids=list(known)):
        run = known[row.adoption_id]
        if row.due_at > uow.now or uow.actor.member not in (row.sent_by, run.playbook.owner):
            continue
        if row.team_id in receives:
            continue  # it is listed with what they can accept
        whole = handed_over(uow, row, runs=known)
        due = row.due_at.astimezone(zone)
        yield HomeNeed(
            text=say(
                "{to} hasn't accepted {what}, overdue since {day} {clock} ({playbook}, {sender}): please ask them",
                to=whole.team.title,
                what=row.what[:200],
                day=day(due, row.sent_at.astimezone(zone)),
                clock=clock(due),
                playbook=run.playbook.title,
                sender=run.team.title,
            ),
            offers=(Offer("Withdraw", Action.WITHDRAW_HANDOFF, str(row.id)),),
        )


GATE_SIZE = 150
"""What a gate lacks, in so many characters, cut between words; `/cadence cycle show` has all of it."""


def home_playbook(uow: UnitOfWork, run: TeamRun) -> HomePlaybook:
    """Where one run stands this week, for one reader."""
    cycle, _where = run.cycle, run.workspace.id
    closed = cycle if cycle and cycle.state is CycleState.CLOSED else None
    week_start = max(run.week_start, cycle.starts_on) if cycle and not closed else run.week_start
    running = run.week is not None and not closed
    asked = set(expected_members(uow, run, week_start=week_start)) if running else set()
    came = reports.answered_members(uow, adoption_id=run.id, week_start=week_start)
    own = reports.check_in(uow, adoption_id=run.id, week_start=week_start, member=uow.actor.member)
    paused = run.adoption.state is AdoptionState.PAUSED
    gate = _gate(uow, run, cycle) if running and not paused else None
    zone = member_zone(uow, member=uow.actor.member, fallback=run.team.timezone)
    return HomePlaybook(
        adoption_id=run.id,
        slug=run.playbook.slug,
        playbook=run.playbook.title,
        team=run.team.title,
        week=run.week,
        kpi=kpi_context(run, value=closed.kpi_value) if closed else week_kpi(uow, run, week_start=week_start),
        readings=_readings(uow, run, cycle),
        answered=len(asked & came),
        expected=len(asked),
        steps=_steps(uow, run, cycle, zone),
        week_start=week_start.isoformat(),
        gate=shorten(gate.text, GATE_SIZE, placeholder=" …") if gate else None,
        gate_met=bool(gate and gate.met),
        closed=closed.number if closed else None,
        result=closed.result if closed else None,
        paused=paused,
        starts=starts_on(run),
        own=answer_context(uow, run, own) if own else None,
        standing=standing(uow, run),
    )


def _gate(uow: UnitOfWork, run: TeamRun, cycle: Cycle | None) -> GateLine | None:
    if cycle is None or run.week is None:
        return None
    return gate_line(gate_of(uow, run, cycle, run.week), week=run.week)


def _readings(uow: UnitOfWork, run: TeamRun, cycle: Cycle | None) -> tuple[float | None, ...]:
    """The cycle's numbers so far, week by week; empty before the first."""
    if cycle is None:
        return ()
    known = reports.readings(uow, cycle_id=cycle.id or 0)
    weeks = WEEKS if run.week is None else run.week
    return tuple(known.get(week) for week in range(1, weeks + 1)) if known else ()


def _steps(uow: UnitOfWork, run: TeamRun, cycle: Cycle | None, zone: ZoneInfo) -> tuple[HomeStep, ...]:
    """Each step, who leads it, its exceptions against its cap, and what was last decided about it."""
    modes = current_modes(uow, run)
    evidence = step_evidence(uow, run, cycle) if cycle else ()
    verdicts = {row.step: row for row in registry.newest_verdicts(uow, adoption_ids=[run.id])}
    shown = []
    for number, step in enumerate(run.spec.steps):
        last = verdicts.get(step.key)
        shown.append(
            HomeStep(
                key=step.key,
                title=step.title,
                mode=mode_of(modes, step),
                evidence=evidence[number].evidence if evidence else None,
                decision=last.decision if last else None,
                judged_at=last.judged_at.astimezone(zone) if last else None,
            )
        )
    return tuple(shown)


PAGE = 8
"""Entries on a page: with the longest names their text stays under 13,000 characters."""
NUMBER_FROM = 3
"""The weekday (Thursday) from which the week's number is asked for."""

Entry = Callable[[], HomeItem]
"""An entry, worked out only when its page is looked at."""


def home_view(uow: UnitOfWork, *, page: int) -> Home:
    """One page of a person's Home; a page past the last is the last."""
    try:
        workspace = require_workspace(uow)
    except Refusal as unknown:
        return Home(waiting=0, items=(), begin=(unknown.text,))
    barred = why_not(uow)
    if barred is not None:
        return Home(waiting=0, items=(), begin=(coded(barred),))
    row = rows.get(uow, member=uow.actor.member)
    curator = is_curator(uow)
    mine = _mine(uow, workspace)
    open_rows = _open_checkins(uow, workspace)
    waiting: list[Entry] = [*_checkins(open_rows), *_numbers(uow, mine, open_rows)]
    needed = needs(uow, workspace, mine, curator=curator)
    handed = (
        *handoffs_to(uow),
        *handoffs_in_hand(uow),
        *handoffs_from(uow, mine),
    )
    waiting += [_item(HomeItem(kind="need", need=need)) for need in handed]
    waiting += [_needed(need) for need in champion_needs(uow, mine)]
    waiting += [_needed(need) for need in needed.listed]
    entries = [*waiting, *_playbooks(uow, mine)]
    if curator:
        entries.append(_item(HomeItem(kind="registry", registry=_registry(uow))))
    pages = max(1, -(-len(entries) // PAGE))
    page = min(max(page, 1), pages)
    busy = bool(mine or waiting)
    begin = first_steps(uow, busy=busy, curator=curator)
    return Home(
        waiting=len(waiting) + needed.more,
        items=tuple(entry() for entry in entries[(page - 1) * PAGE : page * PAGE]),
        welcome=row is not None and not row.begun,
        several_open=_several(open_rows),
        next_checkin=None if waiting else next_checkin(uow, workspace),
        snoozes=snooze_menu(
            uow,
            workspace,
            uow.actor.member,
            week=date.fromisoformat(min(row.week_start for row in open_rows)) if open_rows else None,
        ),
        quiet=tuple(quiet(uow, workspace)),
        begin=tuple(map(coded, begin.lines)),
        offers=begin.offers,
        page=page,
        pages=pages,
    )


def _item(item: HomeItem) -> Entry:
    return lambda: item


def _mine(uow: UnitOfWork, workspace: Workspace) -> list[TeamRun]:
    """The runs of one's own teams, and of the playbooks one owns; others aren't even loaded."""
    teams = people.teams_of(uow, member_id=uow.actor.member)
    ids = [team.id or 0 for team in teams]
    found = team_runs(uow, workspace=workspace, team_ids=ids) if ids else []
    found += team_runs(uow, workspace=workspace, owner=uow.actor.member)
    by_id = {run.id: run for run in found}
    return sorted(by_id.values(), key=lambda run: (run.playbook.slug, run.team.slug))


def _needed(need: Need) -> Entry:
    return lambda: HomeItem(kind="need", need=need())


# --- what one is asked ----------------------------------------------------------------------------------------


def _open_checkins(uow: UnitOfWork, workspace: Workspace) -> list[CheckinRow]:
    """This week's open check-ins, once they were asked; before them last week's, early or while a DM asks."""
    today = local_day(uow.now, zone_of(uow, workspace, uow.actor.member))
    week = monday_of(today)
    before = week - timedelta(weeks=1)
    found = []
    if today.weekday() < EARLY_IN_THE_WEEK or _is_live(uow, workspace, before):
        found += _open_in(uow, before, missed=True)
    if _was_asked(uow, week):
        found += _open_in(uow, week, missed=False)
    return found


def _open_in(uow: UnitOfWork, week: date, *, missed: bool) -> list[CheckinRow]:
    runs = member_runs(uow, member=uow.actor.member, week_start=week)
    asked = [
        run
        for run in runs
        if run.adoption.state is AdoptionState.ACTIVE
        and (not missed or missed_last_week(uow, run, member=uow.actor.member))
    ]
    shown = [checkin_row(uow, run, member=uow.actor.member, week_start=week) for run in asked]
    return [row for row in shown if row.answer is None]


def _was_asked(uow: UnitOfWork, week: date) -> bool:
    """Whether the week's check-in has come; one that couldn't be delivered is asked here all the same."""
    found = []
    for kind in (CHECKIN.kind, KIND):
        prefix = key(kind, uow.actor.workspace_id, uow.actor.member, week)
        found += ledger.by_prefix(uow, prefix=prefix)
    return any(
        row.due_at <= uow.now
        and (
            row.state is not MessageState.SKIPPED
            or (row.kind == CHECKIN.kind and row.reason == Unless.SNOOZED)
        )
        for row in found
    )


def _is_live(uow: UnitOfWork, workspace: Workspace, week: date) -> bool:
    """Whether a week's check-in has a DM with buttons, or comes back after it was snoozed."""
    ids = {"member": uow.actor.member}
    newest = sent_copies(uow, **ids, week=week.isoformat())[-1:]
    return week.isoformat() in pending(uow, **ids) or any(
        uow.now < closes_at(uow, workspace, one) for one in newest
    )


def _checkins(open_rows: Sequence[CheckinRow]) -> list[Entry]:
    alone = len(open_rows) == 1
    return [_item(HomeItem(kind="checkin", checkin=row, alone=alone)) for row in open_rows]


def _several(open_rows: Sequence[CheckinRow]) -> str:
    """The newest week, when several of its check-ins are open."""
    weeks = [row.week_start for row in open_rows]
    newest = max(weeks, default="")
    return newest if weeks.count(newest) > 1 else ""


def _numbers(uow: UnitOfWork, mine: Sequence[TeamRun], open_rows: Sequence[CheckinRow]) -> list[Entry]:
    """The numbers one reports that are missing; an open check-in asks for its own."""
    asked = {(row.adoption_id, row.week_start) for row in open_rows}
    found = []
    for run in mine:
        if run.team.reporter != uow.actor.member or run.adoption.state is not AdoptionState.ACTIVE:
            continue
        for about in _weeks_to_report(uow, run):
            week = about.isoformat()
            if (run.id, week) in asked or _is_reported(uow, run, about):
                continue
            cycle = cycle_of_week(uow, run, about)
            number = HomeNumber(
                adoption_id=run.id,
                week_start=week,
                playbook=run.playbook.title,
                team=run.team.title,
                week=week_number(cycle.starts_on, about) if cycle else None,
                kpi=week_kpi(uow, run, week_start=about),
            )
            found.append(_item(HomeItem(kind="number", number=number)))
    return found


def _weeks_to_report(uow: UnitOfWork, run: TeamRun) -> list[date]:
    """Last week early in a week, while its cycle runs; this week late in it."""
    weekday = run.today.weekday()
    before = last_week(uow, run) if weekday < EARLY_IN_THE_WEEK else None
    late = before is not None and before.cycle.state is CycleState.RUNNING
    weeks = [before.start] if before is not None and late else []
    return [*weeks, run.week_start] if run.week is not None and weekday >= NUMBER_FROM else weeks


def _is_reported(uow: UnitOfWork, run: TeamRun, week_start: date) -> bool:
    found = reports.reading(uow, adoption_id=run.id, week_start=week_start)
    return found is not None


# --- what one runs --------------------------------------------------------------------------------------------


def _playbooks(uow: UnitOfWork, mine: Sequence[TeamRun]) -> list[Entry]:
    def shown(run: TeamRun) -> Entry:
        return lambda: HomeItem(kind="playbook", playbook=home_playbook(uow, run))

    return [shown(run) for run in mine]


def _registry(uow: UnitOfWork) -> HomeRegistry:
    counted = registry.counts(uow)
    published = sum(count for (_, state), count in counted.items() if state is not PlaybookState.RETIRED)
    everything = playbooks.playbooks(uow)
    live = sum(1 for playbook in everything if playbook.state is not PlaybookState.RETIRED)
    adopted = playbooks.adoption_counts(uow)
    return HomeRegistry(published=published, drafts=live - published, adoptions=sum(adopted.values()))
