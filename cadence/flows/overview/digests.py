"""The numbers of the curators' weekly digest, against the week before."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from statistics import median
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from cadence.documents import PlaybookSpec
from cadence.flows.core import AdoptionView, require_digest, require_workspace, today_in
from cadence.flows.handoffs import handoff_lines
from cadence.flows.overview.attention import Attention, add_silent, demoted, undelivered_first
from cadence.flows.overview.digest_needs import cutovers_waiting, idle_of, numbers_of
from cadence.flows.overview.digest_notes import demotions_of, missed, notes, open_drifts, open_promotions
from cadence.flows.overview.digest_scope import DigestWeek, Scope, TopN, scope_of, told
from cadence.flows.overview.digest_table import Why, table_of
from cadence.flows.overview.watches import Watches, watches_of
from cadence.flows.pilots import pilot_decisions
from cadence.flows.trends import value_total
from cadence.flows.waves import wave_line, wave_standing, waves_to_open
from cadence.mrkdwn import say
from cadence.nudges import Unless, title_of
from cadence.refusals import Offer
from cadence.rules.calendar import monday_of
from storage.outbox import ledger
from storage.outbox.queueing import REWRITE
from storage.queries import playbooks
from storage.queries.overview import coverage, digests, signals
from storage.tables import PlaybookState
from storage.work import UnitOfWork
from templates.contexts.overview.digests import Coverage, Decision, Digest, Skipped, Tally, TeamName
from templates.ids import Action

SHOWN = 10
"""Maximum entries of a section of a digest."""
JOBS = 3
"""Maximum items that wait for owners."""
NAMED = 5
"""Maximum teams named in a line."""


def show_digest(uow: UnitOfWork) -> Digest:
    """This week's digest so far, for curators.

    Raises:
        NotAllowed: anybody else.
    """
    with uow.read():
        require_digest(uow)
        workspace = require_workspace(uow)
        week = monday_of(today_in(workspace, uow.now))
        return replace(
            digest(uow, week_start=week), offers=(Offer("Show the months", Action.SHOW_PROCESS, "all"),)
        )


def digest(uow: UnitOfWork, *, week_start: date) -> Digest:
    """The digest of the week that starts on a Monday."""
    workspace = require_workspace(uow)
    week = DigestWeek(week_start, ZoneInfo(workspace.timezone))
    scope = scope_of(uow, workspace, week)
    slips = demoted(scope)
    answers = _answers(scope)
    watches, numbers, demotions = watches_of(scope), numbers_of(scope), demotions_of(scope)
    needs, need_count = _needs(scope, slips)
    jobs, job_count = _owners_jobs(scope, answers.silent, watches)
    idle, coverage_before = idle_of(scope), _coverage_before(scope)
    unmet = missed(scope)
    noted, note_count = notes(scope, together=answers.together, unmet=unmet.told)
    handed, handed_count = handoff_lines(uow, workspace, since=week.at(0), until=week.at(1))
    slipping: list[TopN[Any]] = [
        demotions,
        watches.over,
        numbers.broken,
        slips,
        answers.silent,
        unmet.told,
        numbers.not_moved,
    ]
    return Digest(
        week_start=week_start,
        decisions=tuple(needs),
        decision_count=need_count,
        owners_jobs=tuple(jobs),
        owners_job_count=job_count,
        slipping=len(set[int]().union(*(section.adoptions for section in slipping))),
        rows=table_of(
            scope,
            worst_first=slipping,
            demotions=demotions,
            watches=watches,
            numbers=numbers,
            why=Why(slips, answers.silent.adoptions, unmet.results),
            check_ins=answers.by_adoption,
            many=SHOWN,
        ),
        team_count=answers.in_cycle,
        improved=_names(scope, numbers.moved),
        not_improved=_names(scope, numbers.not_moved),
        moved_count=numbers.moved.count,
        not_moved_count=numbers.not_moved.count,
        no_reading=_names(scope, answers.no_number),
        no_reading_count=answers.in_cycle - numbers.moved.count - numbers.not_moved.count,
        demotions=tuple(told(scope, demotions, SHOWN)),
        demotion_count=demotions.count,
        watch_count=watches.over.count,
        coverage=answers.coverage,
        coverage_before=coverage_before,
        over=_is_over(scope),
        exceptions=Tally(
            now=_exceptions(uow, week, 0),
            before=None if coverage_before is None else _exceptions(uow, week, -1),
        ),
        setup_minutes=_setup_minutes(uow, week),
        notes=noted,
        note_count=note_count,
        handoffs=handed,
        handoff_count=handed_count,
        idle=idle.new[:SHOWN],
        idle_count=idle.total,
        published=_published(uow, week),
        adopted=_tally(scope, digests.adopted_before),
        cycles_running=scope.running,
        watched=scope.watched,
        waves=_waves(uow),
        value=value_total(uow, _specs_of(scope), until=week_start),
        cycles_completed=_tally(scope, digests.closed_before),
        skipped=_skipped(uow, week),
    )


def _names(scope: Scope, section: TopN[None]) -> tuple[TeamName, ...]:
    """The teams of a section's first entries."""
    chosen = [adoption for adoption, _ in section.first(NAMED)]
    views = scope.load(chosen)
    return tuple(TeamName(playbook=views[one].playbook.title, team=views[one].team.title) for one in chosen)


