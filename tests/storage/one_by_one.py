"""Each run looked at by itself, as a digest says of all at once: what the two come to is compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlmodel import Session

from cadence.actor import Actor
from cadence.documents import Step
from cadence.flows.checkins.rows import cycle_of_week
from cadence.flows.core.adoptions import TeamRun
from cadence.flows.core.expected import expected_members
from cadence.flows.overview.attention import Attention, tell_demoted, tell_missed, tell_no_number, tell_silent
from cadence.flows.overview.digest_needs import tell_unanswered
from cadence.flows.overview.digest_scope import tell_unreported
from cadence.flows.standards.drifts import found_drift
from cadence.flows.standards.evidence import gather, window_runs
from cadence.rules.calendar import WEEKS, instant, week_monday, week_number
from cadence.rules.kpi import Outcome
from cadence.rules.verdicts import Decision as Judged
from cadence.rules.verdicts import Line
from storage import trail
from storage.queries import decisions, playbooks, reports, rubrics
from storage.tables import Cycle, CycleState, StepDrift, StepVerdict, Workspace
from storage.work import UnitOfWork
from templates.contexts.base import Evidence
from templates.contexts.digests import Decision


def attention(
    session: Session,
    runs: Sequence[TeamRun],
    *,
    week_start: date,
    since: datetime,
    until: datetime,
    now: datetime,
) -> list[Attention]:
    """The runs that slipped in a week, gravest first. Silence counts once the week is over."""
    found = [
        *(one for run in runs for one in _demoted(session, run, until=until)),
        *(one for run in runs for one in _missed(session, run, since=since, until=until)),
    ]
    if now >= until:
        found += [one for run in runs for one in _silent(session, run, week_start=week_start)]
    return found


def _demoted(session: Session, run: TeamRun, *, until: datetime) -> list[Attention]:
    """The steps whose last change of mode is a demotion, until their rubric is revised."""
    found = []
    for step in run.spec.steps:
        history = decisions.mode_history(
            UnitOfWork.around(session, Actor.system(run.workspace.id)), adoption_id=run.id, step=step.key
        )
        if not history or history[-1].kind != "demotion" or history[-1].changed_at >= until:
            continue
        demoted_at = history[-1].changed_at
        revised = rubrics.revisions(
            UnitOfWork.around(session, Actor.system(run.workspace.id)), adoption_id=run.id, step=step.key
        )
        if any(row.number > history[-1].rubric for row in revised):
            continue
        found.append((demoted_at, tell_demoted(run, step=step.key, at=demoted_at)))
    return [one for _, one in sorted(found, key=lambda pair: pair[0], reverse=True)]


def _missed(session: Session, run: TeamRun, *, since: datetime, until: datetime) -> list[Attention]:
    cycles = playbooks.cycles_of(
        UnitOfWork.around(session, Actor.system(run.workspace.id)), adoption_id=run.id
    )
    return [
        tell_missed(run, number=cycle.number, result=cycle.result)
        for cycle in cycles
        if cycle.closed_at is not None and since <= cycle.closed_at < until and cycle.result != Outcome.MET
    ]


def _is_over(cycle: Cycle, week_start: date) -> bool:
    """Whether a week was the last of a cycle that is closed: it takes no more answers when the digest comes."""
    return cycle.state is CycleState.CLOSED and week_start == week_monday(cycle.starts_on, WEEKS)


def _silent(session: Session, run: TeamRun, *, week_start: date) -> list[Attention]:
    """A team whose check-ins are mostly missing, or whose number is."""
    cycle = cycle_of_week(UnitOfWork.around(session, Actor.system(run.workspace.id)), run, week_start)
    if cycle is None or week_number(cycle.starts_on, week_start) is None or _is_over(cycle, week_start):
        return []
    asked = set(
        expected_members(
            UnitOfWork.around(session, Actor.system(run.workspace.id)), run, week_start=week_start
        )
    )
    answered = asked & reports.answered_members(
        UnitOfWork.around(session, Actor.system(run.workspace.id)), adoption_id=run.id, week_start=week_start
    )
    found = []
    if asked and len(answered) * 2 < len(asked):
        found.append(tell_silent(run, answered=len(answered), asked=len(asked), week_start=week_start))
    reading = reports.reading(
        UnitOfWork.around(session, Actor.system(run.workspace.id)), adoption_id=run.id, week_start=week_start
    )
    if reading is None and asked:
        found.append(tell_no_number(run, week_start=week_start))
    return found


def drifts_of(session: Session, runs: Sequence[TeamRun]) -> list[tuple[TeamRun, StepDrift]]:
    """Drifts that nobody has settled yet, the widest first."""
    found = []
    for run in runs:
        for step in run.spec.steps:
            row = found_drift(UnitOfWork.around(session, Actor.system(run.workspace.id)), run, step)
            if row is not None:
                found.append((float(row.evidence.get("share", 0)), run, row))
    return [(run, row) for _, run, row in sorted(found, key=lambda one: -one[0])]


@dataclass(frozen=True, slots=True)
class Watched:
    """A step that was watched and over its cap when a week ended, as runs have come in about it since."""

    run: TeamRun
    row: StepVerdict
    evidence: Evidence

    @property
    def playbook(self) -> str:
        """The playbook's title."""
        return self.run.playbook.title

    @property
    def team(self) -> str:
        """The team's title."""
        return self.run.team.title


