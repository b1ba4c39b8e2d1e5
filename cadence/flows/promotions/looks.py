"""A step's evaluation for promotion in words: what it still needs, or its outcome."""

from typing import Final
from zoneinfo import ZoneInfo

from cadence.flows.core import AdoptionView, coverage
from cadence.flows.promotions.proposing import judge_again
from cadence.mrkdwn import Mrkdwn, say
from cadence.rules.kpi import Outcome
from cadence.rules.modes import WORDS as MODE_WORDS
from cadence.rules.percent import percent, set_share
from cadence.rules.promotions import Condition, PromotionVerdict, Unmet
from cadence.rules.samples import samples_needed
from storage.queries import promotions
from storage.tables import Cycle, Promotion, PromotionState
from storage.work import UnitOfWork
from templates.contexts.promotions import CycleLooked, PromotionLooked, PromotionNumbers
from templates.filters import plural

MOST = 3
"""Conditions that a line names; `/cadence why` has all."""

_SENTENCES: Final = {
    Condition.HIGHER_MODE: "AI already leads it",
    Condition.RUBRIC_REVISION: "update the rubric first: it was demoted on this one",
    Condition.NO_DRIFT: "the owner still has to settle its drift",
    Condition.CYCLES: "{counted} in this mode",
    Condition.GRADED: "no graded samples{where}",
    Condition.ACCURACY: "{found} of samples passed{where} (needed {needed})",
    Condition.RISK: "{found} of samples risky{where} (at most {needed})",
    Condition.SAMPLES: "{samples}",
    Condition.UNDER_CAP: "over its cap or demoted{where}",
    Condition.COVERAGE: "{found} of check-ins{where} (needed {needed})",
    Condition.KPI_MET: "{kpi}{where}",
}


def unmet_words(verdict: PromotionVerdict) -> tuple[Mrkdwn, ...]:
    """Every unmet condition, in words; empty for a proposal."""
    return tuple(
        _unmet(verdict, one)
        for one in verdict.unmet
        if one.condition is not Condition.GRADED or verdict.samples  # no sample at all is said once
    )


def _unmet(verdict: PromotionVerdict, one: Unmet) -> Mrkdwn:
    found, needed = one.found or 0, one.needed or 0
    result = next((cycle.kpi for cycle in verdict.cycles if cycle.number == one.cycle), None)
    return say(
        _SENTENCES[one.condition],
        where=f" in cycle {one.cycle}" if one.cycle else "",
        found=percent(found, limit=needed),
        needed=set_share(needed),
        counted=f"{int(found)} of {plural(int(needed), 'closed cycle')}",
        samples=_samples(verdict),
        kpi="not enough KPI readings" if result is Outcome.INSUFFICIENT else "missed the KPI target",
    )


def _samples(verdict: PromotionVerdict) -> Mrkdwn:
    """How many samples are missing. The next evaluation drops the oldest cycle with its samples."""
    failures = verdict.samples - verdict.passes
    counted = f"{verdict.samples:,} of {plural(verdict.needed, 'sample')}"
    failed = f" with {plural(failures, 'failure')}" if failures else ""
    if len(verdict.cycles) < verdict.policy.cycles:
        return _would_decide(verdict, counted + failed, verdict.more)
    kept = verdict.cycles[1:]
    known, passed = sum(one.samples for one in kept), sum(one.passes for one in kept)
    needed = samples_needed(known - passed, verdict.policy.accuracy, verdict.policy.confidence)
    more = _would_decide(verdict, counted + failed, max(needed - known, 1))
    return (
        say("{more} (the {known:,} of cycle {kept} still count)", more=more, kept=kept[0].number, known=known)
        if (len(kept) == 1 and known)
        else more
    )


def _would_decide(verdict: PromotionVerdict, counted: str, more: int) -> Mrkdwn:
    """How many samples of the next cycle would decide."""
    return say(
        "{counted}: {more}{following} would decide it",
        counted=counted,
        more=plural(more, "more sample"),
        following=f" in cycle {verdict.cycles[-1].number + 1}" if verdict.cycles else "",
    )


