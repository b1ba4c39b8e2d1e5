"""A person's own absences and reminders: away, snooze, mute."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from cadence.flows import people
from cadence.flows.checkins import ask_until
from cadence.flows.checkins import snooze as snooze_until
from cadence.flows.nudging import set_missing_away
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import Command, Entry, Request
from handlers.grammar.dates import read_span
from handlers.grammar.errors import quoted
from handlers.payloads import Form
from templates.contexts.base import MessageContext
from templates.contexts.people import AwayForm
from templates.ids import Callback, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Away(Command):
    """`/cadence away`. `until` is the last day away; `start` is None for "from today". `off` ends it."""

    start: date | None = None
    until: date | None = None
    off: bool = False
    member: str | None = None


class SnoozeUntil(StrEnum):
    """How long a person's own check-in is snoozed."""

    HOUR = "hour"
    TOMORROW = "tomorrow"
    FRIDAY = "friday"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze(Command):
    """`/cadence snooze`."""

    until: SnoozeUntil | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute(Command):
    """`/cadence mute`, or with `off` the opposite."""

    off: bool = False


_OFF: Final = frozenset({"off", "back", "end", "stop", "none", "cancel"})


_SNOOZE: Final = {
    **dict.fromkeys(("hour", "an hour", "1 hour", "one hour", "1h", "60m"), SnoozeUntil.HOUR),
    "tomorrow": SnoozeUntil.TOMORROW,
    **dict.fromkeys(("friday", "fri"), SnoozeUntil.FRIDAY),
}


def read_away(request: Request) -> Away:
    """`/cadence away <from..until|day|until D|off> [@member]`."""
    mentioned = request.mentions()
    if len(mentioned) > 1:
        raise Refusal(say("Name one person at a time, like {one}.", one=code("/cadence away 20 Dec @lead")))
    member = mentioned[0] if mentioned else None
    if not request.typed:
        return Away(member=member)
    if request.typed.key() in _OFF and len(request.typed.words) == 1:
        request.typed.take()
        return Away(off=True, member=member)
    text = request.typed.rest()
    request.typed.words = []
    start, until = read_span(text, request.today)
    return Away(start=start, until=until, member=member)


def read_snooze(request: Request) -> Snooze:
    """`/cadence snooze hour|tomorrow|friday`."""
    text = request.typed.rest()
    words = [word.key for word in request.typed.take(len(request.typed.words))]
    phrase = " ".join(words[1:] if words[0] in ("for", "until", "to", "till") else words)
    if phrase not in _SNOOZE:
        raise Refusal(
            say(
                "{typed} isn't a time to snooze to. Try {hour}, {tomorrow} or {friday}.",
                typed=quoted(text),
                hour=code("hour"),
                tomorrow=code("tomorrow"),
                friday=code("friday"),
            )
        )
    return Snooze(until=_SNOOZE[phrase])


def read_mute(request: Request) -> Mute:
    """`/cadence mute [off]`."""
    if request.typed.key() in ("off", "on"):
        return Mute(off=request.typed.take()[0].key == "off")
    return Mute()


def away(context: RequestContext, command: Away) -> None:
    """`/cadence away`: immediately if the days are given, else by form."""
    if command.off:
        context.say(people.end_away(context.uow, member=command.member))
    elif command.until is None:
        context.open(away_form(context, members=(command.member,) if command.member else ()))
    else:
        first = command.start or context.today
        saved = people.set_away(
            context.uow,
            members=(command.member or context.caller.member,),
            first=first,
            last=command.until,
            is_guess=context.today < first == command.until,
        )
        context.say(saved)


def away_form(context: RequestContext, *, members: tuple[str, ...] = ()) -> AwayForm:
    """The form that asks for the days, by default the rest of this week."""
    return AwayForm(
        since=context.today,
        until=context.today + timedelta(days=6 - context.today.weekday()),
        members=members,
    )


def submitted(context: RequestContext, form: Form) -> MessageContext:
    """The form."""
    typed = form.read(AwayForm)
    first, last = typed.since, typed.until
    if first is None or last is None:
        raise Refusal("Choose both days.", field=Field.UNTIL)
    members = typed.members or (context.caller.member,)
    if "a" in form.ids:
        return set_missing_away(
            context.uow, adoption_id=form.row("a"), members=members, first=first, last=last
        )
    return people.set_away(context.uow, members=members, first=first, last=last)


def snooze(context: RequestContext, command: Snooze) -> None:
    """`/cadence snooze`; without arguments, it asks until when."""
    if command.until is None:
        context.say(ask_until(context.uow))
        return
    context.say(snooze_until(context.uow, until=command.until))


def mute(context: RequestContext, command: Mute) -> None:
    """`/cadence mute`."""
    context.say(people.mute(context.uow, muted=not command.off))


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="away",
            task="This week",
            usage="<from..until|day|until day|off> [@member]",
            summary="Pause your nudges while you're away",
            examples=(
                "/cadence away 2026-12-20..2027-01-02",
                "/cadence away friday",
                "/cadence away until friday",
                "/cadence away off",
            ),
            read=read_away,
            bare=Away,
            run=away,
            after="settings",
        ),
        Entry(
            name="snooze",
            task="This week",
            usage="hour|tomorrow|friday",
            summary="Get your check-in later",
            examples=("/cadence snooze hour", "/cadence snooze tomorrow"),
            read=read_snooze,
            bare=Snooze,
            run=snooze,
            after="away",
        ),
        Entry(
            name="mute",
            task="This week",
            usage="[off]",
            summary="Turn off reminders; the check-in still comes",
            examples=("/cadence mute", "/cadence mute off"),
            read=read_mute,
            bare=Mute,
            run=mute,
            after="snooze",
        ),
    ),
    forms={Callback.AWAY: submitted},
)
