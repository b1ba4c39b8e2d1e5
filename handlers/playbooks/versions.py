"""Versions of playbooks: publish, compare, retire."""

from dataclasses import dataclass
from typing import Final

from cadence.flows.playbooks import choose_form, override_form, publish, retire, retire_form, show_diff
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import Command, Entry, Request
from handlers.grammar.versions import take_playbook_before_version, take_version
from handlers.payloads import Body, Form, metadata, split_ref
from handlers.playbooks.files import as_yaml, draft
from templates.contexts.base import MessageContext, ViewContext
from templates.contexts.playbooks import ChoosePlaybookForm, OverrideForm, RetireForm
from templates.ids import Action, Callback


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishPlaybook(Command):
    """`/cadence playbook publish`."""

    playbook: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffPlaybook(Command):
    """`/cadence playbook diff`. Numbers of published versions; None for the newest draft, or the previous
    one."""

    playbook: str | None = None
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetirePlaybook(Command):
    """`/cadence playbook retire`."""

    playbook: str | None = None
    reason: str | None = None


def read_diff(request: Request) -> DiffPlaybook:
    """`/cadence playbook diff [playbook] [vN] [vM|draft]`."""
    named = take_playbook_before_version(request)
    numbers: list[int | None] = []
    while request.typed and len(numbers) < 2:
        numbers.append(take_version(request))
    numbers += [None, None]
    return DiffPlaybook(playbook=named, before=numbers[0], after=numbers[1])


def read_retire(request: Request) -> RetirePlaybook:
    """`/cadence playbook retire <playbook> <reason>`: the playbook is always named."""
    return RetirePlaybook(
        playbook=request.next_playbook(of_others=True),
        reason=request.sentence("reason", "Shorten it, or link to more."),
    )


def publish_(context: RequestContext, command: PublishPlaybook) -> None:
    """`/cadence playbook publish`: immediately if the playbook is given, else by form."""
    if command.playbook is None:
        context.open(choose_form(context.uow, "publish", playbook=None), ids=metadata(to="publish"))
        return
    context.say(publish(context.uow, command.playbook))


def by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Publish]: the form, so that a single click publishes nothing."""
    form = choose_form(context.uow, "publish", playbook=value or None)
    context.open(form, ids=metadata(to="publish"))


def chosen(context: RequestContext, form: Form) -> MessageContext | ViewContext:
    """A playbook was chosen; the form says for what."""
    slug = form.read(ChoosePlaybookForm).playbook or ""
    if form.ids.get("to") == "revise":
        return draft(context, slug)
    if form.ids.get("to") == "diff":
        return show_diff(context.uow, slug)
    if form.ids.get("to") == "export":
        return as_yaml(context, slug)
    return publish(context.uow, slug)


def diff(context: RequestContext, command: DiffPlaybook) -> None:
    """`/cadence playbook diff`: immediately if the playbook is given, else by form."""
    if command.playbook is None:
        context.open(choose_form(context.uow, "diff", playbook=None), ids=metadata(to="diff"))
        return
    context.say(show_diff(context.uow, command.playbook, before=command.before, after=command.after))


def diff_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[What the draft changes]."""
    context.say(show_diff(context.uow, value))


def retire_(context: RequestContext, command: RetirePlaybook) -> None:
    """`/cadence playbook retire`: immediately with a reason, else by form."""
    if command.playbook is None or command.reason is None:
        context.open(retire_form(context.uow, playbook=command.playbook))
        return
    context.say(retire(context.uow, command.playbook, command.reason))


def retired(context: RequestContext, form: Form) -> MessageContext:
    """The form."""
    typed = form.read(RetireForm)
    return retire(context.uow, typed.playbook or "", typed.reason)


def open_override(context: RequestContext, value: str, _body: Body) -> None:
    """[Publish anyway]: asks for the reason."""
    revision, slug = split_ref(value)
    asked = override_form(context.uow, playbook=slug, revision=revision)
    context.open(asked, ids=metadata(revision=revision, playbook=slug))


def overridden(context: RequestContext, form: Form) -> MessageContext:
    """The form with the reason."""
    return publish(
        context.uow,
        str(form.ids.get("playbook", "")),
        revision=form.row("revision"),
        reason=form.read(OverrideForm).reason,
    )


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="playbook publish",
            task="Playbooks",
            usage="[playbook]",
            summary="Publish the newest draft, or see what's missing",
            who="owner",
            examples=("/cadence playbook publish support-reply",),
            read=lambda request: PublishPlaybook(playbook=request.only_playbook()),
            bare=PublishPlaybook,
            run=publish_,
        ),
        Entry(
            name="playbook diff",
            task="Playbooks",
            usage="[playbook] [vN] [vM|draft]",
            summary="See what changed between two versions",
            examples=("/cadence playbook diff support-reply", "/cadence playbook diff support-reply v1 v2"),
            read=read_diff,
            bare=DiffPlaybook,
            run=diff,
        ),
        Entry(
            name="playbook retire",
            task="Playbooks",
            usage="<playbook> <reason>",
            summary="Retire a playbook; active cycles finish",
            who="curator",
            examples=("/cadence playbook retire support-reply the new help desk replaces it",),
            read=read_retire,
            bare=RetirePlaybook,
            run=retire_,
        ),
    ),
    buttons={
        Action.PUBLISH: by_button,
        Action.SHOW_DIFF: diff_by_button,
        Action.PUBLISH_ANYWAY: open_override,
    },
    forms={Callback.CHOOSE_PLAYBOOK: chosen, Callback.PUBLISH_ANYWAY: overridden, Callback.RETIRE: retired},
)
