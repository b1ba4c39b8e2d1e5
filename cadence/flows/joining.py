"""Joining and leaving a team: one answer that says what is so now, and a button that undoes it."""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session

from cadence.flows.callers import Caller, require_curator, require_owner_or_curator, require_people
from cadence.flows.join_requests import ask_to_join, close_request, outcome
from cadence.flows.repeats import once
from cadence.flows.teams import (
    keep_members,
    may_change,
    member_ids,
    record_team,
    require_may_change,
    team_meant,
)
from cadence.mrkdwn import Mrkdwn, channel_link, mention, say
from cadence.refusals import Offer, Refusal
from storage import people
from storage.engine import Database
from storage.tables import JoinState, Team
from templates.contexts.answers import Done
from templates.ids import Action

_NAMED = 20
"""People an answer names; of more it says how many."""


def channel_to_join(db: Database, caller: Caller, slug: str | None) -> str:
    """The channel of the team that is meant: its members join at once.

    Raises:
        Refusal: no such team, or no team in this channel.
    """
    with db.read() as session:
        return team_meant(session, caller, slug).channel


@once
def join_team(
    db: Database,
    caller: Caller,
    slug: str | None,
    *,
    who: tuple[str, ...] = (),
    in_channel: Collection[str] = (),
    now: datetime,
) -> Done:
    """Put people into a team: the caller, or those named; by default the channel's team.

    Members of its channel join at once; about others its owner or a curator is asked. Those who may change the
    team put others in without asking.

    Args:
        in_channel: those of them who are in the team's channel.

    Raises:
        Refusal: no such team, no team in this channel, or somebody who can't take part.
        NotAllowed: others are named and the caller has no say over the team.
    """
    with db.write() as session:
        team = team_meant(session, caller, slug)
        session.refresh(team, with_for_update=True)
        before, named = set(member_ids(session, team)), set(who) or {caller.member}
        if named != {caller.member}:
            require_may_change(session, caller, team)
        if named <= before:
            return Done(text=_said(caller, team, named, _ALREADY))
        require_people(session, caller.workspace_id, sorted(named - before), field="members", in_team=True)
        allowed = may_change(session, caller, team)
        if not allowed and caller.member not in in_channel:
            asked = ask_to_join(session, caller, team, now=now)
            return Done(
                text=say(
                    "{asked} will decide whether you join {team}. People in {channel} join at once.",
                    asked=Mrkdwn(", ".join(mention(one) for one in asked[:5])),
                    team=team.title,
                    channel=channel_link(team.channel),
                )
            )
        members = before | named
        _write(session, caller, team, before=before, members=members, by_themselves=not allowed, now=now)
        text = _said(caller, team, named - before, "{who} joined {team}.")
        return Done(text=text, offers=_undo(team, leave=False) if named - before == {caller.member} else ())


@once
def leave_team(
    db: Database, caller: Caller, slug: str | None, *, who: tuple[str, ...] = (), now: datetime
) -> Done:
    """Take people out of a team: the caller, or those named; its owner hears of it.

    Raises:
        Refusal: no such team, or no team in this channel.
        NotAllowed: others are named and the caller has no say over the team.
    """
    with db.write() as session:
        team = team_meant(session, caller, slug)
        session.refresh(team, with_for_update=True)
        before, named = set(member_ids(session, team)), set(who) or {caller.member}
        if named != {caller.member}:
            require_may_change(session, caller, team)
        members = before - named
        if members == before:
            return Done(text=_said(caller, team, named, "{who} {are} not in {team}."))
        lost_reporter = team.reporter is not None and team.reporter not in members
        _write(session, caller, team, before=before, members=members, now=now)
        moved = members ^ before
        text = _said(caller, team, moved, "{who} left {team}.")
        if lost_reporter:
            text = say("{text} Nobody reports its number now.", text=text)
        return Done(text=text, offers=_undo(team, leave=True) if moved == {caller.member} else ())


@once
def decide_join(db: Database, caller: Caller, request_id: int, *, approve: bool, now: datetime) -> Done:
    """Approve or decline a request to join. A second click changes nothing and says what was decided.

    Raises:
        Refusal: no such request, or somebody who can't take part any more.
        NotAllowed: the caller neither owns a playbook that the team runs nor is a curator.
    """
    with db.write() as session:
        row = people.join_request(session, workspace_id=caller.workspace_id, request_id=request_id, lock=True)
        team = (
            people.team_by_id(session, workspace_id=caller.workspace_id, team_id=row.team_id) if row else None
        )
        if row is None or team is None:
            raise Refusal("This request isn't there any more.")
        _require_decider(session, caller, team)
        if row.state is not JoinState.OPEN:
            return Done(text=say("{said} Nothing was changed.", said=outcome(row, team)))
        if not approve:
            close_request(session, caller, team, row, JoinState.DECLINED, now=now)
            return Done(text=outcome(row, team))
        before = set(member_ids(session, team))
        close_request(session, caller, team, row, JoinState.APPROVED, now=now)
        if row.member not in before:
            _write(session, caller, team, before=before, members=before | {row.member}, now=now)
        return Done(text=outcome(row, team))


def _require_decider(session: Session, caller: Caller, team: Team) -> None:
    owners = people.owners_of(session, workspace_id=caller.workspace_id, team_id=team.id or 0)
    if caller.member in owners:
        return
    if owners:
        require_owner_or_curator(session, caller, owner=owners[0], to="decide who joins this team")
    else:
        require_curator(session, caller, to="decide who joins this team")


_ALREADY = "{who} {are} in {team} already."


def _write(
    session: Session,
    caller: Caller,
    team: Team,
    *,
    before: set[str],
    members: set[str],
    by_themselves: bool = False,
    now: datetime,
) -> None:
    if team.reporter not in members:
        team.reporter = None
    session.add(team)
    session.flush()
    keep_members(session, caller, team, members, by_themselves=by_themselves, now=now)
    record_team(session, caller, team.slug, before=sorted(before), after=sorted(members), now=now)


def _said(caller: Caller, team: Team, who: Collection[str], sentence: str) -> Mrkdwn:
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
