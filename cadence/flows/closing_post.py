"""The post that says how a cycle went."""

from dataclasses import replace
from datetime import date, time, timedelta

from sqlmodel import Session

from cadence.documents import playbook_from_data
from cadence.flows import lessons
from cadence.flows.cycle_shown import coverage, steps_at_close
from cadence.flows.gates import gates_of, words
from cadence.flows.guardrails import shown
from cadence.flows.kpis import kpi_context
from cadence.flows.origins import origin_value
from cadence.flows.promotion_words import promotion_lines
from cadence.flows.runs import TeamRun
from cadence.refusals import Offer
from cadence.rules.calendar import WEEKS, instant, local_day, week_number
from cadence.rules.kpi import Direction, delta
from storage import decisions, playbooks, reports
from storage.tables import AdoptionState, Cycle, ModeChange, PlaybookState
from templates.contexts.base import ModeChange as ModeChangeShown
from templates.contexts.verdicts import CycleClosed
from templates.ids import Action


def cycle_closed(session: Session, run: TeamRun, cycle_id: int) -> CycleClosed:
    """The result of a closed cycle, with the revision it ran on."""
    cycle = playbooks.cycle(session, workspace_id=run.workspace.id, cycle_id=cycle_id)
    version = playbooks.version(session, workspace_id=run.workspace.id, version_id=cycle.version_id)
    run = replace(run, spec=playbook_from_data(version.spec), version=version, cycle=cycle)
    readings = reports.readings(session, workspace_id=run.workspace.id, cycle_id=cycle_id)
    attested, expected = coverage(session, run, cycle, until=cycle.closes_on)
    gates = gates_of(session, run, cycle)
    next_cycle = next_start(session, run, cycle)
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
        steps=steps_at_close(session, run, cycle),
        changes=_changes(session, run, cycle),
        promotions=promotion_lines(session, run, cycle),
        guardrails=tuple(shown(rail, cycle.guardrails.get(rail.name)) for rail in run.spec.kpi.guardrails),
        moved=change.moved if change else None,
        share=change.share if change else None,
        origin_value=origin_value(session, run),
        gates_met=sum(gate.met for gate in gates),
        missed=tuple(
            f"week {gate.week}: {'; '.join(words(check) for check in gate.missing)}"
            for gate in gates
            if not gate.met
        ),
        lessons=lessons.of_cycle(session, workspace_id=run.workspace.id, cycle_id=cycle_id),
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


def _changes(session: Session, run: TeamRun, cycle: Cycle) -> tuple[ModeChangeShown, ...]:
    since = instant(cycle.starts_on, time.min, run.zone)
    rows: list[ModeChange] = decisions.mode_changes(
        session,
        workspace_id=run.workspace.id,
        since=since,
        until=since + timedelta(weeks=WEEKS),
        adoption_id=run.id,
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


def next_start(session: Session, run: TeamRun, cycle: Cycle) -> date | None:
    """The Monday of the cycle after this one; None while none is planned."""
    if run.adoption.state is not AdoptionState.ACTIVE:
        return None
    later = [
        row
        for row in playbooks.cycles_of(session, workspace_id=run.workspace.id, adoption_id=run.id)
        if row.number > cycle.number
    ]
    return later[0].starts_on if later else None
