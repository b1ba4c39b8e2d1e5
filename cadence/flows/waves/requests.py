"""Teams that ask for a playbook: one vote per member and team, with a reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from cadence.flows.adoption import require_adoptable
from cadence.flows.core import (
    MessageKind,
    Skip,
    once,
    require_playbook,
    require_team,
    require_workspace,
    zone_of,
)
from cadence.mrkdwn import code, say
from cadence.nudges import Unless
from cadence.refusals import NotAllowed, Offer, Refusal
from cadence.rules.calendar import instant, local_day
from storage.outbox.queueing import NewMessage
from storage.queries import adoptions, people, playbooks, waves
from storage.query_cache import hold
from storage.tables import (
    AdoptionRequest,
    AdoptionState,
    MessageState,
    OutboxMessage,
    Playbook,
    PlaybookState,
    Team,
)
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.waves import AdoptionRequested, RequestForm, TeamWish
from templates.filters import plural
from templates.ids import Action, Field

KIND: Final = "adoption-requested"
LONGEST: Final = 1_000
"""Maximum characters of a reason."""
REASONS: Final = 3
"""Reasons shown of a team."""


@dataclass(frozen=True, slots=True)
class RequestGiven:
    """A request for a playbook, for a team by its slug; without one that of the channel, or the caller's only one."""

    playbook: str
    reason: str
    team: str | None = None


class NeedsRequestForm(Refusal):
    """The team isn't clear: the form asks."""


@once
def request_playbook(uow: UnitOfWork, given: RequestGiven) -> Done:
    """Save the caller's request, or change its reason; the owner gets a DM about a team's first one.

    Raises:
        Refusal: a draft or a retired playbook, a team that already runs it, no reason. NotAllowed: the caller isn't
        in the team. NeedsRequestForm: the team isn't clear.
    """
    with uow.write():
        require_workspace(uow)
        playbook = require_playbook(uow, given.playbook)
        playbook = playbooks.lock_playbook(uow, playbook_id=playbook.id or 0)
        require_adoptable(playbook)
        team = _team(uow, playbook, given.team)
        reason = _reason(given.reason)
        row = waves.request_of(
            uow, playbook_id=playbook.id or 0, team_id=team.id or 0, member=uow.actor.member
        )
        before = row.reason if row else None
        if row is None:
            row = _ask(uow, playbook, team, reason)
        elif before != reason:
            row.reason = reason
            uow.session.add(row)
            uow.session.flush()
        if before != reason:
            uow.record(
                action="playbook-requested",
                subject=f"playbook:{playbook.slug}",
                before={"reason": before} if before is not None else None,
                after={"team": team.slug, "reason": reason},
            )
        return _saved(uow, playbook, team, row, changed=before not in (None, reason))


def _ask(uow: UnitOfWork, playbook: Playbook, team: Team, reason: str) -> AdoptionRequest:
    is_first = not any(one.team_id == team.id for one in waves.wishes(uow, playbook_ids=[playbook.id or 0]))
    row = AdoptionRequest(
        workspace_id=uow.workspace_id,
        playbook_id=playbook.id or 0,
        team_id=team.id or 0,
        member=uow.actor.member,
        reason=reason,
        surface=uow.actor.surface,
        asked_at=uow.now,
    )
    uow.session.add(row)
    uow.session.flush()
    if is_first and uow.actor.member != playbook.owner:
        _tell_owner(uow, playbook, row)
    return row


def _tell_owner(uow: UnitOfWork, playbook: Playbook, row: AdoptionRequest) -> None:
    """Queue the owner's DM; after one has been sent today, the next one comes tomorrow."""
    zone = zone_of(uow, require_workspace(uow), playbook.owner)
    today = local_day(uow.now, zone)
    known = uow.messages(KIND, playbook.id)
    if any(one.state is MessageState.DUE for one in known):
        return
    came_today = any(one.sent_at is not None and local_day(one.sent_at, zone) == today for one in known)
    due = instant(today + timedelta(days=1), time.min, zone) if came_today else None
    subject = {"playbook": playbook.id}
    uow.send(NewMessage(KIND, playbook.owner, subject, about=(playbook.id, row.id), due_at=due))


