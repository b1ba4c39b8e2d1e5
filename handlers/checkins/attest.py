"""Parsing `/attest`: how people say that it ran as planned, that something changed, or that they didn't run it."""

import re
from dataclasses import dataclass
from typing import Final

from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Refusal, Unknown
from cadence.rules.modes import LADDER, Mode
from handlers.grammar import AboutPlaybook, Request, Vocabulary
from handlers.grammar.amounts import refuse_second_number
from handlers.grammar.errors import TAKE_BACK, clip, listed, quoted, shown, unknown_playbook
from handlers.grammar.request import read_runs
from handlers.grammar.steps import read_mode, unknown_step
from handlers.grammar.suggest import suggestion
from handlers.grammar.words import OPENING_QUOTES, Word
from storage.tables.reports import Attestation


@dataclass(frozen=True, slots=True, kw_only=True)
class Attest(AboutPlaybook):
    """`/attest`: an answer to the check-in. `modes` are the drifted steps, each with the mode it ran in."""

    attestation: Attestation | None = None
    runs: int | None = None
    modes: tuple[tuple[str, Mode], ...] = ()
    note: str | None = None
    week: int | None = None


_LONGEST = 5
_FIGURE: Final = re.compile(r"\d+(?:,\d+)*")
_ANSWERS: Final = ("as-planned", "changed", *(value.value for value in Attestation))
"""The words to suggest; the last three are older names."""
_PHRASES: Final = {
    **dict.fromkeys(
        (
            *("planned", "declared", "as planned", "as declared"),
            *("ran", "ran it", "we ran it", "ok", "okay", "yes", "done"),
            *(
                f"{start} as {word}"
                for start in ("ran", "ran it", "we ran", "we ran it", "all")
                for word in ("planned", "declared")
            ),
        ),
        Attestation.AS_DECLARED,
    ),
    **dict.fromkeys(
        (
            "changed",
            "something changed",
            "drifted",
            "drift",
            *(f"{who} drifted" for who in ("we", "something")),
        ),
        Attestation.DRIFTED,
    ),
    **dict.fromkeys(
        (
            *(
                "not run",
                "notrun",
                "didnt run",
                "didnt run it",
                "did not run",
                "did not run it",
                "no run",
                "no runs",
            ),
            *("we did not run it", "we didnt run it", "not ran"),
        ),
        Attestation.NOT_RUN,
    ),
}
_LONGEST_VALUE: Final = 200
_OPTIONS: Final = ("runs", "week", "team")
_RUNS: Final = frozenset({"run", "runs"})


def read_attest(request: Request) -> Attest:
    """`/attest [playbook] as-planned|changed|not-run [runs=N] [step=mode …] [note]`."""
    named = request.the_playbook(request.playbook())
    modes = dict(_take_modes(request, named))
    playbook = named or request.home_of(modes)
    said = _take_attestation(request)
    if said is None and request.typed:
        raise _unknown(request, named)
    modes |= _spoken_modes(request, playbook)
    if modes and said is None:
        said = Attestation.DRIFTED
    runs = request.runs if "runs" in request.options else _spoken_runs(request)
    if runs is not None:
        refuse_second_number(f"runs={runs}", request.typed, words=_RUNS)
    note = request.sentence("note")
    _refuse_contradiction(said, modes, runs)
    return Attest(
        attestation=said,
        runs=runs,
        modes=tuple(modes.items()),
        note=note,
        playbook=playbook or request.home_of(modes),
        team=request.team,
        week=request.week,
    )


def steps_named(vocabulary: Vocabulary) -> frozenset[str]:
    """The steps that `step=mode` can name."""
    return frozenset(step.casefold() for steps in vocabulary.playbooks.values() for step in steps)


def _take_attestation(request: Request) -> Attestation | None:
    """Take the longest phrase that is an attestation. `no` counts only by itself: `no drift` means the
    opposite."""
    typed = request.typed
    for count in range(min(_LONGEST, len(typed.words)), 0, -1):
        keys = (typed.key(at).replace("'", "").replace("\u2019", "") for at in range(count))
        phrase = " ".join(" ".join(keys).replace("-", " ").replace("_", " ").split())
        if phrase in _PHRASES:
            typed.take(count)
            return _PHRASES[phrase]
    if typed.key() == "no" and len(typed.words) == 1:
        typed.take()
        return Attestation.NOT_RUN
    return None


