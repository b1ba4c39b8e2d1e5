"""The digest's standards: steps over their caps, demotions, coverage."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from cadence.flows.core import AdoptionView, step_title
from cadence.flows.overview.digest_scope import DigestWeek, Scope, TopN, told
from cadence.flows.overview.overrides import override_note
from cadence.flows.overview.signals import contradictions, heroes_of
from cadence.flows.promotions import promotion_numbers
from cadence.flows.standards import drift_counts, verdict_evidence
from cadence.flows.trends import named_in, tell_course
from cadence.mrkdwn import Mrkdwn, say
from cadence.refusals import Offer
from cadence.rules.calendar import local_day
from cadence.rules.kpi import READINGS_NEEDED, Outcome
from cadence.rules.modes import Mode
from cadence.rules.percent import set_share
from storage.queries import promotions, standards
from storage.queries.overview import digests, signals
from storage.tables import Override, Promotion, StepDrift
from storage.work import UnitOfWork
from templates.contexts.base import ModeChange
from templates.contexts.overview.digests import Decision, TeamChange
from templates.filters import day, plural
from templates.filters import mode as mode_word
from templates.ids import Action


def demotions_of(scope: Scope) -> TopN[Callable[[AdoptionView], TeamChange]]:
    """The demotions of the week, newest first."""
    found: TopN[Callable[[AdoptionView], TeamChange]] = TopN()
    since, until = scope.week.at(0), scope.week.at(1)
    rows = digests.changes(scope.uow, since=since, until=until, kind="demotion")
    for number, adoption in rows:
        if adoption in scope.places:
            found.add((-number,), adoption, partial(tell_demotion, scope=scope, number=number))
    return found


def tell_demotion(view: AdoptionView, *, scope: Scope, number: int) -> TeamChange:
    """A demotion, with what it rests on."""
    row = standards.mode_change(scope.uow, change_id=number)
    assert row is not None  # noqa: S101 - it was counted a moment ago
    verdict = standards.verdict(scope.uow, verdict_id=row.verdict_id) if row.verdict_id else None
    return TeamChange(
        playbook=view.playbook.title,
        team=view.team.title,
        change=ModeChange(step=step_title(view, row.step), before=row.before or row.after, after=row.after),
        on=local_day(row.changed_at, view.zone),
        evidence=verdict_evidence(verdict) if verdict else None,
    )


T = TypeVar("T")
NOTES = 10
"""Sentences that are shown."""
_CHANGES = (("promotion", "Promoted"), ("declaration", "Set by hand"), ("fallback", "Handoff fallback"))


def tell_drift(view: AdoptionView, row: StepDrift) -> Decision:
    """A drift that needs the owner."""
    return Decision(
        title="🟡 Settle a drift",
        text=say(
            "“{step}” of {playbook} ({team}) ran {counts} · found {day}",
            step=view.step(row.step).title,
            playbook=view.playbook.title,
            team=view.team.title,
            counts=drift_counts(row),
            day=day(row.at.astimezone(view.zone).date()),
        ),
        offer=Offer("Settle", Action.DECLARE_MODE, f"{view.id}:{row.step}"),
        who=view.playbook.owner,
    )


def open_drifts(scope: Scope) -> TopN[Callable[[AdoptionView], Decision]]:
    """Unsettled drifts, the largest share first; drifts reported by one person are only for the owner."""
    return drifts_waiting(scope, tell_drift)


def drifts_waiting(
    scope: Scope, tell: Callable[[AdoptionView, StepDrift], T], *, alone_in: Collection[int] = ()
) -> TopN[Callable[[AdoptionView], T]]:
    """The same, each worded by `tell`; with drifts reported by one person in some adoptions."""
    found: TopN[Callable[[AdoptionView], T]] = TopN()
    rows = digests.drifts_open(scope.uow)
    for number, adoption, step, evidence in rows:
        place, rank = scope.step_at(adoption, step), scope.rank(adoption)
        if place is not None and rank is not None and (evidence.get("people") != 1 or adoption in alone_in):
            order = (-float(evidence.get("share", 0)), rank, place)
            found.add(order, adoption, partial(_of_drift, scope=scope, number=number, tell=tell))
    return found


def _of_drift(
    view: AdoptionView, *, scope: Scope, number: int, tell: Callable[[AdoptionView, StepDrift], T]
) -> T:
    row = standards.event(scope.uow, drift_id=number)
    assert row is not None  # noqa: S101 - it was counted a moment ago
    return tell(view, row)


def open_promotions(scope: Scope) -> TopN[Callable[[AdoptionView], Decision]]:
    """Undecided promotions, the longest waiting first."""
    return promotions_waiting(scope, tell_promotion)


def promotions_waiting(
    scope: Scope,
    tell: Callable[[AdoptionView, Promotion], T],
    *,
    only: Callable[[Mode | None], bool] = lambda _: True,
) -> TopN[Callable[[AdoptionView], T]]:
    """The same, each worded by `tell`; `only` those that lead to some modes."""
    found: TopN[Callable[[AdoptionView], T]] = TopN()
    for number, adoption, leads_to in digests.promotions_open(scope.uow):
        if adoption in scope.places and only(leads_to):
            found.add((number,), adoption, partial(_of_promotion, scope=scope, number=number, tell=tell))
    return found


def _of_promotion(
    view: AdoptionView, *, scope: Scope, number: int, tell: Callable[[AdoptionView, Promotion], T]
) -> T:
    row = promotions.promotion(scope.uow, promotion_id=number)
    assert row is not None  # noqa: S101 - it was counted a moment ago
    return tell(view, row)


def tell_promotion(view: AdoptionView, row: Promotion) -> Decision:
    """An undecided promotion."""
    return Decision(
        title="🟢 Ready for promotion",
        text=promotion_words(view, row),
        offer=Offer("Approve", Action.APPROVE_PROMOTION, str(row.id)),
    )


def promotion_words(view: AdoptionView, row: Promotion) -> Mrkdwn:
    """A proposed promotion with the numbers it rests on."""
    found = promotion_numbers(row)
    return say(
        "“{step}” of {playbook} ({team}), {before} → {after}: {passes} of {samples} passed, "
        "{exceptions}KPI met in {met} of {cycles}",
        step=step_title(view, row.step),
        playbook=view.playbook.title,
        team=view.team.title,
        before=mode_word(row.mode),
        after=mode_word(row.leads_to or row.mode),
        passes=row.passes,
        samples=plural(row.samples, "sample"),
        exceptions=say(
            "{exceptions} in {runs} (cap {cap}), ",
            exceptions=plural(found.exceptions, "exception"),
            runs=plural(found.runs, "run"),
            cap=set_share(found.cap),
        )
        if found.runs
        else "",
        met=found.kpi_met,
        cycles=plural(found.cycles, "cycle"),
    )


def notes(
    scope: Scope, *, together: Collection[int], unmet: TopN[Callable[[AdoptionView], Mrkdwn]]
) -> tuple[tuple[Mrkdwn, ...], int]:
    """One sentence for each notable event, most urgent first, and the total.

    Args:
        together: adoptions of teams with several members; a single member necessarily reports everything.
        unmet: the targets missed in the week.
    """
    contradicting, heroes = contradictions(scope), heroes_of(scope, together)
    overrides = _overrides(scope.uow, scope.week)
    changes = [_declined(scope), *(_changes(scope, kind, word) for kind, word in _CHANGES)]
    courses = _courses(scope)
    lines: list[Mrkdwn] = [
        *told(scope, unmet, NOTES),
        *told(scope, courses, NOTES),
        *told(scope, contradicting, NOTES),
        *told(scope, heroes, NOTES),
        *(override_note(scope.uow, one) for one in overrides[:NOTES]),
    ]
    for section in changes:
        if len(lines) < NOTES:
            lines += told(scope, section, NOTES - len(lines))
    count = sum(section.count for section in (unmet, courses, contradicting, heroes, *changes)) + len(
        overrides
    )
    return tuple(lines[:NOTES]), count


@dataclass(frozen=True, slots=True)
class Missed:
    """The cycles that closed in a digest's week without meeting their target: nothing to decide, but to know.

    Args:
        told: a sentence for each.
        results: by adoption.
    """

    told: TopN[Callable[[AdoptionView], Mrkdwn]]
    results: dict[int, str]


def missed(scope: Scope) -> Missed:
    """The cycles that closed in a digest's week without meeting their target."""
    found = Missed(TopN(), {})
    rows = digests.missed(scope.uow, since=scope.week.at(0), until=scope.week.at(1))
    for adoption, number, result in rows:
        if (rank := scope.rank(adoption)) is not None:
            found.told.add((rank, number), adoption, partial(tell_missed, number=number, result=result))
            found.results[adoption] = result or Outcome.INSUFFICIENT
    return found


