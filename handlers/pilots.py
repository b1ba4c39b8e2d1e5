"""Before a pilot: `/cadence pilot`, its review and the curators' decision; `/cadence owners`."""

import re
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from cadence.flows.pilots import (
    DutyKind,
    OwnersGiven,
    PilotRef,
    approve_pilot,
    ask_review,
    name_owners,
    owners_form,
    pilot_overview,
    review_form,
    send_back,
    send_back_form,
    show_pilot,
)
from cadence.mrkdwn import say
from cadence.nearest import nearest
from cadence.refusals import Refusal
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import Command, Entry, Request
from handlers.grammar.errors import listed, shown
from handlers.payloads import OLD_BUTTON, Body, Form, metadata
from templates.contexts.answers import Done
from templates.contexts.base import MessageContext, ViewContext
from templates.contexts.pilots import (
    ChooseOwnersForm,
    ChoosePilotForm,
    OwnersForm,
    PilotReviewForm,
    SendBackForm,
)
from templates.ids import Action, Callback

Verb = Literal["ask", "approve", "back"]

_VERBS: Final[dict[str, Verb]] = {verb: verb for verb in get_args(Verb)}
_REF: Final = re.compile(r"([0-9]{1,9}):([0-9]{1,9}):([a-z0-9-]{1,40})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot(Command):
    """`/cadence pilot`. Without a playbook: what there is to pilot. `remark` goes with `back`."""

    playbook: str | None = None
    verb: Verb | None = None
    remark: str | None = None


def read_pilot(request: Request) -> Pilot:
    """`/cadence pilot [playbook] [ask|approve|back <remark>]`."""
    named = request.playbook()
    if not request.typed:
        return Pilot(playbook=named)
    word = request.typed.words[0]
    verb = _VERBS.get(word.key)
    if verb is None and named is None:
        raise request.no_playbook(of_others=True)
    request.typed.take()
    if verb is None:
        near = nearest(word.key, _VERBS)
        raise Refusal(
            say(
                "{word} doesn't fit here. Try {verbs}.",
                word=shown(word.text),
                verbs=listed([near] if near else _VERBS),
            )
        )
    remark = request.sentence("remark", "Shorten it, or link to more.") if verb == "back" else None
    return Pilot(playbook=request.the_playbook(named), verb=verb, remark=remark)


def by_command(context: RequestContext, command: Pilot) -> None:
    """`/cadence pilot`: a draft's case, or what is done with it."""
    slug = command.playbook
    if slug is None:
        _overview(context)
    elif command.verb == "ask":
        context.say(ask_review(context.uow, slug))
    elif command.verb == "approve":
        context.say(approve_pilot(context.uow, PilotRef(slug)))
    elif command.verb == "back" and command.remark:
        context.say(send_back(context.uow, PilotRef(slug), command.remark))
    elif command.verb == "back":
        _open_send_back(context, PilotRef(slug))
    else:
        context.say(show_pilot(context.uow, slug))


def _overview(context: RequestContext) -> None:
    found = pilot_overview(context.uow)
    if isinstance(found, ViewContext):
        context.open(found)
    else:
        context.say(found)


def shown_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Show the case]; without a playbook, what there is to pilot."""
    if value:
        context.say(show_pilot(context.uow, value))
    else:
        _overview(context)


def chosen(context: RequestContext, form: Form) -> MessageContext:
    """A draft was chosen."""
    return show_pilot(context.uow, form.read(ChoosePilotForm).playbook or "")


def asked(context: RequestContext, value: str, _body: Body) -> None:
    """[Ask for review], [Ask again]."""
    context.say(ask_review(context.uow, value))


def _ref(value: str) -> PilotRef:
    """Parse a button's `{review_id}:{revision}:{slug}`."""
    found = _REF.fullmatch(value)
    if found is None:
        raise Refusal(OLD_BUTTON)
    return PilotRef(found[3], review_id=int(found[1]) or None, revision=int(found[2]))


