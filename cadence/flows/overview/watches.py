"""The steps over their caps at the end of a week, over all adoptions, according to their newest verdicts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache, partial
from itertools import islice
from zoneinfo import ZoneInfo

from cadence.flows.core import AdoptionView
from cadence.flows.overview.digest_needs import tell_unanswered
from cadence.flows.overview.digest_scope import BATCH, Scope, TopN
from cadence.flows.standards import verdict_evidence
from cadence.rules.calendar import WEEKS, instant
from cadence.rules.verdicts import Line
from storage.queries.overview import watches
from storage.queries.overview.watches import WatchFound
from templates.contexts.base import Evidence, StepEvidence
from templates.contexts.overview.digests import Decision, TeamStep

WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Watches:
    """The steps over their caps, worst first, and those of them without an owner's answer."""

    over: TopN[Callable[[AdoptionView], TeamStep]]
    unanswered: TopN[Callable[[AdoptionView], Decision]]


def watches_of(scope: Scope) -> Watches:
    """The watched steps over their caps, worst first, as last judged before the week ended."""
    found = Watches(TopN(), TopN())
    rows = (
        row
        for row in watches.watches(
            scope.uow,
            week_start=scope.week.monday,
            ended=scope.midnights(scope.week.monday + timedelta(weeks=1)),
        )
        if scope.step_at(row.adoption, row.step) is not None
    )
    while chunk := list(islice(rows, BATCH)):
        _add(scope, chunk, found)
    return found


def _add(scope: Scope, rows: Sequence[WatchFound], found: Watches) -> None:
    over = [(row, evidence) for row in rows if (evidence := _over(row))]
    unanswered = _unanswered(scope, [row for row, _ in over])
    for row, evidence in over:
        order = (
            evidence.cap - (evidence.ratio or 0.0),
            scope.places[row.adoption].rank,
            scope.step_at(row.adoption, row.step) or 0,
        )
        found.over.add(order, row.adoption, partial(_tell_over, row=row, evidence=evidence))
        if row in unanswered:
            found.unanswered.add(
                order, row.adoption, partial(tell_unanswered, step=row.step, critical=_is_critical(row))
            )


def _over(row: WatchFound) -> Evidence | None:
    """The evidence of a verdict; None if it isn't over its cap."""
    evidence = verdict_evidence(row)
    return evidence if evidence.ratio is not None and evidence.ratio > evidence.cap else None


@lru_cache(maxsize=512)
def _midnight(day: date, zone: str) -> datetime:
    """Midnight in a zone, cached."""
    return instant(day, time.min, ZoneInfo(zone))


def _unanswered(scope: Scope, rows: Sequence[WatchFound]) -> set[WatchFound]:
    """The active watches without an owner's answer.

    Watches of a cycle whose last Sunday is over ended with it.
    """
    rows = [
        row
        for row in rows
        if row.stands and scope.now < _midnight(row.starts_on + WEEKS * WEEK, row.timezone)
    ]
    said = watches.answered_watches(scope.uow, subjects=[_subject(row) for row in rows])
    answered = sorted({row.adoption for row in rows if _subject(row) in said})
    begun = {
        (adoption, step, cycle, after): f"verdict:{verdict}"
        for adoption, step, cycle, after, verdict in watches.begun(scope.uow, adoption_ids=answered)
    }
    places = watches.places(scope.uow, subjects=list(begun.values()))

    def since(row: WatchFound) -> int:
        return places.get(begun[row.adoption, row.step, row.cycle, row.judged_after], 0)

    return {row for row in rows if _subject(row) not in said or said[_subject(row)] < since(row)}


def _tell_over(view: AdoptionView, *, row: WatchFound, evidence: Evidence) -> TeamStep:
    step = StepEvidence(title=view.step(row.step).title, mode=row.mode, evidence=evidence)
    return TeamStep(
        playbook=view.playbook.title,
        team=view.team.title,
        step=step,
        key=row.step,
        critical=_is_critical(row),
    )


def _is_critical(row: WatchFound) -> bool:
    return row.line is Line.CRITICAL


def _subject(row: WatchFound) -> str:
    return f"adoption:{row.adoption}/{row.step}"
