"""From words to a mode declared by hand, and to the part of the trail that is meant."""

from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Refusal
from cadence.rules.modes import LADDER, Mode
from handlers.grammar import commands
from handlers.grammar.dates import find_day, read_day
from handlers.grammar.request import Request
from handlers.grammar.steps import read_mode, take_step
from handlers.grammar.teach import listed, shown, unknown_playbook

_REASON_ADVICE = "Shorten it, or put it in a thread and give the link to that."


def mode(request: Request) -> commands.DeclareMode:
    """`/cadence mode <playbook> <step> <mode> <reason>`."""
    named = request.the_playbook(request.playbook())
    step = take_step(request, named) if request.typed else None
    declared = _take_mode(request) if request.typed else None
    return commands.DeclareMode(
        playbook=named or (request.home_of([step]) if step else None),
        step=step,
        mode=declared,
        reason=request.sentence("reason", _REASON_ADVICE),
        team=request.team,
    )


def _take_mode(request: Request) -> Mode:
    word = request.typed.words[0]
    found = read_mode(word.key)
    if found is None:
        near = nearest(word.text, LADDER)
        hint = say(" Did you mean {near}?", near=code(near)) if near else ""
        raise Refusal(
            say(
                "{word} isn't a mode. The modes are {modes}.{hint}",
                word=shown(word.text),
                modes=listed(LADDER),
                hint=hint,
            )
        )
    request.typed.take()
    if request.typed.key() == "led" and "led" not in word.key:
        request.typed.take()
    return found


def trace(request: Request) -> commands.Trace:
    """`/cadence trace [playbook] [step] [since]`. A bare `trace` is about everything one may read."""
    named = request.playbook()
    step = request.step(named) if request.typed else None
    since = None
    if request.typed:
        if request.typed.key() == "since":
            request.typed.take()
        text = request.typed.rest()
        since = find_day(text, request.today, past=True)
        if since is None and named is None and step is None:
            word = request.typed.take()[0].text
            raise unknown_playbook(word, request.vocabulary.playbooks, request.command, request.typed.rest())
        since = since or read_day(text, request.today, past=True)
        request.typed.words = []
    playbook = named or (request.home_of([step]) if step else None)
    return commands.Trace(playbook=playbook, step=step, since=since, team=request.team)
