"""The digest's standards: steps over their caps, demotions, coverage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import partial

from sqlmodel import Session

from cadence.documents import Step
from cadence.flows.checkin_rows import cycle_of_week
from cadence.flows.digest_scope import DigestWeek, Scope, Worst
from cadence.flows.gathering import gather, window_runs
from cadence.flows.runs import TeamRun
from cadence.rules.calendar import instant
from cadence.rules.verdicts import Decision
from storage import decisions, digest_changes
from storage.tables import Cycle, StepVerdict
from templates.contexts.base import Evidence, ModeChange
from templates.contexts.digests import TeamChange

__all__ = ["DigestWeek", "Watched", "demotions_of", "title_of", "watched"]


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


def demotions_of(scope: Scope) -> Worst[Callable[[TeamRun], TeamChange]]:
    """The demotions of the week, newest first."""
    found: Worst[Callable[[TeamRun], TeamChange]] = Worst()
    since, until = scope.week.at(0), scope.week.at(1)
    rows = digest_changes.changes(
        scope.session, workspace_id=scope.workspace_id, since=since, until=until, kind="demotion"
    )
    for number, adoption in rows:
        if adoption in scope.places:
            found.add((-number,), adoption, partial(_tell_demotion, scope=scope, number=number))
    return found


def _tell_demotion(run: TeamRun, *, scope: Scope, number: int) -> TeamChange:
    row = decisions.mode_change(scope.session, workspace_id=scope.workspace_id, change_id=number)
    assert row is not None  # noqa: S101 - it was counted a moment ago
    return TeamChange(
        playbook=run.playbook.title,
        team=run.team.title,
        change=ModeChange(step=title_of(run, row.step), before=row.before or row.after, after=row.after),
    )


def title_of(run: TeamRun, key: str) -> str:
    """A step's title; its key when the newest revision has dropped the step."""
    step = run.spec.step(key)
    return step.title if step else key
