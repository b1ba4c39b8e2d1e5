"""Playbooks: import, revise, show, list, export."""

from dataclasses import replace

from slack_bolt import App

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
from handlers.context import Services, Turn
from handlers.grammar import commands
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, metadata
from templates.contexts.base import MessageContext, Problem, ViewContext
from templates.contexts.forms import ImportForm, InfoView
from templates.ids import Action, Callback, Field

_PARTS = (Field.YAML.value, *(f"{Field.YAML}:{part}" for part in range(2, PARTS + 1)))
_CHUNK = 2_800
"""Characters of YAML in one block, below Slack's 3,000 with room for the fence."""


def register(app: App, services: Services) -> None:
    """Listen for the buttons and the form."""
    register_button(app, services, Action.IMPORT_PLAYBOOK, by_button)
    register_button(app, services, Action.SHOW_PLAYBOOK, shown_by_button)
    register_button(app, services, Action.REVISE, revised_by_button)
    register_form(app, services, Callback.IMPORT, submitted)


def import_(turn: Turn, _command: commands.ImportPlaybook) -> None:
    """`/cadence playbook import`: the form that takes the YAML."""
    turn.open(ImportForm())


def by_button(turn: Turn, _value: str, _body: Body) -> None:
    """[Import a playbook]."""
    turn.open(ImportForm())


def submitted(turn: Turn, form: Form) -> MessageContext | ViewContext:
    """The form: on problems it stays open with what was typed and all of them."""
    # A line break at the end of a part would become an empty line between two: that means something in YAML.
    typed = tuple(visible(str(form.values.get(part, {}).get("value") or "")).rstrip("\n") for part in _PARTS)
    typed = tuple(filter(None, typed))
    again = replace(_form(form), typed=typed)
    try:
        return _saved(turn, form, "\n".join(typed))
    except DocumentRefused as refused:
        problems = tuple(
            Problem(line=one.line or None, where=one.where, reason=one.reason, right=one.right)
            for one in refused.problems
        )
        return replace(again, problems=problems)
    except Refusal as refused:
        return replace(again, problems=(Problem(reason=refused.text),))


def _form(form: Form) -> ImportForm:
    """The form that was filled in, empty: a revision keeps what it was opened for."""
    if "playbook" not in form.ids:
        return ImportForm()
    return ImportForm(
        heading=REVISE_HEADING, submit=REVISE_SUBMIT, private_metadata=metadata(**dict(form.ids))
    )


def _saved(turn: Turn, form: Form, text: str) -> MessageContext:
    if "playbook" not in form.ids:
        return import_typed(turn.uow, text)
    return save_revision(turn.uow, text, playbook=str(form.ids["playbook"]), revision=form.row("revision"))


def revise(turn: Turn, command: commands.RevisePlaybook) -> None:
    """`/cadence playbook revise`: the newest draft as YAML, to be changed."""
    if command.playbook is None:
        turn.open(choose_form(turn.uow, "revise", playbook=None), ids=metadata(to="revise"))
        return
    slug = command.playbook
    turn.open_when_made(REVISE_HEADING, lambda: draft(turn, slug))


def revised_by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Edit as YAML]."""
    turn.open_when_made(REVISE_HEADING, lambda: draft(turn, value))


def draft(turn: Turn, slug: str) -> ImportForm:
    """The form that revises a playbook; it carries what it shows."""
    opened = revise_form(turn.uow, slug)
    ids = metadata(playbook=opened.playbook, revision=opened.revision)
    return replace(opened.form, private_metadata=ids)


def show(turn: Turn, command: commands.ShowPlaybook) -> None:
    """`/cadence playbook show`: one, or the list when none is named."""
    if command.playbook is None:
        turn.say(list_playbooks(turn.uow))
        return
    turn.say(show_playbook(turn.uow, command.playbook))


def shown_by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Show] beside a playbook."""
    turn.say(show_playbook(turn.uow, value))


def list_(turn: Turn, _command: commands.ListPlaybooks) -> None:
    """`/cadence playbook list`."""
    turn.say(list_playbooks(turn.uow))


def export(turn: Turn, command: commands.ExportPlaybook) -> None:
    """`/cadence playbook export`: the YAML in a view, to copy."""
    if command.playbook is None:
        turn.say(list_playbooks(turn.uow))
        return
    exported = export_playbook(turn.uow, command.playbook, number=command.number)
    turn.open(InfoView(title="Playbook as YAML", paragraphs=tuple(_fenced(exported.yaml))))


def _fenced(yaml: str) -> list[Mrkdwn]:
    """YAML in code blocks that each fit a block, broken between lines."""
    chunks, chunk = [], ""
    for line in yaml.splitlines():
        if len(entities(chunk + line)) > _CHUNK:
            chunks.append(chunk)
            chunk = ""
        chunk += f"{line}\n"
    return [
        Mrkdwn(f"```\n{entities(visible(one).replace('```', 'ˋˋˋ'))}```") for one in [*chunks, chunk] if one
    ]
