"""The digest's standards: steps over their caps, demotions, coverage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.flows.gathering import expected_members, gather
from cadence.flows.runs import TeamRun
from cadence.rules.calendar import instant
from cadence.rules.verdicts import Decision
from storage import decisions, playbooks, reports
from storage.tables import StepVerdict, Workspace
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
    """A step that is watched and over its cap now, as runs have come in since."""

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


def watched(session: Session, runs: Sequence[TeamRun]) -> list[Watched]:
    """The steps over their caps now, worst first."""
    found = []
    for run in runs:
        if run.cycle is None:
            continue
        for step in run.spec.steps:
            rows = decisions.last_verdicts(
                session, workspace_id=run.workspace.id, adoption_id=run.id, step=step.key, limit=1
            )
            if not rows or rows[0].decision is not Decision.WATCH or rows[0].cycle_id != run.cycle.id:
                continue
            now = gather(session, run, run.cycle, step).evidence
            evidence = Evidence(
                exceptions=now.exceptions,
                runs=now.runs,
                attested=now.attested,
                assumed=now.assumed,
                cap=rows[0].cap,
            )
            if evidence.ratio is not None and evidence.ratio > evidence.cap:
                found.append(Watched(run, rows[0], evidence))
    return sorted(found, key=lambda one: one.evidence.cap - (one.evidence.ratio or 0.0))


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
