"""Spot audits: draw attested runs of a step each week, for the owner to grade (SPEC §6)."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import Session

from cadence.flows.checkin_rows import cycle_of_week
from cadence.flows.runs import TeamRun, run_by_id
from cadence.nudges import SPOT_AUDIT
from cadence.rules.audits import Attested, draw
from cadence.rules.calendar import week_number
from storage import playbooks, reports, rubrics, trail
from storage.ledger import Owed
from storage.tables import MessageState, SpotAudit


def draw_due_audits(session: Session, workspace_id: str, owed: Sequence[Owed], *, now: datetime) -> None:
    """Draw the runs that the spot-audit messages queued just now will ask about."""
    for one in owed:
        if one.kind == SPOT_AUDIT and one.state is MessageState.DUE:
            playbooks.lock_adoption(
                session, workspace_id=workspace_id, adoption_id=int(one.subject["adoption"])
            )
            run = run_by_id(
                session, workspace_id=workspace_id, adoption_id=int(one.subject["adoption"]), now=now
            )
            _draw_week(session, run, date.fromisoformat(one.subject["week"]), now=now)


def _draw_week(session: Session, run: TeamRun, week_start: date, *, now: datetime) -> None:
    cycle = cycle_of_week(session, run, week_start)
    population = attested_runs(session, run, week_start=week_start)
    known = {
        one.step
        for one in rubrics.audits_of_week(
            session, workspace_id=run.workspace.id, adoption_id=run.id, week_start=week_start
        )
    }
    if cycle is None or not population:
        return
    for step in run.spec.steps:
        if step.verify is None or not step.verify.sample or step.key in known:
            continue
        seed = f"{run.workspace.id}/{run.id}/{step.key}/{week_start}"
        row = SpotAudit(
            workspace_id=run.workspace.id,
            adoption_id=run.id,
            cycle_id=cycle.id or 0,
            step=step.key,
            week=week_number(cycle.starts_on, week_start) or 0,
            week_start=week_start,
            sample=step.verify.sample,
            seed=seed,
            population=[list(one) for one in population],
            drawn=[list(one) for one in draw(population, sample=step.verify.sample, seed=seed)],
            drawn_at=now,
        )
        session.add(row)
        session.flush()
        trail.record(
            session,
            workspace_id=run.workspace.id,
            at=now,
            member=None,
            action="audit-drawn",
            subject=f"audit:{row.id}",
            surface="clock",
            after={"step": step.key, "week": week_start.isoformat(), "seed": seed, "drawn": row.drawn},
        )


def attested_runs(session: Session, run: TeamRun, *, week_start: date) -> list[Attested]:
    """(member, runs) of who attested runs for a week so far, by member."""
    rows = reports.answers(session, workspace_id=run.workspace.id, adoption_id=run.id, since=week_start)
    return sorted((member, runs) for member, week, runs in rows if week == week_start and runs)


def draw_again(row: SpotAudit) -> tuple[Attested, ...]:
    """Draw a stored audit from nothing but its row; the same runs come out."""
    population = [(member, runs) for member, runs in row.population]
    return draw(population, sample=row.sample, seed=row.seed)