def _reason(typed: str) -> str:
    reason = typed.strip()
    if not reason:
        raise Refusal("Say in a sentence why your team wants it.", field=Field.REASON)
    if len(reason) > LONGEST:
        raise Refusal(f"Keep it to {LONGEST:,} characters. This one has {len(reason):,}.", field=Field.REASON)
    return reason


def _team(uow: UnitOfWork, playbook: Playbook, slug: str | None) -> Team:
    mine = people.teams_of(uow, member_id=uow.actor.member)
    if slug is not None:
        team = require_team(uow, slug)
        if team.id not in {one.id for one in mine}:
            raise NotAllowed(
                say(
                    "Only members of {team} can request a playbook for it. To join it, type {command}.",
                    team=team.title,
                    command=code(f"/cadence team join {team.slug}"),
                ),
                field=Field.TEAM,
            )
    else:
        team = _likely(uow, mine)
    known = adoptions.adoption_of(uow, playbook_id=playbook.id or 0, team_id=team.id or 0)
    if known is not None and known.state is not AdoptionState.ENDED:
        raise Refusal(
            say("{team} already runs {title}.", team=team.title, title=playbook.title), field=Field.TEAM
        )
    return team


def _likely(uow: UnitOfWork, mine: Sequence[Team]) -> Team:
    if not mine:
        raise Refusal(
            "You aren't in a team yet. Join one first with `/cadence team join` and its name.",
            field=Field.TEAM,
        )
    here = [one for one in mine if one.channel == uow.actor.channel]
    if len(here or mine) != 1:
        raise NeedsRequestForm("Which team wants it? Choose one of yours.", field=Field.TEAM)
    return (here or mine)[0]


def _saved(uow: UnitOfWork, playbook: Playbook, team: Team, row: AdoptionRequest, *, changed: bool) -> Done:
    votes = next(
        one.votes for one in waves.wishes(uow, playbook_ids=[playbook.id or 0]) if one.team_id == team.id
    )
    return Done(
        text=say(
            "{done} {team} asks for {title} with {votes}. Its owner and the curators plan which teams are next.",
            done="Reason changed." if changed else "Request saved.",
            team=team.title,
            title=playbook.title,
            votes=plural(votes, "vote"),
        ),
        offers=(
            Offer("Take back", Action.TAKE_BACK_REQUEST, str(row.id)),
            Offer("Show the playbook", Action.SHOW_PLAYBOOK, playbook.slug),
        ),
    )


@once
def take_back_request(uow: UnitOfWork, request_id: int) -> Done:
    """Withdraw the caller's request; again changes nothing.

    Raises:
        Refusal: there is no such request. NotAllowed: it is somebody else's.
    """
    with uow.write():
        row = waves.request(uow, request_id=request_id)
        if row is None:
            raise Refusal("That request isn't there anymore.")
        if row.member != uow.actor.member:
            raise NotAllowed("Only the person who made a request can take it back.")
        playbook = playbooks.lock_playbook(uow, playbook_id=row.playbook_id)
        hold(uow, row)
        team = people.team_by_id(uow, team_id=row.team_id)
        if row.withdrawn_at is None:
            row.withdrawn_at = uow.now
            uow.session.add(row)
            uow.session.flush()
            uow.record(
                action="request-taken-back",
                subject=f"playbook:{playbook.slug}",
                before={"team": team.slug if team else "", "reason": row.reason},
            )
        return Done(
            text=say("Your request for {title} is taken back.", title=playbook.title),
            offers=(Offer("Request it again", Action.REQUEST, playbook.slug),),
        )


def request_form(
    uow: UnitOfWork, *, playbook: str | None, team: str | None = None, reason: str = ""
) -> RequestForm:
    """The form to request a playbook that the caller's teams don't run yet.

    Raises:
        Refusal: the caller is in no team, or there is nothing to request.
    """
    with uow.read():
        require_workspace(uow)
        mine = people.teams_of(uow, member_id=uow.actor.member)
        _require_team_of_own(mine)
        if playbook is not None:
            require_adoptable(require_playbook(uow, playbook))
        runs = _runs(uow, mine)
        ready = [row for row in playbooks.playbooks(uow) if _is_requestable(row, mine, runs)]
        if not ready or (playbook is not None and playbook not in {row.slug for row in ready}):
            raise Refusal("Your team already runs every playbook there is to request.")
        chosen = playbook or (ready[0].slug if len(ready) == 1 else None)
        book = next((row for row in ready if row.slug == chosen), None)
        able = [one for one in mine if book is None or (book.id, one.id) not in runs]
        here = next((one.slug for one in able if one.channel == uow.actor.channel), None)
        picked = team if team in {one.slug for one in able} else here
        picked = picked or (able[0].slug if len(able) == 1 else None)
        return RequestForm(
            playbooks=tuple(Choice(label=row.title, value=row.slug) for row in ready),
            teams=tuple(Choice(label=one.title, value=one.slug) for one in able),
            playbook=chosen,
            team=picked,
            reason=reason or _earlier(uow, book, able, picked),
        )