def _waves(uow: UnitOfWork) -> tuple[str, ...]:
    """The newest wave of each playbook that has one; of the first few, whether it holds or can open."""
    found: list[str] = []
    for row in playbooks.playbooks(uow):
        if row.state is PlaybookState.RETIRED:
            continue
        line = wave_standing(uow, row) if len(found) < NAMED else wave_line(uow, row.id or 0)
        if line is not None:
            found.append(say("{title} {wave}", title=row.title[:60], wave=line))
    return tuple(found)


def _specs_of(scope: Scope) -> dict[int, PlaybookSpec]:
    """The playbook of each adoption."""
    return {adoption: scope.specs[place.version] for adoption, place in scope.places.items()}


@dataclass(frozen=True, slots=True)
class _Answers:
    """Counts of the week's check-ins.

    Args:
        in_cycle: adoptions that had a cycle.
        together: those of them in whose teams several members were asked.
        by_adoption: the check-ins of each that was asked.
        no_number: those that were asked and have no number yet.
        silent: those whose check-ins are mostly missing once the week is over, or their number.
    """

    in_cycle: int
    together: set[int]
    by_adoption: dict[int, Coverage]
    coverage: Coverage | None
    no_number: TopN[None]
    silent: TopN[Callable[[AdoptionView], Attention]]


def _is_over(scope: Scope) -> bool:
    return scope.now >= scope.week.at(1)


def _answers(scope: Scope) -> _Answers:
    """Count the week's check-ins; they are missing only once it is over. Until then only those asked for
    by now count."""
    over, monday = _is_over(scope), scope.week.monday
    together: set[int] = set()
    by_adoption: dict[int, Coverage] = {}
    no_number: TopN[None] = TopN()
    silent: TopN[Callable[[AdoptionView], Attention]] = TopN()
    expected = came = 0
    rows = coverage.answering(scope.uow, asking=scope.asking(), sent=not over)
    for adoption, asked, answered, has_number, closed in rows:
        expected, came = expected + asked, came + answered
        if asked:
            by_adoption[adoption] = Coverage(answered=answered, asked=asked)
        if asked > 1:
            together.add(adoption)
        if not has_number:
            no_number.add((scope.places[adoption].rank,), adoption, None)
        if over and not closed:  # a closed cycle accepts no more answers
            add_silent(
                silent,
                rank=scope.places[adoption].rank,
                adoption=adoption,
                asked=asked,
                answered=answered,
                has_number=has_number,
                week_start=monday,
            )
    in_cycle = digests.in_cycle(scope.uow, day=monday)
    return _Answers(
        in_cycle,
        together,
        by_adoption,
        Coverage(answered=came, asked=expected) if expected else None,
        no_number,
        silent,
    )


