"""The digest's standards: steps over their caps, demotions, coverage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.documents import Step
from cadence.flows.checkin_rows import cycle_of_week
from cadence.flows.gathering import expected_members, gather, window_runs
from cadence.flows.runs import TeamRun
from cadence.rules.calendar import instant
from cadence.rules.verdicts import Decision
from storage import decisions, playbooks, reports
from storage.tables import Cycle, StepVerdict, Workspace
from templates.contexts.base import Evidence, ModeChange, StepEvidence
from templates.contexts.digests import TeamChange, TeamStep


@dataclass(frozen=True, slots=True)
class DigestWeek:
    """The week a digest is about, as instants of the workspace."""

    monday: date
    zone: ZoneInfo

    def at(self, weeks: int) -> datetime:
        """Midnight of the Monday so many weeks after."""
        return instant(self.monday + timedelta(weeks=weeks), time.min, self.zone)


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
        cycle = cycle_of_week(session, run, week_start)
        if cycle is None:
            continue
        for step in run.spec.steps:
            found += _watched(session, run, cycle, step, week_start)
    return sorted(found, key=lambda one: one.evidence.cap - (one.evidence.ratio or 0.0))


def _watched(session: Session, run: TeamRun, cycle: Cycle, step: Step, week_start: date) -> list[Watched]:
    rows = decisions.last_verdicts(
        session,
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        step=step.key,
        limit=1,
        decision=Decision.WATCH,
    )
    if not rows or rows[0].cycle_id != cycle.id:
        return []
    gathered = gather(session, run, cycle, step)
    ended = instant(week_start + timedelta(weeks=1), time.min, run.zone)
    if rows[0].judged_at < gathered.window_from or gathered.window_from >= ended:
        return []
    runs = window_runs(session, run, cycle, window_from=gathered.window_from, until_week=week_start)
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


def shown(watches: Sequence[Watched]) -> list[TeamStep]:
    """Watched steps for the template."""
    return [
        TeamStep(
            playbook=one.playbook,
            team=one.team,
            step=StepEvidence(
                title=one.run.step(one.row.step).title, mode=one.row.mode, evidence=one.evidence
            ),
        )
        for one in watches
    ]


def demoted(
    session: Session, workspace: Workspace, runs: Sequence[TeamRun], week: DigestWeek
) -> list[TeamChange]:
    """The demotions of the week, newest first."""
    by_id = {run.id: run for run in runs}
    rows = decisions.mode_changes(
        session, workspace_id=workspace.id, since=week.at(0), until=week.at(1), kind="demotion"
    )
    return [
        TeamChange(
            playbook=by_id[row.adoption_id].playbook.title,
            team=by_id[row.adoption_id].team.title,
            change=ModeChange(
                step=title_of(by_id[row.adoption_id], row.step),
                before=row.before or row.after,
                after=row.after,
            ),
        )
        for row in rows
        if row.adoption_id in by_id
    ]


def title_of(run: TeamRun, key: str) -> str:
    """A step's title; its key when the newest revision has dropped the step."""
    step = run.spec.step(key)
    return step.title if step else key


def coverage_of(session: Session, runs: Sequence[TeamRun], week_start: date) -> float | None:
    """Check-ins that came of those expected in a week, 0 to 1; None when none was."""
    answered = expected = 0
    for run in runs:
        cycles = playbooks.cycle_on(
            session, workspace_id=run.workspace.id, adoption_id=run.id, day=week_start
        )
        if cycles is None:
            continue
        asked = set(expected_members(session, run, week_start=week_start))
        came = reports.answered_members(
            session, workspace_id=run.workspace.id, adoption_id=run.id, week_start=week_start
        )
        answered += len(asked & came)
        expected += len(asked)
    return answered / expected if expected else None
