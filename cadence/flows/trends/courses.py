"""The course of a watched adoption: judged when a week has ended, stored and told when it changes."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from cadence.flows.core import AdoptionView, adoption_by_id, announce
from cadence.flows.trends.series import Week, held_weeks, weeks_of
from cadence.rules.calendar import instant, local_day, monday_of
from cadence.rules.kpi import Direction
from cadence.rules.trend import Course, CoursePolicy, CourseVerdict, frozen, judge_course
from storage.queries import adoptions, trends
from storage.tables import CourseChange
from storage.work import UnitOfWork

DECAYING: Final = "course-decaying"


def course_of(uow: UnitOfWork, adoption_ids: Collection[int]) -> Mapping[int, CourseChange]:
    """The newest change of course of some adoptions, by adoption; one that was never judged has none."""
    if not adoption_ids:
        return {}
    return {row.adoption_id: row for row in trends.newest_changes(uow, adoption_ids=sorted(adoption_ids))}


def watched_now(uow: UnitOfWork) -> frozenset[int]:
    """The adoptions that have a watch period, running or to come."""
    return frozenset(trends.watching(uow))


def judge_due_courses(uow: UnitOfWork, *, since: datetime) -> int:
    """Judge the watched adoptions whose week ended after an instant, each in its own transaction.

    A week ends on Sunday at midnight in the team's zone: then its check-ins and its number are in.

    Returns:
        How many courses changed.
    """
    with uow.read():
        first, last = (uow.now - timedelta(days=9)).date(), (uow.now + timedelta(days=1)).date()
        due = {
            row.adoption_id
            for row in trends.watched(uow, first=first, last=last)
            for turned in [_turned(uow.now, ZoneInfo(row.timezone))]
            if since < turned <= uow.now
            and row.starts_on <= local_day(turned, ZoneInfo(row.timezone)) - timedelta(weeks=1)
        }
    return sum(_judge_one(uow, one) for one in sorted(due))


def _turned(now: datetime, zone: ZoneInfo) -> datetime:
    """When the current week began in a zone."""
    return instant(monday_of(local_day(now, zone)), time.min, zone)


def _judge_one(uow: UnitOfWork, adoption_id: int) -> bool:
    with uow.write():
        adoptions.lock_adoption(uow, adoption_id=adoption_id)
        return judge_courses(uow, adoption_by_id(uow, adoption_id=adoption_id)) is not None


def judge_courses(uow: UnitOfWork, view: AdoptionView) -> CourseChange | None:
    """Judge an adoption's course by its weeks up to the last one that ended, if that one was watched.

    A change is stored with its numbers, recorded, and, if the adoption decays, told to the team and the
    curators. Judging again changes nothing.

    Returns:
        The change; None if the course is the same, or can't be told yet.
    """
    ended = view.week_start - timedelta(weeks=1)
    weeks = weeks_of(uow, view, until=ended)
    if not weeks or not weeks[-1].is_watched:
        return None
    before = course_of(uow, [view.id]).get(view.id)
    verdict = judge_weeks(view, weeks)
    is_news = verdict.course is not (before.course if before else Course.INSUFFICIENT)
    if not is_news or (before is not None and before.week_start >= ended):
        return None
    row = CourseChange(
        workspace_id=view.workspace.id,
        adoption_id=view.id,
        week_start=ended,
        course=verdict.course,
        evidence=_evidence(view, weeks, verdict),
        judged_at=uow.now,
    )
    uow.session.add(row)
    uow.session.flush()
    uow.record(
        action="course-changed",
        subject=f"adoption:{view.id}",
        before=before.course if before else None,
        after={"course": verdict.course, "week": ended.isoformat(), "lines": list(verdict.lines)},
        surface="rule",
    )
    if row.course is Course.DECAYING:
        announce(uow, view.workspace, [view.team], kind=DECAYING, slot=row.id, subject={"change": row.id})
    elif before is not None and before.course is Course.DECAYING:
        uow.rewrite(DECAYING, before.id, mark=f"course:{row.id}")
    return row


def judge_weeks(view: AdoptionView, weeks: Collection[Week]) -> CourseVerdict:
    """The rule's verdict on an adoption's weeks, the oldest first."""
    policy = CoursePolicy()
    several = list(weeks)
    readings = [week.reading for week in several]
    held = frozen(readings, held_weeks(several), points=policy.points)
    return judge_course(
        runs=[week.runs for week in several],
        held=readings[:held],
        readings=readings[held:],
        target=view.spec.kpi.target,
        direction=Direction(view.spec.kpi.direction),
        policy=policy,
    )


def _evidence(view: AdoptionView, weeks: Collection[Week], verdict: CourseVerdict) -> dict[str, Any]:
    """The numbers behind a verdict, from which it can be judged again."""
    several = list(weeks)
    return {
        "first_week": several[0].monday.isoformat(),
        "held": frozen([one.reading for one in several], held_weeks(several), points=verdict.policy.points),
        "runs": [week.runs for week in several],
        "answers": [week.answers for week in several],
        "readings": [week.reading for week in several],
        "target": view.spec.kpi.target,
        "direction": view.spec.kpi.direction,
        "unit": view.spec.kpi.unit,
        "kpi": view.spec.kpi.name,
        "lines": list(verdict.lines),
        "runs_trend": asdict(verdict.runs) if verdict.runs else None,
        "kpi_trend": asdict(verdict.kpi) if verdict.kpi else None,
        "level": verdict.level,
        "latest": verdict.latest,
        "limits": asdict(verdict.limits) if verdict.limits else None,
        "policy": asdict(verdict.policy),
    }