def _spoken_modes(request: Request, playbook: str | None) -> dict[str, Mode]:
    """Take `draft human-led` right after the attestation."""
    steps = {step.casefold(): step for step in request.steps(playbook)}
    found: dict[str, Mode] = {}
    while request.typed.key() in steps and (mode := read_mode(request.typed.key(1)[:20])):
        found[steps[request.typed.key()]] = mode
        request.typed.take(2)
        if request.typed.key() == "led":
            request.typed.take()
    return found


def _spoken_runs(request: Request) -> int | None:
    """Take `14 runs`, or `14` before nothing but another number or a quoted note, right after the attestation."""
    typed = request.typed
    if not _FIGURE.fullmatch(typed.key()):
        return None
    if len(typed.words) == 1 or typed.key(1) in _RUNS:
        return read_runs(typed.take(2)[0].key)
    if typed.words[1].text[:1] in OPENING_QUOTES or all(
        _FIGURE.fullmatch(word.key) for word in typed.words[1:]
    ):
        return read_runs(typed.take()[0].key)
    return None


def _refuse_contradiction(said: Attestation | None, modes: dict[str, Mode], runs: int | None) -> None:
    if modes and said is not Attestation.DRIFTED:
        step, mode = next(iter(modes.items()))
        raise Refusal(
            say(
                "A step in another mode means something changed. Try {right}, or leave out {pair}.",
                right=code(f"/attest changed {step}={mode}"),
                pair=code(f"{step}={mode}"),
            )
        )
    if said is Attestation.NOT_RUN and runs:
        raise Refusal(
            say(
                "You typed {runs}, but also that it didn't run. If it ran, try {right}.",
                runs="1 run" if runs == 1 else f"{runs:,} runs",
                right=code(f"/attest as-planned runs={runs}"),
            )
        )


def _unknown(request: Request, named: str | None) -> Refusal:
    """Neither an attestation nor a playbook: suggest the nearest, else the three possible answers."""
    word = request.typed.words[0].text
    slugs = request.vocabulary.playbooks
    if request.typed.key() in TAKE_BACK:
        right = f"{request.command} {named}" if named and len(slugs) > 1 else request.command
        return Refusal(
            say("A check-in can't be undone, but your next answer replaces it: {right}.", right=shown(right)),
            offer=suggestion(right),
        )
    near = nearest(word, _ANSWERS) if len(word) > len("no") else None
    if near is None and nearest(word, slugs):
        request.typed.take()
        return unknown_playbook(word, slugs, request.command, request.typed.rest())
    start = say("{word} doesn't say how the week went.", word=shown(word))
    if near:
        request.typed.take()
        slug = named if named and len(slugs) > 1 else ""
        right = quoted(f"{request.command} {slug} {near} {request.typed.rest()}")
        return Unknown(say("{start} Did you mean {right}?", start=start, right=right), typed=word, near=near)
    return Refusal(
        say(
            "{start} Type {ran}, {changed} or {not_run}, then a note.",
            start=start,
            ran=code("as-planned"),
            changed=code("changed"),
            not_run=code("not-run"),
        )
    )


def _take_modes(request: Request, playbook: str | None) -> tuple[tuple[str, Mode], ...]:
    """Take every `step=mode` and `step:mode`, anywhere in the text; other words stay.

    Raises:
        Refusal: a step or a mode in such a pair doesn't exist, or a step has two modes.
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
                    "You typed two modes for {step}: {one} and {two}. Which one?",
                    step=shown(step),
                    one=modes[step],
                    two=mode,
                )
            )
        skip = at + 1 < len(words) and words[at + 1].key == "led"
    return tuple(modes.items())


def _pair(
    request: Request, word: Word, steps: dict[str, str], playbook: str | None
) -> tuple[str, Mode] | None:
    """The step and mode of `step=mode`; None for a word that isn't such a pair and may be part of a note."""
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
            say("{typed} isn't a mode. Try {modes}.", typed=shown(word.text), modes=listed(LADDER, "or"))
        )
    if mode or (not value and nearest(name, steps)):
        raise unknown_step(request, playbook, name)
    option = nearest(name, _OPTIONS)
    if option:
        raise Unknown(
            say(
                "There's no option {typed}. Did you mean {near}?",
                typed=shown(word.text),
                near=code(f"{option}={clip(value)}"),
            ),
            typed=word.text,
            near=f"{option}={value}",
        )
    return None
