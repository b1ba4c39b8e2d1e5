"""The guided playbook form: an overview, a form a part on top of it, and the draft at the end."""

from slack_bolt import App

from cadence.documents.parts import Part
from cadence.flows.editor import Spot, create_draft, keep_part, part_form, playbook_hub, start_anew
from cadence.refusals import Refusal
from handlers.context import Services, Turn
from handlers.grammar import commands
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, metadata
from templates.contexts.base import MessageContext, ViewContext
from templates.ids import Action, Callback

_PARTS = {
    Callback.PLAYBOOK_BASICS: Part.BASICS,
    Callback.PLAYBOOK_KPI: Part.KPI,
    Callback.PLAYBOOK_GUARDRAILS: Part.GUARDRAILS,
    Callback.PLAYBOOK_STEP: Part.STEPS,
    Callback.PLAYBOOK_PACKAGE: Part.PACKAGE,
    Callback.PLAYBOOK_NEXT_TEAM: Part.NEXT_TEAM,
    Callback.PLAYBOOK_PILLARS: Part.PILLARS,
}


def register(app: App, services: Services) -> None:
    """Listen for the buttons, the overview and the form of each part."""
    register_button(app, services, Action.NEW_PLAYBOOK, lambda turn, _value, _body: _open(turn, None))
    register_button(app, services, Action.EDIT_PLAYBOOK, lambda turn, value, _body: _open(turn, value))
    register_button(app, services, Action.EDIT_PART, part_opened)
    register_button(app, services, Action.CHOOSE_KPI, kpi_chosen)
    register_button(app, services, Action.START_ANEW, begun_anew)
    register_form(app, services, Callback.PLAYBOOK, created)
    for callback in _PARTS:
        register_form(app, services, callback, part_submitted)


def new(turn: Turn, _command: commands.NewPlaybook) -> None:
    """`/cadence playbook new`: the overview of a new playbook, or of the draft of one."""
    _open(turn, None)


def _open(turn: Turn, slug: str | None) -> None:
    title = "Edit the playbook" if slug else "New playbook"
    turn.open_when_made(title, lambda: _hub(turn, slug or None), ids=metadata(slug=slug or None))


def _hub(turn: Turn, slug: str | None) -> ViewContext:
    return playbook_hub(turn.uow, slug)


def part_opened(turn: Turn, value: str, _body: Body) -> None:
    """[Fill in], [Edit], [Add a step]: the part's form on top of the overview."""
    spot = _spot(value)
    turn.open(part_form(turn.uow, spot), ids=_ids(spot))


def _spot(value: str) -> Spot:
    """`{slug}:{part}` or `{slug}:steps:{key}` as a button carries it; no slug for a new playbook."""
    slug, _, rest = value.partition(":")
    part, _, step = rest.partition(":")
    if part not in set(Part):
        raise Refusal(
            "This button is too old to be understood. `/cadence playbook new` opens the form again."
        )
    return Spot(slug or None, Part(part), step)


def _ids(spot: Spot) -> str:
    return metadata(slug=spot.slug, step=spot.step or None)


def kpi_chosen(turn: Turn, value: str, body: Body) -> None:
    """A number of the catalogue, or one's own: the form asks what that one needs."""
    view = body.get("view") or {}
    spot = Spot(Form.of(view).slug, Part.KPI)
    turn.update(str(view.get("id") or ""), part_form(turn.uow, spot, kpi=value), ids=_ids(spot))


def part_submitted(turn: Turn, form: Form) -> ViewContext | None:
    """A part's form: what was typed is kept, and the overview below shows it."""
    spot = Spot(form.slug, _PARTS[Callback(form.callback)], str(form.ids.get("step") or ""))
    keep_part(turn.uow, spot, form.typed())
    return turn.back_to(form.below, _hub(turn, spot.slug), ids=metadata(slug=spot.slug))


def begun_anew(turn: Turn, value: str, body: Body) -> None:
    """[Start anew]: the draft is forgotten, and the overview begins again."""
    slug = value.partition(":")[0] or None
    start_anew(turn.uow, slug)
    turn.update(str((body.get("view") or {}).get("id") or ""), _hub(turn, slug), ids=metadata(slug=slug))


def created(turn: Turn, form: Form) -> MessageContext | ViewContext:
    """[Create the draft]: what an import would do; on problems the overview says which."""
    return turn.again(create_draft(turn.uow, form.slug), form)
