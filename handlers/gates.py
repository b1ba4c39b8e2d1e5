"""Week 4's gate: the next team named, the playbook submitted to the registry."""

from slack_bolt import App

from cadence.flows.cycles import NextTeamGiven, name_next_team, next_team_form, submit
from handlers.context import Services, Turn
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, metadata, split_rows
from templates.contexts.base import MessageContext
from templates.ids import Action, Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the buttons and the form."""
    register_button(app, services, Action.NEXT_TEAM, next_team)
    register_button(app, services, Action.SUBMIT, submitted)
    register_form(app, services, Callback.NEXT_TEAM, named)


def next_team(turn: Turn, value: str, _body: Body) -> None:
    """[Name the next team]."""
    adoption_id, cycle_id = split_rows(value)
    form = next_team_form(turn.uow, adoption_id=adoption_id, cycle_id=cycle_id)
    turn.open(form, ids=metadata(a=adoption_id, c=cycle_id))


def named(turn: Turn, form: Form) -> MessageContext:
    """The form."""
    given = NextTeamGiven(
        adoption_id=form.row("a"),
        cycle_id=form.row("c"),
        team=form.option(Field.TEAM),
        reason=form.text(Field.REASON),
    )
    return name_next_team(turn.uow, given)


def submitted(turn: Turn, value: str, _body: Body) -> None:
    """[Submit to the registry]."""
    adoption_id, cycle_id = split_rows(value)
    turn.say(submit(turn.uow, adoption_id=adoption_id, cycle_id=cycle_id))
