"""Revoke a token: from then on its requests are refused."""

from cadence.flows.core import once, require_workspace
from cadence.flows.tokens.access import require_may, sees
from cadence.flows.tokens.listing import scope_of
from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Offer, Refusal, Unknown
from storage.queries import tokens
from storage.tables import ApiToken
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.ids import Action


@once
def revoke_token(uow: UnitOfWork, *, token_id: int) -> Done:
    """Revoke a token by its id; revoking it again changes nothing.

    Raises:
        Refusal: there is no such token. NotAllowed: the caller can't revoke it.
    """
    with uow.write():
        tokens.hold(uow)
        row = tokens.token(uow, token_id=token_id)
        if row is None:
            raise Refusal("That token doesn't exist. See the tokens with `/cadence token list`.")
        return _revoke(uow, row)


@once
def revoke_named(uow: UnitOfWork, name: str) -> Done:
    """Revoke a token by its name, among those the caller sees.

    Raises:
        Unknown: there is no such token. Refusal: several have that name. NotAllowed: the caller can't revoke it.
    """
    with uow.write():
        require_workspace(uow)
        tokens.hold(uow)
        wanted = " ".join(name.split()).strip("“”\"'").casefold()
        seen = [row for row in tokens.valid(uow) if sees(uow, row)]
        found = [row for row in seen if row.name.casefold() == wanted]
        if len(found) > 1:
            raise Refusal(
                "Several tokens have that name. Revoke one of them with the buttons of the list.",
                offer=Offer("Show the tokens", Action.SHOW_TOKENS),
            )
        if not found:
            guess = nearest(wanted, [row.name for row in seen])
            hint = say(" Did you mean {guess}?", guess=code(guess)) if guess else ""
            raise Unknown(
                say("There's no token {name}.{hint}", name=code(name), hint=hint),
                offer=Offer("Show the tokens", Action.SHOW_TOKENS),
            )
        return _revoke(uow, found[0])


def _revoke(uow: UnitOfWork, row: ApiToken) -> Done:
    require_may(uow, row, to="revoke this token" if row.member else "revoke tokens")
    if row.revoked_at is None:
        row.revoked_at, row.revoked_by = uow.now, uow.actor.member
        uow.session.add(row)
        uow.session.flush()
        uow.record(action="token-revoked", subject=f"token:{row.key}", before=scope_of(uow, row))
    return Done(
        text=say(
            "The token {name} was revoked. Requests with it are refused from now on; what it reported stays.",
            name=f"“{row.name}”",
        ),
        offers=(Offer("Show the tokens", Action.SHOW_TOKENS),),
    )
