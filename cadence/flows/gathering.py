"""What is known of a step: who is asked, N in its two parts, the exceptions inside the window."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.documents import Step
from cadence.flows.runs import TeamRun, current_modes
from cadence.rules.calendar import instant, local_day, monday_of, week_monday
from cadence.rules.evidence import TYPICAL_ANSWERS, MemberWeek, Runs, count_runs, typical_runs
from cadence.rules.modes import Mode
from cadence.rules.verdicts import StepEvidence
from storage import people, reports
from storage.tables import Cycle, LoggedException, StepVerdict

HISTORY = timedelta(weeks=26)
"""How far back a member's latest answers are looked for."""


@dataclass(frozen=True, slots=True)
class AsOf:
    """A moment of the past, to see the rows as they were then.

    Args:
        moment: who was in the team and who was away then.
        through: the newest check-in there was.
    """

    moment: datetime
    through: int


@dataclass(frozen=True, slots=True)
class Gathered:
    """The evidence on one step and where it comes from."""

    evidence: StepEvidence
    window_from: datetime
    exceptions: tuple[LoggedException, ...]
    mode: Mode
    fallback: Mode
    after_exception: int = 0


def expected_members(
    session: Session, run: TeamRun, *, week_start: date, as_of: AsOf | None = None
) -> list[str]:
    """Who is asked about a week: in the team by its Friday, not gone before its end, not away all of it."""
    present = _present(session, run, week_start=week_start, as_of=as_of)
    away = _away(session, run, first=week_start, week_start=week_start, present=present, as_of=as_of)
    return sorted(present - away)


def away_members(session: Session, run: TeamRun, *, week_start: date) -> list[str]:
    """Who is in the team and was away when the week's check-in and its reminder came, Thursday to Friday."""
    thursday = week_start + timedelta(days=3)
    present = _present(session, run, week_start=week_start)
    return sorted(_away(session, run, first=thursday, week_start=week_start, present=present))


def _present(session: Session, run: TeamRun, *, week_start: date, as_of: AsOf | None = None) -> set[str]:
    rows = people.memberships(
        session, workspace_id=run.workspace.id, team_ids=[run.team.id or 0], current=False
    )
    present = {
        row.member
        for row in rows
        if is_present(row.joined_at, row.left_at, zone=run.zone, week_start=week_start, as_of=as_of)
    }
    known = people.members(session, workspace_id=run.workspace.id, member_ids=present)
    return present - {member.id for member in known.values() if member.deleted or member.is_bot}


def is_present(
    joined_at: datetime,
    left_at: datetime | None,
    *,
    zone: ZoneInfo,
    week_start: date,
    as_of: AsOf | None = None,
) -> bool:
    """Whether a membership holds in a week: begun by its Friday, not ended before its Sunday is over."""
    sunday = week_start + timedelta(days=6)
    return (
        local_day(joined_at, zone) <= sunday - timedelta(days=2)
        and (as_of is None or joined_at <= as_of.moment)
        and (
            left_at is None
            or (as_of is not None and left_at > as_of.moment)
            or local_day(left_at, zone) > sunday
        )
    )


def _away(
    session: Session,
    run: TeamRun,
    *,
    first: date,
    week_start: date,
    present: set[str],
    as_of: AsOf | None = None,
) -> set[str]:
    """Who is away from a day of the week to its Friday; days said one after the other count together."""
    friday = week_start + timedelta(days=4)
    rows = people.away_between(
        session,
        workspace_id=run.workspace.id,
        first=first,
        last=friday,
        member_ids=present,
        as_of=as_of.moment if as_of else None,
    )
    return away_throughout(
        ((row.member, row.first_day, row.last_day) for row in rows), first=first, friday=friday
    )


def away_throughout(ranges: Iterable[tuple[str, date, date]], *, first: date, friday: date) -> set[str]:
    """Who is away on every day from one to a Friday, by (member, first day, last day)."""
    days: dict[str, set[date]] = defaultdict(set)
    for member, first_day, last_day in ranges:
        begin, end = max(first_day, first), min(last_day, friday)
        days[member] |= {begin + timedelta(days=n) for n in range((end - begin).days + 1)}
    return {member for member, away in days.items() if len(away) == (friday - first).days + 1}


def runs_between(
    session: Session,
    run: TeamRun,
    *,
    first: date,
    last: date,
    opened: datetime | None = None,
    as_of: AsOf | None = None,
) -> Runs:
    """N of the weeks from one Monday to another: attested runs, and typical ones for who hasn't answered.

    `opened` is the instant a window opened inside the first week. Answers that were in by then tell of runs
    before it, so those members count with their typical runs, as assumed.
    """
    rows = reports.answers(
        session,
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        since=first - HISTORY,
        through=as_of.through if as_of else None,
    )
    return count_answers(
        rows,
        first=first,
        last=last,
        stale=_answered_before(session, run, week=first, opened=opened, as_of=as_of),
        expected=lambda week: expected_members(session, run, week_start=week, as_of=as_of),
        runs_per_week=run.spec.runs_per_week,
    )


