"""This week's number: `/kpi`, its form, and the button of the message that asks for it."""

from collections.abc import Callable
from datetime import date

from slack_bolt import App

from cadence.flows.core import Lexicon, NeedsChoice, NeedsWeek
from cadence.flows.nudging import kpi_form
from cadence.flows.numbers import NumberGiven, record_number, record_typed
from handlers.context import Services, Turn
from handlers.grammar import commands
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, metadata, read_week, row_id, split_week
from templates.contexts.base import MessageContext
from templates.ids import Action, Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the button and the form."""
    register_button(app, services, Action.REPORT_KPI, by_button)
    register_form(app, services, Callback.KPI, submitted)


def by_command(turn: Turn, command: commands.Kpi) -> None:
    """`/kpi`: records at once; opens the form when bare, or when it isn't clear which run or week is meant."""
    given = _given(command)
    if given is None:
        open_form(turn, None, playbook=command.playbook, team=command.team)
        return
    try:
        turn.say(record_number(turn.uow, given))
    except (NeedsWeek, NeedsChoice) as ask:
        _ask(turn, given, ask)


def by_words(
    turn: Turn, read: Callable[[Lexicon], commands.Command], *, teams: bool
) -> commands.Command | None:
    """`/kpi` with a number, in one transaction; what the words mean instead, when they don't record one."""
    meant: list[commands.Command] = []
    given = NumberGiven("")

    def number(words: Lexicon) -> NumberGiven | None:
        nonlocal given
        command = read(words)
        found = _given(command) if isinstance(command, commands.Kpi) else None
        given = found or given
        meant[:] = [] if found else [command]
        return found

    try:
        recorded = record_typed(turn.uow, number, teams=teams)
    except (NeedsWeek, NeedsChoice) as ask:
        _ask(turn, given, ask)
        return None
    if recorded is not None:
        turn.say(recorded)
    return meant[0] if meant else None


def _given(command: commands.Kpi) -> NumberGiven | None:
    if command.value is None and not command.guardrails:
        return None
    return NumberGiven(
        value=command.value or "",
        playbook=command.playbook,
        team=command.team,
        week=command.week,
        note=command.note or "",
        guardrails=dict(command.guardrails),
    )


def _ask(turn: Turn, given: NumberGiven, ask: NeedsWeek | NeedsChoice) -> None:
    """Open the form: it isn't clear which week or run is meant."""
    adoption_id = ask.adoption_id if isinstance(ask, NeedsWeek) else None
    open_form(
        turn,
        adoption_id,
        playbook=given.playbook,
        team=given.team,
        value=given.value,
        note=given.note,
    )


def open_form(
    turn: Turn,
    adoption_id: int | None,
    *,
    playbook: str | None = None,
    team: str | None = None,
    week: date | None = None,
    value: str = "",
    note: str = "",
) -> None:
    """Open the form, with what is known."""
    form = kpi_form(
        turn.uow,
        adoption_id=adoption_id,
        playbook=playbook,
        team=team,
        week_start=week,
        value=value,
        note=note,
    )
    turn.open(form, ids=metadata(a=form.selected or adoption_id, w=week and week.isoformat()))


def by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Report the number]."""
    adoption_id, week = split_week(value)
    open_form(turn, adoption_id, week=week)


def submitted(turn: Turn, form: Form) -> MessageContext:
    """The form."""
    adoption = form.option(Field.ADOPTION)
    week = form.option(Field.WEEK)
    given = NumberGiven(
        value=form.text(Field.VALUE),
        adoption_id=(row_id(adoption) or 0) if adoption else form.row("a"),
        week_start=read_week(week) if week else form.week("w"),
        note=form.text(Field.NOTE),
        guardrails=form.texts(Field.GUARDRAIL),
    )
    return record_number(turn.uow.by(turn.by(form)), given)
