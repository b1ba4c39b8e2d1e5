"""The evidence on a step: N in its three parts, and the exceptions inside the window."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Protocol

from cadence.documents import Step
from cadence.flows.core import AdoptionView, AsOf, current_modes, members_at_work
from cadence.rules.calendar import WEEKS, instant, local_day, monday_of, week_monday
from cadence.rules.evidence import (
    TYPICAL_ANSWERS,
    Counted,
    MemberWeek,
    Runs,
    TeamWeek,
    count_runs,
    runs_of,
    typical_runs,
)
from cadence.rules.modes import Mode
from cadence.rules.verdicts import StepEvidence
from storage.queries import checkins, exceptions, machines
from storage.queries.exceptions import CycleException
from storage.tables import Cycle, StepVerdict
from storage.work import UnitOfWork
from templates.contexts.base import Evidence


@dataclass(frozen=True, slots=True)
class Gathered:
    """The evidence on one step and its source."""

    evidence: StepEvidence
    window_from: datetime
    exceptions: tuple[CycleException, ...]
    mode: Mode
    fallback: Mode
    after_exception: int = 0
    after_check_in: int = 0
    after_measured: int = 0


def runs_between(
    uow: UnitOfWork,
    view: AdoptionView,
    *,
    step: str,
    first: date,
    last: date,
    after_check_in: int = 0,
    after_measured: int = 0,
    as_of: AsOf | None = None,
) -> Runs:
    """N of a step in the weeks from one Monday to another: the runs that tools counted, further ones that
    people reported, and typical ones of members of whom neither is known.

    Check-ins up to `after_check_in` existed when the window opened. Those for its first week cover runs
    before it, so those members count with their typical runs, as assumed. Runs of that week that tools
    counted up to the row `after_measured` were before the window too, and don't count.
    """
    rows = checkins.answers(
        uow,
        adoption_id=view.id,
        first=first,
        last=last,
        latest=TYPICAL_ANSWERS,
        through=as_of.through if as_of else None,
    )
    return count_answers(
        rows,
        first=first,
        last=last,
        stale=_answered_before(uow, view, week=first, after_check_in=after_check_in),
        expected=lambda week: members_at_work(uow, view, week_start=week, as_of=as_of),
        runs_per_week=view.spec.runs_per_week,
        measured=_measured(
            uow, view, step=step, first=first, last=last, after_measured=after_measured, as_of=as_of
        ),
    )


def _measured(
    uow: UnitOfWork,
    view: AdoptionView,
    *,
    step: str,
    first: date,
    last: date,
    after_measured: int,
    as_of: AsOf | None,
) -> dict[date, Counter[str]]:
    """The runs of a step that tools counted, by week and member, whose key is "" if they don't know whose."""
    found: dict[date, Counter[str]] = {}
    if not view.is_measured:
        return found
    rows, through = machines.runs_counted(uow, adoption_id=view.id, since=first), None
    if as_of is not None and any(row.newest > as_of.measured for row in rows):
        through = as_of.measured
        rows = machines.runs_counted(uow, adoption_id=view.id, since=first, through=through)
    for row in rows:
        if row.week_start <= last and row.step in (step, ""):
            found.setdefault(row.week_start, Counter())[row.member] += row.runs
    if after_measured and first in found:
        before = machines.runs_counted_before(
            uow, adoption_id=view.id, week_start=first, after=after_measured, through=through
        )
        for (of_step, member), runs in before.items():
            found[first][member] -= runs if of_step in (step, "") else 0
    return found


def count_answers(
    rows: Sequence[tuple[str, date, int]],
    *,
    first: date,
    last: date,
    stale: Collection[str],
    expected: Callable[[date], Collection[str]],
    runs_per_week: int,
    measured: Mapping[date, Mapping[str, int]],
) -> Runs:
    """N from the answers' (member, week, runs), newest week first.

    Args:
        stale: members whose answer for the first week covers runs before the window.
        expected: members whose runs of a week are estimated until they answer.
        measured: the runs that tools counted, by week and member, "" if they don't know whose.
    """
    answered = {
        (member, week): runs for member, week, runs in rows if not (week == first and member in stale)
    }
    latest: dict[str, list[int]] = {}
    for member, week, runs in rows:
        if week <= last:
            latest.setdefault(member, []).append(runs)
    weeks = [first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]

    def team_week(week: date) -> TeamWeek:
        asked, counted = expected(week), measured.get(week, {})
        known = {member for member, start in answered if start == week}
        known |= {member for member, runs in counted.items() if member and runs > 0}
        return TeamWeek(
            tuple(
                MemberWeek(
                    answered.get((member, week)),
                    typical_runs(
                        latest.get(member, [])[:TYPICAL_ANSWERS],
                        runs_per_week=runs_per_week,
                        members=len(asked),
                    ),
                    counted.get(member, 0),
                )
                for member in sorted({*asked, *known})
            ),
            unnamed=counted.get("", 0),
        )

    return count_runs(map(team_week, weeks))


def _answered_before(uow: UnitOfWork, view: AdoptionView, *, week: date, after_check_in: int) -> set[str]:
    """Members who had answered for a week as of a check-in; answers corrected since count too."""
    if not after_check_in:
        return set()
    return checkins.answered_members(uow, adoption_id=view.id, week_start=week, through=after_check_in)


def cycle_start(view: AdoptionView, cycle: Cycle) -> datetime:
    """The instant a cycle starts: its Monday's midnight in the team's zone."""
    return instant(cycle.starts_on, time.min, view.zone)


