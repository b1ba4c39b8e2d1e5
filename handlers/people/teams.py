"""Teams: create, change, join, leave, list members."""

import re
from dataclasses import dataclass
from typing import Final

from cadence.documents.words import slug_of
from cadence.flows.people import (
    TeamGiven,
    TeamPurpose,
    WhichTeam,
    channel_to_join,
    choose_team_form,
    create_team,
    decide_join,
    holidays_form,
    join_team,
    leave_team,
    show_team,
    team_form,
    team_holidays,
)
from cadence.refusals import Refusal
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import Command, Entry, Request
from handlers.payloads import Body, Form, channel_id, metadata, row_id
from templates.contexts.base import MessageContext
from templates.contexts.people import ChooseTeamForm, HolidaysForm, TeamForm
from templates.ids import Action, Callback

_LOOKS_LIKE_COUNTRY: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,3})?")

_TITLE_LENGTH = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTeam(Command):
    """`/cadence team create`: the prefilled form. `team` is the slug for the title."""

    team: str | None = None
    title: str | None = None
    channel: str | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinTeam(Command):
    """`/cadence team join`. `members` are the people mentioned; empty means the person who typed."""

    team: str | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveTeam(Command):
    """`/cadence team leave`. `members` are the people mentioned; empty means the person who typed."""

    team: str | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamMembers(Command):
    """`/cadence team members`."""

    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamHolidays(Command):
    """`/cadence team holidays`. `country` is the input in capitals; None only shows them."""

    team: str | None = None
    country: str | None = None


def read_create(request: Request) -> CreateTeam:
    """`/cadence team create [title] [#channel] [@member …]`."""
    members = request.mentions()
    channels = [word for word in request.typed.words if word.channel]
    request.typed.words = [word for word in request.typed.words if not word.channel]
    title = request.typed.sentence()
    if title and len(title) > _TITLE_LENGTH:
        raise Refusal(f"A team's name can have {_TITLE_LENGTH} characters. This one has {len(title):,}.")
    channel = channels[0].channel if channels else None
    return CreateTeam(team=slug_of(title or "") or None, title=title, channel=channel, members=members)


def read_join(request: Request) -> JoinTeam:
    """`/cadence team join [team] [@member …]`."""
    members = request.mentions()
    return JoinTeam(team=request.take_team(), members=members)


def read_leave(request: Request) -> LeaveTeam:
    """`/cadence team leave [team] [@member …]`."""
    members = request.mentions()
    return LeaveTeam(team=request.take_team(), members=members)


def read_holidays(request: Request) -> TeamHolidays:
    """`/cadence team holidays [team] [country]`: a last word that isn't a team is a country."""
    option = request.team
    slugs = {team.casefold() for team in request.vocabulary.teams}
    words = [word.text for word in request.typed.words]
    country = None
    behind_a_team = len(words) == 2 and words[0].casefold() in slugs
    if (
        words
        and words[-1].casefold() not in slugs
        and (behind_a_team or _LOOKS_LIKE_COUNTRY.fullmatch(words[-1]))
    ):
        country = words[-1].upper()
        request.typed.words = request.typed.words[:-1]
    team = request.take_team() if request.typed else option
    return TeamHolidays(team=team, country=country)


def create(context: RequestContext, command: CreateTeam) -> None:
    """`/cadence team create`: the prefilled form."""
    form = team_form(
        context.uow,
        slug=command.team,
        title=command.title or "",
        channel=command.channel,
        members=command.members,
    )
    context.open(form, ids=metadata(slug=None if form.new else form.slug))


def by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Edit team], or a new one, of `channel:{id}`."""
    kind, _, channel = value.partition(":")
    if kind == "channel":
        form = team_form(context.uow, slug=None, channel=channel_id(channel))
    else:
        form = team_form(context.uow, slug=value or None)
    context.open(form, ids=metadata(slug=None if form.new else form.slug))


def submitted(context: RequestContext, form: Form) -> MessageContext:
    """The form."""
    typed = form.read(TeamForm)
    given = TeamGiven(
        slug=form.slug or typed.slug,
        title=typed.title,
        function=typed.function or "other",
        channel=typed.channel or "",
        timezone=typed.timezone,
        members=typed.members,
        region=typed.region or None,
        country=typed.country.upper() or None,
        reporter=typed.reporter,
        new=form.slug is None,
    )
    return create_team(context.uow, given)


def join(context: RequestContext, command: JoinTeam) -> None:
    """`/cadence team join`: immediately, or by form if the team isn't clear."""
    context.say_or_ask(
        lambda: _join(context, command.team, command.members),
        unclear=WhichTeam,
        ask=lambda: _choose(context, "join", command.members),
    )


def _choose(context: RequestContext, purpose: TeamPurpose, who: tuple[str, ...] = ()) -> None:
    context.open(choose_team_form(context.uow, purpose), ids=metadata(to=purpose, who=" ".join(who)))


