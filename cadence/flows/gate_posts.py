"""What the week's gate says: the Monday post of the team's channel, the owner's DM on Friday."""

from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from cadence.flows import lessons
from cadence.flows.checkin_rows import cycle_of_week, modes_in_week, week_kpi
from cadence.flows.composed import Composed, Say, Skip
from cadence.flows.gates import TASKS, gate_checks, gate_of, gate_offers, missed_before, words
from cadence.flows.personal_posts import run_of, week_of
from cadence.flows.runs import TeamRun
from cadence.nudges import Unless
from cadence.refusals import Refusal
from cadence.rules.calendar import FRIDAY, week_number
from cadence.rules.kpi import Unit, format_amount
from storage.tables import AdoptionState, Cycle, OwedMessage
from templates.contexts.gates import GateDue, WeekOpens

LESSON_WEEKS = (1, 4)
"""The weeks whose opening post shows what was learned: when a team begins, and when it hands on."""


def week_opens(session: Session, message: OwedMessage, now: datetime) -> Composed:
    """The week's gate, for the team's channel."""
    run = run_of(session, message, now)
    found = _week(session, run, message)
    if isinstance(found, Skip):
        return found
    return Say(_opens(session, run, *found, message))


def opens_context(session: Session, message: OwedMessage, now: datetime) -> WeekOpens:
    """The post as it stands now that something of it was done."""
    run = run_of(session, message, now)
    return _opens(session, run, *_of_message(session, run, message), message)


def _opens(session: Session, run: TeamRun, cycle: Cycle, week: int, message: OwedMessage) -> WeekOpens:
    start = week_of(message)
    gate = gate_of(session, run, cycle, week)
    earlier = missed_before(session, run, cycle, week)
    again = week == 1 and cycle.number > 1
    checks = gate_checks(gate, owner=run.playbook.owner)
    theirs, ours = _lessons(session, run, week)
    return WeekOpens(
        playbook=run.playbook.title,
        team=run.team.title,
        number=cycle.number,
        week=week,
        task=_goal(run) if again else TASKS[week],
        kpi=week_kpi(session, run, week_start=start),
        checks=tuple(check for check in checks if not check.met) if again else checks,
        closes=start + timedelta(days=FRIDAY),
        earlier=tuple(words(check) for check in earlier),
        steps=modes_in_week(session, run, start) if week == 1 else (),
        lessons=theirs,
        own_lessons=ours,
        offers=gate_offers(run, cycle, gate.missing + earlier, start) if cycle.result is None else (),
    )


def _goal(run: TeamRun) -> str:
    """What a later cycle is for: its playbook was set up in the first one."""
    kpi = run.spec.kpi
    return f"four more weeks on {kpi.name[:60]}, target {format_amount(kpi.target, Unit(kpi.unit))}"


def _lessons(session: Session, run: TeamRun, week: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The newest lessons of other teams and of this one, in the weeks that show them."""
    if week not in LESSON_WEEKS:
        return (), ()
    recent = partial(
        lessons.recent,
        session,
        workspace_id=run.workspace.id,
        playbook_id=run.adoption.playbook_id,
        limit=3,
    )
    return recent(but_of=run.id), recent(only_of=run.id)


def gate_due(session: Session, message: OwedMessage, now: datetime) -> Composed:
    """What the week's gate still lacks, for the owner; nothing when it is met."""
    run = run_of(session, message, now)
    found = _week(session, run, message)
    if isinstance(found, Skip):
        return found
    cycle, week = found
    context = _due(session, run, cycle, week, message)
    return Skip(Unless.GATE_MET) if context.met else Say(context)


def due_context(session: Session, message: OwedMessage, now: datetime) -> GateDue:
    """The owner's message as it stands now that something of it was done."""
    run = run_of(session, message, now)
    return _due(session, run, *_of_message(session, run, message), message)


def _due(session: Session, run: TeamRun, cycle: Cycle, week: int, message: OwedMessage) -> GateDue:
    gate = gate_of(session, run, cycle, week)
    return GateDue(
        playbook=run.playbook.title,
        team=run.team.title,
        week=week,
        checks=gate_checks(gate, owner=run.playbook.owner),
        met=gate.met,
        offers=gate_offers(run, cycle, gate.missing, week_of(message)) if cycle.result is None else (),
        closed=cycle.result is not None,
    )


def _week(session: Session, run: TeamRun, message: OwedMessage) -> tuple[Cycle, int] | Skip:
    """The cycle and its week that a message is about, unless there is nothing to say of it any more."""
    if run.adoption.state is not AdoptionState.ACTIVE:
        return Skip(Unless.PAUSED)
    cycle, week = _of_message(session, run, message)
    return Skip(Unless.CLOSED) if cycle.result is not None else (cycle, week)


def _of_message(session: Session, run: TeamRun, message: OwedMessage) -> tuple[Cycle, int]:
    """The cycle and its week that a message is about.

    Raises:
        Refusal: there is no such cycle any more.
    """
    start = week_of(message)
    cycle = cycle_of_week(session, run, start)
    if cycle is None:
        raise Refusal("no cycle covers this week")
    return cycle, week_number(cycle.starts_on, start) or 1
