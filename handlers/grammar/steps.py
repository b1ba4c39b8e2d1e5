"""Steps and their modes in a command: `send`, `human-led`."""

from typing import Final

from cadence.mrkdwn import Mrkdwn, say
from cadence.nearest import nearest
from cadence.refusals import Offer, Unknown
from cadence.rules.modes import LADDER, Mode
from handlers.grammar.errors import clip, listed, shown
from handlers.grammar.request import Request

_SHORTEST_MODE: Final = 2


class UnknownStep(Unknown):
    """A step that isn't in the playbook.

    Args:
        reason: the text after it, so that nothing is lost.
        near: the suggested step.
        playbook: the slug of the named playbook, else of the one with the suggested step.
    """

    def __init__(
        self,
        text: Mrkdwn,
        *,
        reason: str | None,
        near: str | None,
        playbook: str | None,
        typed: str = "",
        offer: Offer | None = None,
    ) -> None:
        super().__init__(text, offer=offer, typed=typed, near=near)
        self.reason = reason
        self.playbook = playbook


def take_step(request: Request, playbook: str | None) -> str:
    """Take a step from the left, of the playbook or, if that isn't known yet, of any.

    Raises:
        Unknown: with the nearest step, or the nearest playbook if that was mistyped.
    """
    step = request.step(playbook)
    if step is not None:
        return step
    word = request.typed.words[0].text
    slugs = tuple(request.vocabulary.playbooks)
    near = nearest(word, request.steps(playbook))
    rest_is_step = request.typed.key(1) in {step.casefold() for step in request.steps(None)}
    if not slugs or ((near is None or rest_is_step) and nearest(word, slugs)):
        raise request.no_playbook()
    raise unknown_step(request, playbook, word)


def take_playbook_and_step(request: Request) -> tuple[str | None, str | None]:
    """Take a playbook and a step from the left; either can be omitted if the other implies it."""
    named = request.the_playbook(request.playbook())
    step = take_step(request, named) if request.typed else None
    return named or (request.home_of([step]) if step else None), step


def unknown_step(request: Request, playbook: str | None, word: str) -> UnknownStep:
    """Refuse an unknown step: suggest the nearest, else list the existing ones."""
    steps = request.steps(playbook)
    near = nearest(word, steps)
    if request.typed and near:
        request.typed.take()
    where = say(" in {title}", title=clip(request.title(playbook))) if playbook else Mrkdwn("")
    text = say("There's no step {word}{where}.", word=shown(word), where=where)
    if near:
        text = say("{text} Did you mean {near}?", text=text, near=shown(near))
    elif steps:
        text = say("{text} Steps: {steps}.", text=text, steps=listed(steps))
    return UnknownStep(
        text,
        reason=request.typed.sentence(),
        near=near,
        typed=word,
        playbook=playbook or (request.home_of([near]) if near else None),
    )


def read_mode(text: str) -> Mode | None:
    """A mode by its name or a prefix: `human`, `ai`, `collab`."""
    plain = text.casefold().replace("_", "-").replace(" ", "-")
    if len(plain) < _SHORTEST_MODE:
        return None
    return next((mode for mode in LADDER if mode.startswith(plain)), None)
