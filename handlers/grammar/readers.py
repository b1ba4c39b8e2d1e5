"""From words to a command, one function each; the table says which reads what."""

from datetime import date
from typing import Final

from cadence.documents.words import slug_of
from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Refusal
from handlers.grammar import commands
from handlers.grammar.amounts import starts_amount, take_amount
from handlers.grammar.dates import find_day, read_day, read_span
from handlers.grammar.read_guardrails import take_guardrails
from handlers.grammar.request import Request
from handlers.grammar.steps import take_step
from handlers.grammar.teach import clip, quoted, shown, unknown_playbook

_NOTE_ADVICE = "Shorten it, or put it in a thread and give the link to that."
_REASON_ADVICE = "Shorten it, or put it in a thread and pass `link=` with the link to that."
_TITLE_LENGTH = 48


def kpi(request: Request) -> commands.Kpi:
    """`/kpi [playbook] <value> [note]`."""
    guardrails = take_guardrails(request.typed)
    named = None if starts_amount(request.typed) and len(request.typed.words) == 1 else request.playbook()
    value = note = None
    if request.typed:
        if not starts_amount(request.typed):
            raise _not_a_number(request, named)
        value = take_amount(request.typed)
        note = request.sentence("note", _NOTE_ADVICE)
    return commands.Kpi(
        value=value,
        note=note,
        guardrails=guardrails,
        playbook=request.the_playbook(named),
        team=request.team,
        week=request.week,
    )


def _not_a_number(request: Request, named: str | None) -> Refusal:
    word = request.typed.words[0].text
    known = request.vocabulary.playbooks
    figure_follows = any(request.typed.key(at)[:1].isdecimal() for at in (1, 2, 3))
    if named is None and (nearest(word, known) or figure_follows):
        request.typed.take()
        return unknown_playbook(word, known, request.command, request.typed.rest())
    right = f"{request.command} {named} 14m" if named else f"{request.command} 14m"
    if named is None and known:
        return Refusal(
            say(
                "{word} is neither a playbook nor a number. Try {right}.",
                word=shown(word),
                right=shown(right),
            )
        )
    return Refusal(say("{word} isn't a number. Try {right}.", word=shown(word), right=shown(right)))


def exception(request: Request) -> commands.LogException:
    """`/exception [playbook] <step> [critical] <reason>`, or `/exception undo`."""
    _refuse_week(request)
    if request.typed.key() == "undo" and len(request.typed.words) == 1 and "undo" not in request.steps(None):
        request.typed.take()
        return commands.LogException(undo=True)
    named = request.the_playbook(request.playbook())
    critical = "critical" not in request.steps(named) and _critical(request)
    if not request.typed:
        return commands.LogException(critical=critical, link=request.link, playbook=named, team=request.team)
    step = take_step(request, named)
    critical = _critical(request) or critical
    reason = request.sentence("reason", _REASON_ADVICE)
    return commands.LogException(
        step=step,
        critical=critical,
        reason=reason,
        link=request.link,
        playbook=named or request.home_of([step]),
        team=request.team,
    )


def _refuse_week(request: Request) -> None:
    """`week=N` goes with other reports, so somebody may try it here; it must not end up in the reason."""
    week = next((word for word in request.typed.words if word.option and word.option[0] == "week"), None)
    if week is not None:
        raise Refusal(
            say("An exception counts from when it is logged; leave {week} out.", week=shown(week.text))
        )


def _critical(request: Request) -> bool:
    """Take the word `critical`; in quotes it is part of the reason."""
    if request.typed.key() != "critical" or not request.typed.words[0].text[:1].isalpha():
        return False
    request.typed.take()
    return True


def help_(request: Request) -> commands.Help:
    """`/cadence help [topic]`."""
    topic = " ".join(word.key.lstrip("/") for word in request.typed.take(len(request.typed.words))).strip()
    return commands.Help(topic=clip(topic) or None)


def status(request: Request) -> commands.Status:
    """`/cadence status [playbook]`."""
    return commands.Status(playbook=playbook_only(request), team=request.team)


def why(request: Request) -> commands.Why:
    """`/cadence why <playbook> <step>`."""
    named = request.the_playbook(request.playbook())
    step = take_step(request, named) if request.typed else None
    playbook = named or (request.home_of([step]) if step else None)
    return commands.Why(playbook=playbook, step=step, team=request.team)


