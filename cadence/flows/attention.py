"""What a curator should look at first: demotions, cycles that missed, teams that have fallen silent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.flows.asked_members import expected_members
from cadence.flows.checkin_rows import cycle_of_week
from cadence.flows.digest_notes import open_drifts, open_promotions
from cadence.flows.digest_scope import DigestWeek, Scope, Worst, scope_of
from cadence.flows.digest_watches import watches_of
from cadence.flows.runs import TeamRun, today_in
from cadence.mrkdwn import Mrkdwn, say
from cadence.refusals import Offer
from cadence.rules.calendar import local_day, monday_of, week_number
from cadence.rules.kpi import Outcome
from storage import decisions, digest_changes, playbooks, reports, rubrics
from storage.tables import Workspace
from templates.filters import day
from templates.ids import Action


@dataclass(frozen=True, slots=True)
class Attention:
    """One run that needs somebody, why, and the button that begins to settle it."""

    run: TeamRun
    text: Mrkdwn
    offer: Offer | None = None


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


def deciding(session: Session, workspace: Workspace, *, now: datetime) -> dict[int, int]:
    """The adoptions that wait for a decision, each with its place among them: the gravest first, as in a digest."""
    week = DigestWeek(monday_of(today_in(workspace, now)), ZoneInfo(workspace.timezone))
    scope = scope_of(session, workspace, week, now=now)
    demoted: Worst[Callable[[TeamRun], Attention]] = Worst()
    _add_demoted(demoted, scope)
    sections: tuple[Worst[Any], ...] = (
        demoted,
        open_promotions(scope),
        open_drifts(scope),
        watches_of(scope).unanswered,
        scope.unreported,
    )
    ordered = [sorted(section.adoptions, key=lambda one: scope.places[one].rank) for section in sections]
    found = dict.fromkeys(adoption for adoptions in ordered for adoption in adoptions)
    return {adoption: place for place, adoption in enumerate(found)}


def slipped(scope: Scope) -> Worst[Callable[[TeamRun], Attention]]:
    """The same for a digest: counted over all adoptions, in the same order."""
    found: Worst[Callable[[TeamRun], Attention]] = Worst()
    _add_demoted(found, scope)
    rows = digest_changes.missed(
        scope.session, workspace_id=scope.workspace_id, since=scope.week.at(0), until=scope.week.at(1)
    )
    for adoption, number, result in rows:
        if (rank := scope.rank(adoption)) is not None:
            found.add((1, rank, number), adoption, partial(_tell_missed, number=number, result=result))
    return found


def _add_demoted(found: Worst[Callable[[TeamRun], Attention]], scope: Scope) -> None:
    rows = digest_changes.demoted(scope.session, workspace_id=scope.workspace_id, until=scope.week.at(1))
    for adoption, step, at in rows:
        place = scope.step_at(adoption, step)
        if place is not None:
            order = (0, scope.places[adoption].rank, -at.timestamp(), place)
            found.add(order, adoption, partial(_tell_demoted, step=step, at=at))


def add_silent(
    found: Worst[Callable[[TeamRun], Attention]],
    *,
    rank: int,
    adoption: int,
    asked: int,
    answered: int,
    has_number: bool,
    week_start: date,
) -> None:
    """One more adoption of a week that is over: its check-ins are mostly missing, or its number is."""
    if answered * 2 < asked:
        tell = partial(_tell_silent, answered=answered, asked=asked, week_start=week_start)
        found.add((2, rank, 0), adoption, tell)
    if asked and not has_number:
        found.add((2, rank, 1), adoption, partial(_tell_no_number, week_start=week_start))


def _tell_demoted(run: TeamRun, *, step: str, at: datetime) -> Attention:
    text = say(
        "{step} of {playbook} ({team}) was demoted {day}; its rubric isn't revised yet",
        step=run.step(step).title,
        playbook=run.playbook.title,
        team=run.team.title,
        day=day(local_day(at, run.zone)),
    )
    return Attention(run, text, Offer("Why", Action.WHY, f"{run.id}:{step}"))


def _tell_missed(run: TeamRun, *, number: int, result: str | None) -> Attention:
    text = say(
        "{playbook} ({team}) closed cycle {number}: {result}",
        playbook=run.playbook.title,
        team=run.team.title,
        number=number,
        result=result,
    )
    return Attention(run, text)


def _tell_silent(run: TeamRun, *, answered: int, asked: int, week_start: date) -> Attention:
    text = say(
        "{team}: {answered} of {asked} check-ins came for {playbook}",
        team=run.team.title,
        answered=answered,
        asked=asked,
        playbook=run.playbook.title,
    )
    return Attention(run, text, Offer("Nudge them once more", Action.NUDGE_AGAIN, f"{run.id}:{week_start}"))


def _tell_no_number(run: TeamRun, *, week_start: date) -> Attention:
    text = say("{team} has no number for {playbook}", team=run.team.title, playbook=run.playbook.title)
    return Attention(run, text, Offer("Report the number", Action.REPORT_KPI, f"{run.id}:{week_start}"))


def _demoted(session: Session, run: TeamRun, *, until: datetime) -> list[Attention]:
    """The steps whose last change of mode is a demotion, until their rubric is revised."""
    found = []
    for step in run.spec.steps:
        history = decisions.mode_history(
            session, workspace_id=run.workspace.id, adoption_id=run.id, step=step.key
        )
        if not history or history[-1].kind != "demotion" or history[-1].changed_at >= until:
            continue
        demoted_at = history[-1].changed_at
        revised = rubrics.revisions(session, workspace_id=run.workspace.id, adoption_id=run.id, step=step.key)
        if any(row.revised_at >= demoted_at for row in revised):
            continue
        found.append((demoted_at, _tell_demoted(run, step=step.key, at=demoted_at)))
    return [one for _, one in sorted(found, key=lambda pair: pair[0], reverse=True)]


def _missed(session: Session, run: TeamRun, *, since: datetime, until: datetime) -> list[Attention]:
    cycles = playbooks.cycles_of(session, workspace_id=run.workspace.id, adoption_id=run.id)
    return [
        _tell_missed(run, number=cycle.number, result=cycle.result)
        for cycle in cycles
        if cycle.closed_at is not None and since <= cycle.closed_at < until and cycle.result != Outcome.MET
    ]


def _silent(session: Session, run: TeamRun, *, week_start: date) -> list[Attention]:
    """A team whose check-ins are mostly missing, or whose number is."""
    cycle = cycle_of_week(session, run, week_start)
    if cycle is None or week_number(cycle.starts_on, week_start) is None:
        return []
    asked = set(expected_members(session, run, week_start=week_start))
    answered = asked & reports.answered_members(
        session, workspace_id=run.workspace.id, adoption_id=run.id, week_start=week_start
    )
    found = []
    if asked and len(answered) * 2 < len(asked):
        found.append(_tell_silent(run, answered=len(answered), asked=len(asked), week_start=week_start))
    reading = reports.reading(
        session, workspace_id=run.workspace.id, adoption_id=run.id, week_start=week_start
    )
    if reading is None and asked:
        found.append(_tell_no_number(run, week_start=week_start))
    return found
