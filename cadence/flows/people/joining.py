"""Joining and leaving a team: the answer states the result, with a button that undoes it."""

from collections.abc import Collection

from cadence.actor import Actor
from cadence.flows.core import ask_offer, is_curator, once, require_curator, require_people, who_did
from cadence.flows.people.join_requests import ask_to_join, close_request, outcome
from cadence.flows.people.teams import (
    keep_members,
    may_change,
    member_ids,
    record_team,
    require_may_change,
    team_meant,
)
from cadence.mrkdwn import Mrkdwn, channel_link, mention, say
from cadence.refusals import NotAllowed, Offer, Refusal
from storage.queries import people
from storage.query_cache import hold
from storage.tables import JoinState, Team
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.ids import Action

_NAMED = 20
"""People an answer names; of more it gives the number."""


def channel_to_join(uow: UnitOfWork, slug: str | None) -> str:
    """The channel of the team in question: its members join at once.

    Raises:
        Refusal: no such team, or no team in this channel.
    """
    with uow.read():
        return team_meant(uow, slug).channel


@once
def join_team(
    uow: UnitOfWork, slug: str | None, *, who: tuple[str, ...] = (), in_channel: Collection[str] = ()
) -> Done:
    """Add people to a team: the caller, or those named; by default the channel's team.

    Members of its channel join at once; for others its owner or a curator is asked. Callers who can change
    the team add others without asking.

    Args:
        in_channel: those of them who are in the team's channel.

    Raises:
        Refusal: no such team, no team in this channel, or somebody who can't take part. NotAllowed: others
        are named and the caller can't change the team.
    """
    with uow.write():
        team = team_meant(uow, slug)
        hold(uow, team)
        before, named = set(member_ids(uow, team)), set(who) or {uow.actor.member}
        if named != {uow.actor.member}:
            require_may_change(uow, team)
        if named <= before:
            return Done(text=_said(uow.actor, team, named, _ALREADY))
        require_people(uow, sorted(named - before), field="members", in_team=True)
        allowed = may_change(uow, team)
        if not allowed and uow.actor.member not in in_channel:
            asked = ask_to_join(uow, team)
            return Done(
                text=say(
                    "Request sent to {asked}. To join {team} without asking, join {channel} first.",
                    asked=Mrkdwn(", ".join(mention(one) for one in asked[:5])),
                    team=team.title,
                    channel=channel_link(team.channel),
                )
            )
        members = before | named
        _write(uow, team, before=before, members=members, by_themselves=not allowed)
        text = _said(uow.actor, team, named - before, "{who} joined {team}.")
        return Done(
            text=text, offers=_undo(team, leave=False) if named - before == {uow.actor.member} else ()
        )


@once
def leave_team(uow: UnitOfWork, slug: str | None, *, who: tuple[str, ...] = ()) -> Done:
    """Remove people from a team: the caller, or those named; its owner is told.

    Raises:
        Refusal: no such team, or no team in this channel. NotAllowed: others are named and the caller can't
        change the team.
    """
    with uow.write():
        team = team_meant(uow, slug)
        hold(uow, team)
        before, named = set(member_ids(uow, team)), set(who) or {uow.actor.member}
        if named != {uow.actor.member}:
            require_may_change(uow, team)
        members = before - named
        if members == before:
            return Done(text=_said(uow.actor, team, named, "{who} {are} not in {team}."))
        lost_reporter = team.reporter is not None and team.reporter not in members
        _write(uow, team, before=before, members=members)
        moved = members ^ before
        text = _said(uow.actor, team, moved, "{who} left {team}.")
        if lost_reporter:
            text = say("{text} Nobody reports its KPI now.", text=text)
        return Done(text=text, offers=_undo(team, leave=True) if moved == {uow.actor.member} else ())


@once
def decide_join(uow: UnitOfWork, request_id: int, *, approve: bool) -> Done:
    """Approve or decline a request to join. A second click changes nothing and shows the decision.

    Raises:
        Refusal: no such request, or somebody who can't take part any more.
        NotAllowed: the caller neither owns a playbook that the team runs nor is a curator.
    """
    with uow.write():
        row = people.join_request(uow, request_id=request_id, lock=True)
        team = people.team_by_id(uow, team_id=row.team_id) if row else None
        if row is None or team is None:
            raise Refusal("This request no longer exists.")
        _require_decider(uow, team)
        if row.state is not JoinState.OPEN:
            return Done(
                text=say("{said} Nothing changed.", said=outcome(row, team, by=who_did(uow, row.decided_by)))
            )
        if not approve:
            close_request(uow, team, row, JoinState.DECLINED)
            return Done(text=outcome(row, team, by=who_did(uow, row.decided_by)))
        hold(uow, team)
        before = set(member_ids(uow, team))
        close_request(uow, team, row, JoinState.APPROVED)
        if row.member not in before:
            _write(uow, team, before=before, members=before | {row.member})
        return Done(text=outcome(row, team, by=who_did(uow, row.decided_by)))


def _require_decider(uow: UnitOfWork, team: Team) -> None:
    owners = people.owners_of(uow, team_id=team.id or 0)
    if uow.actor.member in owners or is_curator(uow):
        return
    to = f"decide who joins {team.title[:60]}"
    if not owners:
        require_curator(uow, to=to)
    raise NotAllowed(
        say("Only the owner ({owner}) or a curator can {to}.", owner=mention(owners[0]), to=to),
        offer=ask_offer(uow, *owners, to=to),
    )


_ALREADY = "{who} {are} already in {team}."


def _write(
    uow: UnitOfWork, team: Team, *, before: set[str], members: set[str], by_themselves: bool = False
) -> None:
    if team.reporter not in members:
        team.reporter = None
    uow.session.add(team)
    uow.session.flush()
    keep_members(uow, team, members, by_themselves=by_themselves)
    record_team(uow, team.slug, before=sorted(before), after=sorted(members))


def _said(caller: Actor, team: Team, who: Collection[str], sentence: str) -> Mrkdwn:
    if set(who) == {caller.member}:
        return say(sentence, who="You", are="are", team=team.title)
    names = Mrkdwn(", ".join(mention(member) for member in sorted(who)))
    return say(
        sentence,
        who=names if len(who) <= _NAMED else f"{len(who)} people",
        are="is" if len(who) == 1 else "are",
        team=team.title,
    )


def _undo(team: Team, *, leave: bool) -> tuple[Offer, ...]:
    if leave:
        return (Offer("Join again", Action.TEAM_JOIN, team.slug),)
    return (Offer("Leave", Action.TEAM_LEAVE, team.slug),)