def gather(
    uow: UnitOfWork,
    view: AdoptionView,
    cycle: Cycle,
    step: Step,
    *,
    closing: bool = False,
    runs: Runs | None = None,
) -> Gathered:
    """The evidence on a step inside its window (SPEC §5).

    The window opens with the cycle or with the last change of the step's mode, its rubric or the playbook
    version, whichever is later; what came before a change is determined by its id, never by the clock. Runs
    are reported by the week: in the week of such a change, members who had already answered count with their
    typical runs, as assumed, and the step gets the benefit of the doubt. Runs that tools had counted by then
    don't count, nor do exceptions that they report late, from before the window.
    """
    row = current_modes(uow, view).get(step.key)
    window_from = cycle_start(view, cycle)
    if row and row.since > window_from:
        window_from = row.since
    logged = exceptions.exceptions(
        uow,
        adoption_id=view.id,
        step=step.key,
        cycle_id=cycle.id or 0,
        after_id=row.after_exception if row else 0,
        since=window_from,
    )
    after_check_in = row.after_check_in if row else 0
    after_measured = row.after_measured if row else 0
    if runs is None:
        runs = window_runs(
            uow,
            view,
            cycle,
            step=step.key,
            window_from=window_from,
            after_check_in=after_check_in,
            after_measured=after_measured,
        )
    return Gathered(
        evidence=StepEvidence(
            exceptions=len(logged),
            critical=sum(one.critical for one in logged),
            attested=runs.attested,
            assumed=runs.assumed,
            closing=closing,
            measured=runs.measured,
        ),
        window_from=window_from,
        exceptions=tuple(logged),
        mode=row.mode if row else Mode(step.mode),
        fallback=Mode(step.fallback),
        after_exception=row.after_exception if row else 0,
        after_check_in=after_check_in,
        after_measured=after_measured,
    )


def window_runs(
    uow: UnitOfWork,
    view: AdoptionView,
    cycle: Cycle,
    *,
    step: str,
    window_from: datetime,
    after_check_in: int,
    after_measured: int,
    as_of: AsOf | None = None,
    until_week: date | None = None,
) -> Runs:
    """N of a step from the week its window opens in to this week, or an earlier one (or the cycle's last)."""
    first, last = weeks_counted(
        cycle.starts_on, opened=local_day(window_from, view.zone), until=until_week or view.today
    )
    return runs_between(
        uow,
        view,
        step=step,
        first=first,
        last=last,
        after_check_in=after_check_in,
        after_measured=after_measured,
        as_of=as_of,
    )


def weeks_counted(starts_on: date, *, opened: date, until: date) -> tuple[date, date]:
    """The Mondays of the first and the last week of a cycle that a window covers, up to a day.

    If another process's clock opened the window after that day, it begins in the day's own week.
    """
    last = max(starts_on, min(monday_of(until), week_monday(starts_on, WEEKS)))
    return min(max(starts_on, monday_of(opened)), last), last


def newest_measured(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> int:
    """The newest row of runs that tools counted in a cycle's weeks, or 0."""
    if not view.is_measured:
        return 0
    return machines.last_measured_id(uow, adoption_id=view.id, since=cycle.starts_on)


def assumed_why(uow: UnitOfWork, view: AdoptionView, row: StepVerdict) -> tuple[bool, bool]:
    """Why runs behind a verdict were assumed: check-ins from before its window opened, missing check-ins."""
    if row.through_check_in is None:  # a verdict from before this was stored
        return False, True
    as_of = AsOf(row.judged_at, row.through_check_in, row.through_measured)
    week, last = weeks_counted(
        monday_of(row.closes_on) - timedelta(weeks=WEEKS - 1),
        opened=local_day(row.window_from, view.zone),
        until=local_day(row.judged_at, view.zone),
    )
    measured: Mapping[date, Mapping[str, int]] = {}
    if row.measured:
        measured = _measured(
            uow, view, step=row.step, first=week, last=last, after_measured=row.after_measured, as_of=as_of
        )

    def unknown(members: Collection[str], start: date) -> set[str]:
        """Those of whom no tool has counted runs of a week."""
        counted = measured.get(start, {})
        return set() if counted.get("") else {one for one in members if not counted.get(one)}

    before = unknown(_answered_before(uow, view, week=week, after_check_in=row.after_check_in), week)
    missing = False
    while week <= last and not missing:
        answered = checkins.answered_members(uow, adoption_id=view.id, week_start=week, through=as_of.through)
        at_work = members_at_work(uow, view, week_start=week, as_of=as_of)
        missing = bool(unknown(at_work, week) - answered)
        week += timedelta(weeks=1)
    return bool(before), missing


def top_reason(exceptions: Iterable[CycleException]) -> tuple[str | None, int]:
    """The most frequent reason, and its count; None if no reason occurred twice."""
    reasons = Counter(" ".join(one.reason.lower().split()) for one in exceptions)
    if not reasons:
        return None, 0
    reason, count = reasons.most_common(1)[0]
    return (reason[:200], count) if count > 1 else (None, 0)


def explained_evidence(uow: UnitOfWork, view: AdoptionView, row: StepVerdict) -> Evidence:
    """The counts of a verdict for a template, with the reasons for assumed runs."""
    restarted, missing = assumed_why(uow, view, row)
    return replace(verdict_evidence(row), restarted=restarted, missing=missing)


class CountedWithCap(Counted, Protocol):
    """The counts of a verdict and its cap."""

    @property
    def cap(self) -> float:
        """Share of runs."""


def verdict_evidence(row: CountedWithCap) -> Evidence:
    """The counts of a verdict for a template."""
    return Evidence(
        exceptions=row.exceptions,
        runs=runs_of(row),
        attested=row.attested,
        assumed=row.assumed,
        measured=row.measured,
        cap=row.cap,
    )
