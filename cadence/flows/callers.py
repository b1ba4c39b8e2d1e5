"""Who is calling, and what they may do (SPEC §8). Decided here for every command, button and form."""

from dataclasses import dataclass

from sqlmodel import Session

from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.refusals import NotAllowed, Offer
from storage import people, playbooks
from storage.engine import Database
from templates.ids import Action


@dataclass(frozen=True, slots=True)
class Caller:
    """A person in a workspace, and the request they came with.

    Args:
        workspace_id: the Slack workspace.
        member: their Slack ID.
        surface: where it came from: `command`, `form`, `button`, `shortcut`, `api`, `cli`.
        channel: the channel they were in, when Slack says so.
        request: unique for the request, the same when it is sent again; "" when nothing can send it again.
    """

    workspace_id: str
    member: str
    surface: str
    channel: str | None = None
    request: str = ""

    @property
    def is_repeatable(self) -> bool:
        """Whether the same request may come again: what is typed on the command line can't."""
        return bool(self.request) and self.surface != "cli"


def is_curator(session: Session, caller: Caller) -> bool:
    """Whether the caller is a curator of the workspace. The command line acts for one."""
    return caller.surface == "cli" or caller.member in people.curators(
        session, workspace_id=caller.workspace_id
    )


def roles(db: Database, caller: Caller) -> frozenset[str]:
    """What a person is here: `member`, and `owner` or `curator` where they are."""
    with db.read() as session:
        held = {"member"}
        if is_curator(session, caller):
            held.add("curator")
        rows = playbooks.playbooks(session, workspace_id=caller.workspace_id)
        if any(playbook.owner == caller.member for playbook in rows):
            held.add("owner")
        return frozenset(held)


def require_owner_or_curator(session: Session, caller: Caller, *, owner: str, to: str) -> None:
    """Let the playbook's owner and curators through.

    Raises:
        NotAllowed: anybody else; the sentence says who may, with a button to ask the owner.
    """
    if caller.member == owner or is_curator(session, caller):
        return
    raise NotAllowed(
        say("Only the owner ({owner}) or a curator may {to}.", owner=mention(owner), to=to),
        offer=Offer("Ask them", Action.ASK_THEM, f"{owner}:{to}"[:150]),
    )


def require_curator(session: Session, caller: Caller, *, to: str) -> None:
    """Let curators through.

    Raises:
        NotAllowed: anybody else; the sentence names the curators, or says how to get one.
    """
    if is_curator(session, caller):
        return
    curators = people.curators(session, workspace_id=caller.workspace_id)
    if not curators:
        raise NotAllowed(
            say(
                "Only a curator may {to}, and this workspace has none yet. "
                "A workspace admin can name the first with `/cadence settings`.",
                to=to,
            )
        )
    names = Mrkdwn(", ".join(mention(member) for member in curators[:5]))
    raise NotAllowed(
        say("Only a curator may {to}: {names}.", to=to, names=names),
        offer=Offer("Ask them", Action.ASK_THEM, f"{curators[0]}:{to}"[:150]),
    )
