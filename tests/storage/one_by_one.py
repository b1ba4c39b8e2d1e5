"""Each adoption by itself, compared with the digest's view of all at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlmodel import Session, select

from cadence.actor import Actor
from cadence.documents import Step
from cadence.flows.core import cycle_of_week
from cadence.flows.core.adoptions import AdoptionView
from cadence.flows.core.expected import expected_members
from cadence.flows.overview.attention import Attention, tell_demoted, tell_no_number, tell_silent
from cadence.flows.overview.digest_needs import tell_unanswered
from cadence.flows.overview.digest_notes import tell_missed
from cadence.flows.overview.digest_scope import tell_unreported
from cadence.flows.standards.drifts import found_drift
from cadence.flows.standards.evidence import verdict_evidence
from cadence.mrkdwn import Mrkdwn
from cadence.rules.calendar import WEEKS, instant, week_monday, week_number
from cadence.rules.kpi import Outcome
from cadence.rules.verdicts import Decision as Judged
from cadence.rules.verdicts import Line
from storage.queries import adoptions, checkins, numbers, standards, trail
from storage.queries import cycles as cycle_rows
from storage.tables import Cycle, CycleState, RubricRevision, StepDrift, StepVerdict, Workspace
from storage.work import UnitOfWork
from templates.contexts.base import Evidence
from templates.contexts.overview.digests import Decision


def attention(
    session: Session,
    runs: Sequence[AdoptionView],
    *,
    week_start: date,
    until: datetime,
    now: datetime,
) -> list[Attention]:
    """The runs that slipped in a week, gravest first. Silence counts once the week is over."""
    found = [one for run in runs for one in _demoted(session, run, until=until)]
    if now >= until:
        found += [one for run in runs for one in _silent(session, run, week_start=week_start)]
    return found


def _demoted(session: Session, run: AdoptionView, *, until: datetime) -> list[Attention]:
    """The steps whose last change of mode is a demotion, until their rubric is revised."""
    found = []
    for step in run.spec.steps:
        history = standards.mode_history(
            UnitOfWork.around(session, Actor.system(run.workspace.id)), adoption_id=run.id, step=step.key
        )
        if not history or history[-1].kind != "demotion" or history[-1].changed_at >= until:
            continue
        demoted_at = history[-1].changed_at
        revised = select(RubricRevision.number).where(
            RubricRevision.adoption_id == run.id, RubricRevision.step == step.key
        )
        if any(number > history[-1].rubric for number in session.exec(revised)):
            continue
        found.append((demoted_at, tell_demoted(run, step=step.key, at=demoted_at)))
    return [one for _, one in sorted(found, key=lambda pair: pair[0], reverse=True)]


def missed(
    session: Session, runs: Sequence[AdoptionView], *, since: datetime, until: datetime
) -> list[Mrkdwn]:
    """The cycles that closed in a week without meeting their target."""
    return [
        tell_missed(run, number=cycle.number, result=cycle.result)
        for run in runs
        for cycle in cycle_rows.cycles_of(
            UnitOfWork.around(session, Actor.system(run.workspace.id)), adoption_id=run.id
        )
        if cycle.closed_at is not None and since <= cycle.closed_at < until and cycle.result != Outcome.MET
    ]


def _is_over(cycle: Cycle, week_start: date) -> bool:
    """Whether a week was the last of a cycle that is closed: it takes no more answers when the digest comes."""
    return cycle.state is CycleState.CLOSED and week_start == week_monday(cycle.starts_on, WEEKS)


def _silent(session: Session, run: AdoptionView, *, week_start: date) -> list[Attention]:
    """A team whose check-ins are mostly missing, or whose number is."""
    cycle = cycle_of_week(UnitOfWork.around(session, Actor.system(run.workspace.id)), run, week_start)
    if cycle is None or week_number(cycle.starts_on, week_start) is None or _is_over(cycle, week_start):
        return []
    asked = set(
        expected_members(
            UnitOfWork.around(session, Actor.system(run.workspace.id)), run, week_start=week_start
        )
    )
    answered = asked & checkins.answered_members(
        UnitOfWork.around(session, Actor.system(run.workspace.id)), adoption_id=run.id, week_start=week_start
    )
    found = []
    if asked and len(answered) * 2 < len(asked):
        found.append(tell_silent(run, answered=len(answered), asked=len(asked), week_start=week_start))
    reading = numbers.reading(
        UnitOfWork.around(session, Actor.system(run.workspace.id)), adoption_id=run.id, week_start=week_start
    )
    if reading is None and asked:
        found.append(tell_no_number(run, week_start=week_start))
    return found


def drifts_of(session: Session, runs: Sequence[AdoptionView]) -> list[tuple[AdoptionView, StepDrift]]:
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
    """A step that was watched and over its cap when a week ended."""

    run: AdoptionView
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


def watched(session: Session, runs: Sequence[AdoptionView], week_start: date) -> list[Watched]:
    """The steps over their caps by the newest verdict of a week, worst first."""
    found = []
    for run in runs:
        cycle = cycle_of_week(UnitOfWork.around(session, Actor.system(run.workspace.id)), run, week_start)
        if cycle is None:
            continue
        for step in run.spec.steps:
            found += _watched(session, run, cycle, step, week_start)
    return sorted(found, key=lambda one: one.evidence.cap - (one.evidence.ratio or 0.0))


def _watched(
    session: Session, run: AdoptionView, cycle: Cycle, step: Step, week_start: date
) -> list[Watched]:
    ended = instant(week_start + timedelta(weeks=1), time.min, run.zone)
    uow = UnitOfWork.around(session, Actor.system(run.workspace.id))
    rows = standards.last_verdicts(uow, adoption_id=run.id, step=step.key, limit=100)
    last = next((row for row in rows if row.judged_at < ended), None)
    if last is None or last.decision is not Judged.WATCH or last.cycle_id != cycle.id:
        return []
    state = adoptions.steps(uow, adoption_id=run.id).get(step.key)
    if state is not None and (state.after_exception != last.after_exception or state.since >= ended):
        return []
    evidence = verdict_evidence(last)
    return [Watched(run, last, evidence)] if (evidence.ratio or 0) > evidence.cap else []


def decisions_waiting(
    session: Session, workspace: Workspace, runs: Sequence[AdoptionView], watches: Sequence[Watched]
) -> list[Decision]:
    """Pending items: steps over their caps without an answer, teams whose number nobody reports."""
    needs = []
    for one in watches:
        [last] = standards.last_verdicts(
            UnitOfWork.around(session, Actor.system(one.row.workspace_id)),
            adoption_id=one.row.adoption_id,
            step=one.row.step,
            limit=1,
        )
        if last.decision is not Judged.WATCH:  # judged again since, and not watched any more
            continue
        first = standards.first_watch(
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
