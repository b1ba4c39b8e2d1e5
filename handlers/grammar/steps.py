"""Steps and their modes in a command: `send`, `draft=human-led`."""

from typing import Final

from cadence.mrkdwn import Mrkdwn, code, say
from cadence.nearest import nearest
from cadence.refusals import Offer, Refusal, Unknown
from cadence.rules.modes import LADDER, Mode
from handlers.grammar.request import Request
from handlers.grammar.teach import clip, listed, quoted, shown, unknown_playbook
from handlers.grammar.words import Word
from templates.ids import Action

_SHORTEST_MODE = 2
_LONGEST_VALUE = 200
_LONGEST_KEPT = 1000
"""Characters a button carries: the ids, and the words the person just typed, so that they needn't again."""
_OPTIONS: Final = ("runs", "week", "team")


class UnknownStep(Unknown):
    """A step that isn't in the playbook. `reason` is all that was typed after it, so that nothing is lost.

    The offer's value is `playbook:step`, or `playbook` alone when no step is near.
    """

    def __init__(self, text: Mrkdwn, *, reason: str | None, offer: Offer | None) -> None:
        super().__init__(text, offer=offer)
        self.reason = reason


def take_step(request: Request, playbook: str | None) -> str:
    """Take a step from the left, of the playbook or, when that isn't known yet, of any.

    Raises:
        Unknown: with the nearest step, or the nearest playbook when that is what was mistyped.
    """
    step = request.step(playbook)
    if step is not None:
        return step
    word = request.typed.words[0].text
    slugs = tuple(request.vocabulary.playbooks)
    near = nearest(word, request.steps(playbook))
    rest_is_step = request.typed.key(1) in {step.casefold() for step in request.steps(None)}
    if not slugs or ((near is None or rest_is_step) and nearest(word, slugs)):
        request.typed.take()
        raise unknown_playbook(word, slugs, request.command, request.typed.rest())
    raise unknown_step(request, playbook, word)


def unknown_step(request: Request, playbook: str | None, word: str) -> UnknownStep:
    """No such step: the nearest with a button that logs on it, and what was typed, to copy."""
    steps = request.steps(playbook)
    near = nearest(word, steps)
    if request.typed and near:
        request.typed.take()
    reason = request.typed.sentence()
    where = say(" in {title}", title=clip(request.vocabulary.title(playbook))) if playbook else Mrkdwn("")
    home = playbook or (request.home_of([near]) if near else None)
    logging = request.command == "/exception"
    text = say("There's no step {word}{where}.", word=shown(word), where=where)
    offer = None
    if near:
        text = say("{text} Did you mean {near}?", text=text, near=shown(near))
        if logging and home:
            offer = Offer(
                label=f"Log it on {clip(near)}",
                action=Action.LOG_EXCEPTION,
                value=f"{home}:{near}:{reason}"[:_LONGEST_KEPT],
            )
    else:
        text = say("{text} The steps: {steps}.", text=text, steps=listed(steps)) if steps else text
        if logging and home:
            offer = Offer(
                label="Choose the step",
                action=Action.LOG_EXCEPTION,
                value=f"{home}::{reason}"[:_LONGEST_KEPT],
            )
    if logging and reason:
        text = say("{text} You wrote: {reason}.", text=text, reason=quoted(reason))
    return UnknownStep(text, reason=reason, offer=offer)


def read_mode(text: str) -> Mode | None:
    """A mode by its name or the beginning of it: `human`, `ai`, `collab`."""
    plain = text.casefold().replace("_", "-").replace(" ", "-")
    if len(plain) < _SHORTEST_MODE:
        return None
    return next((mode for mode in LADDER if mode.startswith(plain)), None)


def take_modes(request: Request, playbook: str | None) -> tuple[tuple[str, Mode], ...]:
    """Take every `step=mode` and `step:mode`, wherever they stand; other words stay.

    Raises:
        Refusal: when a step or a mode in such a pair doesn't exist, or a step is given two modes.
    """
    steps = {step.casefold(): step for step in request.steps(playbook)}
    words, kept, modes = request.typed.words, list[Word](), dict[str, Mode]()
    request.typed.words = kept
    skip = False
    for at, word in enumerate(words):
        if skip:
            skip = False
            continue
        pair = _pair(request, word, steps, playbook)
        if pair is None:
            kept.append(word)
            continue
        step, mode = pair
        if modes.setdefault(step, mode) is not mode:
            raise Refusal(
                say(
                    "{step} is given two modes, {one} and {two}.", step=shown(step), one=modes[step], two=mode
                )
            )
        skip = at + 1 < len(words) and words[at + 1].key == "led"
    return tuple(modes.items())


def _pair(
    request: Request, word: Word, steps: dict[str, str], playbook: str | None
) -> tuple[str, Mode] | None:
    """The step and mode of `step=mode`; None for a word that is no such pair and may be part of a note."""
    name, value = word.option or ("", "")
    equals = bool(name)
    if not equals:
        name, _, value = word.key.partition(":")
    mode = read_mode(value[:_LONGEST_VALUE])
    if name in steps and mode:
        return steps[name], mode
    if not equals:
        return None
    if name in steps:
        raise Refusal(
            say("{typed} names no mode. The modes are {modes}.", typed=shown(word.text), modes=listed(LADDER))
        )
    if mode:
        raise unknown_step(request, playbook, name)
    option = nearest(name, _OPTIONS)
    if option:
        raise Refusal(
            say(
                "There's no option {typed}. Did you mean {near}?",
                typed=shown(word.text),
                near=code(f"{option}={clip(value)}"),
            )
        )
    return None
