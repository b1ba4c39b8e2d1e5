"""The numbers of the curators' weekly digest, against the week before."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.flows.attention import attention
from cadence.flows.callers import Caller
from cadence.flows.checkin_rows import cycle_of_week
from cadence.flows.digest_needs import decisions_waiting, guardrails_broken, kpi_move
from cadence.flows.digest_notes import drifts_waiting, notes, promotions_waiting
from cadence.flows.digest_standards import DigestWeek, coverage_of, demoted, shown, watched
from cadence.flows.runs import TeamRun, require_workspace, team_runs, today_in
from cadence.flows.undelivered import undelivered
from cadence.nudges import TITLES
from cadence.rules.calendar import monday_of
from storage import ledger, playbooks, setups, signals, trail
from storage.engine import Database
from storage.tables import CycleState, Workspace
from templates.contexts.digests import Decision, Digest, ExceptionRatio, Skipped, Tally

_QUIET_REASONS = frozenset(
    {
        "already answered",
        "already asked",
        "already reported",
        "all answered",
        "gate met",
        "muted",
        "no check-in is due",
        "paused",
        "snoozed",
        "the check-in came today",
        "the check-in itself is still to come",
    }
)
"""Reasons that mean all is well: a curator needn't read them."""


def show_digest(db: Database, caller: Caller, *, now: datetime) -> Digest:
    """This week's digest so far, for whoever asks."""
    with db.read() as session:
        workspace = require_workspace(session, caller.workspace_id)
        week = monday_of(today_in(workspace, now))
        return digest(session, workspace_id=workspace.id, week_start=week, now=now)


def digest(session: Session, *, workspace_id: str, week_start: date, now: datetime) -> Digest:
    """The digest of the week that starts on a Monday."""
    workspace = require_workspace(session, workspace_id)
    week = DigestWeek(week_start, ZoneInfo(workspace.timezone))
    runs = team_runs(session, workspace=workspace, now=now)
    watches = watched(session, runs, week_start)
    slipped = attention(session, runs, week_start=week_start, since=week.at(0), until=week.at(1), now=now)
    needs = undelivered(session, workspace, runs, since=week.at(0), until=week.at(1))
    needs += [Decision(text=one.text, offer=one.offer) for one in slipped]
    needs += promotions_waiting(session, workspace, runs)
    needs += drifts_waiting(session, runs)
    needs += decisions_waiting(session, workspace, runs, watches)
    moves = [move for run in runs for move in kpi_move(session, run, week_start)]
    moved = [move for move, is_better, _ in moves if is_better]
    not_moved = [move for move, is_better, _ in sorted(moves, key=lambda one: -one[2]) if not is_better]
    demotions = demoted(session, workspace, runs, week)
    broken = guardrails_broken(session, runs, week_start)
    slipping = dict.fromkeys(
        [
            *((one.run.playbook.title, one.run.team.title) for one in slipped),
            *((one.playbook, one.team) for one in demotions),
            *((one.playbook, one.team) for one in watches),
            *((one.playbook, one.team) for one in broken),
            *((move.playbook, move.team) for move in not_moved),
        ]
    )
    return Digest(
        week_start=week_start,
        decisions=tuple(needs[:10]),
        decision_count=len(needs),
        slipping=len(slipping),
        slipping_teams=tuple(f"{playbook} · {team}" for playbook, team in slipping),
        guardrails=tuple(broken[:10]),
        guardrail_count=len(broken),
        moved=tuple(moved[:10]),
        moved_count=len(moved),
        not_moved=tuple(not_moved[:10]),
        not_moved_count=len(not_moved),
        no_reading_count=sum(1 for run in runs if cycle_of_week(session, run, week_start)) - len(moves),
        demotions=tuple(demotions[:10]),
        demotion_count=len(demotions),
        watches=tuple(watch for watch in shown(watches)[:10]),
        watch_count=len(watches),
        coverage=coverage_of(session, runs, week_start),
        coverage_before=coverage_of(session, runs, week_start - timedelta(weeks=1)),
        exceptions=_exceptions(session, workspace, week, 0),
        exceptions_before=_exceptions(session, workspace, week, -1),
        setup_minutes=_setup_minutes(session, workspace, week),
        notes=notes(session, workspace, runs, week),
        published=_published(session, workspace, week),
        adopted=_adopted(runs, week),
        cycles_running=sum(
            1 for run in runs if run.cycle is not None and run.cycle.state is CycleState.RUNNING
        ),
        cycles_completed=_completed(session, workspace, week),
        skipped=_skipped(session, workspace, week),
    )


def _exceptions(session: Session, workspace: Workspace, week: DigestWeek, weeks: int) -> ExceptionRatio:
    """Exceptions of all steps against all attested runs, of the digest's week or one before it."""
    return ExceptionRatio(
        exceptions=signals.exceptions_between(
            session, workspace_id=workspace.id, since=week.at(weeks), until=week.at(weeks + 1)
        ),
        runs=signals.runs_of_week(
            session, workspace_id=workspace.id, week_start=week.monday + timedelta(weeks=weeks)
        ),
    )


def _setup_minutes(session: Session, workspace: Workspace, week: DigestWeek) -> float | None:
    """The median of the setups that ended in the week, in minutes; None without one."""
    done = setups.finished_between(session, workspace_id=workspace.id, since=week.at(0), until=week.at(1))
    minutes = [(row.done_at - row.started_at).total_seconds() / 60 for row in done if row.done_at]
    return float(round(median(minutes))) if minutes else None


def _published(session: Session, workspace: Workspace, week: DigestWeek) -> Tally:
    days = playbooks.published_at(session, workspace_id=workspace.id)
    return Tally(
        now=sum(1 for day in days if day < week.at(1)), before=sum(1 for day in days if day < week.at(0))
    )


def _adopted(runs: Sequence[TeamRun], week: DigestWeek) -> Tally:
    return Tally(
        now=sum(1 for run in runs if run.adoption.created_at < week.at(1)),
        before=sum(1 for run in runs if run.adoption.created_at < week.at(0)),
    )


def _completed(session: Session, workspace: Workspace, week: DigestWeek) -> Tally:
    closed = trail.entries(session, workspace_id=workspace.id, action="cycle-closed")
    return Tally(
        now=sum(1 for entry in closed if entry.at < week.at(1)),
        before=sum(1 for entry in closed if entry.at < week.at(0)),
    )


def _skipped(session: Session, workspace: Workspace, week: DigestWeek) -> tuple[Skipped, ...]:
    """What wasn't sent in the week although somebody might have expected it."""
    counts = ledger.unsent_counts(session, workspace_id=workspace.id, since=week.at(0), until=week.at(1))
    return tuple(
        Skipped(nudge=TITLES.get(kind, kind.replace("-", " ")), reason=reason, count=count)
        for kind, _, reason, count in counts
        if reason not in _QUIET_REASONS and kind != "rewrite"
    )
