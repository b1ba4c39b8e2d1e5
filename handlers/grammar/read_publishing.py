"""From words to a command: versions and the registry."""

import re
from typing import Final

from cadence.documents import Function
from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Refusal, Unknown
from handlers.grammar import commands
from handlers.grammar.request import Request
from handlers.grammar.teach import listed, shown, unknown_playbook

_DRAFT: Final = "draft"
_VERSION: Final = re.compile(r"v?([1-9][0-9]{0,4})")
_FUNCTIONS: Final = tuple(function.value for function in Function)


def export(request: Request) -> commands.ExportPlaybook:
    """`/cadence playbook export [playbook] [vN]`."""
    named = _playbook(request)
    return commands.ExportPlaybook(playbook=named, number=_version(request))


def diff(request: Request) -> commands.DiffPlaybook:
    """`/cadence playbook diff [playbook] [vN] [vM|draft]`."""
    named = _playbook(request)
    numbers: list[int | None] = []
    while request.typed and len(numbers) < 2:
        numbers.append(_version(request))
    numbers += [None, None]
    return commands.DiffPlaybook(playbook=named, before=numbers[0], after=numbers[1])


def move(request: Request) -> commands.MovePlaybook:
    """`/cadence playbook move <playbook> [vN|draft] [team=slug]`."""
    named = _playbook(request)
    asked = bool(request.typed)
    number = _version(request)
    to = (_DRAFT if number is None else f"v{number}") if asked else None
    return commands.MovePlaybook(playbook=named, to=to, team=request.team)


def retire(request: Request) -> commands.RetirePlaybook:
    """`/cadence playbook retire <playbook> <reason>`: the playbook is always named."""
    named = request.playbook()
    if named is None:
        word = request.typed.take()[0].text
        every = (*request.vocabulary.playbooks, *request.vocabulary.others)
        raise unknown_playbook(word, every, request.command, request.typed.rest())
    return commands.RetirePlaybook(
        playbook=named, reason=request.sentence("reason", "Shorten it, or give the link to more.")
    )


def version_of(typed: str) -> int | None:
    """What a form's field holds: `v2` or `2`, else `draft` for None.

    Raises:
        Refusal: on its field, when it is neither.
    """
    key = typed.strip().casefold()
    found = _VERSION.fullmatch(key)
    if found is None and key != _DRAFT:
        raise Refusal(
            say(
                "{typed} isn't a version. Write one like {right}, or {draft}.",
                typed=shown(typed[:40]),
                right=code("v2"),
                draft=code(_DRAFT),
            ),
            field="version",
        )
    return int(found[1]) if found else None


def _playbook(request: Request) -> str | None:
    """Take a playbook from the left, unless a version stands there."""
    named = request.playbook()
    if named is None and request.typed and not _is_version(request.typed.key()):
        word = request.typed.take()[0].text
        raise unknown_playbook(word, request.vocabulary.playbooks, request.command, request.typed.rest())
    return request.the_playbook(named)


def _is_version(key: str) -> bool:
    return key == _DRAFT or _VERSION.fullmatch(key) is not None


def _version(request: Request) -> int | None:
    """Take `v2`, or `draft` for None; nothing typed is None too.

    Raises:
        Refusal: it is neither.
    """
    if not request.typed:
        return None
    word = request.typed.take()[0]
    found = _VERSION.fullmatch(word.key)
    if found is None and word.key != _DRAFT:
        raise Refusal(
            say("{word} isn't a version. Write one like {right}.", word=shown(word.text), right=code("v2"))
        )
    return int(found[1]) if found else None


def registry(request: Request) -> commands.Registry:
    """`/cadence registry [function]`."""
    word = request.typed.take()[0]
    if word.key in _FUNCTIONS:
        return commands.Registry(function=word.key)
    near = nearest(word.key, _FUNCTIONS)
    if near:
        raise Unknown(
            say(
                "There's no function {word}. Did you mean {near}?",
                word=shown(word.text),
                near=code(f"{request.command} {near}"),
            )
        )
    raise Unknown(
        say("There's no function {word}. They are {all}.", word=shown(word.text), all=listed(_FUNCTIONS))
    )
