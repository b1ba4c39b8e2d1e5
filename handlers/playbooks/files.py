"""Playbooks as files: import, revise, show, list, export."""

from dataclasses import dataclass, replace
from typing import Final

from cadence.documents import DocumentRefused
from cadence.flows.playbooks import (
    PARTS,
    REVISE_HEADING,
    REVISE_SUBMIT,
    choose_form,
    export_playbook,
    import_typed,
    list_playbooks,
    revise_form,
    save_revision,
    show_playbook,
)
from cadence.mrkdwn import Mrkdwn, entities
from cadence.refusals import Refusal
from cadence.typed import visible
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import Command, Entry, Request
from handlers.grammar.versions import take_playbook_before_version, take_version
from handlers.payloads import Body, Form, metadata
from templates.contexts.answers import InfoView
from templates.contexts.base import MessageContext, Problem, ViewContext
from templates.contexts.playbooks import ImportForm
from templates.ids import Action, Callback, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlaybook(Command):
    """`/cadence playbook import`: opens the form for the YAML."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowPlaybook(Command):
    """`/cadence playbook show`."""

    playbook: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPlaybooks(Command):
    """`/cadence playbook list`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPlaybook(Command):
    """`/cadence playbook export`. `number` is that of a published version, None for the newest draft."""

    playbook: str | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisePlaybook(Command):
    """`/cadence playbook revise`."""

    playbook: str | None = None


def read_export(request: Request) -> ExportPlaybook:
    """`/cadence playbook export [playbook] [vN]`."""
    named = take_playbook_before_version(request)
    return ExportPlaybook(playbook=named, number=take_version(request))


_PARTS = (Field.YAML.value, *(f"{Field.YAML}:{part}" for part in range(2, PARTS + 1)))
_CHUNK = 2_800
"""Characters of YAML in one block, below Slack's 3,000 with room for the fence."""


def import_(context: RequestContext, _command: ImportPlaybook) -> None:
    """`/cadence playbook import`: the form that takes the YAML."""
    context.open(ImportForm())


def by_button(context: RequestContext, _value: str, _body: Body) -> None:
    """[Import a playbook]."""
    context.open(ImportForm())


def submitted(context: RequestContext, form: Form) -> MessageContext | ViewContext:
    """The form: on problems it stays open with what was typed and all of them."""
    # A line break at the end of a part would add an empty line between two, which means something in YAML.
    typed = tuple(visible(str(form.values.get(part, {}).get("value") or "")).rstrip("\n") for part in _PARTS)
    typed = tuple(filter(None, typed))
    again = replace(_form(form), typed=typed)
    try:
        return _saved(context, form, "\n".join(typed))
    except DocumentRefused as refused:
        problems = tuple(
            Problem(line=one.line or None, where=one.where, reason=one.reason, right=one.right)
            for one in refused.problems
        )
        return replace(again, problems=problems)
    except Refusal as refused:
        return replace(again, problems=(Problem(reason=refused.text),))


def _form(form: Form) -> ImportForm:
    """The submitted form, empty: a revision keeps what it was opened for."""
    if "playbook" not in form.ids:
        return ImportForm()
    return ImportForm(
        heading=REVISE_HEADING, submit=REVISE_SUBMIT, private_metadata=metadata(**dict(form.ids))
    )


def _saved(context: RequestContext, form: Form, text: str) -> MessageContext:
    if "playbook" not in form.ids:
        return import_typed(context.uow, text)
    return save_revision(context.uow, text, playbook=str(form.ids["playbook"]), revision=form.row("revision"))


def revise(context: RequestContext, command: RevisePlaybook) -> None:
    """`/cadence playbook revise`: the newest draft as YAML, to be changed."""
    if command.playbook is None:
        context.open(choose_form(context.uow, "revise", playbook=None), ids=metadata(to="revise"))
        return
    slug = command.playbook
    context.open_when_made(REVISE_HEADING, lambda: draft(context, slug))


def revised_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Edit as YAML]."""
    context.open_when_made(REVISE_HEADING, lambda: draft(context, value))


def draft(context: RequestContext, slug: str) -> ImportForm:
    """The form that revises a playbook, with the ids of what it shows."""
    opened = revise_form(context.uow, slug)
    ids = metadata(playbook=opened.playbook, revision=opened.revision)
    return replace(opened.form, private_metadata=ids)


def show(context: RequestContext, command: ShowPlaybook) -> None:
    """`/cadence playbook show`: one, or the list if none is named."""
    if command.playbook is None:
        context.say(list_playbooks(context.uow))
        return
    context.say(show_playbook(context.uow, command.playbook))


def shown_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Show] next to a playbook."""
    context.say(show_playbook(context.uow, value))


def list_(context: RequestContext, _command: ListPlaybooks) -> None:
    """`/cadence playbook list`."""
    context.say(list_playbooks(context.uow))


def export(context: RequestContext, command: ExportPlaybook) -> None:
    """`/cadence playbook export`: the YAML in a view, to copy."""
    if command.playbook is None:
        context.open(choose_form(context.uow, "export", playbook=None), ids=metadata(to="export"))
        return
    context.open(as_yaml(context, command.playbook, number=command.number))


def as_yaml(context: RequestContext, slug: str, *, number: int | None = None) -> InfoView:
    """A playbook's YAML in a view."""
    exported = export_playbook(context.uow, slug, number=number)
    return InfoView(title="Playbook as YAML", paragraphs=tuple(_fenced(exported.yaml)))


def _fenced(yaml: str) -> list[Mrkdwn]:
    """YAML in code blocks that each fit a block, split between lines."""
    chunks, chunk = [], ""
    for line in yaml.splitlines():
        if len(entities(chunk + line)) > _CHUNK:
            chunks.append(chunk)
            chunk = ""
        chunk += f"{line}\n"
    return [
        Mrkdwn(f"```\n{entities(visible(one).replace('```', 'ˋˋˋ'))}```") for one in [*chunks, chunk] if one
    ]


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="playbook import",
            task="Playbooks",
            summary="Import a playbook from YAML",
            who="owner",
            examples=("/cadence playbook import",),
            bare=ImportPlaybook,
            run=import_,
        ),
        Entry(
            name="playbook show",
            task="Playbooks",
            usage="[playbook]",
            summary="See a playbook's KPI, steps and rubric",
            examples=("/cadence playbook show support-reply",),
            read=lambda request: ShowPlaybook(playbook=request.only_playbook()),
            bare=ShowPlaybook,
            run=show,
        ),
        Entry(
            name="playbook list",
            task="Playbooks",
            summary="List all playbooks",
            examples=("/cadence playbook list",),
            bare=ListPlaybooks,
            run=list_,
            group=ListPlaybooks,
        ),
        Entry(
            name="playbook export",
            task="Playbooks",
            usage="[playbook] [vN]",
            summary="Get a playbook as YAML",
            examples=("/cadence playbook export support-reply", "/cadence playbook export support-reply v2"),
            read=read_export,
            bare=ExportPlaybook,
            run=export,
        ),
        Entry(
            name="playbook revise",
            task="Playbooks",
            usage="[playbook]",
            summary="Edit a playbook's next draft",
            who="owner",
            examples=("/cadence playbook revise support-reply",),
            read=lambda request: RevisePlaybook(playbook=request.only_playbook()),
            bare=RevisePlaybook,
            run=revise,
        ),
    ),
    buttons={
        Action.IMPORT_PLAYBOOK: by_button,
        Action.SHOW_PLAYBOOK: shown_by_button,
        Action.REVISE: revised_by_button,
    },
    forms={Callback.IMPORT: submitted},
)