def count_answers(
    rows: Sequence[tuple[str, date, int]],
    *,
    first: date,
    last: date,
    stale: Collection[str],
    expected: Callable[[date], Collection[str]],
    runs_per_week: int,
) -> Runs:
    """N by (member, week, runs) of the answers, newest week first.

    Args:
        stale: whose answer for the first week tells of runs before the window.
        expected: who is asked about a week.
    """
    answered = {
        (member, week): runs for member, week, runs in rows if not (week == first and member in stale)
    }
    latest: dict[str, list[int]] = {}
    for member, week, runs in rows:
        if week <= last:
            latest.setdefault(member, []).append(runs)
    weeks = [first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]
    return count_runs(
        MemberWeek(
            answered.get((member, week)),
            typical_runs(
                latest.get(member, [])[:TYPICAL_ANSWERS], runs_per_week=runs_per_week, members=len(asked)
            ),
        )
        for week in weeks
        for asked in [expected(week)]
        for member in sorted({*asked, *(member for member, start in answered if start == week)})
    )


def _answered_before(
    session: Session, run: TeamRun, *, week: date, opened: datetime | None, as_of: AsOf | None
) -> set[str]:
    if opened is None:
        return set()
    return reports.answered_by(
        session,
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        week_start=week,
        moment=opened,
        through=as_of.through if as_of else None,
    )


def cycle_start(run: TeamRun, cycle: Cycle) -> datetime:
    """The instant a cycle starts: its Monday's midnight in the team's zone."""
    return instant(cycle.starts_on, time.min, run.zone)


def gather(
    session: Session,
    run: TeamRun,
    cycle: Cycle,
    step: Step,
    *,
    closing: bool = False,
    runs: Runs | None = None,
) -> Gathered:
    """Everything known of a step inside its window (SPEC §5).

    The window opens with the cycle or with the last change of the step's mode, its rubric or the playbook
    version, whichever is later. Runs are
    reported by the week: in the week of such a change, who had answered before it counts with their typical
    runs, as assumed, and the step gets the benefit of the doubt.
    """
    row = current_modes(session, run).get(step.key)
    window_from = cycle_start(run, cycle)
    if row and row.since > window_from:
        window_from = row.since
    logged = reports.exceptions(
        session,
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        step=step.key,
        since=window_from,
        after_id=row.after_exception if row else 0,
    )
    if runs is None:
        runs = window_runs(session, run, cycle, window_from=window_from)
    return Gathered(
        evidence=StepEvidence(
            exceptions=len(logged),
            critical=sum(one.critical for one in logged),
            attested=runs.attested,
            assumed=runs.assumed,
            closing=closing,
        ),
        window_from=window_from,
        exceptions=tuple(logged),
        mode=row.mode if row else Mode(step.mode),
        fallback=Mode(step.fallback),
        after_exception=row.after_exception if row else 0,
    )


def window_runs(
    session: Session,
    run: TeamRun,
    cycle: Cycle,
    *,
    window_from: datetime,
    as_of: AsOf | None = None,
    until_week: date | None = None,
) -> Runs:
    """N from the week a window opens in to this week, or one before it (or the cycle's last)."""
    first = monday_of(local_day(window_from, run.zone))
    last = min(until_week or monday_of(run.today), week_monday(cycle.starts_on, 4))
    opened = window_from if window_from > cycle_start(run, cycle) else None
    return runs_between(session, run, first=first, last=max(first, last), opened=opened, as_of=as_of)


def assumed_why(session: Session, run: TeamRun, row: StepVerdict) -> tuple[bool, bool]:
    """Why runs behind a verdict were assumed: check-ins from before its window opened, check-ins not in yet."""
    if row.through_check_in is None:  # a verdict from before that was kept
        return False, True
    workspace_id, as_of = run.workspace.id, AsOf(row.judged_at, row.through_check_in)
    first = week = monday_of(local_day(row.window_from, run.zone))
    last = min(monday_of(local_day(row.judged_at, run.zone)), monday_of(row.closes_on))
    before = reports.answered_by(
        session,
        workspace_id=workspace_id,
        adoption_id=run.id,
        week_start=first,
        moment=row.window_from,
        through=as_of.through,
    )
    missing = False
    while week <= last and not missing:
        answered = reports.answered_members(
            session,
            workspace_id=workspace_id,
            adoption_id=run.id,
            week_start=week,
            through=as_of.through,
        )
        missing = bool(set(expected_members(session, run, week_start=week, as_of=as_of)) - answered)
        week += timedelta(weeks=1)
    return bool(before), missing


def top_reason(exceptions: Iterable[LoggedException]) -> tuple[str | None, int]:
    """The reason logged most often, and how often; None while no reason came twice."""
    reasons = Counter(" ".join(one.reason.lower().split()) for one in exceptions)
    if not reasons:
        return None, 0
    reason, count = reasons.most_common(1)[0]
    return (reason[:200], count) if count > 1 else (None, 0)
