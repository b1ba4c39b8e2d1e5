"""A cycle's gates, evaluated on the bot's own data, and the wording of their checks."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Final

from cadence.documents import package_gaps as file_gaps
from cadence.flows import lessons
from cadence.flows.checkins import modes_in_week, week_kpi
from cadence.flows.core import (
    AdoptionView,
    MessageKind,
    Skip,
    adoption_about,
    champion_here,
    current_modes,
    cycle_of_week,
    due_in_week,
    is_watch,
    week_of,
)
from cadence.flows.playbooks import package_gaps
from cadence.mrkdwn import Mrkdwn, mention
from cadence.nudges import CHECKIN, Unless
from cadence.refusals import Offer, Refusal
from cadence.rules.calendar import FRIDAY, WEEKS, local_day, week_number
from cadence.rules.gates import Check, Doer, Gate, Item, week_four, week_one, week_three, week_two
from cadence.rules.kpi import READINGS_NEEDED, Direction, Unit, format_amount
from storage.queries import adoptions, checkins, exceptions, numbers, people, rubrics
from storage.tables import AdoptionState, Cycle, OutboxMessage
from storage.work import UnitOfWork
from templates.contexts.gates import GateCheck, GateDue, GateLine, WeekOpens
from templates.ids import Action

TASKS: Final[Mapping[int, str]] = {
    1: "Choose the workflow, set one KPI, agree who leads each step",
    2: "Run it and capture the rubric",
    3: "Iterate, harden, and package it for reuse",
    4: "Scale to the next team and record the results",
}
"""What a team does in each week (SPEC §3)."""
TASKS_AFTER: Final[Mapping[int, str]] = {
    1: "Start running it as planned",
    2: "Keep running it and grading samples",
    3: "Keep iterating on what goes wrong",
    4: "Keep running it until the cycle closes",
}
"""What is left to do in each week once its gate is done."""
_NAMES: Final[Mapping[Item, str]] = {
    Item.BASELINE: "Set the KPI's baseline",
    Item.TARGET: "Set the KPI's target",
    Item.MODE_MAP: "Agree who leads each step",
    Item.OWNER: "Name an owner",
    Item.CHAMPION: "Name a champion",
    Item.RUN: "First check-in with runs",
    Item.RUBRIC_RESULT: "First rubric result",
    Item.PACKAGE: "Complete the package",
    Item.EXCEPTION_REASONS: "A reason for every exception",
    Item.NEXT_TEAM: "Choose the next team, or note why not",
    Item.DELTAS: "Weekly KPI readings",
    Item.SUBMITTED: "Submit to the registry",
}


def gate_of(uow: UnitOfWork, view: AdoptionView, cycle: Cycle, week: int) -> Gate:
    """The gate of one week, 1 to 4. `run.spec` is what the cycle runs on."""
    cycle_id = cycle.id or 0
    if week == 1:
        declared = current_modes(uow, view)
        return week_one(
            baseline=view.spec.kpi.baseline,
            target=view.spec.kpi.target,
            mode_map_published=all(step.key in declared for step in view.spec.steps),
            owner=view.playbook.owner,
            champion=champion_here(uow, view),
        )
    if week == 2:
        return week_two(
            attested_runs=checkins.attested_runs(uow, cycle=cycle),
            rubric_results=sum(one.results for one in rubrics.graded_in_cycle(uow, cycle_id=cycle_id)),
        )
    if week == 3:
        reasons = exceptions.exception_reasons(uow, cycle_id=cycle_id)
        return week_three(
            package_gaps=package_gaps(uow, view),
            exceptions_without_reason=sum(not reason.strip() for reason in reasons),
        )
    return week_four(
        next_team=next_team(uow, view, cycle),
        reason_for_none=cycle.no_next_team,
        readings=len(numbers.readings(uow, cycle=cycle)),
        submitted=cycle.submitted_at is not None,
    )


def gates_of(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> tuple[Gate, ...]:
    """All four gates of a cycle."""
    return tuple(gate_of(uow, view, cycle, week) for week in range(1, WEEKS + 1))


def gates_due(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> tuple[Gate, ...]:
    """The gates of a cycle's weeks up to now, for its posts."""
    return tuple(gate_of(uow, view, cycle, week) for week in range(1, (view.week or WEEKS) + 1))


