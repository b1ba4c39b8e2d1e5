"""The numbers of the curators' weekly digest, against the week before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.flows.attention import attention
from cadence.flows.callers import Caller
from cadence.flows.checkin_rows import cycle_of_week
from cadence.flows.gathering import expected_members, gather
from cadence.flows.kpis import kpi_context
from cadence.flows.planning import NUDGE_TITLES
from cadence.flows.runs import TeamRun, require_workspace, team_runs, today_in
from cadence.mrkdwn import say
from cadence.refusals import Offer
from cadence.rules.calendar import instant, monday_of
from cadence.rules.kpi import Direction, better, delta
from cadence.rules.verdicts import Decision as Decided
from storage import decisions, ledger, playbooks, reports, trail
from storage.engine import Database
from storage.tables import CycleState, StepVerdict, Workspace
from templates.contexts.base import Evidence, ModeChange, StepEvidence
from templates.contexts.digests import (
    Decision,
    Digest,
    KpiMove,
    Skipped,
    Tally,
    TeamChange,
    TeamStep,
)
from templates.ids import Action

BUSY_SHARE = 0.8
"""A run is busy when a week brings at least this share of the runs its playbook expects."""
_QUIET_REASONS = frozenset(
    {
        "already answered",
        "already asked",
        "already reported",
        "all answered",
        "muted",
        "no check-in is due",
        "snoozed",
        "the check-in came today",
        "the check-in itself is still to come",
    }
)
"""Reasons that mean all is well: a curator needn't read them."""


@dataclass(frozen=True, slots=True)
class _Week:
    """The week a digest is about, as instants of the workspace."""

    monday: date
    zone: ZoneInfo

    def at(self, weeks: int) -> datetime:
        """Midnight of the Monday so many weeks after."""
        return instant(self.monday + timedelta(weeks=weeks), time.min, self.zone)


def show_digest(db: Database, caller: Caller, *, now: datetime) -> Digest:
    """This week's digest so far, for whoever asks."""
    with db.read() as session:
        workspace = require_workspace(session, caller.workspace_id)
        week = monday_of(today_in(workspace, now))
        return digest(session, workspace_id=workspace.id, week_start=week, now=now)


def digest(session: Session, *, workspace_id: str, week_start: date, now: datetime) -> Digest:
    """The digest of the week that starts on a Monday."""
    workspace = require_workspace(session, workspace_id)
    week = _Week(week_start, ZoneInfo(workspace.timezone))
    runs = team_runs(session, workspace=workspace, now=now)
    watches = _watches(session, runs)
    slipped = attention(session, runs, week_start=week_start, since=week.at(0), until=week.at(1), now=now)
    needs = [Decision(text=one.text, offer=one.offer) for one in slipped]
    needs += _decisions(session, workspace, runs, watches)
    moves = [move for run in runs for move in _kpi_move(session, run, week_start)]
    moved = [move for move, is_better, _ in moves if is_better]
    not_moved = [move for move, is_better, _ in sorted(moves, key=lambda one: -one[2]) if not is_better]
    demotions = _demotions(session, workspace, runs, week)
    slipping = {(one.playbook, one.team) for one in watches} | {
        (move.playbook, move.team) for move in not_moved
    }
    slipping |= {(one.run.playbook.title, one.run.team.title) for one in slipped}
    return Digest(
        week_start=week_start,
        decisions=tuple(needs[:10]),
        decision_count=len(needs),
        slipping=len(slipping),
        moved=tuple(moved[:10]),
        moved_count=len(moved),
        not_moved=tuple(not_moved[:10]),
        not_moved_count=len(not_moved),
        no_reading_count=sum(1 for run in runs if cycle_of_week(session, run, week_start)) - len(moves),
        demotions=tuple(demotions[:10]),
        demotion_count=len(demotions),
        watches=tuple(watch for watch in _shown(watches)[:10]),
        watch_count=len(watches),
        coverage=_coverage(session, runs, week_start),
        coverage_before=_coverage(session, runs, week_start - timedelta(weeks=1)),
        published=_published(session, workspace, week),
        adopted=_adopted(runs, week),
        cycles_running=sum(
            1 for run in runs if run.cycle is not None and run.cycle.state is CycleState.RUNNING
        ),
        cycles_completed=_completed(session, workspace, week),
        skipped=_skipped(session, workspace, week),
    )


@dataclass(frozen=True, slots=True)
class _Watched:
    """A step that is watched and over its cap now, as runs have come in since."""

    run: TeamRun
    row: StepVerdict
    evidence: Evidence

    @property
    def playbook(self) -> str:
        return self.run.playbook.title

    @property
    def team(self) -> str:
        return self.run.team.title


def _watches(session: Session, runs: Sequence[TeamRun]) -> list[_Watched]:
    found = []
    for run in runs:
        if run.cycle is None:
            continue
        for step in run.spec.steps:
            rows = decisions.last_verdicts(
                session, workspace_id=run.workspace.id, adoption_id=run.id, step=step.key, limit=1
            )
            if not rows or rows[0].decision is not Decided.WATCH or rows[0].cycle_id != run.cycle.id:
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
                found.append(_Watched(run, rows[0], evidence))
    return sorted(found, key=lambda one: one.evidence.cap - (one.evidence.ratio or 0.0))


