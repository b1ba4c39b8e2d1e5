"""A cycle's close: due cycles, the result, the closing post and its chart in the post's thread."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.actor import Actor
from cadence.flows import lessons
from cadence.flows.adoption import origin_value
from cadence.flows.core import (
    CHART_USEFUL,
    CYCLE_CHART,
    IN_THE_MESSAGE,
    AdoptionView,
    Later,
    MessageKind,
    Show,
    Skip,
    adoption_about,
    adoption_by_id,
    adoption_hours,
    close_cycle_posts,
    coverage,
    curators_read,
    hours_in,
    is_watch,
    kind_of_next,
    of_cycle,
    redraw_chart_of,
    rewrite_as_next_begins,
    spec_of,
    version_to_run,
    workspace_hours,
)
from cadence.flows.cutover import asks_assessment
from cadence.flows.cycles.moving import count_anew
from cadence.flows.cycles.resuming import rewrite_pause_post
from cadence.flows.cycles.starting import add_cycle, declare_modes
from cadence.flows.gates import gates_of, words
from cadence.flows.numbers import kpi_context, set_result, shown
from cadence.flows.promotions import judge_promotions, promotion_lines
from cadence.flows.standards import CLOSE, judge_all, judge_drifts, steps_at_close
from cadence.flows.trends import value_line
from cadence.flows.waves import rollout_phases
from cadence.nudges import CLOSING_HOUR, CYCLE_CLOSES, Unless
from cadence.refusals import Offer
from cadence.rules.calendar import WEEKS, instant, local_day, monday_of, next_monday, week_monday, week_number
from cadence.rules.kpi import Direction, delta
from cadence.rules.modes import Mode
from storage.engine import Database
from storage.outbox.queueing import NewMessage
from storage.queries import adoptions, cycles, numbers, playbooks, standards, workspaces
from storage.tables import (
    Adoption,
    AdoptionState,
    Cycle,
    CycleState,
    MessageState,
    ModeChange,
    OutboxMessage,
    PlaybookState,
    Workspace,
)
from storage.work import UnitOfWork
from templates.chart import Chart, Point
from templates.contexts.base import ModeChange as ModeChangeShown
from templates.contexts.base import Picture
from templates.contexts.cycles import CycleClosed
from templates.ids import Action

AFTER_THE_POST = timedelta(minutes=1)


def cycle_chart(uow: UnitOfWork, message: OutboxMessage) -> Show | Skip | Later:
    """The chart, once its post was sent; skipped if it wasn't, or if there is nothing to draw."""
    view = adoption_about(uow, message)
    cycle = cycles.cycle(uow, cycle_id=int(message.subject["cycle"]))
    post = next(iter(uow.messages(CYCLE_CLOSES, cycle.id, message.recipient)), None)
    if post is not None and post.state is MessageState.DUE:
        return Later(uow.now + AFTER_THE_POST)
    if post is None or post.channel is None or post.ts is None:
        return Skip(Unless.NO_POST)
    chart = chart_of(uow, view, cycle)
    if all(point.value is None for point in chart.points):
        return Skip(Unless.NO_READING)
    closed = _read_by(view, message, cycle_closed(uow, view, cycle.id or 0))
    return Show(
        chart,
        (post.channel, post.ts),
        f"{view.playbook.slug}-cycle-{cycle.number}.png",
        lambda picture: replace(closed, chart=picture),
    )


