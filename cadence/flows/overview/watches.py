"""The steps over their caps at the end of a week, of any number of adoptions: the same evidence, gathered in bulk."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache, partial
from itertools import islice
from zoneinfo import ZoneInfo

from cadence.flows.core import LAST_ASKED, TeamRun, away_throughout, is_present
from cadence.flows.overview.digest_needs import tell_unanswered
from cadence.flows.overview.digest_scope import BATCH, Scope, Worst
from cadence.flows.standards import count_answers, weeks_counted
from cadence.rules.calendar import WEEKS, instant, local_day, monday_of
from cadence.rules.evidence import TYPICAL_ANSWERS
from cadence.rules.verdicts import Line
from storage.queries import digest_watches
from storage.queries.digest_watches import WatchFound
from templates.contexts.base import Evidence, StepEvidence
from templates.contexts.digests import Decision, TeamStep

WEEK = timedelta(weeks=1)
_Answer = tuple[str, date, int]


@dataclass(frozen=True, slots=True)
class Watches:
    """The steps over their caps, worst first, and those of them whose owner hasn't said what changes."""

    over: Worst[Callable[[TeamRun], TeamStep]]
    unanswered: Worst[Callable[[TeamRun], Decision]]


@dataclass(frozen=True, slots=True)
class _Batch:
    """What was reported on some adoptions, by adoption, and who was there, by team."""

    logged: dict[int, list[tuple[str, int, datetime]]]
    answers: dict[int, list[_Answer]]
    came: dict[int, list[tuple[str, date, int]]]
    people: dict[int, list[tuple[str, datetime, datetime | None]]]
    away: dict[str, list[tuple[str, date, date]]]


def watches_of(scope: Scope) -> Watches:
    """The steps that are watched and over their caps, worst first, as runs have come in about them since."""
    found = Watches(Worst(), Worst())
    rows = (
        row
        for row in digest_watches.watches(scope.uow, week_start=scope.week.monday)
        if scope.step_at(row.adoption, row.step) is not None and _is_open(row, scope.week.monday)
    )
    while chunk := list(islice(rows, BATCH)):
        _judge(scope, chunk, found)
    return found


def _opens(row: WatchFound) -> datetime:
    """When the step's evidence window opened: with its cycle, or with the last change of the step."""
    start = _start(row)
    return row.since if row.since is not None and row.since > start else start


def _start(row: WatchFound) -> datetime:
    return _midnight(row.starts_on, row.timezone)


def _ended(row: WatchFound, monday: date) -> datetime:
    return _midnight(monday + timedelta(weeks=1), row.timezone)


@lru_cache(maxsize=512)
def _midnight(day: date, zone: str) -> datetime:
    """The same few again and again."""
    return instant(day, time.min, ZoneInfo(zone))


def _is_open(row: WatchFound, monday: date) -> bool:
    """Whether nothing has started the step's evidence again since, and the window opened before the week's end."""
    return row.judged_after == row.after_exception and _opens(row) < _ended(row, monday)


def _judge(scope: Scope, rows: Sequence[WatchFound], found: Watches) -> None:
    monday = scope.week.monday
    batch = _gathered(scope, rows)
    over = [(row, evidence) for row in rows if (evidence := _evidence(scope, row, batch, monday))]
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


def _unanswered(scope: Scope, rows: Sequence[WatchFound]) -> set[WatchFound]:
    """The watches that still stand and whose owner hasn't said what changes.

    Those of a cycle whose last Sunday is over ended with it.
    """
    rows = [
        row
        for row in rows
        if row.stands and scope.now < _midnight(row.starts_on + WEEKS * WEEK, row.timezone)
    ]
    said = digest_watches.answered_watches(scope.uow, subjects=[_subject(row) for row in rows])
    answered = sorted({row.adoption for row in rows if _subject(row) in said})
    begun = {
        (adoption, step, cycle, after): f"verdict:{verdict}"
        for adoption, step, cycle, after, verdict in digest_watches.begun(scope.uow, adoption_ids=answered)
    }
    places = digest_watches.places(scope.uow, subjects=list(begun.values()))

    def since(row: WatchFound) -> int:
        return places.get(begun[row.adoption, row.step, row.cycle, row.judged_after], 0)

    return {row for row in rows if _subject(row) not in said or said[_subject(row)] < since(row)}


