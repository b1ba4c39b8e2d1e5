"""Replay: an adoption, a step and its evidence as of an earlier instant, judged again."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cadence.flows.core import AdoptionView, AsOf, adoption_views, spec_of
from cadence.flows.promotions import judge_again
from cadence.flows.standards import (
    WINDOW_OPENED,
    cycle_start,
    drift_evidence,
    latest_window,
    see_drift,
    top_reason,
    window_runs,
)
from cadence.rules.calendar import local_day
from cadence.rules.drift import DriftEvent, DriftPolicy
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Policy, StepEvidence, Verdict, judge_step
from storage.queries import checkins, cycles, exceptions, playbooks, promotions, standards, trail
from storage.queries.exceptions import CycleException
from storage.queries.standards import StepChange
from storage.tables import Cycle, StepDrift, StepVerdict, TrailEntry
from storage.work import UnitOfWork


def as_it_stood(
    uow: UnitOfWork, view: AdoptionView, *, cycle: Cycle, version_id: int, moment: datetime
) -> AdoptionView:
    """A team's adoption on an earlier day, in the cycle and on the version of that time."""
    version = playbooks.version(uow, version_id=version_id)
    return replace(
        view,
        version=version,
        spec=spec_of(uow, version),
        cycle=cycle,
        today=local_day(moment, view.zone),
    )


class WindowThen(NamedTuple):
    """A step's evidence window at an earlier time: its mode, since when evidence counted, after which
    rows."""

    mode: Mode
    opened: datetime
    after_exception: int
    after_check_in: int
    after_measured: int


def window_of_then(
    uow: UnitOfWork, view: AdoptionView, cycle: Cycle, row: StepVerdict, *, declared: Mode
) -> WindowThen:
    """A step's evidence window at a verdict, from the trail's entries before the verdict."""
    entry = trail.last_id(uow, subject=f"verdict:{row.id}")
    changes = standards.standing(changes_before(uow, adoption_id=row.adoption_id, step=row.step, entry=entry))
    mode, start = (changes[-1].after if changes else declared), cycle_start(view, cycle)
    restarts = _step_entries(uow, row.adoption_id, row.step, action=WINDOW_OPENED, before=entry)
    if not restarts:
        since = [start, *(one.changed_at for one in changes)]
        return WindowThen(mode, max(since), row.after_exception, row.after_check_in, row.after_measured)
    last = restarts[-1]
    return WindowThen(
        mode,
        max(start, datetime.fromisoformat(last.after["since"]) if "since" in last.after else last.at),
        last.after.get("after_exception", row.after_exception),
        last.after.get("after_check_in", row.after_check_in),
        last.after.get("after_measured", row.after_measured),
    )


_CHANGED = ("declaration", "demotion", "promotion", "taken-back", "fallback", "fallback-ended")


def changes_before(uow: UnitOfWork, *, adoption_id: int, step: str, entry: int) -> list[StepChange]:
    """The step's mode changes before an entry of the trail, beginning with its setup."""
    history = standards.mode_history(uow, adoption_id=adoption_id, step=step)
    known = sum(
        len(_step_entries(uow, adoption_id, step, action=action, before=entry)) for action in _CHANGED
    )
    set_up = sum(one.before is None for one in history)  # that isn't an entry of the trail
    return history[: set_up + known]


def _step_entries(
    uow: UnitOfWork, adoption_id: int, step: str, *, action: str, before: int
) -> list[TrailEntry]:
    subject = f"adoption:{adoption_id}/{step}"
    rows = trail.entries(uow, action=action, subject=subject)
    return [one for one in rows if (one.id or 0) < before]


def counted_then(uow: UnitOfWork, row: StepVerdict, window: WindowThen) -> list[CycleException]:
    """The exceptions that a verdict counted in its window."""
    return exceptions.exceptions(
        uow,
        adoption_id=row.adoption_id,
        step=row.step,
        cycle_id=row.cycle_id,
        after_id=window.after_exception,
        through_id=row.through_exception,
        for_verdict=row.id,
        since=window.opened,
    )


def newest_check_in(uow: UnitOfWork, row: StepVerdict) -> int:
    """The newest check-in at that time; verdicts of a version that didn't store it use the clock."""
    if row.through_check_in is not None:
        return row.through_check_in
    return checkins.last_check_in_id(uow, adoption_id=row.adoption_id, until=row.judged_at)


BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)

