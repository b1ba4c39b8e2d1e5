"""Who an assistant acts for: the holder of a token, or the person whom Slack names in a signed request."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from slack_sdk.signature import SignatureVerifier

from cadence.flows.tokens import BadToken, authenticate, note_use
from cadence.refusals import NotAllowed
from storage.engine import Conflict, Database, Unreachable

_BEARER: Final = re.compile(r"(?i:bearer) +([A-Za-z0-9_-]{1,300})")
_STAMP: Final = re.compile(r"[0-9]{1,15}")
_SIGNATURE: Final = re.compile(r"v0=[0-9a-f]{64}")
_ID: Final = re.compile(r"[A-Z0-9]{2,32}")
ANONYMOUS: Final = frozenset(
    {"initialize", "notifications/initialized", "ping", "tools/list", "server/discover"}
)
"""What Slack may ask without naming a person: nothing of a workspace is read for it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A person and what the assistant may do for them; nobody for requests that concern no workspace.

    Args:
        request: the same if the request is sent again; "" if that can't be told.
    """

    workspace_id: str
    member: str
    may_read: bool
    may_write: bool
    request: str = ""


NOBODY: Final = Identity("", "", may_read=False, may_write=False)


class Refused(Exception):
    """The request names nobody who can be trusted; the sentence says what would be right."""


class Identities:
    """Finds out who an assistant acts for.

    Args:
        secret: the signing secret of the Slack app; None where Slack's requests aren't accepted.
        serves: whether the bot is installed in a workspace.
    """

    def __init__(
        self,
        db: Database,
        *,
        clock: Callable[[], datetime],
        secret: str | None,
        serves: Callable[[str], bool],
    ) -> None:
        self._db = db
        self._clock = clock
        self._verifier = SignatureVerifier(secret) if secret else None
        self._serves = serves

    def of(self, headers: dict[str, str], body: bytes) -> Identity:
        """Who a request acts for.

        Args:
            headers: with names in lower case.

        Raises:
            Refused: neither a valid token nor Slack's signature.
        """
        if "authorization" in headers:
            return self._by_token(headers["authorization"])
        if self._verifier and "x-slack-signature" in headers:
            return self._by_signature(self._verifier, headers, body)
        raise Refused("Send a token as “Authorization: Bearer …”. Make one in Slack with /cadence token.")

    def _by_token(self, sent: str) -> Identity:
        found = _BEARER.fullmatch(sent.strip())
        if found is None:
            raise Refused("Send the token as “Authorization: Bearer …”.")
        now = self._clock()
        try:
            holder = authenticate(self._db, found[1], now=now)
        except (BadToken, NotAllowed) as bad:
            raise Refused(bad.plain) from None
        if holder.member is None:
            raise Refused(
                "This is a tool's token. An assistant needs a person's: make one in Slack with `/cadence token`."
            )
        with suppress(Conflict, *Unreachable):  # its time is left out if the database is busy
            note_use(self._db, holder, now=now)
        return Identity(holder.workspace_id, holder.member, holder.may_read, holder.may_write)

    def _by_signature(self, verifier: SignatureVerifier, headers: dict[str, str], body: bytes) -> Identity:
        stamp, signature = headers.get("x-slack-request-timestamp", ""), headers["x-slack-signature"]
        if not (_STAMP.fullmatch(stamp) and _SIGNATURE.fullmatch(signature) and _is_text(body)) or not (
            verifier.is_valid(body, stamp, signature)
        ):
            raise Refused("The signature isn't Slack's, or it is older than five minutes.")
        named = [_named(one) for one in _calls(body)]
        people = {one for one in named if one is not None}
        if len(people) > 1:
            raise Refused("One request can act for one person only.")
        if not people:
            return NOBODY
        workspace_id, member = people.pop()
        if not self._serves(workspace_id):
            raise Refused("Rollout Cadence isn't installed in this workspace.")
        request = sha256(f"{stamp}:{signature}".encode()).hexdigest()
        return Identity(workspace_id, member, may_read=True, may_write=True, request=request)


def _is_text(body: bytes) -> bool:
    """Whether a body is UTF-8, as all that Slack signs; the verifier fails at anything else."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _calls(body: bytes) -> list[dict[str, Any]]:
    """The calls of a JSON-RPC request; what isn't one is left to the library to refuse."""
    try:
        asked = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return []
    several = asked if isinstance(asked, list) else [asked]
    return [one for one in several if isinstance(one, dict)]


def _named(call: dict[str, Any]) -> tuple[str, str] | None:
    """The workspace and the person that Slack names in a call.

    Raises:
        Refused: it names nobody, but its method needs somebody.
    """
    params = call.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    slack = meta.get("slack") if isinstance(meta, dict) else None
    if isinstance(slack, dict):
        team, user = slack.get("team_id"), slack.get("user_id")
        if isinstance(team, str) and isinstance(user, str) and _ID.fullmatch(team) and _ID.fullmatch(user):
            return team, user
    method = call.get("method")
    if isinstance(method, str) and method in ANONYMOUS:
        return None
    raise Refused("Slack didn't say for whom it asks.")