def chart_of(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> Chart:
    """The readings of the adoption's cycles up to this one that count the same KPI."""
    version = playbooks.version(uow, version_id=cycle.version_id)
    kpi = spec_of(uow, version).kpi
    points: list[Point] = []
    for one in cycles.cycles_of(uow, adoption_id=view.id):
        then = playbooks.version(uow, version_id=one.version_id)
        counted = spec_of(uow, then).kpi
        if one.number > cycle.number or (counted.name, counted.unit) != (kpi.name, kpi.unit):
            continue
        readings = numbers.readings(uow, cycle=one)
        points += [
            Point(
                week_start=week_monday(one.starts_on, week),
                cycle=one.number,
                value=readings.get(week),
                watched=is_watch(one),
            )
            for week in range(1, WEEKS + 1)
        ]
    return Chart(kpi=kpi.name, unit=kpi.unit, baseline=kpi.baseline, target=kpi.target, points=tuple(points))


def cycle_closed(uow: UnitOfWork, view: AdoptionView, cycle_id: int) -> CycleClosed:
    """The result of a closed cycle, with the cycle's revision."""
    cycle = cycles.cycle(uow, cycle_id=cycle_id)
    version = playbooks.version(uow, version_id=cycle.version_id)
    view = replace(view, spec=spec_of(uow, version), version=version, cycle=cycle)
    readings = numbers.readings(uow, cycle=cycle)
    attested, expected = coverage(uow, view, cycle, until=cycle.closes_on)
    gates = gates_of(uow, view, cycle)
    next_cycle = next_start(uow, view, cycle)
    begun = next_cycle is not None and next_cycle <= view.today
    asked = asks_assessment(uow, view)
    value = cycle.kpi_value
    change = (
        None if value is None else delta(value, view.spec.kpi.baseline, Direction(view.spec.kpi.direction))
    )
    return CycleClosed(
        playbook=view.playbook.title,
        team=view.team.title,
        number=cycle.number,
        result=cycle.result or "insufficient",
        kpi=kpi_context(view, value=cycle.kpi_value),
        readings=tuple(readings.get(week) for week in range(1, WEEKS + 1)),
        attested=attested,
        expected=expected,
        steps=steps_at_close(uow, view, cycle),
        changes=_changes(uow, view, cycle),
        promotions=promotion_lines(uow, view, cycle),
        guardrails=tuple(shown(rail, cycle.guardrails.get(rail.name)) for rail in view.spec.kpi.guardrails),
        moved=change.moved if change else None,
        share=change.share if change else None,
        origin_value=origin_value(uow, view),
        gates_met=sum(gate.met for gate in gates),
        missed=tuple(
            f"Week {gate.week}: {'; '.join(words(check) for check in gate.missing)}"
            for gate in gates
            if not gate.met
        ),
        lessons=lessons.of_cycle(uow, cycle_id=cycle_id),
        paused=view.adoption.state is AdoptionState.PAUSED,
        retired=view.playbook.state is PlaybookState.RETIRED,
        next_cycle=next_cycle,
        begun=begun,
        watched=_is_watched_next(uow, view, cycle),
        value=value_line(uow, view, cycle),
        phases=rollout_phases(uow, view.playbook) if asked else (),
        offers=_offers(view, cycle, assess=asked is True),
        more=(
            *(_more(uow, view, cycle) if next_cycle is not None and not begun else ()),
            *((_assess(view),) if asked is False else ()),
        ),
    )


def _is_watched_next(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> bool:
    """Whether a watch period follows a cycle."""
    rows = cycles.cycles_of(uow, adoption_id=view.id)
    return next((is_watch(row) for row in rows if row.number > cycle.number), False)


def _more(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> tuple[Offer, ...]:
    """What else can be done before the next cycle begins."""
    ref = f"{view.id}:{cycle.number}"
    watch = Offer("Watch weekly instead", Action.WATCH_WEEKLY, ref)
    pause = Offer("Pause", Action.PAUSE, ref)
    return (pause,) if _is_watched_next(uow, view, cycle) else (watch, pause)


def _assess(view: AdoptionView) -> Offer:
    """The button that opens the assessment of a pilot."""
    return Offer("Answer the assessment", Action.ASSESS, view.playbook.slug)


def _offers(view: AdoptionView, cycle: Cycle, *, assess: bool) -> tuple[Offer, ...]:
    """Offers after a closed cycle, the next thing to do first."""
    retired = view.playbook.state is PlaybookState.RETIRED
    offers = []
    if view.adoption.state is AdoptionState.PAUSED and not retired:
        offers.append(Offer("Start a cycle", Action.START_CYCLE, view.playbook.slug))
    if assess:
        offers.append(_assess(view))
    if not retired:
        offers.append(Offer("Bring it to another team", Action.ADOPT, view.playbook.slug))
    if cycle.submitted_at is None and not retired:
        offers.append(Offer("Submit to the registry", Action.SUBMIT, f"{view.id}:{cycle.id}"))
    offers.append(Offer("Add a lesson", Action.LEARN, view.playbook.slug))
    return tuple(offers)


def _changes(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> tuple[ModeChangeShown, ...]:
    since = instant(cycle.starts_on, time.min, view.zone)
    rows: list[ModeChange] = standards.mode_changes(
        uow, since=since, until=since + timedelta(weeks=WEEKS), adoption_id=view.id
    )
    return tuple(
        ModeChangeShown(
            step=view.step(row.step).title,
            before=row.before or row.after,
            after=row.after,
            week=week_number(cycle.starts_on, local_day(row.changed_at, view.zone)),
        )
        for row in reversed(rows)
        if any(step.key == row.step for step in view.spec.steps)
    )


def next_start(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> date | None:
    """The Monday of the cycle after this one; None if none is planned."""
    if view.adoption.state is not AdoptionState.ACTIVE:
        return None
    later = [row for row in cycles.cycles_of(uow, adoption_id=view.id) if row.number > cycle.number]
    return later[0].starts_on if later else None


def close_instant(view: AdoptionView, cycle: Cycle) -> datetime:
    """When a cycle closes: on its fourth Friday at the adoption's hour, 16:00 by default, in the team's
    zone."""
    return instant_of_close(view, cycle.closes_on)


def instant_of_close(view: AdoptionView, closes_on: date) -> datetime:
    """The instant at which a cycle of the adoption closes on a day."""
    return instant(closes_on, hours_in(view.workspace, view.adoption)[CYCLE_CLOSES].at, view.zone)


def due_cycles(session: Session, *, now: datetime, known: Iterable[Workspace]) -> list[cycles.ClosingRow]:
    """The running cycles whose fourth Friday has come, at their team's hour; `known` is every workspace."""
    ends = closing_instants(session, closing_by=local_day_latest(now), known=known)
    return [row for row, closes_at in ends if closes_at <= now]


def close_due_cycles(db: Database, due: Iterable[cycles.ClosingRow], *, now: datetime) -> int:
    """Close `due_cycles`, each in its own transaction, so a failure doesn't affect the others; returns how many."""
    return sum(
        close_cycle(UnitOfWork(db, Actor.system(row.workspace_id), now), row.adoption_id, row.cycle_id)
        for row in due
    )


def closing_instants(
    session: Session, *, closing_by: date | None = None, known: Iterable[Workspace] | None = None
) -> list[tuple[cycles.ClosingRow, datetime]]:
    """The running cycles of every workspace, each with its closing instant.

    Args:
        closing_by: only cycles whose last day is no later.
        known: every workspace, if the caller has them.
    """
    rows = cycles.closings(session, closing_by=closing_by)
    if not rows:
        return []
    hours = {row.id: workspace_hours(row) for row in known or workspaces.workspaces(session)}
    found = []
    for row in rows:
        of_workspace = hours.get(row.workspace_id, {})
        own = adoption_hours(row.hours, of_workspace) if row.hours else {}
        at = (own.get(CYCLE_CLOSES) or of_workspace.get(CYCLE_CLOSES) or CLOSING_HOUR).at
        found.append((row, instant(row.closes_on, at, ZoneInfo(row.timezone))))
    return found


def local_day_latest(now: datetime) -> date:
    """The latest local date anywhere on earth."""
    return (now + timedelta(hours=14)).date()


def close_cycle(uow: UnitOfWork, adoption_id: int, cycle_id: int) -> bool:
    """Close one cycle if it is due: the result, the cap line for every step, the next cycle.

    Returns False if it was too early, or if another process closed it first.
    """
    with uow.write():
        adoptions.lock_adoption(uow, adoption_id=adoption_id)
        cycle = cycles.cycle(uow, cycle_id=cycle_id)
        uow.session.refresh(cycle)
        view = _run_of_cycle(uow, cycle)
        if cycle.state is CycleState.CLOSED or view is None or close_instant(view, cycle) > uow.now:
            return False
        finish_cycle(uow, view, cycle, by_hand=False)
        return True


def finish_cycle(uow: UnitOfWork, view: AdoptionView, cycle: Cycle, *, by_hand: bool) -> None:
    """Close a cycle now: judge every step, store the result, plan the next cycle, queue the posts.

    A watch period ends with the verdicts only: it has no result, no promotions and no post.

    Args:
        run: as of the cycle, its adoption locked.
        by_hand: closed by the actor, not by the calendar.
    """
    cycle.state, cycle.closed_at = CycleState.CLOSED, uow.now
    uow.session.add(cycle)
    uow.session.flush()  # a window that this close restarts begins after the cycle
    judge_all(uow, view, cycle, cause=f"{CLOSE}{cycle.id}")
    judge_drifts(uow, view, cycle, cause=f"{CLOSE}{cycle.id}")
    if is_watch(cycle):
        uow.record(action="month-ended", subject=f"cycle:{cycle.id}", surface="clock")
        _plan_next(uow, view, cycle)
        return
    set_result(uow, view, cycle)
    uow.record(
        action="cycle-closed",
        subject=f"cycle:{cycle.id}",
        after=as_closed(uow, view, cycle),
        surface=None if by_hand else "clock",
    )
    judge_promotions(uow, view, cycle)
    _plan_next(uow, view, cycle)
    close_cycle_posts(uow, view, cycle)
    if view.is_paused:
        rewrite_pause_post(uow, view, mark=f"closed:{cycle.id}")
    _send_posts(uow, view, cycle)
    rewrite_as_next_begins(uow, view)


def as_closed(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> dict[str, object]:
    """A closed cycle for the trail: the result with the numbers behind it."""
    readings = numbers.readings(uow, cycle=cycle)
    return {
        "result": cycle.result,
        "kpi_value": cycle.kpi_value,
        "readings": readings,
        "guardrails": cycle.guardrails,
        "gates": {str(gate.week): gate.met for gate in gates_of(uow, view, cycle)},
    }


def _run_of_cycle(uow: UnitOfWork, cycle: Cycle) -> AdoptionView | None:
    """The adoption in the cycle, as of its closing day if that has passed."""
    view = adoption_by_id(uow, adoption_id=cycle.adoption_id)
    return of_cycle(uow, view, cycle)


def _plan_next(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> None:
    """Plan the next cycle or watch period, unless the team is paused, the playbook retired, or one is
    planned."""
    later = any(row.number > cycle.number for row in cycles.cycles_of(uow, adoption_id=view.id))
    goes_on = view.adoption.state is AdoptionState.ACTIVE and view.playbook.state is not PlaybookState.RETIRED
    if goes_on and not later:
        _start_next(uow, view.adoption, cycle, view)


def _start_next(uow: UnitOfWork, adoption: Adoption, cycle: Cycle, view: AdoptionView) -> None:
    """Start the next cycle, or watch period, on the following Monday, on the team's version.

    After downtime it is the next Monday to come.
    """
    starts_on = cycle.starts_on + timedelta(weeks=WEEKS)
    today = local_day(uow.now, view.zone)
    if starts_on < monday_of(today):
        starts_on = next_monday(today)
    moved = adoption.version_id != cycle.version_id
    version = version_to_run(uow, view.playbook, adoption)
    adoption.version_id = version.id or 0
    spec = spec_of(uow, version)
    if version.id != cycle.version_id and (moved or version.number is not None):
        count_anew(uow, view, spec, to=version, on="clock")
    declare_modes(uow, view, steps=[(s.key, Mode(s.mode)) for s in spec.steps])
    kind = kind_of_next(adoption.planned_cycles, cycles.cycles_of(uow, adoption_id=view.id))
    add_cycle(uow, adoption, number=cycle.number + 1, starts_on=starts_on, by="the calendar", kind=kind)


def _send_posts(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> None:
    recipients = dict.fromkeys([view.team.channel, *curators_read(uow, view.workspace)])
    subject = {"adoption": view.id, "cycle": cycle.id}
    posts = [NewMessage(CYCLE_CLOSES, one, subject, about=(cycle.id, one)) for one in recipients]
    charts = [
        NewMessage(CYCLE_CHART, one, subject, about=(cycle.id, one), useful=CHART_USEFUL)
        for one in recipients
    ]  # separate messages, so that the post never waits for its chart
    uow.send(posts + charts)


def _closing_post(uow: UnitOfWork, message: OutboxMessage) -> CycleClosed:
    view, cycle_id = adoption_about(uow, message), int(message.subject["cycle"])
    closed = _read_by(view, message, cycle_closed(uow, view, cycle_id))
    return replace(closed, chart=_chart_in(uow, view, message, cycle_id))


def _read_by(view: AdoptionView, message: OutboxMessage, closed: CycleClosed) -> CycleClosed:
    """The post for the message's reader: curators read those of many teams, so theirs names the team first."""
    return replace(closed, names_team=message.recipient != view.team.channel)


def _chart_in(uow: UnitOfWork, view: AdoptionView, post: OutboxMessage, cycle_id: int) -> Picture | None:
    """The chart that the post already shows, unless its numbers have changed since."""
    sent = [
        row
        for row in uow.messages(CYCLE_CHART, cycle_id, post.recipient)
        if row.state is MessageState.SENT and row.reason == IN_THE_MESSAGE
    ]
    if not sent or sent[-1].text != chart_of(uow, view, cycles.cycle(uow, cycle_id=cycle_id)).text:
        return None
    return Picture(file=sent[-1].file or "", alt=sent[-1].text)


CLOSED = MessageKind(CYCLE_CLOSES, _closing_post, rewrite=_closing_post, picture_lost=redraw_chart_of)
CHART = MessageKind(CYCLE_CHART, cycle_chart, unless=(Unless.NO_POST, Unless.NO_READING))