Progress = Callable[[int, int], None]
"""Callback with the number done and the total."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One stored verdict, judged again.

    Args:
        run: the adoption as of that time.
        verdict: the rule's verdict on the rows as of that time; None if the playbook has no such step.
        differences: differences from the stored verdict, as `name: stored, now`.
    """

    view: AdoptionView
    row: StepVerdict
    verdict: Verdict | None
    differences: tuple[str, ...]

    @property
    def evidence(self) -> StepEvidence:
        """The counts as stored."""
        return StepEvidence(
            exceptions=self.row.exceptions,
            critical=self.row.critical,
            attested=self.row.attested,
            assumed=self.row.assumed,
            closing=self.row.closing,
            measured=self.row.measured,
        )


@dataclass(frozen=True, slots=True)
class Replay:
    """All decisions of a workspace, judged again.

    Args:
        verdicts, drifts, promotions: how many of each were judged.
        skipped: verdicts of adoptions that have ended.
        differences: one sentence for each decision that doesn't follow from the rows.
    """

    verdicts: int
    drifts: int
    promotions: int
    skipped: int
    differences: tuple[str, ...]


def replay(uow: UnitOfWork, *, progress: Progress | None = None) -> Replay:
    """Judge every stored verdict, drift and promotion of a workspace again, from its rows."""
    stored = standards.verdicts_after(uow, after=0)
    again = list(replay_verdicts(uow, progress=progress))
    found = [f"verdict {one.row.id}: {'; '.join(one.differences)}" for one in again if one.differences]
    runs = _runs(uow)
    events = standards.between(uow, since=BEGINNING, until=uow.now + timedelta(days=1))
    seen = [row for row in events if row.event is DriftEvent.FOUND and row.adoption_id in runs]
    for row in seen:
        differences = _drift_differences(uow, runs[row.adoption_id], row)
        found += [f"drift {row.id}: {'; '.join(differences)}"] if differences else []
    promoted = promotions.promotions_between(uow, since=BEGINNING, until=uow.now + timedelta(days=1))
    for promotion in promoted:
        verdict = judge_again(promotion)
        differences = _differing(
            ("samples", promotion.samples, verdict.samples),
            ("passes", promotion.passes, verdict.passes),
            ("risky", promotion.risky, verdict.risky),
            ("bound", promotion.bound, verdict.bound),
            ("needed", promotion.needed, verdict.needed),
            ("more", promotion.more, verdict.more),
        )
        found += [f"promotion {promotion.id}: {'; '.join(differences)}"] if differences else []
    return Replay(len(again), len(seen), len(promoted), len(stored) - len(again), tuple(found))


def replay_verdicts(
    uow: UnitOfWork, *, playbook_id: int | None = None, progress: Progress | None = None
) -> Iterator[Replayed]:
    """The stored verdicts of a workspace, or of one playbook, oldest first, each judged again."""
    runs = _runs(uow)
    rows = [
        row
        for row, _, _ in standards.verdicts_after(uow, after=0)
        if row.adoption_id in runs and playbook_id in (None, runs[row.adoption_id].playbook.id)
    ]
    for number, row in enumerate(rows, start=1):
        yield _again(uow, runs[row.adoption_id], row)
        if progress is not None:
            progress(number, len(rows))


def _runs(uow: UnitOfWork) -> dict[int, AdoptionView]:
    return {view.id: view for view in adoption_views(uow)}


def _again(uow: UnitOfWork, view: AdoptionView, row: StepVerdict) -> Replayed:
    cycle = cycles.cycle(uow, cycle_id=row.cycle_id)
    view = as_it_stood(
        uow, view, cycle=cycle, version_id=row.version_id or cycle.version_id, moment=row.judged_at
    )
    if row.closing:
        view = replace(view, today=min(view.today, cycle.closes_on))
    step = view.spec.step(row.step)
    if step is None:
        return Replayed(view, row, None, (f"the playbook has no step {row.step}",))
    window = window_of_then(uow, view, cycle, row, declared=Mode(step.mode))
    logged = counted_then(uow, row, window)
    runs = window_runs(
        uow,
        view,
        cycle,
        step=step.key,
        window_from=window.opened,
        after_check_in=window.after_check_in,
        after_measured=window.after_measured,
        as_of=AsOf(row.judged_at, newest_check_in(uow, row), row.through_measured),
    )
    verdict = judge_step(
        evidence=StepEvidence(
            exceptions=len(logged),
            critical=sum(one.critical for one in logged),
            attested=runs.attested,
            assumed=runs.assumed,
            closing=row.closing,
            measured=runs.measured,
        ),
        policy=policy_of(row),
        mode=window.mode,
        fallback=Mode(step.fallback),
    )
    reason, count = top_reason(logged)
    return Replayed(
        view,
        row,
        verdict,
        (
            *verdict_differences(row, verdict),
            *_differing(
                ("window_from", row.window_from, window.opened),
                ("cap", row.cap, step.exception_cap),
                ("fallback", row.fallback, Mode(step.fallback)),
                ("top_reason", row.top_reason, reason),
                ("top_reason_count", row.top_reason_count, count),
            ),
        ),
    )


