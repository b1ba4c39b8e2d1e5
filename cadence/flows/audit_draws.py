"""Spot audits: draw attested runs of a step each week, for the owner to grade (SPEC §6).

Nobody grades their own work: the owner's runs are left out of the draw.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from cadence.nudges import SPOT_AUDIT
from cadence.rules.audits import Attested, draw, drawable
from cadence.rules.calendar import week_number
from storage import audits, plans, trail
from storage.queueing import Nudged
from storage.tables import SpotAudit
from storage.trail import Entry


def draw_due_audits(session: Session, workspace_id: str, nudges: Iterable[Nudged], *, now: datetime) -> None:
    """Draw the runs that the spot-audit messages queued just now will ask about."""
    by_week: dict[date, set[int]] = defaultdict(set)
    for one in nudges:
        if one.kind == SPOT_AUDIT and not one.reason:
            by_week[date.fromisoformat(one.subject["week"])].add(int(one.subject["adoption"]))
    for week_start, adoption_ids in by_week.items():
        _draw_week(session, workspace_id, sorted(adoption_ids), week_start, now=now)


def _draw_week(
    session: Session, workspace_id: str, adoption_ids: Sequence[int], week_start: date, *, now: datetime
) -> None:
    """Draw for one week, all runs at once."""
    of_week: Any = {"workspace_id": workspace_id, "adoption_ids": adoption_ids, "week_start": week_start}
    audits.lock_adoptions(session, workspace_id=workspace_id, adoption_ids=adoption_ids)
    known = audits.drawn(session, **of_week)
    rows = [row for row in _draws(session, of_week, now=now) if (row.adoption_id, row.step) not in known]
    if not rows:
        return
    audits.add(session, workspace_id=workspace_id, rows=rows)
    ids = audits.drawn(session, **of_week)
    entries = [
        Entry(
            action="audit-drawn",
            subject=f"audit:{ids[row.adoption_id, row.step]}",
            surface="clock",
            after={"step": row.step, "week": week_start.isoformat(), "seed": row.seed, "drawn": row.drawn},
        )
        for row in rows
    ]
    trail.record_all(session, workspace_id=workspace_id, at=now, entries=entries)


def _draws(session: Session, of_week: dict[str, Any], *, now: datetime) -> Iterator[SpotAudit]:
    """What the audited steps of runs come to for a week, by run and step."""
    workspace_id, week_start = of_week["workspace_id"], of_week["week_start"]
    populations: dict[int, list[Attested]] = defaultdict(list)
    for adoption_id, member, runs in audits.attested(session, **of_week):
        populations[adoption_id].append((member, runs))
    cycles = audits.cycles_of_week(session, **of_week)
    specs = plans.specs(session, workspace_id=workspace_id, version_ids=[one.version_id for one in cycles])
    for cycle in cycles:
        population = drawable(populations[cycle.adoption_id], grader=cycle.owner)
        for step, sample in _sampled(specs[cycle.version_id]) if population else ():
            seed = f"{workspace_id}/{cycle.adoption_id}/{step}/{week_start}"
            yield SpotAudit(
                workspace_id=workspace_id,
                adoption_id=cycle.adoption_id,
                cycle_id=cycle.cycle_id,
                step=step,
                week=week_number(cycle.starts_on, week_start) or 0,
                week_start=week_start,
                sample=sample,
                seed=seed,
                population=[list(one) for one in population],
                drawn=[list(one) for one in draw(population, sample=sample, seed=seed)],
                drawn_at=now,
            )


def _sampled(spec: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """(step, runs drawn a week) of a version's steps that are audited."""
    for step in spec.get("steps", []):
        sample = (step.get("verify") or {}).get("sample")
        if sample:
            yield step["key"], sample


def draw_again(row: SpotAudit) -> tuple[Attested, ...]:
    """Draw a stored audit from nothing but its row; the same runs come out."""
    population = [(member, runs) for member, runs in row.population]
    return draw(population, sample=row.sample, seed=row.seed)
