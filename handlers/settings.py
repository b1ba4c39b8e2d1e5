"""Settings: of the workspace, and of one team's run of a playbook."""

from slack_bolt import App

from cadence.flows.adoption import AdoptionSettings, adoption_form, save_adoption
from cadence.flows.workspaces import SettingsGiven, save_settings, settings_form
from handlers.context import Services, Turn
from handlers.grammar import commands
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, metadata
from templates.contexts.base import MessageContext
from templates.ids import Action, Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the button and the forms."""
    register_button(app, services, Action.OPEN_SETTINGS, by_button)
    register_form(app, services, Callback.SETTINGS, submitted)
    register_form(app, services, Callback.ADOPTION_SETTINGS, adoption_submitted)


def open_form(turn: Turn, command: commands.Settings) -> None:
    """`/cadence settings`: the workspace's, or those of a playbook's run."""
    if command.playbook is not None:
        form, adoption = adoption_form(turn.uow, playbook=command.playbook, team=command.team)
        turn.open(form, ids=metadata(a=adoption))
        return
    named = turn.services.named_curators
    turn.open(settings_form(turn.uow, named=named))


def by_button(turn: Turn, _value: str, _body: Body) -> None:
    """[Settings]."""
    open_form(turn, commands.Settings())


def submitted(turn: Turn, form: Form) -> MessageContext:
    """The form of the workspace."""
    asked = form.values
    for curator in form.members(Field.CURATORS):
        turn.services.meet(turn.caller.workspace_id, curator)
    given = SettingsGiven(
        curators=form.members(Field.CURATORS),
        curator_channel=form.channel(Field.CURATOR_CHANNEL),
        timezone=form.text(Field.TIMEZONE),
        rule=form.option(Field.RULE) or "",
        country=form.text(Field.COUNTRY).upper() if Field.COUNTRY in asked else None,
        min_runs=form.text(Field.MIN_RUNS) if Field.MIN_RUNS in asked else None,
        working_days=form.options(Field.WORKING_DAYS) if Field.WORKING_DAYS in asked else None,
        hours=form.text(Field.HOURS) if Field.HOURS in asked else None,
        guests=bool(form.options(Field.GUESTS)) if Field.GUESTS in asked else None,
    )
    return save_settings(turn.uow, given, named=turn.services.named_curators)


def adoption_submitted(turn: Turn, form: Form) -> MessageContext:
    """The form of one team's run."""
    given = AdoptionSettings(
        form.row("a"),
        champion=form.member(Field.CHAMPION),
        rule=form.option(Field.RULE),
        hours=form.text(Field.HOURS) if Field.HOURS in form.values else None,
    )
    return save_adoption(turn.uow, given)
