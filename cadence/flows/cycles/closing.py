"""The KPI's chart, in the thread of a cycle's closing post. The post never waits for it."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.actor import Actor
from cadence.documents import playbook_from_data
from cadence.flows import lessons
from cadence.flows.adoption import origin_value
from cadence.flows.core import (
    Composed,
    Later,
    Show,
    Skip,
    TeamRun,
    adoption_hours,
    close_cycle_posts,
    coverage,
    curators_read,
    hours_in,
    of_cycle,
    rewrite_as_next_begins,
    run_by_id,
    run_of,
    version_to_run,
    workspace_hours,
)
from cadence.flows.cycles.moving import count_anew
from cadence.flows.cycles.shown import steps_at_close
from cadence.flows.cycles.starting import add_cycle, declare_modes
from cadence.flows.gates import gates_of, words
from cadence.flows.numbers import kpi_context, set_result, shown
from cadence.flows.promotions import judge_promotions, promotion_lines
from cadence.flows.standards import CLOSE, judge_all, judge_drifts
from cadence.nudges import CLOSING_HOUR, CYCLE_CLOSES, Unless
from cadence.refusals import Offer
from cadence.rules.calendar import WEEKS, instant, local_day, monday_of, next_monday, week_monday, week_number
from cadence.rules.kpi import Direction, delta
from cadence.rules.modes import Mode
from storage import trail
from storage.engine import Database
from storage.outbox import ledger
from storage.outbox.ledger import Owed
from storage.queries import cycles, decisions, people, playbooks, reports
from storage.tables import (
    Adoption,
    AdoptionState,
    Cycle,
    CycleState,
    MessageState,
    ModeChange,
    OwedMessage,
    PlaybookState,
)
from storage.work import UnitOfWork
from templates.chart import Chart, Point
from templates.contexts.base import ModeChange as ModeChangeShown
from templates.contexts.verdicts import CycleClosed
from templates.ids import Action

AFTER_THE_POST = timedelta(minutes=1)


def cycle_chart(uow: UnitOfWork, message: OwedMessage) -> Composed:
    """The chart, once its post stands; skipped when the post doesn't, or when there is nothing to draw."""
    run = run_of(uow, message)
    cycle = playbooks.cycle(uow, cycle_id=int(message.subject["cycle"]))
    key = f"cycle-closed:{run.workspace.id}:{cycle.id}:{message.recipient}"
    post = next((row for row in ledger.by_prefix(uow, prefix=key)), None)
    if post is not None and post.state is MessageState.DUE:
        return Later(uow.now + AFTER_THE_POST)
    if post is None or post.channel is None or post.ts is None:
        return Skip(Unless.NO_POST)
    chart = chart_of(uow, run, cycle)
    if all(point.value is None for point in chart.points):
        return Skip(Unless.NO_READING)
    return Show(chart, (post.channel, post.ts), f"{run.playbook.slug}-cycle-{cycle.number}.png")