def can_request(uow: UnitOfWork, playbook: Playbook, *, member: str) -> bool:
    """Whether a team of a person can run a playbook and doesn't yet."""
    mine = people.teams_of(uow, member_id=member)
    return _is_requestable(playbook, mine, _runs(uow, mine))


def _is_requestable(
    playbook: Playbook, teams: Sequence[Team], runs: set[tuple[int | None, int | None]]
) -> bool:
    return playbook.state not in (PlaybookState.DRAFT, PlaybookState.RETIRED) and any(
        (playbook.id, one.id) not in runs for one in teams
    )


def _require_team_of_own(mine: Sequence[Team]) -> None:
    if not mine:
        raise Refusal("You aren't in a team yet. Join one first with `/cadence team join` and its name.")


def _runs(uow: UnitOfWork, teams: Sequence[Team]) -> set[tuple[int | None, int | None]]:
    """(playbook, team) of what some teams run."""
    rows = waves.adoptions_by_teams(uow, team_ids=[one.id or 0 for one in teams])
    return {(row.playbook_id, row.team_id) for row in rows}


def _earlier(uow: UnitOfWork, playbook: Playbook | None, teams: Sequence[Team], slug: str | None) -> str:
    """The reason that the caller gave before, if they asked already."""
    team = next((one for one in teams if one.slug == slug), None)
    if playbook is None or team is None:
        return ""
    row = waves.request_of(uow, playbook_id=playbook.id or 0, team_id=team.id or 0, member=uow.actor.member)
    return row.reason if row else ""


def team_wishes(
    uow: UnitOfWork, playbook: Playbook, *, since: datetime | None = None
) -> tuple[TeamWish, ...]:
    """The teams that ask for a playbook and don't run it, most votes first, then the earliest.

    Args:
        since: only teams whose first open request came after this instant.
    """
    rows = waves.requests_of(uow, playbook_id=playbook.id or 0)
    having = {team.id for _, team in adoptions.adopters(uow, playbook_id=playbook.id or 0)}
    by_team: dict[int, list[AdoptionRequest]] = {}
    for row in rows:
        if row.team_id not in having:
            by_team.setdefault(row.team_id, []).append(row)
    found = [
        (team, asked)
        for team_id, asked in by_team.items()
        if (team := people.team_by_id(uow, team_id=team_id)) is not None
        if since is None or asked[0].asked_at > since
    ]
    found.sort(key=lambda one: (-len(one[1]), one[1][0].id))
    return tuple(
        TeamWish(team=team.title, votes=len(asked), reasons=tuple(one.reason for one in asked[:REASONS]))
        for team, asked in found
    )


def requested(uow: UnitOfWork, message: OutboxMessage) -> AdoptionRequested | Skip:
    """The owner's DM: the teams whose first request came since the last one."""
    playbook = playbooks.by_id(uow, playbook_id=int(message.subject["playbook"]))
    if playbook.state is PlaybookState.RETIRED:
        return Skip(Unless.RETIRED)
    earlier = [
        row.sent_at
        for row in uow.messages(KIND, playbook.id)
        if row.sent_at is not None and (row.id or 0) < (message.id or 0)
    ]
    wishes = team_wishes(uow, playbook, since=max(earlier, default=None))
    if not wishes:
        return Skip(Unless.WITHDRAWN)
    return AdoptionRequested(
        playbook=playbook.title,
        wishes=wishes,
        offers=(
            Offer("Plan a wave", Action.PLAN_WAVE, playbook.slug),
            Offer("Show requests", Action.SHOW_WAVES, playbook.slug),
        ),
    )


REQUESTED = MessageKind(KIND, requested, unless=(Unless.WITHDRAWN, Unless.RETIRED))
