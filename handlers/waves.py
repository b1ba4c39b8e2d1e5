"""Waves of teams: `/cadence request`, `/cadence wave`, their forms and buttons."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from cadence.flows.core import NeedsChoice
from cadence.flows.waves import (
    GONE,
    AdaptGiven,
    NeedsRequestForm,
    RequestGiven,
    WaveGiven,
    adapt_form,
    adapt_part,
    adaptable_in,
    cancel_wave,
    compare,
    compare_parts,
    confirm_team,
    open_wave,
    part_typed,
    plan_wave,
    planned_wave,
    post_comparison,
    request_form,
    request_playbook,
    show_waves,
    take_back_request,
    wave_anyway_form,
    wave_form,
    wave_team_form,
    wave_to_show,
)
from cadence.mrkdwn import say
from cadence.nearest import nearest
from cadence.refusals import Refusal
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import AboutPlaybook, Entry, Request
from handlers.grammar.errors import shown
from handlers.grammar.verbs import take_verb
from handlers.payloads import OLD_BUTTON, Body, Form, known_row, metadata
from templates.contexts.base import MessageContext
from templates.contexts.waves import AdaptForm, RequestForm, WaveAnywayForm, WaveForm, WaveTeamForm
from templates.ids import Action, Callback

Verb = Literal["plan", "open", "show", "cancel"]
_VERBS: Final[dict[str, Verb]] = {verb: verb for verb in get_args(Verb)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPlaybook(AboutPlaybook):
    """`/cadence request`. `reason` is why the team wants it."""

    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave(AboutPlaybook):
    """`/cadence wave`. Without a `verb` it shows the waves, or opens the form if there are none."""

    verb: Verb | None = None


def read_request(request: Request) -> RequestPlaybook:
    """`/cadence request <playbook> <reason> [team=slug]`; the playbook can be one the person has no part in."""
    named = request.playbook()
    if named is None and request.typed:
        known = (*request.vocabulary.playbooks, *request.vocabulary.others)
        word = request.typed.words[0].text
        if "-" in word and nearest(word, known):
            raise request.no_playbook(of_others=True)
    return RequestPlaybook(playbook=named, reason=request.sentence("reason"), team=request.team)


def read_wave(request: Request) -> Wave:
    """`/cadence wave [playbook] plan|open|show|cancel`, in either order."""
    named = request.playbook()
    verb = (
        take_verb(request, _VERBS, named=named, wrong="You can't {word} a wave.") if request.typed else None
    )
    named = named or request.playbook()
    if request.typed:
        raise request.no_playbook(of_others=True)
    return Wave(playbook=request.the_playbook(named), verb=verb)


def request_by_command(context: RequestContext, command: RequestPlaybook) -> None:
    """`/cadence request`: immediately if playbook, reason and team are clear, else by form."""
    if command.playbook is None or command.reason is None:
        _open_request(context, command)
        return
    given = RequestGiven(command.playbook, command.reason, command.team)
    context.say_or_ask(
        lambda: request_playbook(context.uow, given),
        unclear=NeedsRequestForm,
        ask=lambda: _open_request(context, command),
    )


def _open_request(context: RequestContext, command: RequestPlaybook) -> None:
    context.open(
        request_form(context.uow, playbook=command.playbook, team=command.team, reason=command.reason or "")
    )


def request_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Ask for it]: the form, for the playbook of the message."""
    context.open(request_form(context.uow, playbook=value or None))


def requested(context: RequestContext, form: Form) -> MessageContext:
    """The form to request a playbook."""
    typed = form.read(RequestForm)
    return request_playbook(context.uow, RequestGiven(typed.playbook or "", typed.reason, typed.team))


def taken_back(context: RequestContext, value: str, _body: Body) -> None:
    """[Take back]."""
    context.say(take_back_request(context.uow, known_row(value, OLD_BUTTON)))


def by_command(context: RequestContext, command: Wave) -> None:
    """`/cadence wave`."""
    typed = " ".join(("/cadence wave {slug}", command.verb or "")).strip()
    playbook = wave_to_show(context.uow, command.playbook, command=typed)
    _RUN[command.verb](context, playbook)


