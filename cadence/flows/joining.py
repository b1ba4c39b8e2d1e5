"""Joining and leaving a team: one answer that says what is so now, and a button that undoes it."""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session

from cadence.flows.callers import Caller, is_curator
from cadence.flows.repeats import once
from cadence.flows.teams import keep_members, member_ids, record_team, team_meant
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.refusals import NotAllowed, Offer
from storage.engine import Database
from storage.tables import Team
from templates.contexts.answers import Done
from templates.ids import Action

_NAMED = 20
"""People an answer names; of more it says how many."""


@once
def join_team(
    db: Database,
    caller: Caller,
    slug: str | None,
    *,
    who: tuple[str, ...] = (),
    leave: bool = False,
    now: datetime,
) -> Done:
    """Put people into a team or take them out: the caller, or those named; by default the channel's team.

    Raises:
        Refusal: no such team, or no team in this channel.
        NotAllowed: others are named and the caller is neither in the team nor a curator.
    """
    with db.write() as session:
        team = team_meant(session, caller, slug)
        before = set(member_ids(session, team))
        named = set(who) or {caller.member}
        if named != {caller.member} and caller.member not in before and not is_curator(session, caller):
            raise NotAllowed(
                say("Only members of {team} or a curator may do that for others.", team=team.title)
            )
        members = before - named if leave else before | named
        if members == before:
            return Done(text=_said(caller, team, named, "{who} {are} not in {team}." if leave else _ALREADY))
        lost_reporter = team.reporter is not None and team.reporter not in members
        _write(session, caller, team, before=before, members=members, now=now)
        moved = members ^ before
        text = _said(caller, team, moved, "{who} left {team}." if leave else "{who} joined {team}.")
        if lost_reporter:
            text = say("{text} Nobody reports its number now.", text=text)
        return Done(text=text, offers=_undo(team, leave=leave) if moved == {caller.member} else ())


_ALREADY = "{who} {are} in {team} already."


def _write(
    session: Session, caller: Caller, team: Team, *, before: set[str], members: set[str], now: datetime
) -> None:
    if team.reporter not in members:
        team.reporter = None
    session.add(team)
    keep_members(session, caller, team, members, now=now)
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
