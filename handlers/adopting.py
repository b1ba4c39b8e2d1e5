"""Adopting: `/cadence adopt`, its form, and the buttons that lead there."""

from slack_bolt import App

from cadence.flows.adoption import AdoptionGiven, NeedsForm, adopt, adopt_form
from cadence.refusals import Refusal
from handlers.context import Services, Turn
from handlers.grammar import commands
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form
from templates.contexts.base import MessageContext
from templates.ids import Action, Callback, Field

_PARTS = 3


def register(app: App, services: Services) -> None:
    """Listen for the buttons and the form."""
    register_button(app, services, Action.ADOPT, by_button)
    register_button(app, services, Action.ADD_CHAMPION, champion_added)
    register_form(app, services, Callback.ADOPT, submitted)


def by_command(turn: Turn, command: commands.Adopt) -> None:
    """`/cadence adopt`: at once when team and champion are clear, else by form."""
    if command.playbook is None:
        turn.open(adopt_form(turn.uow, playbook=None, team=command.team, champion=command.champion))
        return
    given = AdoptionGiven(command.playbook, command.team, command.channel, command.champion)
    _meet(turn, given)
    try:
        turn.say(adopt(turn.uow, given))
    except NeedsForm as ask:
        team, champion = command.team or ask.team, command.champion
        turn.open(adopt_form(turn.uow, playbook=command.playbook, team=team, champion=champion))


def by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Adopt in another team]: the form, for the playbook of the post."""
    turn.open(adopt_form(turn.uow, playbook=value or None))


def champion_added(turn: Turn, value: str, _body: Body) -> None:
    """[Add them and adopt] under a refusal."""
    parts = value.split(":")
    if len(parts) != _PARTS or not all(parts):
        raise Refusal("This button is too old to be understood. `/cadence adopt` starts again.")
    given = AdoptionGiven(parts[0], team=parts[1], champion=parts[2], add_champion=True)
    _meet(turn, given)
    turn.say(adopt(turn.uow, given))


def submitted(turn: Turn, form: Form) -> MessageContext:
    """The form."""
    given = AdoptionGiven(
        playbook=form.option(Field.PLAYBOOK) or "",
        team=form.option(Field.TEAM),
        champion=form.member(Field.CHAMPION),
    )
    _meet(turn, given)
    return adopt(turn.uow, given)


def _meet(turn: Turn, given: AdoptionGiven) -> None:
    """Know what Slack says of a champion before they are judged."""
    turn.services.meet(turn.caller.workspace_id, given.champion or "")
