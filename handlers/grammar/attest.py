"""`/attest`: how people say that they ran it, that they drifted, or that they didn't run it."""

from typing import Final

from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Refusal
from cadence.rules.modes import Mode
from handlers.grammar import commands
from handlers.grammar.request import Request, read_runs
from handlers.grammar.steps import read_mode, take_modes
from handlers.grammar.teach import quoted, shown, unknown_playbook
from storage.tables.reports import Attestation

_LONGEST = 5
_PHRASES: Final = {
    **dict.fromkeys(
        (
            *("as declared", "declared", "ran", "ran it", "ok", "okay", "yes", "ran as declared", "done"),
            *(
                "ran it as declared",
                "we ran it as declared",
                "we ran it",
                "we ran as declared",
                "all as declared",
            ),
        ),
        Attestation.AS_DECLARED,
    ),
    **dict.fromkeys(("drifted", "drift", "we drifted", "something drifted"), Attestation.DRIFTED),
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
_NOTE_ADVICE = "Shorten it, or put it in a thread and give the link to that."


def attest(request: Request) -> commands.Attest:
    """`/attest [playbook] as-declared|drifted|not-run [runs=N] [step=mode …] [note]`."""
    named = request.the_playbook(request.playbook())
    modes = dict(take_modes(request, named))
    playbook = named or request.home_of(modes)
    said = _take_attestation(request)
    if said is None and request.typed:
        raise _unknown(request, named)
    modes |= _spoken_modes(request, playbook)
    if modes and said is None:
        said = Attestation.DRIFTED
    runs = request.runs if "runs" in request.options else _spoken_runs(request)
    note = request.sentence("note", _NOTE_ADVICE)
    _refuse_contradiction(said, modes, runs)
    return commands.Attest(
        attestation=said,
        runs=runs,
        modes=tuple(modes.items()),
        note=note,
        playbook=playbook or request.home_of(modes),
        team=request.team,
        week=request.week,
    )


def _take_attestation(request: Request) -> Attestation | None:
    """Take the longest phrase that is an attestation. `no` is one by itself alone: `no drift` says the reverse."""
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
    """Take `14 runs`, or `14` by itself, right after the attestation."""
    typed = request.typed
    if typed.key().isdecimal() and (len(typed.words) == 1 or typed.key(1) in ("run", "runs")):
        return read_runs(typed.take(2)[0].key)
    return None


def _refuse_contradiction(said: Attestation | None, modes: dict[str, Mode], runs: int | None) -> None:
    if modes and said is not Attestation.DRIFTED:
        step, mode = next(iter(modes.items()))
        raise Refusal(
            say(
                "A step run in another mode is a drift. To say so: {right}. Else leave {pair} out.",
                right=code(f"/attest drifted {step}={mode}"),
                pair=code(f"{step}={mode}"),
            )
        )
    if said is Attestation.NOT_RUN and runs:
        raise Refusal(
            say(
                "Not run, and yet {runs}? If it ran, write {right}.",
                runs="1 run" if runs == 1 else f"{runs:,} runs",
                right=code(f"/attest as-declared runs={runs}"),
            )
        )


def _unknown(request: Request, named: str | None) -> Refusal:
    """Neither an attestation nor a playbook: the nearest of them, else the three answers there are."""
    word = request.typed.words[0].text
    slugs = request.vocabulary.playbooks
    near = nearest(word, [value.value for value in Attestation]) if len(word) > len("no") else None
    if near is None and nearest(word, slugs):
        request.typed.take()
        return unknown_playbook(word, slugs, request.command, request.typed.rest())
    start = say("{word} doesn't say how the week went.", word=shown(word))
    if near:
        request.typed.take()
        slug = named if named and len(slugs) > 1 else ""
        right = quoted(f"{request.command} {slug} {near} {request.typed.rest()}")
        return Refusal(say("{start} Did you mean {right}?", start=start, right=right))
    return Refusal(
        say(
            "{start} Write {ran}, {drifted} or {not_run}, and the note after it.",
            start=start,
            ran=code("as-declared"),
            drifted=code("drifted"),
            not_run=code("not-run"),
        )
    )
