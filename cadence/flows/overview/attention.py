"""Messages that can't reach their channel until somebody does something: a decision for the digest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from cadence.flows.core import TeamRun, today_in
from cadence.flows.overview.digest_notes import open_drifts, open_promotions
from cadence.flows.overview.digest_scope import DigestWeek, Scope, Worst, scope_of
from cadence.flows.overview.watches import watches_of
from cadence.mrkdwn import Mrkdwn, channel_link, mention, say
from cadence.refusals import Offer
from cadence.rules.calendar import local_day, monday_of
from storage.outbox import report
from storage.queries import digests
from storage.queries import digests as digest_changes
from storage.tables import Workspace
from storage.work import UnitOfWork
from templates.contexts.digests import Decision
from templates.filters import day, plural
from templates.ids import Action

_NOT_IN: Final = "the bot isn't in it. Type /invite and its name there"
_ARCHIVED: Final = "it is archived. Unarchive it, or give the team another channel"
_CLOSED: Final = "the bot may not post there. An admin can let it, or the team takes another channel"
_WHY: Final[dict[str, str]] = {
    "not_in_channel": _NOT_IN,
    "channel_not_found": _NOT_IN,
    "channel_is_limited_access": _NOT_IN,
    "is_archived": _ARCHIVED,
    "is_inactive": _ARCHIVED,
    "restricted_action": _CLOSED,
    "restricted_action_non_threadable_channel": _CLOSED,
    "restricted_action_read_only_channel": _CLOSED,
    "restricted_action_thread_locked": _CLOSED,
    "restricted_action_thread_only_channel": _CLOSED,
    "posting_to_channel_denied": _CLOSED,
}
"""What is wrong with a channel and who can put it right, by Slack's word for it. What is wrong with the token as a
whole isn't among them: no digest arrives then either, and `cadence doctor` says so."""


def undelivered(
    uow: UnitOfWork, workspace: Workspace, runs: Sequence[TeamRun], *, since: datetime, until: datetime
) -> list[Decision]:
    """One sentence for each channel that messages of a week couldn't reach, the most messages first."""
    rows = report.stuck(uow, since=since, until=until)
    return [_tell(row, _team(row[0], runs), workspace) for row in rows if _is_stuck(row[0], row[1])]


def undelivered_first(scope: Scope, many: int) -> tuple[list[Decision], int]:
    """The same for a digest: the first few, and how many channels there are."""
    rows = [
        row
        for row in report.stuck(scope.uow, since=scope.week.at(0), until=scope.week.at(1))
        if _is_stuck(row[0], row[1])
    ]
    teams = digests.teams_of_channels(scope.uow, channels=[channel for channel, *_ in rows[:many]])
    return [_tell(row, teams.get(row[0]), scope.workspace) for row in rows[:many]], len(rows)


def _is_stuck(recipient: str, reason: str) -> bool:
    return reason in _WHY and recipient.startswith(("C", "G"))


def _tell(row: tuple[str, str, int], team: str | None, workspace: Workspace) -> Decision:
    recipient, reason, count = row
    return Decision(
        text=say(
            "{messages} couldn't go to {channel}{team}: {why}.",
            messages=plural(count, "message"),
            channel=channel_link(recipient),
            team=say(" ({title})", title=team) if team else say(""),
            why=_why(reason, workspace),
        )
    )


def _team(channel: str, runs: Sequence[TeamRun]) -> str | None:
    return next((run.team.title for run in runs if run.team.channel == channel), None)


def _why(reason: str, workspace: Workspace) -> Mrkdwn:
    bot = workspace.settings.get("bot")
    if _WHY[reason] is _NOT_IN and bot:
        return say("the bot isn't in it. Type /invite {bot} there", bot=mention(str(bot)))
    return say(_WHY[reason])


@dataclass(frozen=True, slots=True)
class Attention:
    """One run that needs somebody, why, and the button that begins to settle it; `more` explain it."""

    run: TeamRun
    text: Mrkdwn
    offer: Offer | None = None
    more: tuple[Offer, ...] = ()


def deciding(uow: UnitOfWork, workspace: Workspace) -> dict[int, int]:
    """The adoptions that wait for a decision, each with its place among them: the gravest first, as in a digest."""
    week = DigestWeek(monday_of(today_in(workspace, uow.now)), ZoneInfo(workspace.timezone))
    scope = scope_of(uow, workspace, week)
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
    rows = digest_changes.missed(scope.uow, since=scope.week.at(0), until=scope.week.at(1))
    for adoption, number, result in rows:
        if (rank := scope.rank(adoption)) is not None:
            found.add((1, rank, number), adoption, partial(tell_missed, number=number, result=result))
    return found


def demoted(scope: Scope) -> Worst[Callable[[TeamRun], Attention]]:
    """The steps whose last change of mode is a demotion, until their rubric is revised."""
    found: Worst[Callable[[TeamRun], Attention]] = Worst()
    rows = digest_changes.demoted(scope.uow, until=scope.week.at(1))
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
