"""Where a view is shown: on top of a form, in its place or on the Home; which block shows an error."""

import re
from http.client import HTTPException
from typing import Final

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from cadence.actor import Actor
from cadence.flows.core import named
from cadence.refusals import FieldsRefused, Refusal
from handlers.payloads import Body
from storage.engine import Database
from storage.work import UnitOfWork
from templates.contexts.base import MessageContext
from templates.plain import IN_VIEWS, plain_blocks
from templates.render import Json, Rendered, render

log = structlog.get_logger(__name__)

_CODE = re.compile(r"`([^`]+)`")
_GONE = frozenset({"not_found", "hash_conflict"})
"""Slack's errors for a view that the person closed, or that has changed since."""
SLACK_TROUBLE: Final = (SlackClientError, HTTPException, OSError)
"""Exceptions of the SDK if Slack refuses a call, or can't be reached."""


class NotMade(Exception):
    """A form couldn't be made after the placeholder view was opened for it; the cause is chained.

    Args:
        view_id: the open view; empty if the person has closed it.
    """

    def __init__(self, view_id: str) -> None:
        self.view_id = view_id
        super().__init__()


class TooLate(Refusal):
    """Slack's trigger expired before the view could be shown: the person isn't waiting any more."""

    def __init__(self) -> None:
        super().__init__("That took too long for Slack, and nothing was changed. Please try again.")


def answer_view(context: MessageContext) -> Json:
    """An answer as a modal, where there is no conversation to answer in."""
    return as_view(render(context))


def as_view(message: Rendered) -> Json:
    """A message as a modal."""
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Rollout Cadence"},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": plain_blocks(message.blocks, kept=IN_VIEWS),
    }


def home_view(context: MessageContext) -> Json:
    """An answer as a Home, if the real one can't be made."""
    return {"type": "home", "blocks": plain_blocks(render(context).blocks, kept=IN_VIEWS)}


def on_top(client: WebClient, trigger_id: str, view: Json, *, inside: str | None) -> str:
    """Show a view on top of a form, or in its place once three are open, or as a new one.

    Returns:
        The id of the shown view; empty if the person closed the form meanwhile.

    Raises:
        TooLate: Slack doesn't accept the trigger any more.
    """
    opening = client.views_push if inside is not None else client.views_open
    try:
        shown = opening(trigger_id=trigger_id, view=view)
    except SlackApiError as error:
        word = _word(error)
        if "trigger" in word:
            raise TooLate from error
        if inside and word == "push_limit_reached":
            return inside if renew(client, inside, view) else ""
        if inside is None or word not in _GONE:
            raise
        log.debug("form closed meanwhile", error=word)
        return ""
    return str((shown.get("view") or {}).get("id") or "")


def renew(client: WebClient, view_id: str, view: Json) -> bool:
    """Replace an open view; False if the person closed it meanwhile."""
    try:
        client.views_update(view_id=view_id, view=view)
    except SlackApiError as error:
        if _word(error) not in _GONE:
            raise
        log.debug("form closed meanwhile", error=_word(error))
        return False
    return True


def _word(error: SlackApiError) -> str:
    """Slack's error."""
    return str(error.response.get("error") or "")


def form_around(body: Body) -> str | None:
    """The id of the person's current form, on top of which the next one is shown, or None."""
    return str((body["view"] or {}).get("id") or "") if "view" in body and not on_home(body) else None


def on_home(body: Body) -> bool:
    """Whether something was clicked on the Home."""
    return bool((body.get("view") or {}).get("type") == "home")


def form_errors(db: Database, caller: Actor, view: Body, refusal: Refusal) -> dict[str, str]:
    """A form's errors by block, with names where Slack shows no mentions, and quotes where it shows no
    code."""
    wrong = refusal.errors.items() if isinstance(refusal, FieldsRefused) else [(refusal.field, refusal.plain)]
    errors: dict[str, str] = {}
    for field, text in wrong:
        block, said = _error_field(view, field), _CODE.sub(r"“\1”", named(UnitOfWork(db, caller), text))
        errors[block] = f"{errors[block]} {said}" if block in errors else said
    return errors


def inputs(view: Body) -> list[str]:
    """The input blocks of a form, the only ones that can show an error."""
    return [str(block["block_id"]) for block in view.get("blocks") or () if block.get("type") == "input"]


def _error_field(view: Body, field: str | None) -> str:
    """The block that shows an error: the field's own, else one of several of its kind, else the first."""
    blocks = inputs(view)
    if field is not None and field in blocks:
        return field
    family = [block for block in blocks if field and block.partition(":")[0] == field.partition(":")[0]]
    return (family or blocks or ["note"])[0]
