"""A person's Home: what is snoozed or muted, first steps, decisions, and the state of their adoptions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from cadence.flows.adoption import standing
from cadence.flows.checkins import (
    EARLY_IN_THE_WEEK,
    KIND,
    answer_context,
    checkin_row,
    closes_at,
    member_adoptions,
    member_zone,
    missed_last_week,
    open_adoptions,
    pending_of,
    sent_of,
    snooze_menu,
    week_kpi,
)
from cadence.flows.core import (
    CHECKIN_KINDS,
    AdoptionView,
    adoption_views,
    cycle_of_week,
    expected_members,
    first_day_at_work,
    is_curator,
    is_watch,
    last_week,
    require_workspace,
    starts_on,
    watch_month,
    week_of,
    why_not,
    zone_of,
)
from cadence.flows.handoffs import HandedOver, handed_over
from cadence.flows.numbers import kpi_context
from cadence.flows.overview.decisions import Need, champion_needs, needs
from cadence.flows.overview.statuses import step_now, week_gate, why_offer
from cadence.flows.schedule import rollout_of
from cadence.flows.standards import step_states
from cadence.flows.trends import course_lines
from cadence.mrkdwn import coded, say
from cadence.nudges import CHECKIN, Unless, due
from cadence.refusals import Offer, Refusal
from cadence.rules.calendar import WEEKS, local_day, monday_of, week_number
from storage.queries import absences, adoptions, checkins, handoffs, numbers, people, playbooks
from storage.queries.overview import registry
from storage.tables import (
    AdoptionState,
    Cycle,
    CycleState,
    Handoff,
    HandoffState,
    MessageState,
    OutboxMessage,
    PlaybookState,
    Workspace,
)
from storage.work import UnitOfWork
from templates.contexts.checkins import CheckinRow
from templates.contexts.overview.home import (
    Home,
    HomeItem,
    HomeNeed,
    HomeNumber,
    HomePlaybook,
    HomeRegistry,
)
from templates.filters import clock, day
from templates.ids import Action


def quiet(uow: UnitOfWork, workspace: Workspace, snoozed: Mapping[str, datetime]) -> Iterator[HomeNeed]:
    """A line for each, with the button that ends it."""
    zone = zone_of(uow, workspace, uow.actor.member)
    today = local_day(uow.now, zone)
    last = absences.away_until(uow, member_id=uow.actor.member, today=today)
    if last is not None and last >= first_day_at_work(uow, workspace, uow.actor.member):
        yield HomeNeed(
            title="Away",
            text=say("You're away until {day}. We won't send you anything.", day=day(last)),
            offers=(Offer("I'm back", Action.SNOOZE, "back"),),
        )
    for week, at in sorted(snoozed.items()):
        if not open_adoptions(uow, week_start=date.fromisoformat(week)):
            continue
        comes = at.astimezone(zone)
        yield HomeNeed(
            title="Snoozed",
            text=say(
                "{which} week's check-in is snoozed until {day} at {clock}.",
                which="This" if week >= monday_of(today).isoformat() else "Last",
                day=day(comes.date()),
                clock=clock(comes),
            ),
        )
    caller = people.caller(uow)
    if caller is not None and caller.muted:
        yield HomeNeed(
            title="Muted",
            text=say("Reminders are off. You still get the weekly check-in."),
            offers=(Offer("Turn reminders on", Action.SNOOZE, "unmute"),),
        )


AHEAD = timedelta(days=15)
TEAMS_OFFERED = 4


@dataclass(frozen=True, slots=True)
class Begin:
    """First steps as sentences with buttons; empty without any."""

    lines: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()


def first_steps(uow: UnitOfWork, *, busy: bool, curator: bool) -> Begin:
    """The first steps of a person whose Home is otherwise empty (not `busy`), by their role."""
    caller = people.caller(uow)
    if caller is None or not caller.has_curators:
        if caller is not None and caller.is_admin:
            line = "Start here: name a curator, and a channel for the weekly digest."
            return Begin((line,), (Offer("Set up", Action.OPEN_SETTINGS),))
        return Begin(("A workspace admin still needs to set this up with `/cadence settings`.",))
    if busy:
        return Begin()
    if curator:
        if playbooks.playbooks(uow):
            return Begin()
        line = "Write or import your first playbook, then start its first cycle in a team."
        offers = (
            Offer("New playbook", Action.NEW_PLAYBOOK),
            Offer("Import a playbook", Action.IMPORT_PLAYBOOK),
        )
        return Begin((line,), offers)
    return _join(uow)


def _join(uow: UnitOfWork) -> Begin:
    if people.teams_of(uow, member_id=uow.actor.member):
        return Begin(
            (
                "Your team doesn't run a playbook yet. See what there is with `/cadence playbook list`, and ask "
                "for one with `/cadence request`.",
            )
        )
    teams = people.teams(uow)
    if not teams:
        return Begin(("There are no teams yet. Create one with `/cadence team create`.",))
    more = " To join another, type `/cadence team join` and its name." if len(teams) > TEAMS_OFFERED else ""
    return Begin(
        (f"Join the team you work in.{more}",),
        tuple(
            Offer(f"Join {team.title}"[:75], Action.TEAM_JOIN, team.slug) for team in teams[:TEAMS_OFFERED]
        ),
    )


def next_checkin(uow: UnitOfWork, workspace: Workspace, snoozed: Mapping[str, datetime]) -> datetime | None:
    """When the person's next check-in comes, in their own zone; None if none is planned."""
    until = uow.now + AHEAD
    own = rollout_of(uow, workspace, [uow.actor.member], until=until)
    slots = [
        slot.at
        for slot in due(uow.now, until, own)
        if slot.kind == CHECKIN.kind and not slot.skipped and slot.subject["week"] not in snoozed
    ]
    for week, at in snoozed.items():
        if open_adoptions(uow, week_start=date.fromisoformat(week)):
            slots.append(at)
    return min(slots).astimezone(zone_of(uow, workspace, uow.actor.member)) if slots else None


