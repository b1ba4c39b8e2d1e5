"""The alert that a watched adoption fades; once it doesn't any more, the alert says so."""

from datetime import date, datetime
from typing import Any, Final

from cadence.flows.core import AdoptionView, MessageKind, Skip, adoption_by_id
from cadence.flows.numbers import kpi_context
from cadence.flows.trends.courses import DECAYING, course_of
from cadence.mrkdwn import Mrkdwn, say
from cadence.nudges import Unless
from cadence.refusals import Offer, Refusal
from cadence.rules.kpi import Direction
from cadence.rules.trend import Course
from storage.queries import trends
from storage.tables import CourseChange, OutboxMessage
from storage.work import UnitOfWork
from templates.contexts.trends import CourseDecaying
from templates.filters import amount, day
from templates.ids import Action

_WEEKS: Final = 8


def decaying(uow: UnitOfWork, message: OutboxMessage) -> CourseDecaying | Skip:
    """The alert; skipped if the course changed before it could be sent."""
    context = decaying_now(uow, message)
    return Skip(Unless.OVER) if context.ended else context


def decaying_now(uow: UnitOfWork, message: OutboxMessage) -> CourseDecaying:
    """The alert with its numbers, and the course the adoption has since.

    Raises:
        Refusal: the change doesn't exist any more.
    """
    row = trends.change(uow, change_id=int(message.subject["change"]))
    if row is None:
        raise Refusal("the change of course no longer exists")
    view = adoption_by_id(uow, adoption_id=row.adoption_id)
    later = [one for one in trends.changes_of(uow, adoption_id=view.id) if (one.id or 0) > (row.id or 0)]
    return _context(view, row, ended=later[0] if later else None)


def _context(view: AdoptionView, row: CourseChange, *, ended: CourseChange | None) -> CourseDecaying:
    found = row.evidence
    runs = found.get("runs_trend") or {}
    lines = tuple(found["lines"])
    return CourseDecaying(
        adoption_id=view.id,
        slug=view.playbook.slug,
        team_slug=view.team.slug,
        playbook=view.playbook.title,
        team=view.team.title,
        kpi=kpi_context(view, value=found["latest"]),
        lines=lines,
        runs=tuple(found["runs"][-_WEEKS:]),
        owner=view.playbook.owner,
        fall=f"{abs(runs['slope']):.1f}" if runs and "runs" in lines else "",
        p=runs.get("p"),
        limit=_limit(found),
        ended=ended.course if ended else None,
        ended_at=_local(view, ended.judged_at) if ended else None,
        offers=(
            Offer("Show the months", Action.SHOW_MONTHS, str(view.id)),
            Offer("Start a cycle", Action.START_CYCLE, f"{view.playbook.slug}:{view.team.slug}"),
        ),
    )


def _local(view: AdoptionView, moment: datetime) -> datetime:
    return moment.astimezone(view.zone)


def _limit(found: dict[str, Any]) -> float | None:
    """The end of the usual range on the worse side, with three significant figures."""
    limits = found.get("limits")
    if not limits:
        return None
    lower = Direction(found["direction"]) is Direction.LOWER
    return float(f"{limits['upper' if lower else 'lower']:.3g}")


_WORDS: Final = {
    Course.DEEPENING: ("🟢", "deepening"),
    Course.DECAYING: ("🔴", "fading"),
    Course.PLATEAU: ("🟡", "on a plateau"),
}
"""The courses that are named, each with its mark; steady ones aren't."""


def course_lines(uow: UnitOfWork, view: AdoptionView) -> tuple[str, ...]:
    """A sentence on the course of a watched adoption, for its status; none if it is steady or unknown."""
    if not view.is_watched:
        return ()
    row = course_of(uow, [view.id]).get(view.id)
    if row is None or row.course not in _WORDS:
        return ()
    mark, word = _WORDS[row.course]
    return (f"{mark} {word.capitalize()} since the week of {day(row.week_start)}{_because(view, row)}",)


def named_in(uow: UnitOfWork, *, week_start: date) -> list[CourseChange]:
    """The changes of course found when a week ended that are worth a note, oldest first."""
    return [row for row in trends.changes_of_week(uow, week_start=week_start) if row.course in _WORDS]


def tell_course(view: AdoptionView, row: CourseChange) -> Mrkdwn:
    """A change of course as a note of the digest."""
    mark, word = _WORDS[row.course]
    return say(
        "{mark} {playbook} ({team}) is {word}{why}",
        mark=mark,
        playbook=view.playbook.title,
        team=view.team.title,
        word=word,
        why=_because(view, row),
    )


def _because(view: AdoptionView, row: CourseChange) -> str:
    """`: runs a week and First response time`; for a plateau the median against the target."""
    found = row.evidence
    lines = {"runs": "runs a week", "kpi": view.spec.kpi.name[:60]}
    if row.course is Course.PLATEAU and found.get("level") is not None:
        unit = found["unit"]
        return f": median {amount(found['level'], unit)}, target {amount(found['target'], unit)}"
    named = " and ".join(lines[one] for one in found.get("lines", ()) if one in lines)
    return f": {named}" if named else ""


KINDS: Final = (MessageKind(DECAYING, decaying, rewrite=decaying_now, unless=(Unless.OVER,)),)