def promotion_lines(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> tuple[Mrkdwn, ...]:
    """A line for each step that was evaluated for promotion when a cycle closed, in the playbook's order.

    Steps are evaluated once: later reports are in the cycle's other numbers, so the line gives its date.
    """
    now = (*coverage(uow, view, cycle, until=cycle.closes_on), cycle.result)
    rows = {row.step: row for row in promotions.promotions_of_cycle(uow, cycle_id=cycle.id or 0)}
    return tuple(
        _line(rows[step.key], step.title, cycle, now) for step in view.spec.steps if step.key in rows
    )


def _line(row: Promotion, title: str, cycle: Cycle, now: tuple[int, int, str | None]) -> Mrkdwn:
    to = MODE_WORDS[row.leads_to or row.mode]
    match row.state:
        case PromotionState.OPEN:
            return say("“{title}” is ready for promotion to {to}.", title=title, to=to)
        case PromotionState.APPROVED:
            return say("“{title}” was promoted to {to}.", title=title, to=to)
        case PromotionState.DECLINED:
            return say("“{title}” stays as it is: its promotion to {to} was declined.", title=title, to=to)
        case PromotionState.LAPSED:
            return say(
                "“{title}” stays as it is: its promotion to {to} expired because {why}.",
                title=title,
                to=to,
                why=row.reason,
            )
    verdict = judge_again(row)
    words = unmet_words(verdict)
    then = [(one.answered, one.expected, one.kpi) for one in verdict.cycles if one.number == cycle.number]
    rest = say("; {count} more", count=plural(len(words) - MOST, "condition")) if len(words) > MOST else ""
    return say(
        "“{title}” stays {mode}: {then}{unmet}{rest}.",
        title=title,
        mode=MODE_WORDS[row.mode],
        then="at the close, " if then not in ([], [now]) else "",
        unmet=Mrkdwn("; ".join(words[:MOST])),
        rest=rest,
    )


def numbers(row: Promotion) -> PromotionNumbers:
    """The numbers behind a stored evaluation."""
    verdict, kept = judge_again(row), row.evidence
    return PromotionNumbers(
        cycles=len(verdict.cycles),
        samples=verdict.samples,
        passes=verdict.passes,
        risky=verdict.risky,
        bound=verdict.bound if verdict.samples else 0.0,
        accuracy=verdict.policy.accuracy,
        max_risk=verdict.policy.max_risk,
        confidence=verdict.policy.confidence,
        exceptions=kept.get("exceptions", 0),
        runs=kept.get("runs", 0),
        cap=kept.get("cap", 0.0),
        answered=sum(one.answered for one in verdict.cycles),
        expected=sum(one.expected for one in verdict.cycles),
        kpi_met=sum(one.kpi is Outcome.MET for one in verdict.cycles),
    )


def last_look(uow: UnitOfWork, view: AdoptionView, *, step: str, zone: ZoneInfo) -> PromotionLooked | None:
    """A step's last evaluation for promotion; None before a first cycle closed."""
    row = promotions.last_promotion(uow, adoption_id=view.id, step=step)
    if row is None:
        return None
    verdict = judge_again(row)
    return PromotionLooked(
        looked_at=row.judged_at.astimezone(zone),
        state=row.state,
        before=row.mode,
        after=row.leads_to or row.mode,
        numbers=numbers(row),
        needed=row.needed,
        judged=tuple(
            CycleLooked(
                number=one.number,
                samples=one.samples,
                passes=one.passes,
                risky=one.risky,
                over_cap=one.over_cap,
                answered=one.answered,
                expected=one.expected,
                result=one.kpi,
            )
            for one in verdict.cycles
        ),
        unmet=unmet_words(verdict),
        decided_by=row.decided_by,
        decided_at=row.decided_at.astimezone(zone) if row.decided_at else None,
        reason=row.reason,
    )
