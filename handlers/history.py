"""The trail and exports: `/cadence trace`, `/cadence export`, and the form that asks what to export."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from cadence.flows.history import Asked, ask_export, export_form, read_value
from cadence.flows.history import trace as read_trail
from cadence.refusals import Refusal
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import AboutPlaybook, Command, Entry, Request
from handlers.grammar.dates import find_day, read_day
from handlers.payloads import Body, Form
from templates.contexts.base import MessageContext
from templates.contexts.history import ExportForm
from templates.ids import Action, Callback


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace(AboutPlaybook):
    """`/cadence trace`: who did what, newest first. `since` is the first day shown."""

    step: str | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Export(Command):
    """`/cadence export`: a playbook's records, or `everything` the person can export; opens the form
    without arguments."""

    playbook: str | None = None
    everything: bool = False


def read_trace(request: Request) -> Trace:
    """`/cadence trace [playbook] [step] [since]`. A bare `trace` shows everything the person can read."""
    named = request.playbook()
    step = request.step(named) if request.typed else None
    since = None
    if request.typed:
        if request.typed.key() == "since":
            request.typed.take()
        text = request.typed.rest()
        since = find_day(text, request.today, past=True)
        if since is None and named is None and step is None:
            raise request.no_playbook()
        since = since or read_day(text, request.today, past=True)
        request.typed.words = []
    playbook = named or (request.home_of([step]) if step else None)
    return Trace(playbook=playbook, step=step, since=since, team=request.team)


def read_export(request: Request) -> Export:
    """`/cadence export [playbook|all]`."""
    named = request.playbook()
    if named is None and request.typed.key() == "all":
        request.typed.take()
        return Export(everything=True)
    return Export(playbook=named or request.next_playbook(of_others=True))


def trace(context: RequestContext, command: Trace) -> None:
    """`/cadence trace`: the newest page."""
    asked = Asked(playbook=command.playbook, step=command.step, team=command.team, since=command.since)
    context.say(read_trail(context.uow, asked))


def older(context: RequestContext, value: str, _body: Body) -> None:
    """[Older] under a page of the trail."""
    asked = read_value(value)
    if asked is None:
        raise Refusal("This button has expired. Start over with `/cadence trace`.")
    context.say(read_trail(context.uow, asked))


def export(context: RequestContext, command: Export) -> None:
    """`/cadence export`: immediately with an argument, else by form."""
    if command.playbook is None and not command.everything:
        context.open(export_form(context.uow))
        return
    context.say(ask_export(context.uow, playbook=command.playbook))


def export_submitted(context: RequestContext, form: Form) -> MessageContext:
    """The form."""
    chosen = form.read(ExportForm).selected
    return ask_export(context.uow, playbook=None if chosen == ExportForm.ALL else chosen)


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="trace",
            task="Exceptions and steps",
            usage="[playbook] [step] [since] [team=slug]",
            summary="See who did what, and when",
            examples=(
                "/cadence trace",
                "/cadence trace support-reply send",
                "/cadence trace support-reply monday",
            ),
            read=read_trace,
            bare=Trace,
            run=trace,
            options=("team",),
        ),
        Entry(
            name="export",
            task="Teams and settings",
            usage="[playbook|all]",
            summary="Get everything as CSV and YAML files",
            who="owner",
            examples=("/cadence export support-reply", "/cadence export all"),
            read=read_export,
            bare=Export,
            run=export,
        ),
    ),
    buttons={Action.OLDER_TRACE: older},
    forms={Callback.EXPORT: export_submitted},
)
