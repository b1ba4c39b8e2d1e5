"""The digest's standards: steps over their caps, demotions, coverage."""

from collections.abc import Callable, Collection
from functools import partial
from typing import TypeVar

from cadence.flows.core import TeamRun
from cadence.flows.overview.digest_scope import DigestWeek, Scope, Worst, told
from cadence.flows.overview.signals import contradictions, heroes_of
from cadence.flows.standards import drift_counts
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.refusals import Offer
from storage.queries import decisions, digests, drifts, playbooks, rubrics, signals
from storage.tables import Override, OverrideKind, Promotion, StepDrift
from storage.work import UnitOfWork
from templates.contexts.base import ModeChange
from templates.contexts.digests import Decision, TeamChange
from templates.filters import day, plural
from templates.filters import mode as mode_word
from templates.ids import Action


def demotions_of(scope: Scope) -> Worst[Callable[[TeamRun], TeamChange]]:
    """The demotions of the week, newest first."""
    found: Worst[Callable[[TeamRun], TeamChange]] = Worst()
    since, until = scope.week.at(0), scope.week.at(1)
    rows = digests.changes(scope.uow, since=since, until=until, kind="demotion")
    for number, adoption in rows:
        if adoption in scope.places:
            found.add((-number,), adoption, partial(_tell_demotion, scope=scope, number=number))
    return found


def _tell_demotion(run: TeamRun, *, scope: Scope, number: int) -> TeamChange:
    row = decisions.mode_change(scope.uow, change_id=number)
    assert row is not None  # noqa: S101 - it was counted a moment ago
    return TeamChange(
        playbook=run.playbook.title,
        team=run.team.title,
        change=ModeChange(step=title_of(run, row.step), before=row.before or row.after, after=row.after),
    )


def title_of(run: TeamRun, key: str) -> str:
    """A step's title; its key when the newest revision has dropped the step."""
    step = run.spec.step(key)
    return step.title if step else key


T = TypeVar("T")
NOTES = 10
"""Sentences that are shown."""
_CHANGES = (("promotion", "Promoted"), ("declaration", "Declared by hand"))


def tell_drift(run: TeamRun, row: StepDrift) -> Decision:
    """A drift that waits for the owner."""
    return Decision(
        text=say(
            "{step} of {playbook} ({team}) is run {counts}, found {day}",
            step=run.step(row.step).title,
            playbook=run.playbook.title,
            team=run.team.title,
            counts=drift_counts(row),
            day=day(row.at.astimezone(run.zone).date()),
        ),
        offer=Offer("Settle it", Action.DECLARE_MODE, f"{run.id}:{row.step}"),
    )


def open_drifts(scope: Scope) -> Worst[Callable[[TeamRun], Decision]]:
    """Drifts that nobody has settled yet, the widest first; what one person reported is the owner's to read."""
    return drifts_waiting(scope, tell_drift)


def drifts_waiting(
    scope: Scope, tell: Callable[[TeamRun, StepDrift], T], *, alone_in: Collection[int] = ()
) -> Worst[Callable[[TeamRun], T]]:
    """The same, each as `tell` says it; with what one person reported in some adoptions."""
    found: Worst[Callable[[TeamRun], T]] = Worst()
    rows = digests.drifts_open(scope.uow)
    for number, adoption, step, evidence in rows:
        place, rank = scope.step_at(adoption, step), scope.rank(adoption)
        if place is not None and rank is not None and (evidence.get("people") != 1 or adoption in alone_in):
            order = (-float(evidence.get("share", 0)), rank, place)
            found.add(order, adoption, partial(_of_drift, scope=scope, number=number, tell=tell))
    return found


def _of_drift(run: TeamRun, *, scope: Scope, number: int, tell: Callable[[TeamRun, StepDrift], T]) -> T:
    row = drifts.event(scope.uow, drift_id=number)
    assert row is not None  # noqa: S101 - it was counted a moment ago
    return tell(run, row)


def open_promotions(scope: Scope) -> Worst[Callable[[TeamRun], Decision]]:
    """Promotions that wait for somebody's decision, the longest waiting first."""
    return promotions_waiting(scope, tell_promotion)


def promotions_waiting(
    scope: Scope, tell: Callable[[TeamRun, Promotion], T]
) -> Worst[Callable[[TeamRun], T]]:
    """The same, each as `tell` says it."""
    found: Worst[Callable[[TeamRun], T]] = Worst()
    for number, adoption in digests.promotions_open(scope.uow):
        if adoption in scope.places:
            found.add((number,), adoption, partial(_of_promotion, scope=scope, number=number, tell=tell))
    return found


