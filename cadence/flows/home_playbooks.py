"""One of a person's playbooks as their Home shows it."""

from datetime import datetime
from textwrap import shorten
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.flows.asked_members import expected_members
from cadence.flows.callers import Caller
from cadence.flows.checkin_rows import answer_context, member_zone, week_kpi
from cadence.flows.cycle_shown import step_evidence
from cadence.flows.gates import gate_line, gate_of
from cadence.flows.kpis import kpi_context
from cadence.flows.runs import TeamRun, current_modes, mode_of, starts_on
from cadence.flows.standing import standing
from cadence.rules.calendar import WEEKS
from storage import registry, reports
from storage.tables import AdoptionState, Cycle, CycleState
from templates.contexts.home import HomePlaybook, HomeStep
from templates.contexts.playbooks import GateLine

GATE_SIZE = 150
"""What a gate lacks, in so many characters, cut between words; `/cadence cycle show` has all of it."""


def home_playbook(session: Session, caller: Caller, run: TeamRun, *, now: datetime) -> HomePlaybook:
    """Where one run stands this week, for one reader."""
    cycle, where = run.cycle, run.workspace.id
    closed = cycle if cycle and cycle.state is CycleState.CLOSED else None
    week_start = max(run.week_start, cycle.starts_on) if cycle and not closed else run.week_start
    running = run.week is not None and not closed
    asked = set(expected_members(session, run, week_start=week_start)) if running else set()
    came = reports.answered_members(session, workspace_id=where, adoption_id=run.id, week_start=week_start)
    own = reports.check_in(
        session, workspace_id=where, adoption_id=run.id, week_start=week_start, member=caller.member
    )
    paused = run.adoption.state is AdoptionState.PAUSED
    gate = _gate(session, run, cycle) if running and not paused else None
    zone = member_zone(session, workspace_id=where, member=caller.member, fallback=run.team.timezone)
    return HomePlaybook(
        adoption_id=run.id,
        slug=run.playbook.slug,
        playbook=run.playbook.title,
        team=run.team.title,
        week=run.week,
        kpi=kpi_context(run, value=closed.kpi_value)
        if closed
        else week_kpi(session, run, week_start=week_start),
        readings=_readings(session, run, cycle),
        answered=len(asked & came),
        expected=len(asked),
        steps=_steps(session, run, cycle, zone),
        week_start=week_start.isoformat(),
        gate=shorten(gate.text, GATE_SIZE, placeholder=" …") if gate else None,
        gate_met=bool(gate and gate.met),
        closed=closed.number if closed else None,
        result=closed.result if closed else None,
        paused=paused,
        starts=starts_on(run),
        own=answer_context(session, run, own) if own else None,
        standing=standing(session, run, now=now),
    )


def _gate(session: Session, run: TeamRun, cycle: Cycle | None) -> GateLine | None:
    if cycle is None or run.week is None:
        return None
    return gate_line(gate_of(session, run, cycle, run.week), week=run.week)


def _readings(session: Session, run: TeamRun, cycle: Cycle | None) -> tuple[float | None, ...]:
    """The cycle's numbers so far, week by week; empty before the first."""
    if cycle is None:
        return ()
    known = reports.readings(session, workspace_id=run.workspace.id, cycle_id=cycle.id or 0)
    weeks = WEEKS if run.week is None else run.week
    return tuple(known.get(week) for week in range(1, weeks + 1)) if known else ()


def _steps(session: Session, run: TeamRun, cycle: Cycle | None, zone: ZoneInfo) -> tuple[HomeStep, ...]:
    """Each step, who leads it, its exceptions against its cap, and what was last decided about it."""
    modes = current_modes(session, run)
    evidence = step_evidence(session, run, cycle) if cycle else ()
    verdicts = {
        row.step: row
        for row in registry.newest_verdicts(session, workspace_id=run.workspace.id, adoption_ids=[run.id])
    }
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
