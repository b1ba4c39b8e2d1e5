"""Make a token. The secret is drawn before the flow and never passes through the database."""

import secrets
from dataclasses import dataclass
from typing import Final

from cadence.flows.core import (
    adoption_views,
    is_curator,
    once,
    require_playbook,
    require_team,
    require_workspace,
)
from cadence.flows.tokens.access import require_may
from cadence.flows.tokens.listing import scope_of, what_for
from cadence.mrkdwn import Mrkdwn, say
from cadence.refusals import Offer, Refusal
from cadence.rules.tokens import KEY_ALPHABET, KEY_LENGTH, SECRET_BYTES, Presented, hash_of
from storage.queries import people, playbooks, tokens
from storage.tables import ApiToken, PlaybookState
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.tokens import ASSISTANT, READ, TOOL, USES, WRITE, TokenForm, TokenShown
from templates.ids import Action, Field

MOST: Final = 200
"""Valid tokens in a workspace."""
MOST_OWN: Final = 10
"""Valid tokens of one person's assistants."""
LONGEST_NAME: Final = 60
"""Characters of a token's name."""


@dataclass(frozen=True, slots=True)
class TokenGiven:
    """A request to make a token; the playbook and the team are slugs.

    Args:
        use: `TOOL` or `ASSISTANT`.
        scopes: `WRITE`, `READ`.
    """

    name: str
    use: str
    scopes: tuple[str, ...]
    playbook: str | None = None
    team: str | None = None


def draw_token(workspace_id: str) -> Presented:
    """A new random token for a workspace. It is worth nothing until `make_token` has saved its hash."""
    key = "".join(secrets.choice(KEY_ALPHABET) for _ in range(KEY_LENGTH))
    return Presented(workspace_id, key, secrets.token_urlsafe(SECRET_BYTES))


def token_form(uow: UnitOfWork, *, name: str = "") -> TokenForm:
    """The form for a new token, with the playbooks and teams the caller can make one for."""
    with uow.read():
        require_workspace(uow)
        rows = [row for row in playbooks.playbooks(uow) if row.state is not PlaybookState.RETIRED]
        if is_curator(uow):
            teams = [(team.slug, team.title) for team in people.teams(uow)]
        else:
            rows = [row for row in rows if row.owner == uow.actor.member]
            mine = {row.id for row in rows}
            teams = sorted(
                {
                    (view.team.slug, view.team.title)
                    for view in adoption_views(uow, member=uow.actor.member)
                    if view.playbook.id in mine
                }
            )
        for_tools = bool(rows or teams)
        return TokenForm(
            name=name,
            uses=USES if for_tools else tuple(one for one in USES if one.value == ASSISTANT),
            use=TOOL if for_tools else ASSISTANT,
            playbook=rows[0].slug if len(rows) == 1 and not is_curator(uow) else None,
            scopes=(WRITE,) if for_tools else (WRITE, READ),
            playbooks=tuple(Choice(label=row.title, value=row.slug) for row in rows),
            teams=tuple(Choice(label=title, value=slug) for slug, title in teams),
        )


@once
def make_token(uow: UnitOfWork, given: TokenGiven, token: Presented) -> Done:
    """Save a token; of its secret only the hash. The answer, which is stored, doesn't contain the secret.

    Raises:
        Refusal: no name or scope, a name that is taken, no playbook or team, a team that doesn't run the
            playbook, or too many tokens. NotAllowed: the caller can't make such a token.
    """
    with uow.write():
        require_workspace(uow)
        tokens.hold(uow)
        row = _row(uow, given, token)
        require_may(uow, row, to="make tokens")
        _require_new(uow, row)
        uow.session.add(row)
        uow.session.flush()
        uow.record(action="token-made", subject=f"token:{row.key}", after=scope_of(uow, row))
        return Done(
            text=say(
                "The token {name} was made, and its secret was shown once. If you didn't copy it, revoke the "
                "token and make another one.",
                name=f"“{row.name}”",
            ),
            offers=(
                Offer("Revoke it", Action.REVOKE_TOKEN, str(row.id)),
                Offer("Show the tokens", Action.SHOW_TOKENS),
            ),
        )


def shown_once(uow: UnitOfWork, token: Presented) -> TokenShown | None:
    """The view that shows a token right after it was made; None if another copy of the request made it."""
    with uow.read():
        row = tokens.by_key(uow, key=token.key)
        if row is None:
            return None
        return TokenShown(
            name=row.name,
            token=Mrkdwn(f"```{token.text}```"),  # its characters need no escaping
            scope=what_for(uow, row),
            write=row.may_write,
            read=row.may_read,
        )


def _row(uow: UnitOfWork, given: TokenGiven, token: Presented) -> ApiToken:
    name = " ".join(given.name.split())
    if not name:
        raise Refusal("Name the tool or assistant that will use it, like “Help desk”.", field=Field.NAME)
    if len(name) > LONGEST_NAME:
        raise Refusal(f"Keep it to {LONGEST_NAME} characters.", field=Field.NAME)
    if not set(given.scopes) & {WRITE, READ}:
        raise Refusal("Choose at least one.", field=Field.SCOPES)
    row = ApiToken(
        workspace_id=uow.workspace_id,
        key=token.key,
        secret_hash=hash_of(token.secret),
        name=name,
        may_write=WRITE in given.scopes,
        may_read=READ in given.scopes,
        made_by=uow.actor.member,
        made_at=uow.now,
    )
    if given.use == ASSISTANT:
        row.member = uow.actor.member
        return row
    if given.use != TOOL:
        raise Refusal("Choose who will use it.", field=Field.USE)
    if given.playbook is None and given.team is None:
        raise Refusal("Choose a playbook, a team, or both.", field=Field.PLAYBOOK)
    playbook = require_playbook(uow, given.playbook) if given.playbook else None
    team = require_team(uow, given.team) if given.team else None
    row.playbook_id = playbook.id if playbook else None
    row.team_id = team.id if team else None
    if playbook is not None and playbook.state is PlaybookState.RETIRED:
        raise Refusal(say("{title} is retired.", title=playbook.title), field=Field.PLAYBOOK)
    if playbook is not None and team is not None:
        runs = adoption_views(uow, playbook_id=playbook.id, team=team.slug)
        if not runs:
            raise Refusal(
                say("{team} doesn't run {title}.", team=team.title, title=playbook.title), field=Field.TEAM
            )
    return row


def _require_new(uow: UnitOfWork, row: ApiToken) -> None:
    """Refuse a name that a valid token of the same kind has, and too many tokens."""
    known = tokens.valid(uow)
    like = [one for one in known if one.member == row.member]
    if any(one.name.casefold() == row.name.casefold() for one in like):
        raise Refusal(
            f"There's already a token “{row.name}”. Choose another name, or revoke that one first.",
            field=Field.NAME,
        )
    if len(known) >= MOST or (row.member is not None and len(like) >= MOST_OWN):
        raise Refusal("There are too many tokens. Revoke one that isn't used.", field=Field.NAME)