def next_team(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> str | None:
    """The next team: the named one, else another that adopted the playbook since the cycle started."""
    if cycle.next_team_id is not None:
        named = people.team_by_id(uow, team_id=cycle.next_team_id)
        return named.title if named else None
    joined = adoptions.joined_since(
        uow, playbook_id=view.adoption.playbook_id, team_id=view.adoption.team_id, since=cycle.started_at
    )
    return joined.title if joined else None


def words(check: Check) -> str:
    """A check in words, with its count or its missing parts."""
    name = _NAMES[check.item]
    if check.item is Item.PACKAGE and check.details:
        return f"Complete the playbook's package for other teams. Missing: {', '.join(check.details)}"
    if check.item is Item.DELTAS:
        needed = f", at least {READINGS_NEEDED} needed" if (check.count or 0) < READINGS_NEEDED else ""
        return f"{name}: {check.count}{needed}"
    return name


def gate_line(gate: Gate, *, week: int | None) -> GateLine:
    """A gate in one line; it isn't due before its week (`week` None: the cycle is over)."""
    due = week is None or gate.week <= week
    text = "; ".join(words(check) for check in gate.missing or gate.checks)
    if due and not gate.met:
        text = f"{len(gate.missing)} left: {text}"
    return GateLine(week=gate.week, text=text, met=gate.met if due or gate.met else None)


def gate_lines(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> tuple[GateLine, ...]:
    """The four gates for `/cadence cycle show`."""
    week = None if cycle.result is not None else week_number(cycle.starts_on, view.today) or 0
    return tuple(gate_line(gate, week=week) for gate in gates_of(uow, view, cycle))


def gate_checks(view: AdoptionView, gate: Gate) -> tuple[GateCheck, ...]:
    """A gate's checks for a message, each missing one with who can do it."""
    return tuple(GateCheck(text=words(check), met=check.met, who=_who(view, check)) for check in gate.checks)


def _who(view: AdoptionView, check: Check) -> Mrkdwn:
    if check.met:
        return Mrkdwn("")
    if check.item is Item.DELTAS and view.team.reporter:
        return mention(view.team.reporter)
    if check.doer is Doer.MEMBER:
        return Mrkdwn("anyone on the team")
    return mention(view.playbook.owner)


def gate_offers(
    view: AdoptionView, cycle: Cycle, missing: tuple[Check, ...], week_start: date
) -> tuple[Offer, ...]:
    """A button for each missing item, in the gate's order; each once, five at most."""
    offers = {}
    for check in missing:
        offer = _offer(check, view, cycle, week_start)
        offers[offer.action] = offer
    return tuple(offers.values())[:5]


def _offer(check: Check, view: AdoptionView, cycle: Cycle, week_start: date) -> Offer:
    week = f"{view.id}:{week_start}"
    item = check.item
    if item is Item.PACKAGE and not set(check.details) & set(file_gaps(view.spec)):
        item = Item.RUBRIC_RESULT  # the file is complete: what's missing is a good enough result
    match item:
        case Item.RUN:
            return Offer("Check in", Action.RAN_AS_DECLARED, week)
        case Item.RUBRIC_RESULT:
            return Offer("Record a rubric result", Action.RUBRIC_RECORD, str(view.id))
        case Item.PACKAGE:
            return Offer("Complete the playbook", Action.EDIT_PLAYBOOK, view.playbook.slug)
        case Item.NEXT_TEAM:
            return Offer("Choose the next team", Action.NEXT_TEAM, f"{view.id}:{cycle.id}")
        case Item.DELTAS:
            return Offer("Report the number", Action.REPORT_KPI, week)
        case Item.SUBMITTED:
            return Offer("Submit to the registry", Action.SUBMIT, f"{view.id}:{cycle.id}")
        case Item.EXCEPTION_REASONS:
            return Offer("Status", Action.SHOW_STATUS, view.playbook.slug)
        case _:
            return Offer("Show the playbook", Action.SHOW_PLAYBOOK, view.playbook.slug)


def missed_before(uow: UnitOfWork, view: AdoptionView, cycle: Cycle, week: int) -> tuple[Check, ...]:
    """Items still missing in the gates of earlier weeks."""
    return tuple(check for earlier in range(1, week) for check in gate_of(uow, view, cycle, earlier).missing)


LESSON_WEEKS = (1, 4)
"""The weeks whose opening post shows lessons: when a team begins, and when it hands on."""


def week_opens(uow: UnitOfWork, message: OutboxMessage) -> WeekOpens | Skip:
    """The week's gate, for the team's channel."""
    view = adoption_about(uow, message)
    found = _week(uow, view, message)
    if isinstance(found, Skip):
        return found
    return _opens(uow, view, *found, message)


def opens_context(uow: UnitOfWork, message: OutboxMessage) -> WeekOpens:
    """The post's current state, after something of it was done."""
    view = adoption_about(uow, message)
    return _opens(uow, view, *_of_message(uow, view, message), message)


def _opens(uow: UnitOfWork, view: AdoptionView, cycle: Cycle, week: int, message: OutboxMessage) -> WeekOpens:
    start = week_of(message)
    gate = gate_of(uow, view, cycle, week)
    earlier = missed_before(uow, view, cycle, week)
    again = week == 1 and cycle.number > 1
    tasks = TASKS_AFTER if gate.met else TASKS
    checks = gate_checks(view, gate)
    theirs, ours = _lessons(uow, view, week)
    return WeekOpens(
        playbook=view.playbook.title,
        team=view.team.title,
        number=cycle.number,
        week=week,
        task=_goal(view) if again else tasks[week],
        kpi=week_kpi(uow, view, week_start=start),
        checks=tuple(check for check in checks if not check.met) if again else checks,
        closes=start + timedelta(days=FRIDAY),
        checkin=_checkin_day(uow, view, cycle, start) if week == 1 or gate.met else None,
        earlier=tuple(words(check) for check in earlier),
        steps=modes_in_week(uow, view, start) if week == 1 else (),
        lessons=theirs,
        own_lessons=ours,
        offers=gate_offers(view, cycle, gate.missing + earlier, start) if cycle.result is None else (),
    )


def _checkin_day(uow: UnitOfWork, view: AdoptionView, cycle: Cycle, start: date) -> date | None:
    """The day of the week's check-in by the team's hours; None once it came, while the team is paused, or if it
    passed before the cycle started."""
    at = due_in_week(view, start, CHECKIN)
    came = at <= max(cycle.started_at, uow.now)
    return None if came or cycle.result is not None or view.is_paused else local_day(at, view.zone)


def _goal(view: AdoptionView) -> str:
    """The purpose of a later cycle, since the playbook was set up in the first one."""
    kpi = view.spec.kpi
    side = "under" if Direction(kpi.direction) is Direction.LOWER else "over"
    return f"Next goal: {kpi.name[:60]} at or {side} {format_amount(kpi.target, Unit(kpi.unit))}"


def _lessons(uow: UnitOfWork, view: AdoptionView, week: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The newest lessons of other teams and of this one, in the weeks that show them."""
    if week not in LESSON_WEEKS:
        return (), ()
    recent = partial(
        lessons.recent,
        uow,
        playbook_id=view.adoption.playbook_id,
        limit=3,
    )
    return recent(but_of=view.id), recent(only_of=view.id)


def gate_due(uow: UnitOfWork, message: OutboxMessage) -> GateDue | Skip:
    """The missing items of the week's gate, for the owner; skipped if it is met."""
    view = adoption_about(uow, message)
    found = _week(uow, view, message)
    if isinstance(found, Skip):
        return found
    cycle, week = found
    context = _due(uow, view, cycle, week, message)
    return Skip(Unless.GATE_MET) if context.met else context


def due_context(uow: UnitOfWork, message: OutboxMessage) -> GateDue:
    """The owner's message in its current state, after something of it was done."""
    view = adoption_about(uow, message)
    return _due(uow, view, *_of_message(uow, view, message), message)


def _due(uow: UnitOfWork, view: AdoptionView, cycle: Cycle, week: int, message: OutboxMessage) -> GateDue:
    gate = gate_of(uow, view, cycle, week)
    return GateDue(
        playbook=view.playbook.title,
        team=view.team.title,
        week=week,
        checks=gate_checks(view, gate),
        met=gate.met,
        offers=gate_offers(view, cycle, gate.missing, week_of(message)) if cycle.result is None else (),
        closed=cycle.result is not None,
    )


def _week(uow: UnitOfWork, view: AdoptionView, message: OutboxMessage) -> tuple[Cycle, int] | Skip:
    """The cycle and week that a message is about, or why it isn't needed any more."""
    if view.adoption.state is not AdoptionState.ACTIVE:
        return Skip(Unless.PAUSED)
    cycle, week = _of_message(uow, view, message)
    if is_watch(cycle):
        return Skip(Unless.WATCHED)
    return Skip(Unless.CLOSED) if cycle.result is not None else (cycle, week)


def _of_message(uow: UnitOfWork, view: AdoptionView, message: OutboxMessage) -> tuple[Cycle, int]:
    """The cycle and week that a message is about.

    Raises:
        Refusal: there is no such cycle any more.
    """
    start = week_of(message)
    cycle = cycle_of_week(uow, view, start)
    if cycle is None:
        raise Refusal("no cycle covers this week")
    return cycle, week_number(cycle.starts_on, start) or 1


KINDS: Final = (
    MessageKind("week-opens", week_opens, rewrite=opens_context),
    MessageKind("gate-due", gate_due, rewrite=due_context),
)
