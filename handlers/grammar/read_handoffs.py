"""Read a handoff: `send`, `accept`, `fail`, `done`, `withdraw`, `show`."""

import re
from typing import Final, Literal, get_args

from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Refusal, Unknown
from handlers.grammar import commands
from handlers.grammar.request import Request
from handlers.grammar.teach import listed, shown, unknown_playbook

Verb = Literal["send", "accept", "fail", "done", "withdraw", "show"]

_VERBS: Final[dict[str, Verb]] = {verb: verb for verb in get_args(Verb)}
_NOUNS: Final[dict[Verb, str]] = {
    "send": "description",
    "accept": "note",
    "fail": "reason",
    "done": "note",
    "withdraw": "reason",
}
_NUMBER: Final = re.compile(r"#?([1-9][0-9]{0,8})")
_ADVICE: Final = "Shorten it, or give the link to it with link=…."


def handoff(request: Request) -> commands.Handoff:
    """`/cadence handoff [playbook] send <team> <what> | accept|done|fail|withdraw [#id] [note] | show`."""
    named = request.playbook()
    verb = _verb(request, named) if request.typed else None
    if verb in (None, "show"):
        named = named or request.playbook()
        return commands.Handoff(verb=verb, playbook=named, link=request.link, team=request.team)
    return commands.Handoff(
        verb=verb,
        playbook=named,
        to=request.next_team() if verb == "send" and request.typed else None,
        number=_number(request) if verb != "send" else None,
        text=request.sentence(_NOUNS[verb], _ADVICE),
        link=request.link,
        team=request.team,
    )


def _verb(request: Request, named: str | None) -> Verb:
    """Take what is to be done."""
    word = request.typed.take()[0]
    if word.key in _VERBS:
        return _VERBS[word.key]
    near = nearest(word.key, _VERBS)
    if near:
        right = code(f"{request.command} {near}")
        raise Unknown(
            say("There's no handoff {word}. Did you mean {right}?", word=shown(word.text), right=right)
        )
    if named is None:
        known = (*request.vocabulary.playbooks, *request.vocabulary.others)
        raise unknown_playbook(word.text, known, request.command, request.typed.rest())
    raise Refusal(
        say("I can't place {word} here. A handoff has {verbs}.", word=shown(word.text), verbs=listed(_VERBS))
    )


def _number(request: Request) -> int | None:
    """Take `#12` or `12`."""
    if not request.typed:
        return None
    found = _NUMBER.fullmatch(request.typed.key())
    if found is None:
        return None
    request.typed.take()
    return int(found[1])
