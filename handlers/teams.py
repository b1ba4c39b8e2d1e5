"""Teams: create or change one, join, leave, see who is in it."""

from slack_bolt import App

from cadence.flows.nudging import team_form
from cadence.flows.people import (
    TeamGiven,
    WhichTeam,
    channel_to_join,
    create_team,
    decide_join,
    holidays_form,
    join_team,
    leave_team,
    show_team,
    team_holidays,
)
from cadence.refusals import Refusal
from handlers.context import Services, Turn
from handlers.grammar import commands
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, channel_id, metadata, row_id
from templates.contexts.base import MessageContext
from templates.ids import Action, Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the buttons and the form."""
    register_button(app, services, Action.CREATE_TEAM, by_button)
    register_button(app, services, Action.TEAM_JOIN, joined_by_button)
    register_button(app, services, Action.TEAM_LEAVE, left_by_button)
    register_button(app, services, Action.APPROVE_JOIN, approved)
    register_button(app, services, Action.DECLINE_JOIN, declined)
    register_button(app, services, Action.TEAM_HOLIDAYS, open_holidays)
    register_form(app, services, Callback.TEAM, submitted)
    register_form(app, services, Callback.HOLIDAYS, holidays_asked)


def create(turn: Turn, command: commands.CreateTeam) -> None:
    """`/cadence team create`: the form, with what was typed in it."""
    form = team_form(
        turn.uow,
        slug=command.team,
        title=command.title or "",
        channel=command.channel,
        members=command.members,
    )
    turn.open(form, ids=metadata(slug=None if form.new else form.slug))


def by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Change the team], or a new one, of `channel:{id}`."""
    kind, _, channel = value.partition(":")
    if kind == "channel":
        form = team_form(turn.uow, slug=None, channel=channel_id(channel))
    else:
        form = team_form(turn.uow, slug=value or None)
    turn.open(form, ids=metadata(slug=None if form.new else form.slug))


def submitted(turn: Turn, form: Form) -> MessageContext:
    """The form."""
    given = TeamGiven(
        slug=form.slug or form.text(Field.SLUG),
        title=form.text(Field.TITLE),
        function=form.option(Field.FUNCTION) or "other",
        channel=form.channel(Field.CHANNEL) or "",
        timezone=form.text(Field.TIMEZONE),
        members=form.members(Field.MEMBERS),
        region=form.text(Field.REGION) or None,
        country=form.text(Field.COUNTRY).upper() or None,
        reporter=form.member(Field.REPORTER),
        new=form.slug is None,
    )
    return create_team(turn.uow, given)


def join(turn: Turn, command: commands.JoinTeam) -> None:
    """`/cadence team join`."""
    _join(turn, command.team, command.members)


def _join(turn: Turn, team: str | None, who: tuple[str, ...] = ()) -> None:
    """Whoever joins is looked up in the team's channel first, with no transaction open."""
    for member in who:
        turn.services.meet(turn.caller.workspace_id, member)
    channel = channel_to_join(turn.uow, team)
    wanted = frozenset(who or (turn.caller.member,))
    there = turn.services.in_channel(turn.caller.workspace_id, channel, wanted)
    turn.say(join_team(turn.uow, team, who=who, in_channel=there))


def leave(turn: Turn, command: commands.LeaveTeam) -> None:
    """`/cadence team leave`."""
    turn.say(leave_team(turn.uow, command.team, who=command.members))


def joined_by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Join again]."""
    _join(turn, value)


def approved(turn: Turn, value: str, _body: Body) -> None:
    """[Approve] under a request to join."""
    turn.say(decide_join(turn.uow, row_id(value) or 0, approve=True))


def declined(turn: Turn, value: str, _body: Body) -> None:
    """[Decline] under a request to join."""
    turn.say(decide_join(turn.uow, row_id(value) or 0, approve=False))


def left_by_button(turn: Turn, value: str, _body: Body) -> None:
    """[Leave]."""
    turn.say(leave_team(turn.uow, value))


def members(turn: Turn, command: commands.TeamMembers) -> None:
    """`/cadence team members`."""
    turn.say(show_team(turn.uow, command.team))


def holidays(turn: Turn, command: commands.TeamHolidays) -> None:
    """`/cadence team holidays`: at once, else by form when it isn't clear whose."""
    turn.say_or_ask(
        lambda: team_holidays(turn.uow, command.team, country=command.country),
        unclear=WhichTeam,
        ask=lambda: turn.open(holidays_form(turn.uow, country=command.country or "")),
    )


def open_holidays(turn: Turn, value: str, _body: Body) -> None:
    """[Change the country]."""
    turn.open(holidays_form(turn.uow, slug=value))


def holidays_asked(turn: Turn, form: Form) -> MessageContext:
    """The form."""
    country = form.text(Field.COUNTRY).strip().upper() or None
    slug = form.option(Field.TEAM)
    if slug is None:
        raise Refusal("Choose a team.", field=Field.TEAM)
    return team_holidays(turn.uow, slug, country=country)