def _of_promotion(run: TeamRun, *, scope: Scope, number: int, tell: Callable[[TeamRun, Promotion], T]) -> T:
    row = rubrics.promotion(scope.uow, promotion_id=number)
    assert row is not None  # noqa: S101 - it was counted a moment ago
    return tell(run, row)


def tell_promotion(run: TeamRun, row: Promotion) -> Decision:
    """A promotion that waits for a decision."""
    return Decision(
        text=say(
            "{step} of {playbook} ({team}) could go from {before} to {after}: {passes} of {samples} passed",
            step=title_of(run, row.step),
            playbook=run.playbook.title,
            team=run.team.title,
            before=mode_word(row.mode),
            after=mode_word(row.leads_to or row.mode),
            passes=row.passes,
            samples=plural(row.samples, "sample"),
        ),
        offer=Offer("Approve", Action.APPROVE_PROMOTION, str(row.id)),
    )


def notes(scope: Scope, *, together: Collection[int]) -> tuple[tuple[Mrkdwn, ...], int]:
    """One sentence for each thing worth knowing, gravest first, and how many there are.

    Args:
        together: adoptions of teams of several; one alone has no choice but to report everything.
    """
    contradicting, heroes = contradictions(scope), heroes_of(scope, together)
    overrides = _overrides(scope.uow, scope.week)
    changes = [_declined(scope), *(_changes(scope, kind, word) for kind, word in _CHANGES)]
    lines: list[Mrkdwn] = [
        *told(scope, contradicting, NOTES),
        *told(scope, heroes, NOTES),
        *(_override(scope.uow, one) for one in overrides[:NOTES]),
    ]
    for section in changes:
        if len(lines) < NOTES:
            lines += told(scope, section, NOTES - len(lines))
    count = sum(section.count for section in (contradicting, heroes, *changes)) + len(overrides)
    return tuple(lines[:NOTES]), count


def _overrides(uow: UnitOfWork, week: DigestWeek) -> list[Override]:
    return signals.overrides_between(uow, since=week.at(0), until=week.at(1))


def _override(uow: UnitOfWork, row: Override) -> Mrkdwn:
    title = playbooks.by_id(uow, playbook_id=row.playbook_id).title
    what = (
        say("{title} was published although something was missing", title=title)
        if row.kind is OverrideKind.PUBLISH
        else say("{title} was given a team that already runs two cycles", title=title)
    )
    return say("Override by {who}: {what}. {reason}", who=mention(row.member), what=what, reason=row.reason)


def _declined(scope: Scope) -> Worst[Callable[[TeamRun], Mrkdwn]]:
    found: Worst[Callable[[TeamRun], Mrkdwn]] = Worst()
    since, until = scope.week.at(0), scope.week.at(1)
    rows = digests.promotions_declined(scope.uow, since=since, until=until)
    for number, adoption in rows:
        if adoption in scope.places:
            found.add((number,), adoption, partial(_tell_declined, scope=scope, number=number))
    return found


def _tell_declined(run: TeamRun, *, scope: Scope, number: int) -> Mrkdwn:
    row = rubrics.promotion(scope.uow, promotion_id=number)
    assert row is not None  # noqa: S101 - it was counted a moment ago
    return _changed("Declined", run, row.step, row.mode, row.leads_to)


def _changes(scope: Scope, kind: str, word: str) -> Worst[Callable[[TeamRun], Mrkdwn]]:
    """The changes of mode of one kind in the week, newest first."""
    found: Worst[Callable[[TeamRun], Mrkdwn]] = Worst()
    since, until = scope.week.at(0), scope.week.at(1)
    rows = digests.changes(scope.uow, since=since, until=until, kind=kind)
    for number, adoption in rows:
        if adoption in scope.places:
            found.add((-number,), adoption, partial(_tell_changed, scope=scope, number=number, word=word))
    return found


def _tell_changed(run: TeamRun, *, scope: Scope, number: int, word: str) -> Mrkdwn:
    row = decisions.mode_change(scope.uow, change_id=number)
    assert row is not None  # noqa: S101 - it was counted a moment ago
    return _changed(word, run, row.step, row.before or row.after, row.after)


def _changed(word: str, run: TeamRun, step: str, before: str, after: str | None) -> Mrkdwn:
    return say(
        "{word}: {step}, {before} → {after} ({playbook}, {team})",
        word=word,
        step=title_of(run, step),
        before=mode_word(before),
        after=mode_word(after or before),
        playbook=run.playbook.title,
        team=run.team.title,
    )
