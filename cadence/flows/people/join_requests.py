"""Requests to join a team, decided by its owner or a curator; and notices about people who left."""

from collections.abc import Collection, Iterable
from typing import Final

from cadence.flows.core import MessageKind, is_person, tell
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.refusals import Offer, Refusal
from storage.queries import people
from storage.tables import JoinRequest, JoinState, OutboxMessage, Team
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.ids import Action

ASKED: Final = "join-asked"
ANSWERED: Final = "join-answered"
LEFT: Final = "team-left"


def deciders(uow: UnitOfWork, team: Team) -> list[str]:
    """Who decides on a team's members: the owners of the playbooks it runs, else the curators."""
    owners = people.owners_of(uow, team_id=team.id or 0)
    able = people.able(uow, member_ids=owners)
    return able or people.curators(uow)


def ask_to_join(uow: UnitOfWork, team: Team) -> list[str]:
    """Ask the deciders, once, whether the caller can join a team; returns whom it asked.

    Raises:
        Refusal: there is nobody to decide yet.
    """
    asked = deciders(uow, team)
    if not asked:
        raise Refusal(
            say(
                "Only members of {team} can add you: it doesn't run a playbook yet, and this workspace "
                "doesn't have a curator.",
                team=team.title,
            )
        )
    known = people.open_join_requests(uow, team_id=team.id or 0, members=[uow.actor.member])
    if known:
        return asked
    row = JoinRequest(
        workspace_id=team.workspace_id, team_id=team.id or 0, member=uow.actor.member, asked_at=uow.now
    )
    uow.session.add(row)
    uow.session.flush()
    uow.record(action=ASKED, subject=f"team:{team.slug}", after={"member": row.member})
    _tell(uow, asked, row, kind=ASKED)
    return asked


def _tell(uow: UnitOfWork, whom: Iterable[str], row: JoinRequest, *, kind: str) -> None:
    tell(uow, whom, kind=kind, slot=row.id, subject={"request": row.id})


def close_request(uow: UnitOfWork, team: Team, row: JoinRequest, state: JoinState) -> None:
    """Show the outcome of a request on every copy of it, and tell the person concerned."""
    row.state, row.decided_by, row.decided_at = state, uow.actor.member, uow.now
    uow.session.add(row)
    uow.session.flush()
    if state is not JoinState.JOINED:
        after = {"member": row.member, "state": state}
        uow.record(action=ANSWERED, subject=f"team:{team.slug}", after=after)
        _tell(uow, [row.member], row, kind=ANSWERED)
    uow.rewrite(ASKED, row.id, mark=state)


def settle_requests(uow: UnitOfWork, team: Team, joined: Collection[str]) -> None:
    """Close the requests of people who are in the team now."""
    if not joined:
        return
    for row in people.open_join_requests(uow, team_id=team.id or 0, members=joined):
        close_request(uow, team, row, JoinState.JOINED)


def tell_of_leaving(uow: UnitOfWork, team: Team, left: Collection[str]) -> None:
    """Tell the team's owners who left or was removed, unless they did it themselves."""
    told = [one for one in deciders(uow, team) if one != uow.actor.member and one not in left]
    tell(
        uow,
        told,
        kind=LEFT,
        slot=f"{team.id}:{uow.actor.request}:{uow.now:%Y-%m-%dT%H:%M:%S.%f}",
        subject={"team": team.id, "members": sorted(left), "by": uow.actor.member},
    )


# --- messages
# -----------------------------------------------------------------------------------------------------


def request_post(uow: UnitOfWork, message: OutboxMessage) -> Done:
    """The request with its buttons; once it is decided, its outcome."""
    row, team = _asked(uow, message)
    if row.state is JoinState.OPEN:
        return Done(
            text=say("{who} wants to join {team}.", who=mention(row.member), team=team.title),
            offers=(
                Offer("Approve", Action.APPROVE_JOIN, str(row.id)),
                Offer("Decline", Action.DECLINE_JOIN, str(row.id)),
            ),
        )
    return Done(text=outcome(row, team))


def outcome(row: JoinRequest, team: Team, *, by: Mrkdwn | None = None) -> Mrkdwn:
    """The outcome of a request; `by` is the person who decided it, in the reader's words."""
    words = {
        JoinState.APPROVED: "{by} added {who} to {team}.",
        JoinState.DECLINED: "{by} declined: {who} didn't join {team}.",
        JoinState.JOINED: "{who} is now in {team}.",
    }
    said = words.get(row.state, "{who} wants to join {team}.")
    return say(said, by=by or mention(row.decided_by or ""), who=mention(row.member), team=team.title)


def answer_post(uow: UnitOfWork, message: OutboxMessage) -> Done:
    """The answer to the person who asked."""
    row, team = _asked(uow, message)
    approved = row.state is JoinState.APPROVED
    said = "{by} added you to {team}." if approved else "{by} declined your request to join {team}."
    return Done(text=say(said, by=mention(row.decided_by or ""), team=team.title))


def leaving_post(uow: UnitOfWork, message: OutboxMessage) -> Done:
    """Who isn't in a team any more."""
    given = message.subject
    team = people.team_by_id(uow, team_id=int(given["team"]))
    if team is None:
        raise Refusal("the team no longer exists")
    members, by = list(given["members"]), str(given["by"])
    if members == [by]:
        return Done(text=say("{who} left {team}.", who=mention(by), team=team.title))
    names = Mrkdwn(", ".join(mention(one) for one in members[:20]))
    shown = names if len(members) <= 20 else f"{len(members)} people"
    actor = mention(by) if is_person(by) else by
    return Done(text=say("{by} removed {who} from {team}.", by=actor, who=shown, team=team.title))


def _asked(uow: UnitOfWork, message: OutboxMessage) -> tuple[JoinRequest, Team]:
    row = people.join_request(uow, request_id=int(message.subject["request"]))
    team = people.team_by_id(uow, team_id=row.team_id) if row else None
    if row is None or team is None:
        raise Refusal("the request no longer exists")
    return row, team


KINDS: Final = (
    MessageKind(ASKED, request_post, rewrite=request_post),
    MessageKind(ANSWERED, answer_post),
    MessageKind(LEFT, leaving_post),
)
