"""Settings: `/cadence settings` and the form of the workspace's."""

from dataclasses import dataclass
from typing import Final

from cadence.flows.workspaces import save_settings, settings_form
from handlers import adoption
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import AboutPlaybook, Entry, Request
from handlers.payloads import Body, Form
from templates.contexts.base import MessageContext
from templates.contexts.workspaces import SettingsForm
from templates.ids import Action, Callback


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(AboutPlaybook):
    """`/cadence settings`: the workspace's; with a playbook, those of a team that runs it."""


def read_settings(request: Request) -> Settings:
    """`/cadence settings [playbook] [team=slug]`; without arguments the workspace's, however many
    playbooks there are."""
    named = request.next_playbook(of_others=True)
    team = request.team
    return Settings(playbook=named or (request.the_playbook(None) if team else None), team=team)


def open_form(context: RequestContext, command: Settings) -> None:
    """`/cadence settings`: the workspace's, or an adoption's."""
    if command.playbook is not None:
        adoption.open_settings(context, command.playbook, command.team)
        return
    named = context.services.named_curators
    context.open(settings_form(context.uow, named=named))


def by_button(context: RequestContext, _value: str, _body: Body) -> None:
    """[Settings]."""
    open_form(context, Settings())


def submitted(context: RequestContext, form: Form) -> MessageContext:
    """The form of the workspace."""
    given = form.read(SettingsForm)
    for curator in given.curators:
        context.services.meet(context.caller.workspace_id, curator)
    typed = {name: getattr(given, name) for name in SettingsForm.declared_inputs() if name in form.values}
    return save_settings(context.uow, typed, named=context.services.named_curators)


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="settings",
            task="Teams and settings",
            usage="[playbook] [team=slug]",
            summary="Change a team's settings, or the workspace's",
            who="owner",
            examples=("/cadence settings", "/cadence settings support-reply team=support-emea"),
            read=read_settings,
            bare=Settings,
            run=open_form,
            options=("team",),
        ),
    ),
    buttons={Action.OPEN_SETTINGS: by_button},
    forms={Callback.SETTINGS: submitted},
)