def policy_of(row: StepVerdict) -> Policy:
    """The thresholds of a stored verdict."""
    return Policy(
        cap=row.cap,
        rule=row.rule,
        min_runs=row.min_runs,
        confidence=row.confidence,
        min_exceptions=row.min_exceptions,
    )


def verdict_differences(row: StepVerdict, verdict: Verdict) -> tuple[str, ...]:
    """The differences of a verdict from the stored one."""
    evidence = verdict.evidence
    return _differing(
        ("decision", row.decision, verdict.decision),
        ("line", row.line, verdict.line),
        ("mode", row.mode, verdict.mode),
        ("lands_on", row.lands_on, verdict.lands_on),
        ("exceptions", row.exceptions, evidence.exceptions),
        ("critical", row.critical, evidence.critical),
        ("measured", row.measured, evidence.measured),
        ("attested", row.attested, evidence.attested),
        ("assumed", row.assumed, evidence.assumed),
        ("ratio", row.ratio, verdict.ratio),
        ("probability", row.probability, verdict.probability),
        ("demote_at", row.demote_at, verdict.demote_at),
    )


def _differing(*pairs: tuple[str, object, object]) -> tuple[str, ...]:
    return tuple(
        f"{name}: {stored}, now {found}" for name, stored, found in pairs if not _same(stored, found)
    )


def _same(stored: object, found: object) -> bool:
    if isinstance(stored, float) and isinstance(found, float | int):
        return math.isclose(stored, found, rel_tol=1e-9, abs_tol=1e-12)
    return stored == found


def _entry_of(uow: UnitOfWork, row: StepDrift, *, place: int) -> int:
    """The trail entry of a detected drift: this many of the step's drifts were found before it."""
    entries = [
        one.id or 0
        for action in ("drift", "drift-reported")
        for one in trail.entries(uow, action=action, subject=f"adoption:{row.adoption_id}/{row.step}")
    ]
    return sorted(entries)[place]


def _drift_differences(uow: UnitOfWork, view: AdoptionView, row: StepDrift) -> tuple[str, ...]:
    cycle = cycles.cycle(uow, cycle_id=row.cycle_id)
    version_id = int(row.evidence.get("version") or cycle.version_id)
    view = as_it_stood(uow, view, cycle=cycle, version_id=version_id, moment=row.at)
    step = view.spec.step(row.step)
    if step is None:
        return (f"the playbook has no step {row.step}",)
    events = [
        one
        for one in standards.events(uow, adoption_id=row.adoption_id, step=row.step)
        if (one.id or 0) < (row.id or 0)
    ]
    changes = changes_before(
        uow,
        adoption_id=row.adoption_id,
        step=row.step,
        entry=_entry_of(uow, row, place=sum(one.event is DriftEvent.FOUND for one in events)),
    )
    standing = standards.standing(changes)
    seen = see_drift(
        uow,
        view,
        cycle,
        step,
        declared=standing[-1].after if standing else Mode(step.mode),
        window=latest_window(changes, events),
        as_of=AsOf(row.at, int(row.evidence["through_check_in"])),
        policy=DriftPolicy(
            weeks=row.evidence["limit_weeks"],
            people=row.evidence.get("limit_people", 1),  # drifts found before these
            share=row.evidence["limit_share"],
            attestations=row.evidence.get("limit_attestations", 1),
        ),
    )
    now = {name: value for name, value in drift_evidence(seen).items() if name in row.evidence}
    return _differing(
        ("declared", row.declared, seen.declared),
        ("used", row.used, seen.verdict.used),
        *((name, row.evidence.get(name), value) for name, value in now.items()),
    )
