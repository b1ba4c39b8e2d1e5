"""Requests to join a team: asked of its owner or a curator, decided once; and what they hear of who left."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from sqlmodel import Session

from cadence.flows.announcing import tell
from cadence.flows.callers import Caller
from cadence.flows.noting import note
from cadence.flows.runs import require_workspace
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.refusals import Offer, Refusal
from storage import ledger, people
from storage.tables import JoinRequest, JoinState, OwedMessage, Team
from templates.contexts.answers import Done
from templates.ids import Action

ASKED: Final = "join-asked"
ANSWERED: Final = "join-answered"
LEFT: Final = "team-left"


def deciders(session: Session, team: Team) -> list[str]:
    """Who decides who joins a team: the owners of the playbooks it runs, else the curators."""
    owners = people.owners_of(session, workspace_id=team.workspace_id, team_id=team.id or 0)
    able = people.able(session, workspace_id=team.workspace_id, member_ids=owners)
    return able or people.curators(session, workspace_id=team.workspace_id)


def ask_to_join(session: Session, caller: Caller, team: Team, *, now: datetime) -> list[str]:
    """Ask who decides whether the caller joins a team, once; returns whom it is asked of.

    Raises:
        Refusal: nobody decides here yet.
    """
    asked = deciders(session, team)
    if not asked:
        raise Refusal(
            say(
                "Only members of {team} can add you: it runs no playbook yet, and this workspace has no curator.",
                team=team.title,
            )
        )
    known = people.open_join_requests(
        session, workspace_id=team.workspace_id, team_id=team.id or 0, members=[caller.member]
    )
    if known:
        return asked
    row = JoinRequest(
        workspace_id=team.workspace_id, team_id=team.id or 0, member=caller.member, asked_at=now
    )
    session.add(row)
    session.flush()
    note(session, caller, action=ASKED, subject=f"team:{team.slug}", after={"member": row.member}, now=now)
    _tell(session, caller, asked, row, kind=ASKED, now=now)
    return asked


def _tell(
    session: Session, caller: Caller, whom: Iterable[str], row: JoinRequest, *, kind: str, now: datetime
) -> None:
    tell(
        session,
        require_workspace(session, row.workspace_id),
        whom,
        kind=kind,
        slot=row.id,
        subject={"request": row.id},
        now=now,
        correlation_id=caller.request,
    )


def close_request(
    session: Session, caller: Caller, team: Team, row: JoinRequest, state: JoinState, *, now: datetime
) -> None:
    """Say what became of a request, on every copy of it and to whoever it is about."""
    row.state, row.decided_by, row.decided_at = state, caller.member, now
    session.add(row)
    session.flush()
    if state is not JoinState.JOINED:
        after = {"member": row.member, "state": state}
        note(session, caller, action=ANSWERED, subject=f"team:{team.slug}", after=after, now=now)
        _tell(session, caller, [row.member], row, kind=ANSWERED, now=now)
    ledger.owe_rewrites(
        session,
        workspace_id=row.workspace_id,
        messages=ledger.by_prefix(
            session, workspace_id=row.workspace_id, prefix=f"{ASKED}:{row.workspace_id}:{row.id}"
        ),
        mark=state,
        now=now,
        correlation_id=caller.request,
    )


def settle_requests(
    session: Session, caller: Caller, team: Team, joined: Collection[str], *, now: datetime
) -> None:
    """Close what was asked about people who are in the team now."""
    if not joined:
        return
    for row in people.open_join_requests(
        session, workspace_id=team.workspace_id, team_id=team.id or 0, members=joined
    ):
        close_request(session, caller, team, row, JoinState.JOINED, now=now)


def tell_of_leaving(
    session: Session, caller: Caller, team: Team, left: Collection[str], *, now: datetime
) -> None:
    """Tell the team's owners who left or was taken out, unless they did it themselves."""
    told = [one for one in deciders(session, team) if one != caller.member and one not in left]
    tell(
        session,
        require_workspace(session, team.workspace_id),
        told,
        kind=LEFT,
        slot=f"{team.id}:{caller.request}:{now:%Y-%m-%dT%H:%M:%S.%f}",
        subject={"team": team.id, "members": sorted(left), "by": caller.member},
        now=now,
        correlation_id=caller.request,
    )


# --- what is said -----------------------------------------------------------------------------------------------


def request_post(session: Session, message: OwedMessage, _now: datetime) -> Done:
    """The request with its buttons; once it is decided, what became of it."""
    row, team = _asked(session, message)
    if row.state is JoinState.OPEN:
        return Done(
            text=say("{who} wants to join {team}.", who=mention(row.member), team=team.title),
            offers=(
                Offer("Approve", Action.APPROVE_JOIN, str(row.id)),
                Offer("Decline", Action.DECLINE_JOIN, str(row.id)),
            ),
        )
    return Done(text=outcome(row, team))


def outcome(row: JoinRequest, team: Team) -> Mrkdwn:
    """What became of a request."""
    words = {
        JoinState.APPROVED: "{by} added {who} to {team}.",
        JoinState.DECLINED: "{by} declined: {who} didn't join {team}.",
        JoinState.JOINED: "{who} is in {team} now.",
    }
    said = words.get(row.state, "{who} wants to join {team}.")
    return say(said, by=mention(row.decided_by or ""), who=mention(row.member), team=team.title)


def answer_post(session: Session, message: OwedMessage, _now: datetime) -> Done:
    """What the person who asked hears."""
    row, team = _asked(session, message)
    approved = row.state is JoinState.APPROVED
    said = "{by} added you to {team}." if approved else "{by} declined your request to join {team}."
    return Done(text=say(said, by=mention(row.decided_by or ""), team=team.title))


def leaving_post(session: Session, message: OwedMessage, _now: datetime) -> Done:
    """Who isn't in a team any more."""
    given = message.subject
    team = people.team_by_id(session, workspace_id=message.workspace_id, team_id=int(given["team"]))
    if team is None:
        raise Refusal("the team isn't there")
    members, by = list(given["members"]), str(given["by"])
    if members == [by]:
        return Done(text=say("{who} left {team}.", who=mention(by), team=team.title))
    names = Mrkdwn(", ".join(mention(one) for one in members[:20]))
    shown = names if len(members) <= 20 else f"{len(members)} people"
    actor = mention(by) if by.startswith(("U", "W")) else by
    return Done(text=say("{by} removed {who} from {team}.", by=actor, who=shown, team=team.title))


def _asked(session: Session, message: OwedMessage) -> tuple[JoinRequest, Team]:
    row = people.join_request(
        session, workspace_id=message.workspace_id, request_id=int(message.subject["request"])
    )
    team = people.team_by_id(session, workspace_id=message.workspace_id, team_id=row.team_id) if row else None
    if row is None or team is None:
        raise Refusal("the request isn't there")
    return row, team
