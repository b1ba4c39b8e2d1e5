"""What the pilot measured, against what the cutover to production needs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cadence.documents import PlaybookSpec
from cadence.flows.core import AdoptionView, adoption_views, coverage, of_cycle
from cadence.flows.pilots import duties_of
from cadence.flows.promotions import rubric_in_force
from cadence.rules.cutover import Figures, Line, Requirement, Verdict, judge_cutover
from cadence.rules.kpi import Direction, meets
from storage.queries import cutover, cycles, rubrics
from storage.tables import (
    Assessment,
    Cutover,
    CutoverState,
    Cycle,
    CycleKind,
    CycleState,
    DutyKind,
    Playbook,
    PracticeKind,
)
from storage.work import UnitOfWork

DECIDED = (CutoverState.HELD, CutoverState.PASSED, CutoverState.OVERRIDDEN)
IN_PRODUCTION = (CutoverState.PASSED, CutoverState.OVERRIDDEN)


@dataclass(frozen=True, slots=True)
class CutoverView:
    """A playbook's way from pilot to production.

    Args:
        pilot: the first team that runs it, as of now; None if nobody does.
        cycle: the pilot's last closed cycle; None before.
        verdict: every requirement with its numbers; as decided once the playbook is in production.
        decision: the newest decision; None before the first.
        request: the owner's request that nobody has decided; None without one.
        people: who has each duty.
        threshold: the rubric's, 0 to 1; None without a rubric.
        target_met: whether the last closed cycle met the KPI's target; None if it has no result.
    """

    playbook: Playbook
    pilot: AdoptionView | None
    cycle: Cycle | None
    spec: PlaybookSpec | None
    verdict: Verdict
    decision: Cutover | None
    request: Cutover | None
    people: Mapping[DutyKind, str]
    assessment: Assessment | None
    target_met: bool | None

    @property
    def state(self) -> CutoverState | None:
        """The decision: held, passed or overridden; None before the first."""
        return self.decision.state if self.decision else None

    @property
    def in_production(self) -> datetime | None:
        """When the playbook moved to production; None before."""
        decision = self.decision
        return decision.decided_at if decision and decision.state in IN_PRODUCTION else None

    @property
    def rows(self) -> tuple[Line, ...]:
        """Every requirement: needed, measured, met."""
        return self.verdict.lines


def assessment_of(uow: UnitOfWork, playbook_id: int) -> Assessment | None:
    """The owner's current assessment of a pilot; None before it is answered."""
    return cutover.assessment(uow, playbook_id=playbook_id)


def pilot_of(uow: UnitOfWork, playbook_id: int) -> AdoptionView | None:
    """The first team that runs a playbook, as of now; None if nobody does."""
    return min(adoption_views(uow, playbook_id=playbook_id), key=lambda view: view.id, default=None)


def last_closed(uow: UnitOfWork, pilot: AdoptionView | None) -> Cycle | None:
    """An adoption's last closed cycle, without periods in which it is only watched; None before the first has
    closed."""
    if pilot is None:
        return None
    rows = cycles.cycles_of(uow, adoption_id=pilot.id)
    closed = [one for one in rows if one.state is CycleState.CLOSED and one.kind is CycleKind.ROLLOUT]
    return closed[-1] if closed else None


def is_sorted(row: Assessment | None) -> bool:
    """Whether an assessment is answered and each of its practices has a kind."""
    return row is not None and all(one.get("kind") for one in row.practices)


def practices(row: Assessment | None, kind: PracticeKind | None) -> tuple[str, ...]:
    """The practices of one kind, or with None those that aren't sorted yet."""
    wanted = kind.value if kind else None
    return tuple(one["text"] for one in row.practices if one.get("kind") == wanted) if row else ()


def cutover_of(uow: UnitOfWork, playbook: Playbook) -> CutoverView:
    """Where a playbook's cutover is, with everything required and measured.

    The numbers are those of the pilot's last closed cycle. Once the playbook is in production they are those
    on which that was decided.
    """
    rows = cutover.decisions(uow, playbook_id=playbook.id or 0)
    decision = next((row for row in rows if row.state in DECIDED), None)
    request = rows[0] if rows and rows[0].state is CutoverState.ASKED else None
    pilot = pilot_of(uow, playbook.id or 0)
    cycle = last_closed(uow, pilot)
    at = of_cycle(uow, pilot, cycle) if pilot and cycle else pilot
    assessment = assessment_of(uow, playbook.id or 0)
    people = duties_of(uow, playbook.id or 0)
    done = decision is not None and decision.state in IN_PRODUCTION
    figures = _figures(
        uow, at, cycle, named=frozenset(duty.value for duty in people), assessed=is_sorted(assessment)
    )
    return CutoverView(
        playbook=playbook,
        pilot=pilot,
        cycle=cycle,
        spec=at.spec if at else None,
        verdict=stored(decision.figures) if done and decision else judge_cutover(figures),
        decision=decision,
        request=request,
        people=people,
        assessment=assessment,
        target_met=_target_met(at, cycle),
    )


def _figures(
    uow: UnitOfWork, at: AdoptionView | None, cycle: Cycle | None, *, named: frozenset[str], assessed: bool
) -> Figures:
    """The figures of a closed cycle; all zero before the first has closed."""
    threshold = at.spec.rubric.threshold if at and at.spec.rubric else None
    nothing = Figures(
        complete=0,
        asked=0,
        passes=0,
        samples=0,
        threshold=threshold,
        attested=0,
        expected=0,
        named=named,
        assessed=assessed,
    )
    if at is None or cycle is None:
        return nothing
    complete, asked = cutover.complete_inputs(uow, cycle_id=cycle.id or 0) or (0, 0)
    in_force = {step.key: rubric_in_force(uow, at, step) for step in at.spec.steps}
    graded = [
        row
        for row in rubrics.graded_in_cycle(uow, cycle_id=cycle.id or 0)
        if row.revision == in_force.get(row.step)
    ]
    attested, expected = coverage(uow, at, cycle, until=cycle.closes_on)
    return replace(
        nothing,
        complete=complete,
        asked=asked,
        passes=sum(row.passes for row in graded),
        samples=sum(row.samples for row in graded),
        attested=attested,
        expected=expected,
    )


def _target_met(at: AdoptionView | None, cycle: Cycle | None) -> bool | None:
    if at is None or cycle is None or cycle.kpi_value is None:
        return None
    return meets(cycle.kpi_value, at.spec.kpi.target, Direction(at.spec.kpi.direction))


def as_stored(view: CutoverView, *, reason: str = "") -> dict[str, Any]:
    """The figures of a decision, as they are stored with it."""
    return {
        "lines": [
            {
                "requirement": line.requirement.value,
                "needed": line.needed,
                "count": line.count,
                "total": line.total,
                "met": line.met,
            }
            for line in view.rows
        ],
        "cycle": view.cycle.number if view.cycle else None,
        "target_met": view.target_met,
        "reason": reason,
    }


def stored(figures: Mapping[str, Any]) -> Verdict:
    """The verdict of stored figures."""
    return Verdict(
        tuple(
            Line(
                requirement=Requirement(one["requirement"]),
                needed=one["needed"],
                count=one["count"],
                total=one["total"],
                met=one["met"],
            )
            for one in figures["lines"]
        )
    )
