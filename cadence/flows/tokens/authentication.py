"""Authentication of tools and assistants: who presents a token, its last use, and the calls made with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cadence.actor import Actor
from cadence.flows.core import why_not
from cadence.refusals import NotAllowed, Refusal
from cadence.rules.tokens import fits, parse_token
from storage.engine import Database
from storage.patience import BRIEF, patient
from storage.queries import tokens, workspaces
from storage.work import UnitOfWork

USED_WITHIN: Final = timedelta(minutes=1)
"""The time of the last use is saved at most this often."""
_NOT_VALID: Final = (
    "This isn't a valid token. Tokens begin with rc_ and are shown once, when `/cadence token` makes them."
)


class BadToken(Refusal):
    """The request presents no valid token."""


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """A valid token: what it may do, and for whom.

    Args:
        member: the person whose assistant uses it, with exactly their rights; None for a tool's token.
        made_by: who made it. What a tool reports is recorded in this person's name.
    """

    id: int
    workspace_id: str
    key: str
    name: str
    playbook_id: int | None
    team_id: int | None
    member: str | None
    made_by: str
    may_write: bool
    may_read: bool
    last_used_at: datetime | None

    @property
    def acts_as(self) -> str:
        """The Slack ID of the person in whose name it acts."""
        return self.member or self.made_by

    def actor(self, request: str = "", *, surface: str = "api") -> Actor:
        """The actor of one of its requests."""
        return Actor(self.workspace_id, self.acts_as, surface, request=request)


def authenticate(db: Database, presented: str, *, now: datetime) -> TokenHolder:
    """The holder of a token.

    Raises:
        BadToken: it isn't a token, its key is unknown, its secret is wrong, it was revoked, or its workspace has
            uninstalled the bot. The first three read the same. NotAllowed: the person whose assistant uses it
            doesn't take part anymore.
    """
    parts = parse_token(presented)
    if parts is None:
        raise BadToken(_NOT_VALID)
    uow = UnitOfWork(db, Actor.system(parts.workspace_id), now)
    with uow.read():
        row = tokens.by_key(uow, key=parts.key)
        workspace = workspaces.workspace(uow)
        if not fits(parts.secret, row.secret_hash if row else None) or row is None:
            raise BadToken(_NOT_VALID)
        if row.revoked_at is not None:
            raise BadToken("This token was revoked. Make another one in Slack with `/cadence token`.")
        if workspace is None or workspace.uninstalled_at is not None:
            raise BadToken("The bot was uninstalled from this token's workspace.")
        holder = TokenHolder(
            id=row.id or 0,
            workspace_id=row.workspace_id,
            key=row.key,
            name=row.name,
            playbook_id=row.playbook_id,
            team_id=row.team_id,
            member=row.member,
            made_by=row.made_by,
            may_write=row.may_write,
            may_read=row.may_read,
            last_used_at=row.last_used_at,
        )
    if holder.member is not None:
        _require_part(UnitOfWork(db, holder.actor(), now))
    return holder


def _require_part(uow: UnitOfWork) -> None:
    """Require a person who takes part, as for their requests in Slack."""
    with uow.read():
        reason = why_not(uow)
    if reason is not None:
        raise NotAllowed(reason)


def note_use(db: Database, holder: TokenHolder, *, now: datetime) -> None:
    """Save that a token was used, at most once a minute; a busy database raises after a moment."""
    if holder.last_used_at is not None and now - holder.last_used_at < USED_WITHIN:
        return
    uow = UnitOfWork(db, holder.actor(), now)
    with patient(BRIEF), uow.write():
        tokens.note_use(uow, token_id=holder.id, before=now - USED_WITHIN)


def note_call(uow: UnitOfWork, *, tool: str, outcome: str) -> None:
    """Record that an assistant called a tool for a person, and whether it was answered or refused.

    What the tool itself changed is recorded by its flow.
    """
    with uow.write():
        uow.record(
            action="assistant-called", subject=f"tool:{tool}", after={"tool": tool, "outcome": outcome}
        )
