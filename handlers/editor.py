"""The guided playbook form: an overview, one form per part on top of it, and creating the draft."""

from dataclasses import dataclass
from typing import Final

from cadence.documents.parts import Part
from cadence.flows.editor import Spot, create_draft, keep_part, part_form, playbook_hub, start_over
from cadence.refusals import Refusal
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import Command, Entry
from handlers.payloads import Body, Form, metadata
from templates.contexts.base import MessageContext, ViewContext
from templates.ids import Action, Callback


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlaybook(Command):
    """`/cadence playbook new`: opens the guided form."""


_PARTS = {
    Callback.PLAYBOOK_BASICS: Part.BASICS,
    Callback.PLAYBOOK_KPI: Part.KPI,
    Callback.PLAYBOOK_GUARDRAILS: Part.GUARDRAILS,
    Callback.PLAYBOOK_STEP: Part.STEPS,
    Callback.PLAYBOOK_PACKAGE: Part.PACKAGE,
    Callback.PLAYBOOK_NEXT_TEAM: Part.NEXT_TEAM,
    Callback.PLAYBOOK_PILLARS: Part.PILLARS,
}


def new(context: RequestContext, _command: NewPlaybook) -> None:
    """`/cadence playbook new`: the overview of a new playbook, or of its draft."""
    _open(context, None)


def _open(context: RequestContext, slug: str | None) -> None:
    title = "Edit playbook" if slug else "New playbook"
    context.open_when_made(title, lambda: _hub(context, slug or None), ids=metadata(slug=slug or None))


def _hub(context: RequestContext, slug: str | None) -> ViewContext:
    return playbook_hub(context.uow, slug)


def part_opened(context: RequestContext, value: str, _body: Body) -> None:
    """[Fill in], [Edit], [Add a step]: the part's form on top of the overview."""
    spot = _spot(value)
    context.open(part_form(context.uow, spot), ids=_ids(spot))


def _spot(value: str) -> Spot:
    """Parse a button's `{slug}:{part}` or `{slug}:steps:{key}`; a new playbook has no slug."""
    slug, _, rest = value.partition(":")
    part, _, step = rest.partition(":")
    if part not in set(Part):
        raise Refusal("This button has expired. Open the form again with `/cadence playbook new`.")
    return Spot(slug or None, Part(part), step)


def _ids(spot: Spot) -> str:
    return metadata(slug=spot.slug, step=spot.step or None)


def kpi_chosen(context: RequestContext, value: str, body: Body) -> None:
    """A KPI of the catalogue, or a custom one: the form asks for what that one needs."""
    view = body.get("view") or {}
    spot = Spot(Form.of(view).slug, Part.KPI)
    context.update(str(view.get("id") or ""), part_form(context.uow, spot, kpi=value), ids=_ids(spot))


def part_submitted(context: RequestContext, form: Form) -> ViewContext | None:
    """A part's form: the input is saved, and the overview below shows it."""
    spot = Spot(form.slug, _PARTS[Callback(form.callback)], str(form.ids.get("step") or ""))
    keep_part(context.uow, spot, form.typed())
    return context.back_to(form.below, _hub(context, spot.slug), ids=metadata(slug=spot.slug))


def started_over(context: RequestContext, value: str, body: Body) -> None:
    """[Start over]: the draft is deleted, and the overview starts over."""
    slug = value.partition(":")[0] or None
    start_over(context.uow, slug)
    context.update(
        str((body.get("view") or {}).get("id") or ""), _hub(context, slug), ids=metadata(slug=slug)
    )


def created(context: RequestContext, form: Form) -> MessageContext | ViewContext:
    """[Create draft]: the same as an import; the overview shows problems."""
    return context.again(create_draft(context.uow, form.slug), form)


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="playbook new",
            task="Playbooks",
            summary="Write a new playbook step by step",
            examples=("/cadence playbook new",),
            bare=NewPlaybook,
            run=new,
        ),
    ),
    buttons={
        Action.NEW_PLAYBOOK: lambda context, _value, _body: _open(context, None),
        Action.EDIT_PLAYBOOK: lambda context, value, _body: _open(context, value),
        Action.EDIT_PART: part_opened,
        Action.CHOOSE_KPI: kpi_chosen,
        Action.START_OVER: started_over,
    },
    forms={Callback.PLAYBOOK: created, **dict.fromkeys(_PARTS, part_submitted)},
)