def handoff_needs(uow: UnitOfWork, runs: Sequence[AdoptionView]) -> Iterator[HomeNeed]:
    """Handoffs that the caller can accept, then those they accepted, then those they sent; each due first.

    `runs` are those of their teams and of the playbooks they own.
    """
    known = {view.id: view for view in runs}
    rows = handoffs.open_for(uow, adoption_ids=sorted(known), member=uow.actor.member)
    if not rows:
        return
    receives = people.team_ids(uow, member_id=uow.actor.member)
    zone = zone_of(uow, require_workspace(uow), uow.actor.member)
    ours = [row for row in rows if row.team_id in receives]
    for row in ours:
        if row.state is HandoffState.SENT and (found := _whole(uow, row, known)):
            yield _to_accept(uow, found, zone)
    for row in ours:
        if (
            row.state is HandoffState.ACCEPTED
            and row.decided_by == uow.actor.member
            and (found := _whole(uow, row, known))
        ):
            yield _to_finish(found, zone)
    for row in rows:
        waits = row.state is HandoffState.SENT and row.due_at <= uow.now and row.team_id not in receives
        if (
            waits
            and (found := _whole(uow, row, known))
            and uow.actor.member in (row.sent_by, found.view.playbook.owner)
        ):
            yield _waited_for(found, zone)


def _whole(uow: UnitOfWork, row: Handoff, known: Mapping[int, AdoptionView]) -> HandedOver | None:
    """A handoff with its contract; None if the sending team doesn't run the playbook any more."""
    try:
        return handed_over(uow, row, runs=known)
    except Refusal:
        return None


def _to_accept(uow: UnitOfWork, whole: HandedOver, zone: ZoneInfo) -> HomeNeed:
    row = whole.row
    due = row.due_at.astimezone(zone)
    return HomeNeed(
        title="⏳ Accept a handoff",
        text=say(
            "{what}: {sender} → {to} · {playbook} · {due} {day} {clock}",
            sender=whole.view.team.title,
            to=whole.team.title,
            what=row.what[:200],
            playbook=whole.view.playbook.title,
            due="overdue since" if row.due_at < uow.now else "due",
            day=day(due, row.sent_at.astimezone(zone)),
            clock=clock(due),
        ),
        offers=(
            Offer("Accept", Action.ACCEPT_HANDOFF, str(row.id)),
            Offer("Can't use it", Action.FAIL_HANDOFF, str(row.id)),
        ),
    )


