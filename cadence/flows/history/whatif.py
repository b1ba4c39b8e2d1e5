"""What-if: what another cap or threshold would have changed in the recorded weeks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from cadence.flows.core import require_playbook
from cadence.flows.history.replay import Progress, Replayed, policy_of, replay_verdicts
from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Refusal
from cadence.rules.verdicts import Decision, Policy, Rule, Verdict, judge_step
from storage.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Thresholds to try; None keeps that of each verdict.

    Raises:
        Refusal: one of them is invalid.
    """

    cap: float | None = None
    rule: Rule | None = None
    min_runs: int | None = None
    confidence: float | None = None

    def __post_init__(self) -> None:
        if self.cap is not None and not 0 < self.cap < 1:
            raise Refusal("A cap is a share from 0 to 1, like 0.08 or 8%.")
        if self.confidence is not None and not 0.5 <= self.confidence < 1:
            raise Refusal("Confidence is a share from 0.5 to below 1, like 0.9 or 90%.")
        if self.min_runs is not None and not 1 <= self.min_runs <= 10_000:
            raise Refusal("The fewest runs must be a whole number from 1 to 10,000.")
        if (self.cap, self.rule, self.min_runs, self.confidence) == (None,) * 4:
            raise Refusal("Choose what to change: --cap, --rule, --min-runs or --confidence.")

    def on(self, policy: Policy) -> Policy:
        """A policy with these thresholds instead of its own."""
        return replace(
            policy,
            cap=policy.cap if self.cap is None else self.cap,
            rule=self.rule or policy.rule,
            min_runs=self.min_runs or policy.min_runs,
            confidence=self.confidence or policy.confidence,
        )


@dataclass(frozen=True, slots=True)
class Fate:
    """What happened to a step in one window: when it was first watched, and demoted; None if it never was."""

    watched: Verdict | None = None
    watched_at: datetime | None = None
    demoted: Verdict | None = None
    demoted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """One evidence window of a step: what happened, and what would have happened.

    Args:
        cycle: its number.
        verdicts: how many are in the window.
        unknown: those after a demotion that would have come earlier; they describe another course of events.
    """

    step: str
    team: str
    cycle: int
    opened: datetime
    verdicts: int
    happened: Fate
    instead: Fate
    unknown: int


@dataclass(frozen=True, slots=True)
class WhatIf:
    """All windows of a playbook's steps, by step and team, with what they rest on.

    `broken` are verdicts that no longer follow from the rows; they are used as stored.
    """

    playbook: str
    windows: tuple[Window, ...]
    weeks: int
    verdicts: int
    broken: int


def what_if(
    uow: UnitOfWork,
    *,
    playbook: str,
    thresholds: Thresholds,
    step: str | None = None,
    progress: Progress | None = None,
) -> WhatIf:
    """Judge the recorded weeks of a playbook by other thresholds.

    Each verdict is judged on what was known when it was given. A window ends where the step was, or would
    have been, demoted: what people would have done afterwards can't be known. The next window starts from
    what really happened.

    Raises:
        Refusal: no such playbook or step.
    """
    with uow.read():
        row = require_playbook(uow, playbook)
        replayed = list(replay_verdicts(uow, playbook_id=row.id, progress=progress))
        _require_step(replayed, step, playbook)
        wanted = [one for one in replayed if step in (None, one.row.step)]
        return WhatIf(
            playbook=row.title,
            windows=tuple(_windows(wanted, thresholds)),
            weeks=len({(one.row.adoption_id, *_week(one)) for one in wanted}),
            verdicts=len(wanted),
            broken=sum(1 for one in wanted if one.differences),
        )


def _week(one: Replayed) -> tuple[int, int]:
    year, week, _ = one.row.judged_at.astimezone(one.view.zone).isocalendar()
    return year, week


def _require_step(replayed: Sequence[Replayed], step: str | None, playbook: str) -> None:
    known = sorted({key.key for one in replayed for key in one.view.spec.steps})
    if step is None or step in known or not known:
        return
    near = nearest(step, known)
    hint = say(" Did you mean {near}?", near=code(near)) if near else ""
    raise Refusal(
        say("{playbook} doesn't have a step {step}.{hint}", playbook=playbook, step=code(step), hint=hint)
    )


def _windows(replayed: Sequence[Replayed], thresholds: Thresholds) -> Iterator[Window]:
    def window(one: Replayed) -> tuple[str, str, int, datetime]:
        return (one.row.step, one.view.team.slug, one.row.cycle_id, one.row.window_from)

    for (step, _, _, opened), group in groupby(sorted(replayed, key=window), key=window):
        members = sorted(group, key=lambda one: one.row.id or 0)
        view = members[0].view
        happened, _ = _fate(members, None)
        instead, seen = _fate(members, thresholds)
        yield Window(
            step=step,
            team=view.team.title,
            cycle=view.cycle.number if view.cycle else 0,
            opened=opened.astimezone(view.zone),
            verdicts=len(members),
            happened=happened,
            instead=instead,
            unknown=len(members) - seen,
        )


def _fate(members: Sequence[Replayed], thresholds: Thresholds | None) -> tuple[Fate, int]:
    """The outcome of a window, and how many of its verdicts count for it."""
    fate = Fate()
    for number, one in enumerate(members, start=1):
        verdict = _judged(one, thresholds)
        at = one.row.judged_at.astimezone(one.view.zone)
        if verdict.decision is Decision.WATCH and fate.watched is None:
            fate = replace(fate, watched=verdict, watched_at=at)
        if verdict.decision is Decision.DEMOTE:
            return replace(fate, demoted=verdict, demoted_at=at), number
    return fate, len(members)


def _judged(one: Replayed, thresholds: Thresholds | None) -> Verdict:
    """A stored verdict's evidence judged by other thresholds."""
    policy = policy_of(one.row)
    return judge_step(
        evidence=one.evidence,
        policy=thresholds.on(policy) if thresholds else policy,
        mode=one.row.mode,
        fallback=one.row.fallback,
    )