def _shown(watches: Sequence[_Watched]) -> list[TeamStep]:
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


def _decisions(
    session: Session, workspace: Workspace, runs: Sequence[TeamRun], watches: Sequence[_Watched]
) -> list[Decision]:
    """What waits for somebody: steps over their cap without an answer, playbooks that nobody runs."""
    needs = []
    for one in watches:
        answered = trail.entries(
            session,
            workspace_id=workspace.id,
            action="watch-answered",
            subject=f"adoption:{one.run.id}/{one.row.step}",
            since=one.row.window_from,
        )
        if not answered:
            needs.append(
                Decision(
                    text=say(
                        "{step} of {playbook} ({team}) is over its cap and nobody has said what changes",
                        step=one.run.step(one.row.step).title,
                        playbook=one.playbook,
                        team=one.team,
                    ),
                    offer=Offer("Say what changes", Action.SAY_WHAT_CHANGES, f"{one.run.id}:{one.row.step}"),
                )
            )
    needs += [
        Decision(
            text=say(
                "{team} has nobody who reports the number of {playbook}",
                team=run.team.title,
                playbook=run.playbook.title,
            ),
            offer=Offer("Change the team", Action.CREATE_TEAM, run.team.slug),
        )
        for run in runs
        if run.team.reporter is None
    ]
    running = {run.playbook.id for run in runs if run.cycle is not None}
    for playbook in playbooks.playbooks(session, workspace_id=workspace.id):
        if playbook.id not in running:
            needs.append(
                Decision(
                    text=say("{title} has no running cycle", title=playbook.title),
                    offer=Offer("Start a cycle", Action.START_CYCLE, playbook.slug),
                )
            )
    return needs


def _kpi_move(session: Session, run: TeamRun, week_start: date) -> list[tuple[KpiMove, bool, float]]:
    """(move, better than the baseline, how much worse as a share) when the week has a reading."""
    reading = reports.reading(
        session, workspace_id=run.workspace.id, adoption_id=run.id, week_start=week_start
    )
    if reading is None:
        return []
    kpi, direction = run.spec.kpi, Direction(run.spec.kpi.direction)
    rows = reports.answers(session, workspace_id=run.workspace.id, adoption_id=run.id, since=week_start)
    runs = sum(count for _, week, count in rows if week == week_start)
    is_better = better(reading.value, kpi.baseline, direction)
    share = delta(reading.value, kpi.baseline, direction).share or 0.0
    worse = share if direction is Direction.LOWER else -share
    return [
        (
            KpiMove(
                playbook=run.playbook.title,
                team=run.team.title,
                kpi=kpi_context(run, value=reading.value),
                runs=runs,
                busy=not is_better and runs >= BUSY_SHARE * run.spec.runs_per_week,
            ),
            is_better,
            worse,
        )
    ]


def _demotions(
    session: Session, workspace: Workspace, runs: Sequence[TeamRun], week: _Week
) -> list[TeamChange]:
    by_id = {run.id: run for run in runs}
    rows = decisions.mode_changes(
        session, workspace_id=workspace.id, since=week.at(0), until=week.at(1), kind="demotion"
    )
    return [
        TeamChange(
            playbook=by_id[row.adoption_id].playbook.title,
            team=by_id[row.adoption_id].team.title,
            change=ModeChange(
                step=_title(by_id[row.adoption_id], row.step),
                before=row.before or row.after,
                after=row.after,
            ),
        )
        for row in rows
        if row.adoption_id in by_id
    ]


def _title(run: TeamRun, key: str) -> str:
    """A step's title; its key when the newest revision has dropped the step."""
    step = run.spec.step(key)
    return step.title if step else key


def _coverage(session: Session, runs: Sequence[TeamRun], week_start: date) -> float | None:
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


def _published(session: Session, workspace: Workspace, week: _Week) -> Tally:
    days = playbooks.published_at(session, workspace_id=workspace.id)
    return Tally(
        now=sum(1 for day in days if day < week.at(1)), before=sum(1 for day in days if day < week.at(0))
    )


def _adopted(runs: Sequence[TeamRun], week: _Week) -> Tally:
    return Tally(
        now=sum(1 for run in runs if run.adoption.created_at < week.at(1)),
        before=sum(1 for run in runs if run.adoption.created_at < week.at(0)),
    )


def _completed(session: Session, workspace: Workspace, week: _Week) -> Tally:
    closed = trail.entries(session, workspace_id=workspace.id, action="cycle-closed")
    return Tally(
        now=sum(1 for entry in closed if entry.at < week.at(1)),
        before=sum(1 for entry in closed if entry.at < week.at(0)),
    )


def _skipped(session: Session, workspace: Workspace, week: _Week) -> tuple[Skipped, ...]:
    """What wasn't sent in the week although somebody might have expected it."""
    counts = ledger.unsent_counts(session, workspace_id=workspace.id, since=week.at(0), until=week.at(1))
    return tuple(
        Skipped(nudge=NUDGE_TITLES.get(kind, kind.replace("-", " ")), reason=reason, count=count)
        for kind, _, reason, count in counts
        if reason not in _QUIET_REASONS and kind != "rewrite"
    )
