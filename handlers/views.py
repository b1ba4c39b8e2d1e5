"""Where a view is shown: on top of a form, in its place or on the Home; which block an error is shown on."""

import re

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from cadence.flows.callers import Caller
from cadence.flows.people import named
from cadence.refusals import FieldsRefused, Refusal
from handlers.payloads import Body
from storage.engine import Database
from templates.contexts.base import MessageContext
from templates.render import Json, render

_CODE = re.compile(r"`([^`]+)`")


def answer_view(context: MessageContext) -> Json:
    """An answer as a modal, for places that have no conversation to answer in."""
    message = render(context)
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Rollout Cadence"},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": message.blocks,
    }


def on_top(client: WebClient, trigger_id: str, view: Json, *, inside: str | None) -> str:
    """Show a view on top of a form, or in its place once three are open, or on its own; returns its id."""
    opening = client.views_push if inside is not None else client.views_open
    try:
        shown = opening(trigger_id=trigger_id, view=view)
    except SlackApiError as full:
        if not inside or full.response.get("error") != "push_limit_reached":
            raise
        shown = client.views_update(view_id=inside, view=view)
    return str((shown.get("view") or {}).get("id") or "")


def form_around(body: Body) -> str | None:
    """The form that a person is in, by its id: the next one is put on top of it. None outside of one."""
    return str((body["view"] or {}).get("id") or "") if "view" in body and not on_home(body) else None


def on_home(body: Body) -> bool:
    """Whether something was clicked on the Home."""
    return bool((body.get("view") or {}).get("type") == "home")


def form_errors(db: Database, caller: Caller, view: Body, refusal: Refusal) -> dict[str, str]:
    """What is wrong with a form, by block; names where Slack shows no mentions, quotes where it shows no code."""
    wrong = refusal.errors.items() if isinstance(refusal, FieldsRefused) else [(refusal.field, refusal.plain)]
    errors: dict[str, str] = {}
    for field, text in wrong:
        block, said = _error_field(view, field), _CODE.sub(r"“\1”", named(db, caller, text))
        errors[block] = f"{errors[block]} {said}" if block in errors else said
    return errors


def inputs(view: Body) -> list[str]:
    """The blocks of a form that take something in, the only ones an error can be shown on."""
    return [str(block["block_id"]) for block in view.get("blocks") or () if block.get("type") == "input"]


def _error_field(view: Body, field: str | None) -> str:
    """The block an error is shown on: the field's own, else one of several of its kind, else the first."""
    blocks = inputs(view)
    if field is not None and field in blocks:
        return field
    family = [block for block in blocks if field and block.partition(":")[0] == field.partition(":")[0]]
    return (family or blocks or ["note"])[0]
