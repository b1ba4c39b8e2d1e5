"""The verb of a command: `/cadence wave support-reply open`."""

from collections.abc import Mapping
from typing import TypeVar

from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Refusal, Unknown
from handlers.grammar.errors import listed, shown, unknown_playbook
from handlers.grammar.request import Request

V = TypeVar("V")


def take_verb(request: Request, verbs: Mapping[str, V], *, named: str | None, wrong: str) -> V:
    """Take the next word as a verb.

    Args:
        verbs: by the word typed.
        named: the playbook named before it; without one, the word may have been meant as a playbook.
        wrong: the sentence about a misspelled verb, with `{word}` in it.

    Raises:
        Unknown: a misspelled verb, or a playbook that doesn't exist. Refusal: anything else.
    """
    word = request.typed.take()[0]
    if word.key in verbs:
        return verbs[word.key]
    near = nearest(word.key, verbs)
    if near:
        right = code(f"{request.command} {near}")
        raise Unknown(
            say(f"{wrong} Did you mean {{right}}?", word=shown(word.text), right=right),
            typed=word.text,
            near=near,
        )
    if named is None:
        known = (*request.vocabulary.playbooks, *request.vocabulary.others)
        raise unknown_playbook(word.text, known, request.command, request.typed.rest())
    raise Refusal(say("{word} doesn't fit here. Try {verbs}.", word=shown(word.text), verbs=listed(verbs)))