def tell_missed(view: AdoptionView, *, number: int, result: str | None) -> Mrkdwn:
    """A cycle that closed without meeting its target, in a sentence."""
    why = (
        "missed its target in cycle {number}"
        if result == Outcome.NOT_MET
        else "closed cycle {number} with fewer than {least} weekly numbers, too few for a result"
    )
    return say(
        f"{{playbook}} ({{team}}) {why}",
        playbook=view.playbook.title,
        team=view.team.title,
        number=number,
        least=READINGS_NEEDED,
    )


def _courses(scope: Scope) -> TopN[Callable[[AdoptionView], Mrkdwn]]:
    """The watched adoptions whose course changed when the week ended."""
    found: TopN[Callable[[AdoptionView], Mrkdwn]] = TopN()
    for row in named_in(scope.uow, week_start=scope.week.monday):
        if row.adoption_id in scope.places:
            found.add((row.id or 0,), row.adoption_id, partial(tell_course, row=row))
    return found


def _overrides(uow: UnitOfWork, week: DigestWeek) -> list[Override]:
    return signals.overrides_between(uow, since=week.at(0), until=week.at(1))


def _declined(scope: Scope) -> TopN[Callable[[AdoptionView], Mrkdwn]]:
    found: TopN[Callable[[AdoptionView], Mrkdwn]] = TopN()
    since, until = scope.week.at(0), scope.week.at(1)
    rows = digests.promotions_declined(scope.uow, since=since, until=until)
    for number, adoption in rows:
        if adoption in scope.places:
            found.add((number,), adoption, partial(_tell_declined, scope=scope, number=number))
    return found