def watched(session: Session, runs: Sequence[TeamRun], week_start: date) -> list[Watched]:
    """The steps over their caps at the end of a week, worst first.

    The weeks after it don't count: their runs, still assumed, would hide what the week was watched for.
    """
    found = []
    for run in runs:
        cycle = cycle_of_week(UnitOfWork.around(session, Actor.system(run.workspace.id)), run, week_start)
        if cycle is None:
            continue
        for step in run.spec.steps:
            found += _watched(session, run, cycle, step, week_start)
    return sorted(found, key=lambda one: one.evidence.cap - (one.evidence.ratio or 0.0))


def _watched(session: Session, run: TeamRun, cycle: Cycle, step: Step, week_start: date) -> list[Watched]:
    rows = decisions.last_verdicts(
        UnitOfWork.around(session, Actor.system(run.workspace.id)),
        adoption_id=run.id,
        step=step.key,
        limit=1,
        decision=Judged.WATCH,
    )
    if not rows or rows[0].cycle_id != cycle.id:
        return []
    gathered = gather(UnitOfWork.around(session, Actor.system(run.workspace.id)), run, cycle, step)
    ended = instant(week_start + timedelta(weeks=1), time.min, run.zone)
    if rows[0].after_exception != gathered.after_exception or gathered.window_from >= ended:
        return []
    runs = window_runs(
        UnitOfWork.around(session, Actor.system(run.workspace.id)),
        run,
        cycle,
        window_from=gathered.window_from,
        after_check_in=gathered.after_check_in,
        until_week=week_start,
    )
    exceptions = sum(one.logged_at < ended for one in gathered.exceptions)
    evidence = Evidence(
        exceptions=exceptions,
        runs=max(runs.total, exceptions),
        attested=runs.attested,
        assumed=runs.assumed,
        cap=rows[0].cap,
    )
    if evidence.ratio is None or evidence.ratio <= evidence.cap:
        return []
    return [Watched(run, rows[0], evidence)]


def decisions_waiting(
    session: Session, workspace: Workspace, runs: Sequence[TeamRun], watches: Sequence[Watched]
) -> list[Decision]:
    """What waits for somebody: steps over their cap without an answer, teams whose number nobody reports."""
    needs = []
    for one in watches:
        [last] = decisions.last_verdicts(
            UnitOfWork.around(session, Actor.system(one.row.workspace_id)),
            adoption_id=one.row.adoption_id,
            step=one.row.step,
            limit=1,
        )
        if last.id != one.row.id:  # judged again since, and not watched any more
            continue
        first = decisions.first_watch(
            UnitOfWork.around(session, Actor.system(one.row.workspace_id)), row=one.row
        )
        assert first is not None
        answered = trail.entries(
            UnitOfWork.around(session, Actor.system(workspace.id)),
            action="watch-answered",
            subject=f"adoption:{one.run.id}/{one.row.step}",
            after=trail.last_id(
                UnitOfWork.around(session, Actor.system(workspace.id)), subject=f"verdict:{first.id}"
            ),
        )
        if not answered:
            needs.append(tell_unanswered(one.run, step=one.row.step, critical=one.row.line is Line.CRITICAL))
    needs += [tell_unreported(run) for run in runs if run.team.reporter is None]
    return needs
