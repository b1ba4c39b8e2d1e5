"""Read what goes from one team to the next: `adopt` and `learn`."""

import re
from typing import Final

from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Refusal
from handlers.grammar import commands
from handlers.grammar.request import Request
from handlers.grammar.teach import shown, unknown_playbook
from handlers.grammar.words import Word

_ADVICE: Final = "Keep what the next team has to know, or log two lessons."
_CHAMPION: Final = re.compile(r"champion\s*=\s*(?:<@([A-Z0-9]+)(?:\|[^<>]*)?>)?", re.IGNORECASE)


def adopt(request: Request) -> commands.Adopt:
    """`/cadence adopt <playbook> [#channel] [champion=@x] [team=slug]`."""
    champion = _champion(request)
    channels = [word for word in request.typed.words if word.channel]
    request.typed.words = [word for word in request.typed.words if not word.channel]
    if len(channels) > 1:
        raise Refusal("Name one channel: the one of the team that takes the playbook up.")
    named = request.playbook()
    if named is None and request.typed:
        word = request.typed.take()[0].text
        known = (*request.vocabulary.playbooks, *request.vocabulary.others)
        raise unknown_playbook(word, known, request.command, request.typed.rest())
    return commands.Adopt(
        playbook=request.the_playbook(named),
        channel=channels[0].channel if channels else None,
        team=request.take_team(),
        champion=champion,
    )


def _champion(request: Request) -> str | None:
    """Take `champion=@x`, or the one person mentioned."""
    kept: list[Word] = []
    champion: str | None = None
    for word in request.typed.words:
        found = _CHAMPION.fullmatch(word.raw)
        if found is None and word.raw.casefold().startswith("champion="):
            raise Refusal(
                say(
                    "{typed} names nobody I know. Mention the person, like {right}.",
                    typed=shown(word.text),
                    right=code("champion=@lead"),
                )
            )
        if found is None:
            kept.append(word)
        else:
            champion = found[1] or champion
    request.typed.words = kept
    mentioned = request.mentions()
    everyone = tuple(dict.fromkeys([*([champion] if champion else []), *mentioned]))
    if len(everyone) > 1:
        raise Refusal(say("A team has one champion. Name one, like {one}.", one=code("champion=@lead")))
    return everyone[0] if everyone else None


def learn(request: Request) -> commands.Learn:
    """`/cadence learn <playbook> <text>`; the playbook may be left out when there is only one."""
    named = request.playbook()
    if named is None and request.typed:
        known = (*request.vocabulary.playbooks, *request.vocabulary.others)
        word = request.typed.words[0].text
        if "-" in word and nearest(word, known):
            request.typed.take()
            raise unknown_playbook(word, known, request.command, request.typed.rest())
    return commands.Learn(
        playbook=request.the_playbook(named),
        text=request.sentence("lesson", _ADVICE),
        team=request.team,
    )