def playbook_only(request: Request) -> str | None:
    """A playbook and nothing else; the only one there is when none is typed."""
    named = request.playbook()
    if named is None and request.typed:
        word = request.typed.take()[0].text
        raise unknown_playbook(word, request.vocabulary.playbooks, request.command, request.typed.rest())
    return request.the_playbook(named)


def create_team(request: Request) -> commands.CreateTeam:
    """`/cadence team create [title] [#channel] [@member …]`."""
    members = request.mentions()
    channels = [word for word in request.typed.words if word.channel]
    request.typed.words = [word for word in request.typed.words if not word.channel]
    title = request.typed.sentence()
    if title and len(title) > _TITLE_LENGTH:
        raise Refusal(
            f"A team's name has at most {_TITLE_LENGTH} characters, and this one has {len(title):,}."
        )
    channel = channels[0].channel if channels else None
    return commands.CreateTeam(
        team=slug_of(title or "") or None, title=title, channel=channel, members=members
    )


def join_team(request: Request) -> commands.JoinTeam:
    """`/cadence team join [team] [@member …]`."""
    members = request.mentions()
    return commands.JoinTeam(team=request.take_team(), members=members)


def leave_team(request: Request) -> commands.LeaveTeam:
    """`/cadence team leave [team] [@member …]`."""
    members = request.mentions()
    return commands.LeaveTeam(team=request.take_team(), members=members)


def start_cycle(request: Request) -> commands.StartCycle:
    """`/cadence cycle start <playbook> [date]`."""
    named = request.playbook()
    day = _day(request, named, past=False)
    return commands.StartCycle(playbook=request.the_playbook(named), day=day, team=request.team)


def show_cycle(request: Request) -> commands.ShowCycle:
    """`/cadence cycle show <playbook> [date]`."""
    named = request.playbook()
    day = _day(request, named, past=True)
    return commands.ShowCycle(playbook=request.the_playbook(named), day=day, team=request.team)


def _day(request: Request, named: str | None, *, past: bool) -> date | None:
    """Take the rest as a day. Words that aren't one are an unknown playbook, unless one is named already."""
    if not request.typed:
        return None
    text = request.typed.rest()
    day = find_day(text, request.today, past=past)
    if day is None and named is None and not starts_amount(request.typed):
        word = request.typed.take()[0].text
        raise unknown_playbook(word, request.vocabulary.playbooks, request.command, request.typed.rest())
    request.typed.words = []
    return day or read_day(text, request.today, past=past)


_OFF: Final = frozenset({"off", "back", "end", "stop", "none", "cancel"})


def away(request: Request) -> commands.Away:
    """`/cadence away <from..until|until|off> [@member]`."""
    people = request.mentions()
    if len(people) > 1:
        raise Refusal(say("Name one person at a time, like {one}.", one=code("/cadence away 20 Dec @lead")))
    member = people[0] if people else None
    if not request.typed:
        return commands.Away(member=member)
    if request.typed.key() in _OFF and len(request.typed.words) == 1:
        request.typed.take()
        return commands.Away(off=True, member=member)
    text = request.typed.rest()
    request.typed.words = []
    start, until = read_span(text, request.today)
    return commands.Away(start=start, until=until, member=member)


_SNOOZE: Final = {
    **dict.fromkeys(("hour", "an hour", "1 hour", "one hour", "1h", "60m"), commands.SnoozeUntil.HOUR),
    "tomorrow": commands.SnoozeUntil.TOMORROW,
    **dict.fromkeys(("friday", "fri"), commands.SnoozeUntil.FRIDAY),
}


def snooze(request: Request) -> commands.Snooze:
    """`/cadence snooze hour|tomorrow|friday`."""
    text = request.typed.rest()
    words = [word.key for word in request.typed.take(len(request.typed.words))]
    phrase = " ".join(words[1:] if words[0] in ("for", "until", "to", "till") else words)
    if phrase not in _SNOOZE:
        raise Refusal(
            say(
                "A check-in can't wait for {typed}. Choose {hour}, {tomorrow} or {friday}.",
                typed=quoted(text),
                hour=code("hour"),
                tomorrow=code("tomorrow"),
                friday=code("friday"),
            )
        )
    return commands.Snooze(until=_SNOOZE[phrase])


def mute(request: Request) -> commands.Mute:
    """`/cadence mute [off]`."""
    if request.typed.key() in ("off", "on"):
        return commands.Mute(off=request.typed.take()[0].key == "off")
    return commands.Mute()