def _tell_over(run: TeamRun, *, row: WatchFound, evidence: Evidence) -> TeamStep:
    step = StepEvidence(title=run.step(row.step).title, mode=row.mode, evidence=evidence)
    return TeamStep(playbook=run.playbook.title, team=run.team.title, step=step, critical=_is_critical(row))


def _is_critical(row: WatchFound) -> bool:
    return row.line is Line.CRITICAL


def _subject(row: WatchFound) -> str:
    return f"adoption:{row.adoption}/{row.step}"


def _gathered(scope: Scope, rows: Sequence[WatchFound]) -> _Batch:
    """Everything the evidence on some steps rests on, in a few queries."""
    adoptions, teams = sorted({row.adoption for row in rows}), sorted({row.team for row in rows})
    first = min(monday_of(local_day(_opens(row), ZoneInfo(row.timezone))) for row in rows)
    logged: dict[int, list[tuple[str, int, datetime]]] = defaultdict(list)
    cycles = sorted({row.cycle for row in rows})
    for adoption, step, number, at in digest_watches.logged(
        scope.uow, adoption_ids=adoptions, cycle_ids=cycles
    ):
        logged[adoption].append((step, number, at))
    answers: dict[int, list[_Answer]] = defaultdict(list)
    for adoption, member, week, runs in digest_watches.answers(
        scope.uow, adoption_ids=adoptions, first=first, last=scope.week.monday, latest=TYPICAL_ANSWERS
    ):
        answers[adoption].append((member, week, runs))
    came: dict[int, list[tuple[str, date, int]]] = defaultdict(list)
    restarted = sorted({row.adoption for row in rows if row.after_check_in})
    for adoption, member, week, number in digest_watches.answer_ids(
        scope.uow, adoption_ids=restarted, since=first
    ):
        came[adoption].append((member, week, number))
    people: dict[int, list[tuple[str, datetime, datetime | None]]] = defaultdict(list)
    for team, member, joined_at, left_at in digest_watches.presences(scope.uow, team_ids=teams):
        people[team].append((member, joined_at, left_at))
    members = sorted({member for team in people.values() for member, _, _ in team})
    away: dict[str, list[tuple[str, date, date]]] = defaultdict(list)
    for start in range(0, len(members), BATCH):
        friday = scope.week.monday + LAST_ASKED
        for range_ in digest_watches.days_away(
            scope.uow, members=members[start : start + BATCH], first=first, last=friday
        ):
            away[range_[0]].append(range_)
    return _Batch(logged, answers, came, people, away)


def _evidence(scope: Scope, row: WatchFound, batch: _Batch, monday: date) -> Evidence | None:
    """What is known of a step at the end of the week; None when that isn't over its cap."""
    zone, ended = ZoneInfo(row.timezone), _ended(row, monday)
    first, last = weeks_counted(row.starts_on, opened=local_day(_opens(row), zone), until=monday)
    spec = scope.spec(row.adoption)
    stale = {
        member
        for member, week, number in batch.came.get(row.adoption, ())
        if week == first and number <= row.after_check_in
    }
    runs = count_answers(
        batch.answers.get(row.adoption, []),
        first=first,
        last=last,
        stale=stale,
        expected=lambda week: (
            set() if row.adoption in scope.unasked(week) else _expected(batch, row, zone, week)
        ),
        runs_per_week=spec.runs_per_week if spec else 0,
    )
    exceptions = sum(
        step == row.step and number > row.after_exception and at < ended
        for step, number, at in batch.logged.get(row.adoption, ())
    )
    evidence = Evidence(
        exceptions=exceptions,
        runs=max(runs.total, exceptions),
        attested=runs.attested,
        assumed=runs.assumed,
        cap=row.cap,
    )
    return evidence if evidence.ratio is not None and evidence.ratio > evidence.cap else None


def _expected(batch: _Batch, row: WatchFound, zone: ZoneInfo, week: date) -> set[str]:
    present = {
        member
        for member, joined_at, left_at in batch.people.get(row.team, ())
        if is_present(joined_at, left_at, zone=zone, week_start=week)
    }
    return present - away_throughout(_overlapping(batch, present, week), first=week, last=week + LAST_ASKED)


def _overlapping(batch: _Batch, members: Iterable[str], week: date) -> Iterable[tuple[str, date, date]]:
    return (
        range_
        for member in members
        for range_ in batch.away.get(member, ())
        if range_[1] <= week + LAST_ASKED and range_[2] >= week
    )