def chart_of(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> Chart:
    """The readings of the adoption's cycles up to this one, of those that count the same KPI."""
    version = playbooks.version(uow, version_id=cycle.version_id)
    kpi = playbook_from_data(version.spec).kpi
    points: list[Point] = []
    for one in playbooks.cycles_of(uow, adoption_id=run.id):
        then = playbooks.version(uow, version_id=one.version_id)
        counted = playbook_from_data(then.spec).kpi
        if one.number > cycle.number or (counted.name, counted.unit) != (kpi.name, kpi.unit):
            continue
        readings = reports.readings(uow, cycle_id=one.id or 0)
        points += [
            Point(week_start=week_monday(one.starts_on, week), cycle=one.number, value=readings.get(week))
            for week in range(1, WEEKS + 1)
        ]
    return Chart(kpi=kpi.name, unit=kpi.unit, baseline=kpi.baseline, target=kpi.target, points=tuple(points))


def cycle_closed(uow: UnitOfWork, run: TeamRun, cycle_id: int) -> CycleClosed:
    """The result of a closed cycle, with the revision it ran on."""
    cycle = playbooks.cycle(uow, cycle_id=cycle_id)
    version = playbooks.version(uow, version_id=cycle.version_id)
    run = replace(run, spec=playbook_from_data(version.spec), version=version, cycle=cycle)
    readings = reports.readings(uow, cycle_id=cycle_id)
    attested, expected = coverage(uow, run, cycle, until=cycle.closes_on)
    gates = gates_of(uow, run, cycle)
    next_cycle = next_start(uow, run, cycle)
    begun = next_cycle is not None and next_cycle <= run.today
    value = cycle.kpi_value
    change = None if value is None else delta(value, run.spec.kpi.baseline, Direction(run.spec.kpi.direction))
    return CycleClosed(
        playbook=run.playbook.title,
        team=run.team.title,
        number=cycle.number,
        result=cycle.result or "insufficient",
        kpi=kpi_context(run, value=cycle.kpi_value),
        readings=tuple(readings.get(week) for week in range(1, WEEKS + 1)),
        attested=attested,
        expected=expected,
        steps=steps_at_close(uow, run, cycle),
        changes=_changes(uow, run, cycle),
        promotions=promotion_lines(uow, run, cycle),
        guardrails=tuple(shown(rail, cycle.guardrails.get(rail.name)) for rail in run.spec.kpi.guardrails),
        moved=change.moved if change else None,
        share=change.share if change else None,
        origin_value=origin_value(uow, run),
        gates_met=sum(gate.met for gate in gates),
        missed=tuple(
            f"week {gate.week}: {'; '.join(words(check) for check in gate.missing)}"
            for gate in gates
            if not gate.met
        ),
        lessons=lessons.of_cycle(uow, cycle_id=cycle_id),
        paused=run.adoption.state is AdoptionState.PAUSED,
        retired=run.playbook.state is PlaybookState.RETIRED,
        next_cycle=next_cycle,
        begun=begun,
        offers=_offers(run, cycle, can_pause=next_cycle is not None and not begun),
    )


def _offers(run: TeamRun, cycle: Cycle, *, can_pause: bool) -> tuple[Offer, ...]:
    """What can be done now that the cycle is over."""
    retired = run.playbook.state is PlaybookState.RETIRED
    offers = []
    if can_pause:
        offers.append(Offer("Pause", Action.PAUSE, f"{run.id}:{cycle.number}"))
    if run.adoption.state is AdoptionState.PAUSED and not retired:
        offers.append(Offer("Start a cycle", Action.START_CYCLE, run.playbook.slug))
    if cycle.submitted_at is None and not retired:
        offers.append(Offer("Submit to the registry", Action.SUBMIT, f"{run.id}:{cycle.id}"))
    if not retired:
        offers.append(Offer("Adopt in another team", Action.ADOPT, run.playbook.slug))
    offers.append(Offer("Keep a lesson", Action.LEARN, run.playbook.slug))
    return tuple(offers)


def _changes(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> tuple[ModeChangeShown, ...]:
    since = instant(cycle.starts_on, time.min, run.zone)
    rows: list[ModeChange] = decisions.mode_changes(
        uow, since=since, until=since + timedelta(weeks=WEEKS), adoption_id=run.id
    )
    return tuple(
        ModeChangeShown(
            step=run.step(row.step).title,
            before=row.before or row.after,
            after=row.after,
            week=week_number(cycle.starts_on, local_day(row.changed_at, run.zone)),
        )
        for row in reversed(rows)
        if any(step.key == row.step for step in run.spec.steps)
    )


def next_start(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> date | None:
    """The Monday of the cycle after this one; None while none is planned."""
    if run.adoption.state is not AdoptionState.ACTIVE:
        return None
    later = [row for row in playbooks.cycles_of(uow, adoption_id=run.id) if row.number > cycle.number]
    return later[0].starts_on if later else None


CHART_USEFUL = timedelta(days=7)
"""As long as the closing post may have to wait for working hours, holidays included, and a little longer."""


def close_instant(run: TeamRun, cycle: Cycle) -> datetime:
    """When a cycle closes: on its fourth Friday at the adoption's hour, 16:00 by default, in the team's zone."""
    return instant_of_close(run, cycle.closes_on)


def instant_of_close(run: TeamRun, closes_on: date) -> datetime:
    """The instant at which a cycle of the run closes on a day."""
    return instant(closes_on, hours_in(run.workspace, run.adoption)[CYCLE_CLOSES].at, run.zone)


def close_due_cycles(db: Database, *, now: datetime) -> int:
    """Close every cycle whose fourth Friday, at the hour of its team, has come; returns how many.

    Each closes in a transaction of its own, so one that fails doesn't hold up the others.
    """
    with db.read() as session:
        due = [
            (row.workspace_id, row.adoption_id, row.cycle_id)
            for row, closes_at in closing_instants(session, closing_by=local_day_latest(now))
            if closes_at <= now
        ]
    return sum(close_cycle(UnitOfWork(db, Actor.system(where), now), *ids) for where, *ids in due)


def closing_instants(
    session: Session, *, closing_by: date | None = None
) -> list[tuple[cycles.ClosingRow, datetime]]:
    """The running cycles of every workspace, each with the instant at which it closes."""
    hours = {row.id: workspace_hours(row) for row in people.workspaces(session)}
    found = []
    for row in cycles.closings(session, closing_by=closing_by):
        of_workspace = hours.get(row.workspace_id, {})
        own = adoption_hours(row.hours, of_workspace) if row.hours else {}
        at = (own.get(CYCLE_CLOSES) or of_workspace.get(CYCLE_CLOSES) or CLOSING_HOUR).at
        found.append((row, instant(row.closes_on, at, ZoneInfo(row.timezone))))
    return found


def local_day_latest(now: datetime) -> date:
    """The latest local date anywhere on earth."""
    return (now + timedelta(hours=14)).date()


def close_cycle(uow: UnitOfWork, adoption_id: int, cycle_id: int) -> bool:
    """Close one cycle if its hour has come: the result, the cap line for every step, the next cycle.

    Returns False when it was too early, or another process closed it first.
    """
    with uow.write():
        playbooks.lock_adoption(uow, adoption_id=adoption_id)
        cycle = playbooks.cycle(uow, cycle_id=cycle_id)
        uow.session.refresh(cycle)
        run = _run_of_cycle(uow, cycle)
        if cycle.state is CycleState.CLOSED or run is None or close_instant(run, cycle) > uow.now:
            return False
        finish_cycle(uow, run, cycle, by=None)
        return True


def finish_cycle(uow: UnitOfWork, run: TeamRun, cycle: Cycle, *, by: Actor | None) -> None:
    """Close a cycle now: judge every step, store the result, plan the next cycle, owe the posts.

    `run` is the run as it stood in the cycle, its adoption locked; `by` is None when the calendar closes it.
    """
    cycle.state, cycle.closed_at = CycleState.CLOSED, uow.now
    uow.session.add(cycle)
    uow.session.flush()  # a window that this close restarts begins after the cycle
    judge_all(uow, run, cycle, cause=f"{CLOSE}{cycle.id}")
    judge_drifts(uow, run, cycle, cause=f"{CLOSE}{cycle.id}")
    set_result(uow, run, cycle)
    trail.record(
        uow,
        at=uow.now,
        member=by.member if by else None,
        action="cycle-closed",
        subject=f"cycle:{cycle.id}",
        surface=by.surface if by else "clock",
        after=as_closed(uow, run, cycle),
    )
    judge_promotions(uow, run, cycle)
    if run.adoption.state is AdoptionState.ACTIVE and run.playbook.state is not PlaybookState.RETIRED:
        _start_next(uow, run.adoption, cycle, run)
    close_cycle_posts(uow, run, cycle)
    _owe_close(uow, run, cycle)
    rewrite_as_next_begins(uow, run)


def as_closed(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> dict[str, object]:
    """A closed cycle as the trail keeps it: the result, and everything it rests on."""
    readings = reports.readings(uow, cycle_id=cycle.id or 0)
    return {
        "result": cycle.result,
        "kpi_value": cycle.kpi_value,
        "readings": readings,
        "guardrails": cycle.guardrails,
        "gates": {str(gate.week): gate.met for gate in gates_of(uow, run, cycle)},
    }


def _run_of_cycle(uow: UnitOfWork, cycle: Cycle) -> TeamRun | None:
    """The run as it stood in the cycle, on its closing day should that be past."""
    run = run_by_id(uow, adoption_id=cycle.adoption_id)
    return of_cycle(uow, run, cycle)


def _start_next(uow: UnitOfWork, adoption: Adoption, cycle: Cycle, run: TeamRun) -> None:
    """The next cycle starts the following Monday, on the version its team is on; after downtime, the next to come."""
    starts_on = cycle.starts_on + timedelta(weeks=WEEKS)
    today = local_day(uow.now, run.zone)
    if starts_on < monday_of(today):
        starts_on = next_monday(today)
    moved = adoption.version_id != cycle.version_id
    version = version_to_run(uow, run.playbook, adoption)
    adoption.version_id = version.id or 0
    spec = playbook_from_data(version.spec)
    if version.id != cycle.version_id and (moved or version.number is not None):
        count_anew(uow, run, spec, to=version, member=None, surface="clock")
    declare_modes(uow, run, steps=[(s.key, Mode(s.mode)) for s in spec.steps])
    add_cycle(uow, adoption, number=cycle.number + 1, starts_on=starts_on, by="the calendar")


def _owe_close(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> None:
    recipients = dict.fromkeys([run.team.channel, *curators_read(uow, run.workspace)])
    ledger.owe(
        uow,
        owed=[
            Owed(
                key=f"cycle-closed:{run.workspace.id}:{cycle.id}:{recipient}",
                kind="cycle-closed",
                recipient=recipient,
                subject={"adoption": run.id, "cycle": cycle.id},
                due_at=uow.now,
            )
            for recipient in recipients
        ]
        + [_chart(run, cycle, recipient, now=uow.now) for recipient in recipients],
    )


def _chart(run: TeamRun, cycle: Cycle, recipient: str, *, now: datetime) -> Owed:
    """The chart that goes with a closing post; a message of its own, so that the post never waits for it."""
    return Owed(
        key=f"cycle-chart:{run.workspace.id}:{cycle.id}:{recipient}",
        kind="cycle-chart",
        recipient=recipient,
        subject={"adoption": run.id, "cycle": cycle.id},
        due_at=now,
        useful_until=now + CHART_USEFUL,
    )
