"""From words to the commands about standards."""

from typing import Final

from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from handlers.grammar import commands
from handlers.grammar.request import Request
from handlers.grammar.steps import take_step
from handlers.grammar.teach import shown

REVISE: Final = "revise"
_MOST_DIGITS = 7
_NOTE_ADVICE = "Shorten it, or put it in a thread and give the link to that."


def rubric(request: Request) -> commands.Rubric | commands.ReviseRubric:
    """`/cadence rubric <playbook> <step> passes=N samples=N [risky=N] [note]`, or `… revise <what changed>`."""
    named = request.the_playbook(request.playbook())
    step = take_step(request, named) if request.typed else None
    playbook = named or (request.home_of([step]) if step else None)
    if step is not None and request.typed.key() == REVISE:
        request.typed.take()
        change = request.sentence("description", _NOTE_ADVICE)
        return commands.ReviseRubric(step=step, playbook=playbook, change=change, team=request.team)
    return commands.Rubric(
        playbook=playbook,
        step=step,
        samples=_count(request, "samples"),
        passes=_count(request, "passes"),
        risky=_count(request, "risky"),
        note=request.sentence("note", _NOTE_ADVICE),
        team=request.team,
    )


def _count(request: Request, name: str) -> int | None:
    typed = request.options.get(name)
    if typed is None:
        return None
    digits = typed.replace(",", "")
    if digits.isdecimal() and len(digits.lstrip("0")) > _MOST_DIGITS:
        raise Refusal(
            say(
                "{typed} is too many: 1 to 100,000 samples are recorded at once.",
                typed=shown(f"{name}={typed}"),
            )
        )
    if not digits.isdecimal() or len(digits) > 2 * _MOST_DIGITS:
        raise Refusal(
            say(
                "{typed} isn't a number of samples. Write a whole number, like {right}.",
                typed=shown(f"{name}={typed}"),
                right=code("passes=19 samples=20"),
            )
        )
    return int(digits)