def _show_or_plan(context: RequestContext, playbook: str) -> None:
    found = show_waves(context.uow, playbook)
    if found.waves or found.wishes or not found.may_plan:
        context.say(found)
    else:
        _plan(context, playbook)


def _show(context: RequestContext, playbook: str) -> None:
    context.say(show_waves(context.uow, playbook))


def _plan(context: RequestContext, playbook: str) -> None:
    context.open(wave_form(context.uow, playbook=playbook), ids=metadata(slug=playbook))


def _open(context: RequestContext, playbook: str) -> None:
    context.say(open_wave(context.uow, planned_wave(context.uow, playbook)))


def _cancel(context: RequestContext, playbook: str) -> None:
    context.say(cancel_wave(context.uow, planned_wave(context.uow, playbook)))


_RUN: Final[dict[str | None, Callable[[RequestContext, str], None]]] = {
    None: _show_or_plan,
    "show": _show,
    "plan": _plan,
    "open": _open,
    "cancel": _cancel,
}


def show_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Show the waves]."""
    _show(context, value)


def plan_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Plan a wave] or [Change the plan]: the form."""
    _plan(context, value)


def planned(context: RequestContext, form: Form) -> MessageContext:
    """The form of a wave."""
    typed = form.read(WaveForm)
    return plan_wave(context.uow, WaveGiven(form.slug or "", typed.teams, typed.reason))


def team_chosen(context: RequestContext, value: str, _body: Body) -> None:
    """The menu of a planned wave's teams: the form for one."""
    row = known_row(value, GONE)
    context.open(wave_team_form(context.uow, row_id=row), ids=metadata(r=row))


def team_confirmed(context: RequestContext, form: Form) -> MessageContext:
    """The form for a planned team."""
    typed = form.read(WaveTeamForm)
    return confirm_team(context.uow, row_id=form.row("r"), champion=typed.champion, room=typed.room)


