"""`cadence whatif`: the recorded weeks under other thresholds, as a table."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from bot.ops.commands import ready_database, workspace_id
from bot.ops.terminal_output import Part, Table
from bot.runtime.clocks import clock_of
from bot.settings import Settings
from cadence.actor import Actor
from cadence.flows.history import LINE_WORDS, Fate, Thresholds, WhatIf, Window, what_if
from cadence.nearest import nearest
from cadence.refusals import Refusal
from cadence.rules.percent import percent_of, set_share
from cadence.rules.verdicts import Rule, Verdict
from storage.work import UnitOfWork

Told = Callable[[str], None]
_HEAD = ("step", "team", "cycle", "counted from", "happened", "with these thresholds")
EVERY = 200
"""Report progress after this many verdicts."""


def read_thresholds(
    *, cap: str | None, rule: str | None, min_runs: int | None, confidence: str | None
) -> Thresholds:
    """Parse thresholds: `0.08`, `8%` and `8` are the same.

    Raises:
        Refusal: one of them is invalid; the sentence shows a valid one.
    """
    return Thresholds(
        cap=_share(cap, "--cap", "0.08 or 8%"),
        rule=_rule(rule),
        min_runs=min_runs,
        confidence=_share(confidence, "--confidence", "0.9 or 90%"),
    )


def _share(typed: str | None, name: str, right: str) -> float | None:
    if typed is None:
        return None
    text = typed.strip()
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        raise Refusal(f"{name} {typed} isn't a share. Write {right}.") from None
    return number / 100 if text.endswith("%") or number >= 1 else number


def _rule(typed: str | None) -> Rule | None:
    if typed is None:
        return None
    word = typed.strip().casefold()
    if word in set(Rule):
        return Rule(word)
    near = nearest(word, list(Rule))
    raise Refusal(
        f"There's no rule {typed}. The rules are {', '.join(Rule)}."
        + (f" Did you mean {near}?" if near else "")
    )


def judged_again(
    settings: Settings,
    playbook: str,
    thresholds: Thresholds,
    *,
    step: str | None = None,
    team_id: str | None = None,
    told: Told = lambda _: None,
) -> WhatIf:
    """The recorded weeks under other thresholds; `told` gets the progress."""

    def progress(done: int, of: int) -> None:
        if done % EVERY == 0:
            told(f"{done:,} of {of:,} verdicts judged again")

    with closing(ready_database(settings)) as db:
        return what_if(
            UnitOfWork(db, Actor.system(workspace_id(settings, db, team_id)), clock_of(settings)()),
            playbook=playbook,
            thresholds=thresholds,
            step=step,
            progress=progress,
        )


def as_parts(found: WhatIf, thresholds: Thresholds) -> Iterator[Part]:
    """The result, for a terminal."""
    if not found.verdicts:
        yield f"No verdicts on {found.playbook} yet. A step is judged when an exception is logged on it."
        return
    yield f"{found.playbook}, with {_named(thresholds)}"
    yield (
        f"Based on {_count(found.verdicts, 'verdict')} in {_count(found.weeks, 'team-week')} "
        f"and {_count(len(found.windows), 'evidence window')}."
    )
    if found.broken:
        yield f"{_count(found.broken, 'verdict')} can't be reproduced from the rows and are used as stored."
    yield ""
    yield Table(_HEAD, [_row(window) for window in found.windows])
    yield ""
    yield _summary(found)
    yield (
        "Each window is judged separately. It ends where the results differ: nobody can know what people would have "
        "done after a demotion that didn't happen, or without one that did."
    )
    unknown = sum(window.unknown for window in found.windows)
    if unknown:
        yield f"Left out for that reason: {_count(unknown, 'later verdict')}."


def _summary(found: WhatIf) -> str:
    happened = sum(1 for window in found.windows if window.happened.demoted)
    instead = sum(1 for window in found.windows if window.instead.demoted)
    watched = sum(1 for window in found.windows if window.happened.watched)
    would = sum(1 for window in found.windows if window.instead.watched)
    return (
        f"Windows with a demotion: {happened}, and {instead} with these thresholds. "
        f"With a watch: {watched}, and {would}."
    )


def _named(thresholds: Thresholds) -> str:
    parts = []
    if thresholds.cap is not None:
        parts.append(f"a cap of {set_share(thresholds.cap)}")
    if thresholds.rule is not None:
        parts.append(f"the {thresholds.rule} rule")
    if thresholds.min_runs is not None:
        parts.append(f"at least {_count(thresholds.min_runs, 'run')} for the cap line")
    if thresholds.confidence is not None:
        parts.append(f"{set_share(thresholds.confidence)} confidence for the evidence line")
    return ", ".join(parts)


def _row(window: Window) -> tuple[str, ...]:
    return (
        window.step,
        window.team,
        str(window.cycle),
        f"{window.opened:%a %d %b %Y}",
        _told(window.happened),
        _told(window.instead),
    )


def as_json(found: WhatIf) -> dict[str, Any]:
    """The result for programs; instants are ISO 8601 in UTC."""
    return {
        "playbook": found.playbook,
        "verdicts": found.verdicts,
        "weeks": found.weeks,
        "not_reproduced": found.broken,
        "windows": [
            {
                "step": window.step,
                "team": window.team,
                "cycle": window.cycle,
                "counted_from": window.opened.astimezone(UTC).isoformat(),
                "happened": _fate(window.happened),
                "instead": _fate(window.instead),
                "unknown_verdicts": window.unknown,
            }
            for window in found.windows
        ],
    }


def _fate(fate: Fate) -> dict[str, Any]:
    """When a step was watched and demoted, on which numbers; null if it wasn't."""
    return {
        "watched": _judged(fate.watched, fate.watched_at),
        "demoted": _judged(fate.demoted, fate.demoted_at),
    }


def _judged(verdict: Verdict | None, at: datetime | None) -> dict[str, Any] | None:
    if verdict is None or at is None:
        return None
    evidence = verdict.evidence
    return {
        "at": at.astimezone(UTC).isoformat(),
        "line": str(verdict.line),
        "exceptions": evidence.exceptions,
        "runs": evidence.runs,
        "measured_runs": evidence.measured,
        "estimated_runs": evidence.assumed,
    }


def _told(fate: Fate) -> str:
    parts = []
    if fate.watched is not None:
        parts.append(f"watched {fate.watched_at:%d %b} at {_numbers(fate.watched)}")
    if fate.demoted is not None:
        why = LINE_WORDS[fate.demoted.line]
        parts.append(f"demoted {fate.demoted_at:%d %b} at {_numbers(fate.demoted)}, {why}")
    return "; ".join(parts) or "on track"


def _numbers(verdict: Verdict) -> str:
    evidence = verdict.evidence
    share = percent_of(evidence.exceptions, evidence.runs, limit=verdict.policy.cap)
    known = evidence.runs - evidence.assumed - evidence.measured
    parts = [f"{evidence.measured} measured"] if evidence.measured else []
    parts += [str(known)] if known or not parts else []
    parts += [f"{evidence.assumed} estimated"] if evidence.assumed else []
    runs = " + ".join(parts)
    return f"{evidence.exceptions} in {runs}{f' ({share})' if share else ''}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
