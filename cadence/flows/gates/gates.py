"""The gates of a cycle as the bot sees them in its own data, and how each thing they ask for is called."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Final

from cadence.flows import lessons
from cadence.flows.checkins import cycle_of_week, modes_in_week, week_kpi
from cadence.flows.core import Composed, Say, Skip, TeamRun, champion_here, current_modes, run_of, week_of
from cadence.flows.playbooks import package_gaps
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.nudges import Unless
from cadence.refusals import Offer, Refusal
from cadence.rules.calendar import FRIDAY, WEEKS, week_number
from cadence.rules.gates import Check, Doer, Gate, Item, week_four, week_one, week_three, week_two
from cadence.rules.kpi import READINGS_NEEDED, Unit, format_amount
from storage.queries import cycles, reports, rubrics
from storage.tables import AdoptionState, Cycle, OwedMessage
from storage.work import UnitOfWork
from templates.contexts.gates import GateCheck, GateDue, WeekOpens
from templates.contexts.playbooks import GateLine
from templates.ids import Action

TASKS: Final[Mapping[int, str]] = {
    1: "pick the workflow, set the one KPI, publish the mode map",
    2: "run it and capture the rubric",
    3: "iterate, harden and package it for reuse",
    4: "scale to the next team and record the deltas",
}
"""What a team does in each week (SPEC §3)."""
_NAMES: Final[Mapping[Item, str]] = {
    Item.BASELINE: "the KPI's baseline",
    Item.TARGET: "the KPI's target",
    Item.MODE_MAP: "the mode map",
    Item.OWNER: "an owner",
    Item.CHAMPION: "a champion",
    Item.RUN: "a run attested in a check-in",
    Item.RUBRIC_RESULT: "a rubric result",
    Item.PACKAGE: "the package complete",
    Item.EXCEPTION_REASONS: "a reason for every exception",
    Item.NEXT_TEAM: "the next team, or why there is none",
    Item.DELTAS: "weekly numbers for the delta",
    Item.SUBMITTED: "the submission to the registry",
}


def gate_of(uow: UnitOfWork, run: TeamRun, cycle: Cycle, week: int) -> Gate:
    """The gate of one week, 1 to 4. `run.spec` is what the cycle runs on."""
    _workspace_id, cycle_id = run.workspace.id, cycle.id or 0
    if week == 1:
        declared = current_modes(uow, run)
        return week_one(
            baseline=run.spec.kpi.baseline,
            target=run.spec.kpi.target,
            mode_map_published=all(step.key in declared for step in run.spec.steps),
            owner=run.playbook.owner,
            champion=champion_here(uow, run),
        )
    if week == 2:
        return week_two(
            attested_runs=cycles.attested_runs(uow, cycle_id=cycle_id),
            rubric_results=len(rubrics.results_of_cycle(uow, cycle_id=cycle_id)),
        )
    if week == 3:
        reasons = cycles.exception_reasons(uow, cycle_id=cycle_id)
        return week_three(
            package_gaps=package_gaps(uow, run),
            exceptions_without_reason=sum(not reason.strip() for reason in reasons),
        )
    return week_four(
        next_team=next_team(uow, run, cycle),
        reason_for_none=cycle.no_next_team,
        readings=len(reports.readings(uow, cycle_id=cycle_id)),
        submitted=cycle.submitted_at is not None,
    )


def gates_of(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> tuple[Gate, ...]:
    """All four gates of a cycle."""
    return tuple(gate_of(uow, run, cycle, week) for week in range(1, WEEKS + 1))


def gates_due(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> tuple[Gate, ...]:
    """The gates of a cycle's weeks up to now: what its posts speak of."""
    return tuple(gate_of(uow, run, cycle, week) for week in range(1, (run.week or WEEKS) + 1))