def _tell_declined(view: AdoptionView, *, scope: Scope, number: int) -> Mrkdwn:
    row = promotions.promotion(scope.uow, promotion_id=number)
    assert row is not None  # noqa: S101 - it was counted a moment ago
    return _changed("Declined", view, row.step, row.mode, row.leads_to)


def _changes(scope: Scope, kind: str, word: str) -> TopN[Callable[[AdoptionView], Mrkdwn]]:
    """The mode changes of one kind in the week, newest first."""
    found: TopN[Callable[[AdoptionView], Mrkdwn]] = TopN()
    since, until = scope.week.at(0), scope.week.at(1)
    rows = digests.changes(scope.uow, since=since, until=until, kind=kind)
    for number, adoption in rows:
        if adoption in scope.places:
            found.add((-number,), adoption, partial(_tell_changed, scope=scope, number=number, word=word))
    return found


def _tell_changed(view: AdoptionView, *, scope: Scope, number: int, word: str) -> Mrkdwn:
    row = standards.mode_change(scope.uow, change_id=number)
    assert row is not None  # noqa: S101 - it was counted a moment ago
    return _changed(word, view, row.step, row.before or row.after, row.after)


def _changed(word: str, view: AdoptionView, step: str, before: str, after: str | None) -> Mrkdwn:
    return say(
        "{word}: “{step}”, {before} → {after} ({playbook}, {team})",
        word=word,
        step=step_title(view, step),
        before=mode_word(before),
        after=mode_word(after or before),
        playbook=view.playbook.title,
        team=view.team.title,
    )