def _to_finish(whole: HandedOver, zone: ZoneInfo) -> HomeNeed:
    row = whole.row
    accepted = row.decided_at or row.sent_at
    return HomeNeed(
        title="⏳ Finish a handoff",
        text=say(
            "{what}, from {sender} · {playbook} · accepted {day}",
            what=row.what[:200],
            sender=whole.view.team.title,
            day=day(accepted.astimezone(zone)),
            playbook=whole.view.playbook.title,
        ),
        offers=(Offer("Done", Action.FINISH_HANDOFF, str(row.id)),),
    )


def _waited_for(whole: HandedOver, zone: ZoneInfo) -> HomeNeed:
    row = whole.row
    due = row.due_at.astimezone(zone)
    return HomeNeed(
        title="⏳ Ask about a handoff",
        text=say(
            "{to} hasn't accepted {what} · {playbook} ({sender}) · overdue since {day} {clock}",
            to=whole.team.title,
            what=row.what[:200],
            day=day(due, row.sent_at.astimezone(zone)),
            clock=clock(due),
            playbook=whole.view.playbook.title,
            sender=whole.view.team.title,
        ),
        offers=(Offer("Withdraw", Action.WITHDRAW_HANDOFF, str(row.id)),),
    )


def _may_resume(uow: UnitOfWork, view: AdoptionView) -> bool:
    return uow.actor.member == view.playbook.owner or is_curator(uow)


def home_playbook(uow: UnitOfWork, view: AdoptionView) -> HomePlaybook:
    """One adoption's state this week, for one reader."""
    cycle, _where = view.cycle, view.workspace.id
    closed = cycle if cycle and cycle.state is CycleState.CLOSED and not view.is_watched else None
    week_start = max(view.week_start, cycle.starts_on) if cycle and not closed else view.week_start
    running = view.week is not None and not closed
    asked = set(expected_members(uow, view, week_start=week_start)) if running else set()
    came = checkins.answered_members(uow, adoption_id=view.id, week_start=week_start)
    own = checkins.check_in(uow, adoption_id=view.id, week_start=week_start, member=uow.actor.member)
    paused = view.is_paused
    zone = member_zone(uow, member=uow.actor.member, fallback=view.team.timezone)
    states = step_states(uow, view)
    return HomePlaybook(
        adoption_id=view.id,
        slug=view.playbook.slug,
        playbook=view.playbook.title,
        team=view.team.title,
        week=view.week,
        kpi=kpi_context(view, value=closed.kpi_value, cycle=closed.number)
        if closed
        else week_kpi(uow, view, week_start=week_start),
        readings=_readings(uow, view, cycle),
        answered=len(asked & came),
        expected=len(asked),
        steps=tuple(step_now(one, zone) for one in states),
        gate=week_gate(uow, view) if running and not paused else None,
        closed=closed.number if closed else None,
        result=closed.result if closed else None,
        paused=paused,
        owner=view.playbook.owner if paused and view.ends_pause else "",
        starts=starts_on(view),
        own=answer_context(uow, view, own) if own else None,
        standing=(*course_lines(uow, view), *standing(uow, view)),
        month=watch_month(uow, view),
        menu=(
            Offer("Status", Action.SHOW_STATUS, view.playbook.slug),
            *why_offer(view, [one.step.key for one in states]),
            Offer("Playbook", Action.SHOW_PLAYBOOK, view.playbook.slug),
            *(
                (Offer("Resume", Action.RESUME, str(view.id)),)
                if view.can_resume and _may_resume(uow, view)
                else ()
            ),
            *([Offer("Change my check-in", Action.CHANGE_CHECKIN, f"{view.id}:{week_start}")] if own else ()),
        ),
    )


def _readings(uow: UnitOfWork, view: AdoptionView, cycle: Cycle | None) -> tuple[float | None, ...]:
    """The cycle's numbers so far, week by week; empty before the first."""
    if cycle is None:
        return ()
    known = numbers.readings(uow, cycle=cycle)
    weeks = WEEKS if view.week is None else view.week
    return tuple(known.get(week) for week in range(1, weeks + 1)) if known else ()


PAGE = 8
"""Entries per page: with the longest names their text stays under 13,000 characters."""
NUMBER_FROM = 3
"""The weekday (Thursday) from which the week's number is asked for."""

Entry = Callable[[], HomeItem]
"""An entry, composed only when its page is shown."""