def next_team(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> str | None:
    """The team that is next: the one named, else another that took the playbook up since the cycle started."""
    if cycle.next_team_id is not None:
        named = cycles.team(uow, team_id=cycle.next_team_id)
        return named.title if named else None
    joined = cycles.joined_since(
        uow, playbook_id=run.adoption.playbook_id, team_id=run.adoption.team_id, since=cycle.started_at
    )
    return joined.title if joined else None


def words(check: Check) -> str:
    """What a check asks for, with the count or the parts that say how it stands."""
    name = _NAMES[check.item]
    if check.item is Item.PACKAGE and check.details:
        return f"{name} (it lacks {', '.join(check.details)})"
    if check.item is Item.DELTAS:
        return f"{name} ({check.count} of at least {READINGS_NEEDED})"
    return name


def gate_line(gate: Gate, *, week: int | None) -> GateLine:
    """A gate in one line; it isn't due before its week (`week` None: the cycle is over)."""
    due = week is None or gate.week <= week
    text = "; ".join(words(check) for check in gate.checks)
    if due and not gate.met:
        text = f"missing: {'; '.join(words(check) for check in gate.missing)}"
    return GateLine(week=gate.week, text=text, met=gate.met if due else None)


def gate_lines(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> tuple[GateLine, ...]:
    """The four gates as `/cadence cycle show` lists them."""
    week = None if cycle.result is not None else week_number(cycle.starts_on, run.today) or 0
    return tuple(gate_line(gate, week=week) for gate in gates_of(uow, run, cycle))


def gate_checks(gate: Gate, *, owner: str) -> tuple[GateCheck, ...]:
    """A gate's checks for a message, each missing one with who can do it."""
    return tuple(
        GateCheck(text=words(check), met=check.met, who=_who(check, owner=owner)) for check in gate.checks
    )


def _who(check: Check, *, owner: str) -> Mrkdwn:
    if check.met:
        return Mrkdwn("")
    if check.item is Item.DELTAS:
        return Mrkdwn("whoever reports the KPI")
    if check.doer is Doer.MEMBER:
        return Mrkdwn("anybody in the team")
    return say("{owner} or a curator", owner=mention(owner))


def gate_offers(
    run: TeamRun, cycle: Cycle, missing: tuple[Check, ...], week_start: date
) -> tuple[Offer, ...]:
    """A button for each thing missing, in the gate's order; each once, five at most."""
    offers = {}
    for check in missing:
        offer = _offer(check.item, run, cycle, week_start)
        offers[offer.action] = offer
    return tuple(offers.values())[:5]


def _offer(item: Item, run: TeamRun, cycle: Cycle, week_start: date) -> Offer:
    week = f"{run.id}:{week_start}"
    match item:
        case Item.RUN:
            return Offer("Check in", Action.RAN_AS_DECLARED, week)
        case Item.RUBRIC_RESULT:
            return Offer("Record a rubric result", Action.RUBRIC_RECORD, str(run.id))
        case Item.PACKAGE:
            return Offer("Complete the playbook", Action.EDIT_PLAYBOOK, run.playbook.slug)
        case Item.NEXT_TEAM:
            return Offer("Name the next team", Action.NEXT_TEAM, f"{run.id}:{cycle.id}")
        case Item.DELTAS:
            return Offer("Report the number", Action.REPORT_KPI, week)
        case Item.SUBMITTED:
            return Offer("Submit to the registry", Action.SUBMIT, f"{run.id}:{cycle.id}")
        case Item.EXCEPTION_REASONS:
            return Offer("See the week", Action.SHOW_STATUS, run.playbook.slug)
        case _:
            return Offer("Show the playbook", Action.SHOW_PLAYBOOK, run.playbook.slug)


def missed_before(uow: UnitOfWork, run: TeamRun, cycle: Cycle, week: int) -> tuple[Check, ...]:
    """What the gates of the weeks before still lack."""
    return tuple(check for earlier in range(1, week) for check in gate_of(uow, run, cycle, earlier).missing)


LESSON_WEEKS = (1, 4)
"""The weeks whose opening post shows what was learned: when a team begins, and when it hands on."""


def week_opens(uow: UnitOfWork, message: OwedMessage) -> Composed:
    """The week's gate, for the team's channel."""
    run = run_of(uow, message)
    found = _week(uow, run, message)
    if isinstance(found, Skip):
        return found
    return Say(_opens(uow, run, *found, message))


def opens_context(uow: UnitOfWork, message: OwedMessage) -> WeekOpens:
    """The post as it stands now that something of it was done."""
    run = run_of(uow, message)
    return _opens(uow, run, *_of_message(uow, run, message), message)


def _opens(uow: UnitOfWork, run: TeamRun, cycle: Cycle, week: int, message: OwedMessage) -> WeekOpens:
    start = week_of(message)
    gate = gate_of(uow, run, cycle, week)
    earlier = missed_before(uow, run, cycle, week)
    again = week == 1 and cycle.number > 1
    checks = gate_checks(gate, owner=run.playbook.owner)
    theirs, ours = _lessons(uow, run, week)
    return WeekOpens(
        playbook=run.playbook.title,
        team=run.team.title,
        number=cycle.number,
        week=week,
        task=_goal(run) if again else TASKS[week],
        kpi=week_kpi(uow, run, week_start=start),
        checks=tuple(check for check in checks if not check.met) if again else checks,
        closes=start + timedelta(days=FRIDAY),
        earlier=tuple(words(check) for check in earlier),
        steps=modes_in_week(uow, run, start) if week == 1 else (),
        lessons=theirs,
        own_lessons=ours,
        offers=gate_offers(run, cycle, gate.missing + earlier, start) if cycle.result is None else (),
    )


def _goal(run: TeamRun) -> str:
    """What a later cycle is for: its playbook was set up in the first one."""
    kpi = run.spec.kpi
    return f"four more weeks on {kpi.name[:60]}, target {format_amount(kpi.target, Unit(kpi.unit))}"


def _lessons(uow: UnitOfWork, run: TeamRun, week: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The newest lessons of other teams and of this one, in the weeks that show them."""
    if week not in LESSON_WEEKS:
        return (), ()
    recent = partial(
        lessons.recent,
        uow,
        playbook_id=run.adoption.playbook_id,
        limit=3,
    )
    return recent(but_of=run.id), recent(only_of=run.id)


def gate_due(uow: UnitOfWork, message: OwedMessage) -> Composed:
    """What the week's gate still lacks, for the owner; nothing when it is met."""
    run = run_of(uow, message)
    found = _week(uow, run, message)
    if isinstance(found, Skip):
        return found
    cycle, week = found
    context = _due(uow, run, cycle, week, message)
    return Skip(Unless.GATE_MET) if context.met else Say(context)


def due_context(uow: UnitOfWork, message: OwedMessage) -> GateDue:
    """The owner's message as it stands now that something of it was done."""
    run = run_of(uow, message)
    return _due(uow, run, *_of_message(uow, run, message), message)


def _due(uow: UnitOfWork, run: TeamRun, cycle: Cycle, week: int, message: OwedMessage) -> GateDue:
    gate = gate_of(uow, run, cycle, week)
    return GateDue(
        playbook=run.playbook.title,
        team=run.team.title,
        week=week,
        checks=gate_checks(gate, owner=run.playbook.owner),
        met=gate.met,
        offers=gate_offers(run, cycle, gate.missing, week_of(message)) if cycle.result is None else (),
        closed=cycle.result is not None,
    )


def _week(uow: UnitOfWork, run: TeamRun, message: OwedMessage) -> tuple[Cycle, int] | Skip:
    """The cycle and its week that a message is about, unless there is nothing to say of it any more."""
    if run.adoption.state is not AdoptionState.ACTIVE:
        return Skip(Unless.PAUSED)
    cycle, week = _of_message(uow, run, message)
    return Skip(Unless.CLOSED) if cycle.result is not None else (cycle, week)


def _of_message(uow: UnitOfWork, run: TeamRun, message: OwedMessage) -> tuple[Cycle, int]:
    """The cycle and its week that a message is about.

    Raises:
        Refusal: there is no such cycle any more.
    """
    start = week_of(message)
    cycle = cycle_of_week(uow, run, start)
    if cycle is None:
        raise Refusal("no cycle covers this week")
    return cycle, week_number(cycle.starts_on, start) or 1
