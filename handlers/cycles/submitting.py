"""Week 4's gate: naming the next team, submitting the playbook to the registry."""

from typing import Final

from cadence.flows.cycles import NextTeamGiven, name_next_team, next_team_form, submit
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.payloads import Body, Form, metadata, split_rows
from templates.contexts.base import MessageContext
from templates.contexts.cycles import NextTeamForm
from templates.ids import Action, Callback


def next_team(context: RequestContext, value: str, _body: Body) -> None:
    """[Choose the next team]."""
    adoption_id, cycle_id = split_rows(value)
    form = next_team_form(context.uow, adoption_id=adoption_id, cycle_id=cycle_id)
    context.open(form, ids=metadata(a=adoption_id, c=cycle_id))


def named(context: RequestContext, form: Form) -> MessageContext:
    """The form."""
    typed = form.read(NextTeamForm)
    given = NextTeamGiven(
        adoption_id=form.row("a"),
        cycle_id=form.row("c"),
        team=typed.selected,
        reason=typed.reason,
    )
    return name_next_team(context.uow, given)


def submitted(context: RequestContext, value: str, _body: Body) -> None:
    """[Submit to the registry]."""
    adoption_id, cycle_id = split_rows(value)
    context.say(submit(context.uow, adoption_id=adoption_id, cycle_id=cycle_id))


FEATURE: Final = Feature(
    buttons={Action.NEXT_TEAM: next_team, Action.SUBMIT: submitted}, forms={Callback.NEXT_TEAM: named}
)
