"""What a step still needs to be proposed for the next mode, in words with their numbers."""

from typing import Final

from sqlmodel import Session

from cadence.flows.cycle_shown import coverage
from cadence.flows.promotions import judge_again
from cadence.flows.runs import TeamRun
from cadence.mrkdwn import Mrkdwn, say
from cadence.rules.kpi import Outcome
from cadence.rules.percent import percent, set_share
from cadence.rules.promotions import Condition, PromotionVerdict, Unmet
from cadence.rules.samples import samples_needed
from storage import rubrics
from storage.tables import Cycle, Promotion, PromotionState
from templates.filters import MODE_WORDS, plural

MOST = 3
"""Conditions that a line names; `/cadence why` has them all."""

_SENTENCES: Final = {
    Condition.HIGHER_MODE: "AI leads it already",
    Condition.RUBRIC_REVISION: "it was demoted on this rubric, so the rubric is revised first",
    Condition.NO_DRIFT: "its drift waits for the owner's answer",
    Condition.CYCLES: "{counted} in this mode",
    Condition.GRADED: "no graded sample{where}",
    Condition.ACCURACY: "{found} of samples passed{where} (needed {needed})",
    Condition.RISK: "{found} of samples risky{where} (at most {needed})",
    Condition.SAMPLES: "{samples}",
    Condition.UNDER_CAP: "over the cap{where}",
    Condition.COVERAGE: "coverage {found}{where} (needed {needed})",
    Condition.KPI_MET: "{kpi}{where}",
}


def unmet_words(verdict: PromotionVerdict) -> tuple[Mrkdwn, ...]:
    """Every condition that isn't met, in words; none for a proposal."""
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
        kpi="too few readings of the KPI" if result is Outcome.INSUFFICIENT else "KPI not met",
    )


def _samples(verdict: PromotionVerdict) -> Mrkdwn:
    """How many samples are missing. The next look leaves the oldest cycle out, and that cycle's samples with it."""
    failures = verdict.samples - verdict.passes
    counted = f"{verdict.samples:,} of {plural(verdict.needed, 'sample')}"
    failed = f" with {plural(failures, 'failure')}" if failures else ""
    if len(verdict.cycles) < verdict.policy.cycles:
        return say(
            "{counted}{failed}: {more} more to decide", counted=counted, failed=failed, more=verdict.more
        )
    kept = verdict.cycles[1:]
    known, passed = sum(one.samples for one in kept), sum(one.passes for one in kept)
    needed = samples_needed(known - passed, verdict.policy.accuracy, verdict.policy.confidence)
    return say(
        "{counted}{failed}: {short} too few; cycle {next} needs {more} more to decide{rest}",
        counted=counted,
        failed=failed,
        short=verdict.needed - verdict.samples,
        next=verdict.cycles[-1].number + 1,
        more=max(needed - known, 1),
        rest=f", with the {known:,} of cycle {kept[0].number}" if len(kept) == 1 and known else "",
    )


def promotion_lines(session: Session, run: TeamRun, cycle: Cycle) -> tuple[Mrkdwn, ...]:
    """A line for each step that was looked at for promotion when a cycle closed, in the playbook's order.

    Steps are looked at once: what came in since is in the cycle's other numbers, so the line says from when its are.
    """
    now = (*coverage(session, run, cycle, until=cycle.closes_on), cycle.result)
    rows = {
        row.step: row
        for row in rubrics.promotions_of_cycle(session, workspace_id=run.workspace.id, cycle_id=cycle.id or 0)
    }
    return tuple(_line(rows[step.key], step.title, cycle, now) for step in run.spec.steps if step.key in rows)


def _line(row: Promotion, title: str, cycle: Cycle, now: tuple[int, int, str | None]) -> Mrkdwn:
    to = MODE_WORDS[row.leads_to or row.mode]
    match row.state:
        case PromotionState.OPEN:
            return say("{title} is proposed for {to}.", title=title, to=to)
        case PromotionState.APPROVED:
            return say("{title} was promoted to {to}.", title=title, to=to)
        case PromotionState.DECLINED:
            return say("{title} was proposed for {to}, and that was declined.", title=title, to=to)
        case PromotionState.LAPSED:
            return say(
                "{title} was proposed for {to}; that lapsed: {why}.", title=title, to=to, why=row.reason
            )
    verdict = judge_again(row)
    words = unmet_words(verdict)
    then = [(one.answered, one.expected, one.kpi) for one in verdict.cycles if one.number == cycle.number]
    rest = say("; {count} more", count=plural(len(words) - MOST, "condition")) if len(words) > MOST else ""
    return say(
        "{title} stays {mode}; {then}{unmet}{rest}.",
        title=title,
        mode=MODE_WORDS[row.mode],
        then="at the close: " if then not in ([], [now]) else "",
        unmet=Mrkdwn("; ".join(words[:MOST])),
        rest=rest,
    )