def chosen(context: RequestContext, form: Form) -> MessageContext:
    """A team was chosen; the form says for what, and for whom."""
    team = form.read(ChooseTeamForm).team
    who = tuple(str(form.ids.get("who") or "").split())
    if form.ids.get("to") == "join":
        return _join(context, team, who)
    if form.ids.get("to") == "leave":
        return leave_team(context.uow, team, who=who)
    return show_team(context.uow, team)


def _join(context: RequestContext, team: str | None, who: tuple[str, ...] = ()) -> MessageContext:
    """New members are looked up in the team's channel first, with no transaction open."""
    for member in who:
        context.services.meet(context.caller.workspace_id, member)
    channel = channel_to_join(context.uow, team)
    wanted = frozenset(who or (context.caller.member,))
    there = context.services.in_channel(context.caller.workspace_id, channel, wanted)
    return join_team(context.uow, team, who=who, in_channel=there)


def leave(context: RequestContext, command: LeaveTeam) -> None:
    """`/cadence team leave`: immediately, or by form if the team isn't clear."""
    context.say_or_ask(
        lambda: leave_team(context.uow, command.team, who=command.members),
        unclear=WhichTeam,
        ask=lambda: _choose(context, "leave", command.members),
    )


def joined_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Join again]."""
    context.say(_join(context, value))


def approved(context: RequestContext, value: str, _body: Body) -> None:
    """[Approve] under a request to join."""
    context.say(decide_join(context.uow, row_id(value) or 0, approve=True))


def declined(context: RequestContext, value: str, _body: Body) -> None:
    """[Decline] under a request to join."""
    context.say(decide_join(context.uow, row_id(value) or 0, approve=False))


def left_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Leave]."""
    context.say(leave_team(context.uow, value))


def members(context: RequestContext, command: TeamMembers) -> None:
    """`/cadence team members`: immediately, or by form if the team isn't clear."""
    context.say_or_ask(
        lambda: show_team(context.uow, command.team),
        unclear=WhichTeam,
        ask=lambda: _choose(context, "members"),
    )


def holidays(context: RequestContext, command: TeamHolidays) -> None:
    """`/cadence team holidays`: immediately, or by form if the team isn't clear."""
    context.say_or_ask(
        lambda: team_holidays(context.uow, command.team, country=command.country),
        unclear=WhichTeam,
        ask=lambda: context.open(holidays_form(context.uow, country=command.country or "")),
    )


def open_holidays(context: RequestContext, value: str, _body: Body) -> None:
    """[Change country]."""
    context.open(holidays_form(context.uow, slug=value))


def holidays_asked(context: RequestContext, form: Form) -> MessageContext:
    """The form."""
    typed = form.read(HolidaysForm)
    return team_holidays(context.uow, typed.team, country=typed.country.upper() or None)


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="team create",
            task="Teams and settings",
            usage="[name] [#channel] [@member …]",
            summary="Create a team",
            who="owner",
            examples=("/cadence team create Support EMEA",),
            read=read_create,
            bare=CreateTeam,
            run=create,
        ),
        Entry(
            name="team join",
            task="Teams and settings",
            usage="[team] [@member …]",
            summary="Join a team, or add people to it",
            examples=("/cadence team join support-emea",),
            read=read_join,
            bare=JoinTeam,
            run=join,
            options=("team",),
        ),
        Entry(
            name="team leave",
            task="Teams and settings",
            usage="[team] [@member …]",
            summary="Leave a team, or remove people from it",
            examples=("/cadence team leave support-emea",),
            read=read_leave,
            bare=LeaveTeam,
            run=leave,
            options=("team",),
        ),
        Entry(
            name="team members",
            task="Teams and settings",
            usage="[team]",
            summary="See a team's members",
            examples=("/cadence team members support-emea",),
            read=lambda request: TeamMembers(team=request.take_team()),
            bare=TeamMembers,
            run=members,
            options=("team",),
            group=TeamMembers,
        ),
        Entry(
            name="team holidays",
            task="Teams and settings",
            usage="[team] [country]",
            summary="See or change a team's public holidays",
            examples=("/cadence team holidays", "/cadence team holidays support-emea DE-BY"),
            read=read_holidays,
            bare=TeamHolidays,
            run=holidays,
            options=("team",),
        ),
    ),
    buttons={
        Action.CREATE_TEAM: by_button,
        Action.TEAM_JOIN: joined_by_button,
        Action.TEAM_LEAVE: left_by_button,
        Action.APPROVE_JOIN: approved,
        Action.DECLINE_JOIN: declined,
        Action.TEAM_HOLIDAYS: open_holidays,
    },
    forms={Callback.TEAM: submitted, Callback.CHOOSE_TEAM: chosen, Callback.HOLIDAYS: holidays_asked},
)
