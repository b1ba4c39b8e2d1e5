"""Messages that can't reach their channel until somebody fixes it: a decision for the digest."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from cadence.flows.core import AdoptionView, today_in
from cadence.flows.overview.digest_notes import open_drifts, open_promotions
from cadence.flows.overview.digest_scope import DigestWeek, Scope, TopN, scope_of
from cadence.flows.overview.watches import watches_of
from cadence.mrkdwn import Mrkdwn, channel_link, mention, say
from cadence.refusals import Offer
from cadence.rules.calendar import local_day, monday_of
from storage.outbox import report
from storage.queries.overview import digests
from storage.tables import Workspace
from storage.work import UnitOfWork
from templates.contexts.overview.digests import Decision
from templates.filters import day, plural
from templates.ids import Action

_NOT_IN: Final = "the app isn't in it. Type /invite and its name there"
_ARCHIVED: Final = "it's archived. Unarchive it, or give the team another channel"
_CLOSED: Final = "the app isn't allowed to post there. Ask an admin, or give the team another channel"
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
"""What is wrong with a channel and who can fix it, by Slack's error. Problems of the token as a whole
aren't included: no digest arrives then either, and `cadence doctor` reports them."""


def undelivered_first(scope: Scope, many: int) -> tuple[list[Decision], int]:
    """Sentences for channels that messages of a week couldn't reach, most messages first: a few, and how many."""
    counts: Counter[tuple[str, str]] = Counter()  # several of Slack's errors mean the same
    for channel, reason, count in report.stuck(scope.uow, since=scope.week.at(0), until=scope.week.at(1)):
        if is_stuck(channel, reason):
            counts[channel, _WHY[reason]] += count
    rows = [(*about, count) for about, count in counts.most_common()]
    teams = digests.teams_of_channels(scope.uow, channels=[channel for channel, *_ in rows[:many]])
    return [_tell(row, teams.get(row[0]), scope.workspace) for row in rows[:many]], len(rows)


def is_stuck(recipient: str, reason: str) -> bool:
    """Whether a channel gets no messages until somebody fixes it."""
    return reason in _WHY and recipient.startswith(("C", "G"))


def _tell(row: tuple[str, str, int], team: str | None, workspace: Workspace) -> Decision:
    recipient, problem, count = row
    return Decision(
        title="🔴 Fix a channel",
        text=say(
            "{messages} couldn't go to {channel}{team}: {why}.",
            messages=plural(count, "message"),
            channel=channel_link(recipient),
            team=say(" ({title})", title=team) if team else say(""),
            why=_why(problem, workspace),
        ),
    )


def _why(problem: str, workspace: Workspace) -> Mrkdwn:
    bot = workspace.settings.get("bot")
    if problem is _NOT_IN and bot:
        return say("the app isn't in it. Type /invite {bot} there", bot=mention(str(bot)))
    return say(problem)


@dataclass(frozen=True, slots=True)
class Attention:
    """An adoption that needs somebody: what to do, about what, the button for it, and who it waits for.

    `change` is the demotion after which a rubric is due; None for anything else.
    """

    view: AdoptionView
    title: str
    text: Mrkdwn
    offer: Offer | None
    who: str
    change: int | None = None

    @property
    def decision(self) -> Decision:
        """The same for a digest."""
        return Decision(title=self.title, text=self.text, offer=self.offer, who=self.who)


def deciding(uow: UnitOfWork, workspace: Workspace) -> dict[int, int]:
    """The adoptions that need a decision, each with its rank: the most urgent first, as in a digest."""
    week = DigestWeek(monday_of(today_in(workspace, uow.now)), ZoneInfo(workspace.timezone))
    scope = scope_of(uow, workspace, week)
    sections: tuple[TopN[Any], ...] = (
        demoted(scope),
        open_promotions(scope),
        open_drifts(scope),
        watches_of(scope).unanswered,
        scope.unreported,
    )
    ordered = [sorted(section.adoptions, key=lambda one: scope.places[one].rank) for section in sections]
    found = dict.fromkeys(adoption for adoptions in ordered for adoption in adoptions)
    return {adoption: place for place, adoption in enumerate(found)}


def demoted(scope: Scope) -> TopN[Callable[[AdoptionView], Attention]]:
    """The steps whose last mode change is a demotion, until their rubric is revised, the newest first."""
    found: TopN[Callable[[AdoptionView], Attention]] = TopN()
    rows = digests.demoted(scope.uow, until=scope.week.at(1))
    for adoption, step, at, change in rows:
        place = scope.step_at(adoption, step)
        if place is not None:
            order = (0, scope.places[adoption].rank, -at.timestamp(), place)
            found.add(order, adoption, partial(tell_demoted, step=step, at=at, change=change))
    return found


def add_silent(
    found: TopN[Callable[[AdoptionView], Attention]],
    *,
    rank: int,
    adoption: int,
    asked: int,
    answered: int,
    has_number: bool,
    week_start: date,
) -> None:
    """Count one more adoption of a finished week: most of its check-ins are missing, or its number is."""
    if answered * 2 < asked:
        tell = partial(tell_silent, answered=answered, asked=asked, week_start=week_start)
        found.add((2, rank, 0), adoption, tell)
    if asked and not has_number:
        found.add((2, rank, 1), adoption, partial(tell_no_number, week_start=week_start))


def tell_demoted(view: AdoptionView, *, step: str, at: datetime, change: int | None = None) -> Attention:
    """A demoted step whose rubric wasn't revised since."""
    text = say(
        "“{step}” of {playbook} ({team}) was demoted {day}",
        step=view.step(step).title,
        playbook=view.playbook.title,
        team=view.team.title,
        day=day(local_day(at, view.zone)),
    )
    offer = Offer("Update", Action.REVISE_RUBRIC, f"{view.id}:{step}")
    return Attention(view, "🔴 Update the rubric", text, offer, who=view.playbook.owner, change=change)


def tell_silent(view: AdoptionView, *, answered: int, asked: int, week_start: date) -> Attention:
    """A team whose check-ins are mostly missing."""
    text = say(
        "{team} sent {answered} of {asked} for {playbook}{paused}",
        team=view.team.title,
        answered=answered,
        asked=asked,
        playbook=view.playbook.title,
        paused=", and is paused now" if view.is_paused else "",
    )
    offer = None if view.is_paused else Offer("Nudge again", Action.NUDGE_AGAIN, f"{view.id}:{week_start}")
    return Attention(view, "⏳ Missing check-ins", text, offer, who=view.playbook.owner)


def tell_no_number(view: AdoptionView, *, week_start: date) -> Attention:
    """A team whose number is missing."""
    text = say(
        "{kpi} of {playbook} ({team})",
        kpi=view.spec.kpi.name,
        playbook=view.playbook.title,
        team=view.team.title,
    )
    offer = Offer("Report", Action.REPORT_KPI, f"{view.id}:{week_start}")
    return Attention(view, "📊 Report", text, offer, who=view.team.reporter or view.playbook.owner)