def _coverage_before(scope: Scope) -> Coverage | None:
    asked, answered = coverage.coverage(scope.uow, asking=scope.asking(-1))
    return Coverage(answered=answered, asked=asked) if asked else None


def _needs(scope: Scope, slips: TopN[Callable[[AdoptionView], Attention]]) -> tuple[list[Decision], int]:
    """Pending decisions of curators, and the rubrics to update: the first few, and the total."""
    needs, count = undelivered_first(scope, SHOWN)
    opening = waves_to_open(scope.uow)
    needs, count = [*needs, *opening][:SHOWN], count + len(opening)
    cutovers = cutovers_waiting(scope.uow)
    needs, count = [*needs, *cutovers][:SHOWN], count + len(cutovers)
    before_pilots = pilot_decisions(scope.uow)
    sections: tuple[TopN[Any], ...] = (open_promotions(scope), slips, scope.unreported)
    count += sum(section.count for section in sections) + len(before_pilots)

    def fill(found: Callable[[int], list[Decision]]) -> None:
        if len(needs) < SHOWN:
            needs.extend(found(SHOWN - len(needs)))

    fill(lambda many: before_pilots[:many])
    for section in sections:
        fill(partial(_decisions, scope, section))
    return needs, count


def _decisions(scope: Scope, section: TopN[Any], many: int) -> list[Decision]:
    """The first entries of a section, as a digest shows them."""
    found = told(scope, section, many)
    return [one.decision if isinstance(one, Attention) else one for one in found]


def _owners_jobs(
    scope: Scope,
    silent: TopN[Callable[[AdoptionView], Attention]],
    watches: Watches,
) -> tuple[list[Decision], int]:
    """What waits for owners, and a curator can do as well: the first few, and the total."""
    jobs: list[Decision] = []
    sections: tuple[TopN[Any], ...] = (open_drifts(scope), watches.unanswered, silent)
    for section in sections:
        if len(jobs) < JOBS:
            jobs += _decisions(scope, section, JOBS - len(jobs))
    return jobs, sum(section.count for section in sections)


def _exceptions(uow: UnitOfWork, week: DigestWeek, weeks: int) -> int:
    """Exceptions of all steps in the digest's week or an earlier one. A ratio belongs to a step, never to
    all steps."""
    return signals.exceptions_between(uow, since=week.at(weeks), until=week.at(weeks + 1))


def _setup_minutes(uow: UnitOfWork, week: DigestWeek) -> float | None:
    """The median duration of the setups that ended in the week, in minutes; None without one."""
    seconds = digests.setup_seconds(uow, since=week.at(0), until=week.at(1))
    minutes = [one / 60 for one in seconds]
    return float(round(median(minutes))) if minutes else None


def _published(uow: UnitOfWork, week: DigestWeek) -> Tally:
    days = playbooks.published_at(uow)
    return Tally(
        now=sum(1 for day in days if day < week.at(1)), before=sum(1 for day in days if day < week.at(0))
    )


class _Counts(Protocol):
    """A query that counts what existed before an instant."""

    def __call__(self, uow: UnitOfWork, *, moment: datetime) -> int:
        """How many."""


def _tally(scope: Scope, count: _Counts) -> Tally:
    def before(weeks: int) -> int:
        return count(scope.uow, moment=scope.week.at(weeks))

    return Tally(now=before(1), before=before(0))


def _skipped(uow: UnitOfWork, week: DigestWeek) -> tuple[Skipped, ...]:
    """Messages not sent in the week that somebody may have expected."""
    counts = ledger.unsent_counts(uow, since=week.at(0), until=week.at(1))
    return tuple(
        Skipped(nudge=title_of(kind), reason=reason, count=count)
        for kind, _, reason, count in counts
        if not Unless.is_quiet(reason) and kind != REWRITE
    )
