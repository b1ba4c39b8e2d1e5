"""The teams of a digest: one row each, the worst first."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from cadence.flows.core import AdoptionView, current_modes
from cadence.flows.numbers import kpi_context, of_week
from cadence.flows.overview.attention import Attention
from cadence.flows.overview.digest_needs import Numbers, tell_move
from cadence.flows.overview.digest_notes import tell_demotion
from cadence.flows.overview.digest_scope import Scope, TopN
from cadence.flows.overview.watches import Watches
from cadence.flows.standards import StepState, cycle_start, step_states_in
from cadence.flows.waves import phases_of
from cadence.rules.calendar import local_day, monday_of
from cadence.rules.kpi import Direction, meets
from storage.queries import numbers as readings
from templates.contexts.base import Evidence, Kpi
from templates.contexts.overview.digests import Coverage, DigestRow, TeamChange, TeamStep


@dataclass(frozen=True, slots=True)
class Why:
    """Why teams need attention, other than by a demotion, a cap or a number of the week.

    Args:
        rubric_due: demoted steps whose rubric wasn't revised.
        silent: adoptions without most of their check-ins, or without their number.
        results: of cycles that closed without meeting their target, by adoption.
    """

    rubric_due: TopN[Callable[[AdoptionView], Attention]]
    silent: Collection[int]
    results: Mapping[int, str]


def table_of(
    scope: Scope,
    *,
    worst_first: Sequence[TopN[Any]],
    demotions: TopN[Callable[[AdoptionView], TeamChange]],
    watches: Watches,
    numbers: Numbers,
    why: Why,
    check_ins: Mapping[int, Coverage],
    many: int,
) -> tuple[DigestRow, ...]:
    """The rows of the teams that need attention, then of those that don't.

    Args:
        worst_first: sections whose teams come first, in this order.
        why: what their rows say of teams that need attention.
        check_ins: of the week, by adoption.
        many: rows at most.
    """
    sections: list[TopN[Any]] = [*worst_first, numbers.not_moved, numbers.moved]
    found = dict.fromkeys(adoption for section in sections for adoption, _ in section.first())
    by_rank = sorted(check_ins, key=lambda one: scope.places[one].rank)
    chosen = list(dict.fromkeys([*found, *by_rank]))[:many]
    views = scope.load(chosen)
    over = {
        adoption: tell(views[adoption])
        for adoption, tell in reversed(watches.over.first())
        if adoption in views
    }
    demoted = {
        adoption: tell(views[adoption]) for adoption, tell in reversed(demotions.first()) if adoption in views
    }
    due = {
        adoption: tell_demotion(views[adoption], scope=scope, number=change)
        for adoption, tell in reversed(why.rubric_due.first())
        if adoption in views and (change := tell(views[adoption]).change)
    }
    row = partial(_row, scope, demoted=demoted, over=over, due=due, why=why, check_ins=check_ins)
    phases = phases_of(scope.uow, (views[one] for one in chosen))
    return tuple(
        replace(row(views[one]), phase="watched" if views[one].is_watched else phases[one]) for one in chosen
    )


def _row(
    scope: Scope,
    view: AdoptionView,
    *,
    demoted: Mapping[int, TeamChange],
    over: Mapping[int, TeamStep],
    due: Mapping[int, TeamChange],
    why: Why,
    check_ins: Mapping[int, Coverage],
) -> DigestRow:
    uow, monday = scope.uow, scope.week.monday
    reading = readings.reading(uow, adoption_id=view.id, week_start=monday)
    move = tell_move(uow, view, week_start=monday, value=reading.value) if reading else None
    slip, watched = demoted.get(view.id), over.get(view.id)
    earlier = due.get(view.id) if slip is None and watched is None else None
    shown = _evidence(scope, view, change=slip or earlier, watched=watched)
    broken = [rail for rail in of_week(uow, view, monday) if rail.held is False]
    return DigestRow(
        playbook=view.playbook.title,
        team=view.team.title,
        kpi=move.kpi if move else kpi_context(view, value=None),
        to_target=_to_target(move.kpi) if move else None,
        check_ins=check_ins.get(view.id),
        evidence=shown.evidence,
        reset=shown.reset,
        rubric_due=view.id in why.rubric_due.adoptions,
        demoted_on=earlier.on if earlier else None,
        silent=view.id in why.silent,
        result=why.results.get(view.id, ""),
        demoted=slip is not None,
        step=shown.step,
        over=watched is not None,
        critical=watched is not None and watched.critical,
        broken=broken[0] if broken else None,
        busy=move is not None and move.busy,
        better=move.better if move else None,
        paused=view.is_paused,
    )


class _Shown(NamedTuple):
    """The step in a row, its evidence, and the day its counters were reset; None if they weren't."""

    step: str = ""
    evidence: Evidence | None = None
    reset: date | None = None


def _evidence(
    scope: Scope, view: AdoptionView, *, change: TeamChange | None, watched: TeamStep | None
) -> _Shown:
    """The evidence that demoted a step, as of its verdict; else that of the step over its cap, or nearest to it."""
    if change is not None:
        return _Shown(change.change.step, change.evidence)
    if watched is not None:
        return _Shown(watched.step.title, watched.step.evidence, _reset_on(scope, view, watched.key))
    near = _nearest_to_its_cap(scope, view)
    if near is None:
        return _Shown()
    return _Shown(near.step.title, near.evidence, _reset_on(scope, view, near.step.key))


def _to_target(kpi: Kpi) -> float:
    """How far the number is from its target; 0 if it meets it."""
    if kpi.value is None or meets(kpi.value, kpi.target, Direction(kpi.direction)):
        return 0.0
    return abs(kpi.value - kpi.target)


def _nearest_to_its_cap(scope: Scope, view: AdoptionView) -> StepState | None:
    """The step that had used most of its cap when the week ended; without exceptions only where tools measured
    runs."""

    def used(one: StepState) -> float:
        return (one.evidence.ratio or 0.0) / (one.evidence.cap or 1e-9) if one.evidence else 0.0

    counted = [
        one
        for one in step_states_in(scope.uow, view, week_start=scope.week.monday)
        if one.evidence and (one.evidence.exceptions or one.evidence.measured)
    ]
    return max(counted, key=used, default=None)


def _reset_on(scope: Scope, view: AdoptionView, step: str) -> date | None:
    """The day of the digest's week on which a step's counters were reset, such as by a change of its mode; the
    week's exceptions before it aren't in its counts."""
    state, cycle = current_modes(scope.uow, view).get(step), view.cycle
    if state is None or cycle is None or state.since <= max(cycle_start(view, cycle), cycle.started_at):
        return None
    day = local_day(state.since, view.zone)
    return day if monday_of(day) == scope.week.monday else None