def home_view(uow: UnitOfWork, *, page: int, welcome: bool = False) -> Home:
    """One page of a person's Home; a page past the last is the last. `welcome` is for newcomers."""
    barred = why_not(uow)
    if barred is not None:
        return Home(waiting=0, items=(), begin=(coded(barred),))
    curator, mine = is_curator(uow), _mine(uow)
    try:
        workspace = mine[0].workspace if mine else require_workspace(uow)
    except Refusal as unknown:
        return Home(waiting=0, items=(), begin=(unknown.text,))
    asked = _asked(uow, workspace)
    returns = {week: pending_of(messages) for week, messages in asked.items()}
    snoozed = {week.isoformat(): at for week, at in returns.items() if at}
    open_rows = _open_checkins(uow, workspace, asked)
    waiting: list[Entry] = [*_checkins(open_rows), *_numbers(uow, mine, open_rows)]
    needed = needs(uow, workspace, mine, curator=curator)
    waiting += [_item(HomeItem(kind="need", need=need)) for need in handoff_needs(uow, mine)]
    waiting += [_needed(need) for need in champion_needs(uow, mine)]
    waiting += [_needed(need) for need in needed.listed]
    entries = [*waiting, *_playbooks(uow, mine)]
    entries += [_needed(need, kind="owner") for need in needed.of_owners]
    entries += [_needed(need, kind="curator") for need in needed.of_curators]
    if curator:
        entries.append(_item(HomeItem(kind="registry", registry=_registry(uow))))
    pages = max(1, -(-len(entries) // PAGE))
    page = min(max(page, 1), pages)
    busy = bool(mine or waiting)
    begin = first_steps(uow, busy=busy, curator=curator)
    return Home(
        waiting=len(waiting) + needed.more,
        items=tuple(entry() for entry in entries[(page - 1) * PAGE : page * PAGE]),
        welcome=welcome,
        curates=welcome and curator and not people.teams_of(uow, member_id=uow.actor.member),
        several_open=_several(open_rows),
        snoozes=snooze_menu(
            uow,
            workspace,
            uow.actor.member,
            week=date.fromisoformat(min(row.week_start for row in open_rows)) if open_rows else None,
        ),
        next_checkin=None if waiting else next_checkin(uow, workspace, snoozed),
        quiet=tuple(quiet(uow, workspace, snoozed)),
        begin=tuple(map(coded, begin.lines)),
        offers=begin.offers,
        page=page,
        pages=pages,
    )


def _item(item: HomeItem) -> Entry:
    return lambda: item


def _mine(uow: UnitOfWork) -> list[AdoptionView]:
    """The adoptions of a person's teams, and of the playbooks they own; others aren't loaded."""
    return adoption_views(uow, member=uow.actor.member)


def _needed(need: Need, *, kind: str = "need") -> Entry:
    return lambda: HomeItem(kind=kind, need=need())


# --- what they are asked
# --------------------------------------------------------------------------------------


def _open_checkins(
    uow: UnitOfWork, workspace: Workspace, asked: Mapping[date, Sequence[OutboxMessage]]
) -> list[CheckinRow]:
    """This week's open check-ins, once they were sent; before that last week's, early in the week or while
    a DM asks."""
    today = local_day(uow.now, zone_of(uow, workspace, uow.actor.member))
    before, week = asked
    found = []
    if today.weekday() < EARLY_IN_THE_WEEK or _is_live(uow, workspace, asked[before]):
        found += _open_in(uow, before, missed=True)
    if _was_asked(uow, asked[week]):
        found += _open_in(uow, week, missed=False)
    return found


def _open_in(uow: UnitOfWork, week: date, *, missed: bool) -> list[CheckinRow]:
    runs = member_adoptions(uow, member=uow.actor.member, week_start=week)
    asked = [
        view
        for view in runs
        if view.adoption.state is AdoptionState.ACTIVE
        and (not missed or missed_last_week(uow, view, member=uow.actor.member))
    ]
    shown = [checkin_row(uow, view, member=uow.actor.member, week_start=week) for view in asked]
    return [row for row in shown if row.answer is None]


def _asked(uow: UnitOfWork, workspace: Workspace) -> dict[date, list[OutboxMessage]]:
    """The messages about the caller's check-ins of last week and this one, by the Monday of their week."""
    week = monday_of(local_day(uow.now, zone_of(uow, workspace, uow.actor.member)))
    found: dict[date, list[OutboxMessage]] = {week - timedelta(weeks=1): [], week: []}
    for row in uow.messages_about_any(CHECKIN_KINDS, [(uow.actor.member, one) for one in found]):
        found[week_of(row)].append(row)
    return found


def _was_asked(uow: UnitOfWork, messages: Sequence[OutboxMessage]) -> bool:
    """Whether the week's check-in was sent; one that couldn't be delivered is shown here anyway."""
    return any(
        row.kind in (CHECKIN.kind, KIND)
        and row.due_at <= uow.now
        and (
            row.state is not MessageState.SKIPPED
            or (row.kind == CHECKIN.kind and row.reason == Unless.SNOOZED)
        )
        for row in messages
    )


def _is_live(uow: UnitOfWork, workspace: Workspace, messages: Sequence[OutboxMessage]) -> bool:
    """Whether a week's check-in has a DM with buttons, or returns after a snooze."""
    newest = sent_of(messages)[-1:]
    return pending_of(messages) is not None or any(uow.now < closes_at(uow, workspace, one) for one in newest)


def _checkins(open_rows: Sequence[CheckinRow]) -> list[Entry]:
    alone = len(open_rows) == 1
    return [_item(HomeItem(kind="checkin", checkin=row, alone=alone)) for row in open_rows]


def _several(open_rows: Sequence[CheckinRow]) -> str:
    """The newest week, if several of its check-ins are open."""
    weeks = [row.week_start for row in open_rows]
    newest = max(weeks, default="")
    return newest if weeks.count(newest) > 1 else ""


def _numbers(uow: UnitOfWork, mine: Sequence[AdoptionView], open_rows: Sequence[CheckinRow]) -> list[Entry]:
    """The missing numbers that a person reports; an open check-in asks for its own."""
    asked = {(row.adoption_id, row.week_start) for row in open_rows}
    found = []
    for view in mine:
        if view.team.reporter != uow.actor.member or view.adoption.state is not AdoptionState.ACTIVE:
            continue
        for about in _weeks_to_report(uow, view):
            week = about.isoformat()
            if (view.id, week) in asked or _is_reported(uow, view, about):
                continue
            cycle = cycle_of_week(uow, view, about)
            number = HomeNumber(
                adoption_id=view.id,
                week_start=week,
                playbook=view.playbook.title,
                team=view.team.title,
                week=week_number(cycle.starts_on, about) if cycle else None,
                kpi=week_kpi(uow, view, week_start=about),
                watched=cycle is not None and is_watch(cycle),
            )
            found.append(_item(HomeItem(kind="number", number=number)))
    return found


def _weeks_to_report(uow: UnitOfWork, view: AdoptionView) -> list[date]:
    """Last week early in a week, while its cycle runs; this week late in it."""
    weekday = view.today.weekday()
    before = last_week(uow, view) if weekday < EARLY_IN_THE_WEEK else None
    late = before is not None and before.cycle.state is CycleState.RUNNING
    weeks = [before.start] if before is not None and late else []
    return [*weeks, view.week_start] if view.week is not None and weekday >= NUMBER_FROM else weeks


def _is_reported(uow: UnitOfWork, view: AdoptionView, week_start: date) -> bool:
    found = numbers.reading(uow, adoption_id=view.id, week_start=week_start)
    return found is not None


# --- their adoptions
# ---------------------------------------------------------------------------------------------


def _playbooks(uow: UnitOfWork, mine: Sequence[AdoptionView]) -> list[Entry]:
    def shown(view: AdoptionView) -> Entry:
        return lambda: HomeItem(kind="playbook", playbook=home_playbook(uow, view))

    return [shown(view) for view in mine]


def _registry(uow: UnitOfWork) -> HomeRegistry:
    counted = registry.counts(uow)
    published = sum(count for (_, state), count in counted.items() if state is not PlaybookState.RETIRED)
    everything = playbooks.playbooks(uow)
    live = sum(1 for playbook in everything if playbook.state is not PlaybookState.RETIRED)
    drafts = sum(1 for playbook in everything if playbook.state is PlaybookState.DRAFT)
    adopted = adoptions.adoption_counts(uow)
    return HomeRegistry(
        published=published,
        piloting=live - published - drafts,
        drafts=drafts,
        adoptions=sum(adopted.values()),
    )