def open_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Open wave 2]."""
    context.say(open_wave(context.uow, known_row(value, GONE)))


def open_anyway(context: RequestContext, value: str, _body: Body) -> None:
    """[Open anyway]: the form that asks why."""
    wave = known_row(value, GONE)
    context.open(wave_anyway_form(context.uow, wave), ids=metadata(w=wave))


def opened_anyway(context: RequestContext, form: Form) -> MessageContext:
    """The form that says why a wave opens anyway."""
    typed = form.read(WaveAnywayForm)
    return open_wave(context.uow, form.row("w"), reason=typed.reason)


def cancel_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Cancel the wave]."""
    context.say(cancel_wave(context.uow, known_row(value, GONE)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareTeams(AboutPlaybook):
    """`/cadence compare`. `parts`: what each team adapted."""

    parts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapt(AboutPlaybook):
    """`/cadence adapt`. `typed` is the part and how the team does it."""

    typed: str | None = None


def read_compare(request: Request) -> CompareTeams:
    """`/cadence compare [playbook] [parts]`."""
    named = request.playbook()
    parts = bool(request.typed) and request.typed.key() == "parts"
    if parts:
        request.typed.take()
    named = named or request.next_playbook(of_others=True)
    if request.typed:
        raise Refusal(say("{word} doesn't fit here. Try `parts`.", word=shown(request.typed.rest())))
    return CompareTeams(playbook=request.the_playbook(named), parts=parts)


def read_adapt(request: Request) -> Adapt:
    """`/cadence adapt [playbook] [part] [how your team does it] [team=slug]`."""
    named = request.playbook()
    return Adapt(
        playbook=request.the_playbook(named), typed=request.sentence("description"), team=request.team
    )


def compare_by_command(context: RequestContext, command: CompareTeams) -> None:
    """`/cadence compare`."""
    typed = "/cadence compare {slug}" + (" parts" if command.parts else "")
    playbook = wave_to_show(context.uow, command.playbook, command=typed)
    _compare(context, playbook, parts=command.parts)


def _compare(context: RequestContext, playbook: str, *, parts: bool) -> None:
    context.say(compare_parts(context.uow, playbook) if parts else compare(context.uow, playbook))


def compare_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Compare teams], or [Adapted parts]: `{playbook}:parts`."""
    playbook, _, parts = value.partition(":")
    _compare(context, playbook, parts=parts == "parts")


def comparison_posted(context: RequestContext, value: str, _body: Body) -> None:
    """[Post it with a chart]."""
    context.say(post_comparison(context.uow, value))


def adapt_by_command(context: RequestContext, command: Adapt) -> None:
    """`/cadence adapt`: immediately if part and text are given, else by form; what can be changed if it isn't
    clear where."""
    try:
        typed = part_typed(
            context.uow, playbook=command.playbook, team=command.team, typed=command.typed or ""
        )
    except NeedsChoice as several:
        context.say(adaptable_in(context.uow, several.runs))
        return
    if typed.part is not None and typed.text:
        given = AdaptGiven(typed.part, typed.text, playbook=command.playbook, team=command.team)
        context.say(adapt_part(context.uow, given))
        return
    form, adoption = adapt_form(context.uow, playbook=command.playbook, team=command.team, part=typed.part)
    context.open(form, ids=metadata(a=adoption))


def adapt_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Adapt a part]: the form, for an adoption."""
    form, adoption = adapt_form(context.uow, adoption_id=known_row(value, OLD_BUTTON))
    context.open(form, ids=metadata(a=adoption))


def adapted(context: RequestContext, form: Form) -> MessageContext:
    """The form of an adapted part."""
    typed = form.read(AdaptForm)
    return adapt_part(context.uow, AdaptGiven(typed.part or "", typed.text, adoption_id=form.row("a")))


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="request",
            task="From one team to many",
            usage="[playbook] [reason] [team=slug]",
            summary="Ask for a playbook for your team",
            examples=("/cadence request support-reply We answer the same tickets",),
            read=read_request,
            bare=RequestPlaybook,
            run=request_by_command,
            options=("team",),
        ),
        Entry(
            name="wave",
            task="From one team to many",
            usage="[playbook] plan | open | show | cancel",
            summary="Plan which teams adopt a playbook next, and open the wave",
            who="owner",
            examples=("/cadence wave support-reply plan", "/cadence wave support-reply show"),
            read=read_wave,
            bare=Wave,
            run=by_command,
        ),
        Entry(
            name="compare",
            task="From one team to many",
            usage="[playbook] [parts]",
            summary="See a playbook's teams side by side",
            examples=("/cadence compare support-reply", "/cadence compare support-reply parts"),
            read=read_compare,
            bare=CompareTeams,
            run=compare_by_command,
        ),
        Entry(
            name="adapt",
            task="From one team to many",
            usage="[playbook] [part] [how] [team=slug]",
            summary="Say how your team does an adaptable part",
            examples=("/cadence adapt support-reply tone guide We write formally",),
            read=read_adapt,
            bare=Adapt,
            run=adapt_by_command,
            options=("team",),
        ),
    ),
    buttons={
        Action.REQUEST: request_by_button,
        Action.TAKE_BACK_REQUEST: taken_back,
        Action.PLAN_WAVE: plan_by_button,
        Action.SHOW_WAVES: show_by_button,
        Action.WAVE_TEAM: team_chosen,
        Action.OPEN_WAVE: open_by_button,
        Action.OPEN_WAVE_ANYWAY: open_anyway,
        Action.CANCEL_WAVE: cancel_by_button,
        Action.COMPARE: compare_by_button,
        Action.POST_COMPARISON: comparison_posted,
        Action.ADAPT: adapt_by_button,
    },
    forms={
        Callback.REQUEST: requested,
        Callback.WAVE: planned,
        Callback.WAVE_TEAM: team_confirmed,
        Callback.WAVE_ANYWAY: opened_anyway,
        Callback.ADAPT: adapted,
    },
)
