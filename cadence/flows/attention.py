"""What a curator should look at first: demotions, cycles that missed, teams that have fallen silent."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.flows.digest_notes import open_drifts, open_promotions
from cadence.flows.digest_scope import DigestWeek, Scope, Worst, scope_of
from cadence.flows.digest_watches import watches_of
from cadence.flows.runs import TeamRun, today_in
from cadence.mrkdwn import Mrkdwn, say
from cadence.refusals import Offer
from cadence.rules.calendar import local_day, monday_of
from storage import digest_changes
from storage.tables import Workspace
from templates.filters import day
from templates.ids import Action


@dataclass(frozen=True, slots=True)
class Attention:
    """One run that needs somebody, why, and the button that begins to settle it; `more` explain it."""

    run: TeamRun
    text: Mrkdwn
    offer: Offer | None = None
    more: tuple[Offer, ...] = ()


def deciding(session: Session, workspace: Workspace, *, now: datetime) -> dict[int, int]:
    """The adoptions that wait for a decision, each with its place among them: the gravest first, as in a digest."""
    week = DigestWeek(monday_of(today_in(workspace, now)), ZoneInfo(workspace.timezone))
    scope = scope_of(session, workspace, week, now=now)
    sections: tuple[Worst[Any], ...] = (
        demoted(scope),
        open_promotions(scope),
        open_drifts(scope),
        watches_of(scope).unanswered,
        scope.unreported,
    )
    ordered = [sorted(section.adoptions, key=lambda one: scope.places[one].rank) for section in sections]
    found = dict.fromkeys(adoption for adoptions in ordered for adoption in adoptions)
    return {adoption: place for place, adoption in enumerate(found)}


def slipped(scope: Scope) -> Worst[Callable[[TeamRun], Attention]]:
    """What slipped in a week for a digest, gravest first; silence is added once the week is over."""
    found = demoted(scope)
    rows = digest_changes.missed(
        scope.session, workspace_id=scope.workspace_id, since=scope.week.at(0), until=scope.week.at(1)
    )
    for adoption, number, result in rows:
        if (rank := scope.rank(adoption)) is not None:
            found.add((1, rank, number), adoption, partial(tell_missed, number=number, result=result))
    return found


def demoted(scope: Scope) -> Worst[Callable[[TeamRun], Attention]]:
    """The steps whose last change of mode is a demotion, until their rubric is revised."""
    found: Worst[Callable[[TeamRun], Attention]] = Worst()
    rows = digest_changes.demoted(scope.session, workspace_id=scope.workspace_id, until=scope.week.at(1))
    for adoption, step, at in rows:
        place = scope.step_at(adoption, step)
        if place is not None:
            order = (0, scope.places[adoption].rank, -at.timestamp(), place)
            found.add(order, adoption, partial(tell_demoted, step=step, at=at))
    return found


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
        tell = partial(tell_silent, answered=answered, asked=asked, week_start=week_start)
        found.add((2, rank, 0), adoption, tell)
    if asked and not has_number:
        found.add((2, rank, 1), adoption, partial(tell_no_number, week_start=week_start))


def tell_demoted(run: TeamRun, *, step: str, at: datetime) -> Attention:
    """A step that was demoted, while its rubric is as it was."""
    text = say(
        "{step} of {playbook} ({team}) was demoted {day}; its rubric isn't revised yet",
        step=run.step(step).title,
        playbook=run.playbook.title,
        team=run.team.title,
        day=day(local_day(at, run.zone)),
    )
    ref = f"{run.id}:{step}"
    return Attention(
        run,
        text,
        Offer("Record a new rubric", Action.REVISE_RUBRIC, ref),
        (Offer("Why", Action.WHY, ref),),
    )


def tell_missed(run: TeamRun, *, number: int, result: str | None) -> Attention:
    """A cycle that closed without meeting its target."""
    text = say(
        "{playbook} ({team}) closed cycle {number}: {result}",
        playbook=run.playbook.title,
        team=run.team.title,
        number=number,
        result=result,
    )
    return Attention(run, text)


def tell_silent(run: TeamRun, *, answered: int, asked: int, week_start: date) -> Attention:
    """A team whose check-ins are mostly missing."""
    text = say(
        "{team}: {answered} of {asked} check-ins came for {playbook}",
        team=run.team.title,
        answered=answered,
        asked=asked,
        playbook=run.playbook.title,
    )
    return Attention(run, text, Offer("Nudge them once more", Action.NUDGE_AGAIN, f"{run.id}:{week_start}"))


def tell_no_number(run: TeamRun, *, week_start: date) -> Attention:
    """A team whose number is missing."""
    text = say("{team} has no number for {playbook}", team=run.team.title, playbook=run.playbook.title)
    return Attention(run, text, Offer("Report the number", Action.REPORT_KPI, f"{run.id}:{week_start}"))