def approved(context: RequestContext, value: str, _body: Body) -> None:
    """[Approve]."""
    context.say(approve_pilot(context.uow, _ref(value)))


def open_send_back(context: RequestContext, value: str, _body: Body) -> None:
    """[Send back]: the form that asks what is missing."""
    _open_send_back(context, _ref(value), value)


def _open_send_back(context: RequestContext, ref: PilotRef, value: str = "") -> None:
    found = send_back_form(context.uow, ref)
    if isinstance(found, Done):
        context.say(found)
    else:
        context.open(found, ids=metadata(ref=value or None, slug=ref.slug))


def _of_form(form: Form) -> PilotRef:
    return _ref(str(form.ids["ref"])) if form.ids.get("ref") else PilotRef(form.slug or "")


def sent_back(context: RequestContext, form: Form) -> MessageContext:
    """The form with the remark."""
    return send_back(context.uow, _of_form(form), form.read(SendBackForm).remark)


def open_review(context: RequestContext, value: str, _body: Body) -> None:
    """[Review], [Review it]: the form in which a curator judges a draft."""
    found = review_form(context.uow, value)
    if isinstance(found, Done):
        context.say(found)
    else:
        context.open(found, ids=metadata(ref=found.value))


def reviewed(context: RequestContext, form: Form) -> MessageContext:
    """The form with the decision."""
    typed, ref = form.read(PilotReviewForm), _of_form(form)
    if typed.decision == "approve":
        return approve_pilot(context.uow, ref)
    return send_back(context.uow, ref, typed.remark)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners(Command):
    """`/cadence owners`."""

    playbook: str | None = None


def owners_by_command(context: RequestContext, command: Owners) -> None:
    """`/cadence owners`: the form."""
    context.open(_owners(context, command.playbook))


def owners_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Name owners]: the form."""
    context.open(_owners(context, value or None))


def owners_chosen(context: RequestContext, form: Form) -> ViewContext:
    """A playbook was chosen."""
    return _owners(context, form.read(ChooseOwnersForm).playbook)


def _owners(context: RequestContext, slug: str | None) -> ViewContext:
    form = owners_form(context.uow, slug)
    return replace(form, private_metadata=metadata(slug=form.slug)) if isinstance(form, OwnersForm) else form


def owners_named(context: RequestContext, form: Form) -> MessageContext:
    """The form with a person for each duty."""
    typed = form.read(OwnersForm)
    chosen = {duty: getattr(typed, duty) or "" for duty in DutyKind}
    for member in chosen.values():
        context.services.meet(context.caller.workspace_id, member)
    return name_owners(context.uow, OwnersGiven(form.slug or "", chosen))


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="pilot",
            task="From one team to many",
            usage="[playbook] [ask|approve|back <remark>]",
            summary="See a draft's case, ask for its review, or decide it",
            who="owner",
            examples=("/cadence pilot support-reply", "/cadence pilot support-reply ask"),
            read=read_pilot,
            bare=Pilot,
            run=by_command,
        ),
        Entry(
            name="owners",
            task="From one team to many",
            usage="[playbook]",
            summary="Name who owns rules, updates, exceptions, adoption and training",
            who="owner",
            examples=("/cadence owners support-reply",),
            read=lambda request: Owners(playbook=request.only_playbook()),
            bare=Owners,
            run=owners_by_command,
        ),
    ),
    buttons={
        Action.SHOW_PILOT: shown_by_button,
        Action.ASK_REVIEW: asked,
        Action.APPROVE_PILOT: approved,
        Action.SEND_BACK_PILOT: open_send_back,
        Action.REVIEW_PILOT: open_review,
        Action.NAME_OWNERS: owners_by_button,
    },
    forms={
        Callback.CHOOSE_PILOT: chosen,
        Callback.SEND_BACK_PILOT: sent_back,
        Callback.PILOT_REVIEW: reviewed,
        Callback.CHOOSE_OWNERS: owners_chosen,
        Callback.OWNERS: owners_named,
    },
)
