"""What one asks for oneself: away, snooze, mute. And what an owner says of the missing."""

from datetime import timedelta

from slack_bolt import App

from cadence.flows import people
from cadence.flows.checkins import ask_until
from cadence.flows.checkins import snooze as snooze_until
from cadence.flows.nudging import ask, nudge_again, set_missing_away, still_missing
from cadence.refusals import Refusal
from handlers.context import Services, Turn
from handlers.grammar import commands
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, metadata, split_week
from templates.contexts.base import MessageContext
from templates.contexts.forms import AwayForm
from templates.ids import Action, Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the buttons and the form."""
    register_button(app, services, Action.NUDGE_AGAIN, nudge)
    register_button(app, services, Action.THEY_ARE_AWAY, they_are_away)
    register_button(app, services, Action.ASK_THEM, ask_them)
    register_form(app, services, Callback.AWAY, submitted)


def away(turn: Turn, command: commands.Away) -> None:
    """`/cadence away`: at once when the days are said, else by form."""
    if command.off:
        turn.say(people.end_away(turn.uow, member=command.member))
    elif command.until is None:
        turn.open(away_form(turn, members=(command.member,) if command.member else ()))
    else:
        turn.say(
            people.set_away(
                turn.uow,
                members=(command.member or turn.caller.member,),
                first=command.start or turn.today,
                last=command.until,
            )
        )


def away_form(turn: Turn, *, members: tuple[str, ...] = ()) -> AwayForm:
    """The form that asks from when to when, for the rest of this week unless they say otherwise."""
    return AwayForm(
        since=turn.today,
        until=turn.today + timedelta(days=6 - turn.today.weekday()),
        members=members,
    )


def they_are_away(turn: Turn, value: str, _body: Body) -> None:
    """[They're away]: the form, with the missing filled in."""
    adoption_id, week = split_week(value)
    missing = still_missing(turn.uow, adoption_id=adoption_id, week_start=week)
    if not missing:
        raise Refusal("Everyone has answered meanwhile.")
    form = AwayForm(since=week, until=max(turn.today, week + timedelta(days=4)), members=missing[:20])
    turn.open(form, ids=metadata(a=adoption_id))


def submitted(turn: Turn, form: Form) -> MessageContext:
    """The form."""
    first, last = form.day(Field.DATE), form.day(Field.UNTIL)
    if first is None or last is None:
        raise Refusal("Both days are needed.", field=Field.UNTIL)
    members = form.members(Field.MEMBERS) or (turn.caller.member,)
    if "a" in form.ids:
        return set_missing_away(turn.uow, adoption_id=form.row("a"), members=members, first=first, last=last)
    return people.set_away(turn.uow, members=members, first=first, last=last)


def nudge(turn: Turn, value: str, _body: Body) -> None:
    """[Nudge them once more]."""
    adoption_id, week = split_week(value)
    turn.say(nudge_again(turn.uow, adoption_id=adoption_id, week_start=week))


def ask_them(turn: Turn, value: str, _body: Body) -> None:
    """[Ask them] under a refusal: a DM to who may."""
    member, _, what = value.partition(":")
    turn.say(ask(turn.uow, member=member, what=what))


def snooze(turn: Turn, command: commands.Snooze) -> None:
    """`/cadence snooze`; bare, it asks until when."""
    if command.until is None:
        turn.say(ask_until(turn.uow))
        return
    turn.say(snooze_until(turn.uow, until=command.until))


def mute(turn: Turn, command: commands.Mute) -> None:
    """`/cadence mute`."""
    turn.say(people.mute(turn.uow, muted=not command.off))
