"""Judge a step: gather its evidence, decide, store the verdict, change the mode, send the alerts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, NamedTuple

from cadence.documents import Step
from cadence.flows.core import (
    AdoptionView,
    adoption_views,
    announce,
    lapse_open,
    rewrite_cycle_posts,
    step_title,
)
from cadence.flows.standards.evidence import gather, newest_measured, top_reason, verdict_evidence
from cadence.flows.standards.mode_changes import go_back, set_mode, take_back
from cadence.flows.standards.watch_ends import alert_copies, close_watch, end_with_weekend, rewrite_alerts
from cadence.rules.evidence import Runs, runs_of
from cadence.rules.verdicts import Decision, Policy, Rule, judge_step
from storage.inserts import insert_rows
from storage.queries import adoptions, checkins, standards
from storage.queries.standards import NewestVerdict, StepChange
from storage.tables import Cycle, CycleState, ModeChange, StepVerdict
from storage.work import UnitOfWork
from templates.filters import plural

CLOSE = "close:"
"""Prefix of the cause of a verdict that was triggered by a cycle's close."""
RUNS = "runs:"
"""Prefix of the cause of a verdict that was triggered by runs that a tool counted."""


def policy_for(view: AdoptionView, step: Step) -> Policy:
    """The thresholds of a step: the adoption's rule, else the playbook's, else the workspace's."""
    rule = view.adoption.rule or view.spec.rule or view.workspace.rule
    return Policy(
        cap=step.exception_cap,
        rule=Rule(rule),
        min_runs=view.spec.min_runs or view.workspace.min_runs,
    )


def judge(uow: UnitOfWork, view: AdoptionView, cycle: Cycle, step: Step, *, cause: str) -> StepVerdict:
    """Judge a step now; the decision takes effect in this transaction.

    A closed cycle is judged as at its close: reports on the weekend after it count for it. `cause` is the
    trigger: `exception:ID`, `check-in:ID`, `runs:ID` that a tool counted, `close:CYCLE`, `undo:ID` of an
    exception, or `week:MONDAY` that began.
    """
    row = _verdict(uow, view, cycle, step, cause=cause)
    last = standards.newest_verdict(uow, adoption_id=view.id, step=step.key)
    _carry_out(uow, view, cycle, step, row, last=last)
    return row


def _carry_out(
    uow: UnitOfWork,
    view: AdoptionView,
    cycle: Cycle,
    step: Step,
    row: StepVerdict,
    *,
    last: NewestVerdict | None,
) -> None:
    """Save a verdict; its decision takes effect. `last` is the step's verdict before it."""
    insert_rows(uow.session, [row])
    _note(uow, row)
    if row.decision is Decision.DEMOTE:
        _demote(uow, view, step, row)
        _alert(uow, view, row, kind="demoted")
    elif row.decision is Decision.WATCH and _is_news(uow, row, last):
        row.alerted = True
        uow.session.add(row)
        _alert(uow, view, row, kind="watch")
    if last is not None and _is_watch(last) and _same_window(row, last):
        rewrite_alerts(uow, row, mark=f"verdict:{row.id}")
    if row.closing and row.decision is Decision.WATCH:
        end_with_weekend(uow, view, row)
        if not row.cause.startswith(CLOSE):  # a proposal made at the close requires a step under its cap
            why = f"the step went over its cap in cycle {cycle.number}"
            lapse_open(uow, view, step=step.key, why=why)


class Demotion(NamedTuple):
    """A demotion: the mode change, its verdict, and the step's window before it.

    The window comes from the trail; None if it was the step's first.
    """

    change: StepChange
    verdict: StepVerdict
    window: Mapping[str, Any] | None


def restore(
    uow: UnitOfWork, view: AdoptionView, cycle: Cycle, step: Step, demotion: Demotion, *, cause: str
) -> ModeChange | None:
    """Judge a demotion again without an undone exception; reverse it if it doesn't hold.

    The exceptions counted before the demotion count again, with those logged since.

    Returns:
        The change that reverses the demotion; None if it holds without the exception.
    """
    change, verdict, window = demotion
    state = adoptions.step_row(uow, adoption_id=view.id, step=step.key)
    assert state is not None  # noqa: S101 - it was demoted
    as_demoted = state.model_dump()
    go_back(state, verdict, window)
    uow.session.add(state)
    uow.session.flush()
    row = _verdict(uow, view, cycle, step, cause=cause)
    if row.decision is Decision.DEMOTE:
        state.sqlmodel_update(as_demoted)
        uow.session.add(state)
        uow.session.flush()
        judge(uow, view, cycle, step, cause=cause)
        return None
    close_watch(uow, view.adoption, step=step.key, mark=cause)
    uow.session.add(row)
    uow.session.flush()
    back = take_back(uow, view, step, change, verdict_id=row.id)
    _note(uow, row)
    uow.rewrite("demoted", verdict.id, mark="undone")
    if alert_copies(uow, row):
        rewrite_alerts(uow, row, mark=f"verdict:{row.id}")
    elif _is_watch(row):
        row.alerted = True
        uow.session.add(row)
        _alert(uow, view, row, kind="watch")
    return back


def _note(uow: UnitOfWork, row: StepVerdict) -> None:
    uow.at(row.judged_at).record(
        surface="rule",
        action="verdict",
        subject=f"verdict:{row.id}",
        after={"decision": row.decision, "line": row.line, "cause": row.cause},
    )


def _verdict(uow: UnitOfWork, view: AdoptionView, cycle: Cycle, step: Step, *, cause: str) -> StepVerdict:
    """The rule's verdict now, with the numbers behind it; not saved yet."""
    closing = cycle.state is CycleState.CLOSED
    found = gather(uow, view, cycle, step, closing=closing)
    decided = judge_step(
        evidence=found.evidence, policy=policy_for(view, step), mode=found.mode, fallback=found.fallback
    )
    reason, count = top_reason(found.exceptions)
    return StepVerdict(
        workspace_id=view.workspace.id,
        adoption_id=view.id,
        cycle_id=cycle.id or 0,
        step=step.key,
        decision=decided.decision,
        line=decided.line,
        mode=decided.mode,
        fallback=found.fallback,
        lands_on=decided.lands_on,
        exceptions=found.evidence.exceptions,
        critical=found.evidence.critical,
        measured=found.evidence.measured,
        attested=found.evidence.attested,
        assumed=found.evidence.assumed,
        closing=closing,
        ratio=decided.ratio,
        probability=decided.probability,
        demote_at=decided.demote_at,
        cap=decided.policy.cap,
        rule=decided.policy.rule,
        min_runs=decided.policy.min_runs,
        confidence=decided.policy.confidence,
        min_exceptions=decided.policy.min_exceptions,
        window_from=found.window_from,
        after_exception=found.after_exception,
        after_check_in=found.after_check_in,
        after_measured=found.after_measured,
        through_exception=found.exceptions[-1].id or 0 if found.exceptions else found.after_exception,
        through_check_in=checkins.last_check_in_id(uow, adoption_id=view.id),
        through_measured=newest_measured(uow, view, cycle),
        version_id=view.version.id,
        closes_on=cycle.closes_on,
        top_reason=reason,
        top_reason_count=count,
        cause=cause,
        judged_at=uow.now,
    )


def judge_all(uow: UnitOfWork, view: AdoptionView, cycle: Cycle, *, cause: str) -> list[StepVerdict]:
    """Judge every step with exceptions; for a closed cycle, every step."""
    return [judge(uow, view, cycle, step, cause=cause) for step in _with_exceptions(uow, view, cycle)]


def _with_exceptions(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> list[Step]:
    """The steps with exceptions that count; of a closed cycle, every step."""
    counted = {
        step.key: gather(uow, view, cycle, step, runs=Runs(0, 0)).evidence.exceptions
        for step in view.spec.steps
    }
    return [step for step in view.spec.steps if cycle.state is CycleState.CLOSED or counted[step.key]]


JUDGED_AGAIN: Final = timedelta(hours=1)
"""Tools can count a run at a time: verdicts that differ only in their counts are saved so far apart."""


def judge_measured(
    uow: UnitOfWork, view: AdoptionView, cycle: Cycle, row_id: int
) -> list[tuple[Step, StepVerdict]]:
    """Judge the steps with exceptions after tools reported runs, up to the row with this id.

    A verdict is saved only if it decides something else than the step's newest, or if that one is an hour
    old. Runs of a cycle whose weekend is over are kept without judging it again. The caller holds the
    adoption's lock and has saved the rows.

    Returns:
        The saved verdicts with their steps.
    """
    if view.week is None or view.cycle is None or view.cycle.id != cycle.id:
        return []
    view = replace(view, is_measured=True)  # it may have been loaded before the first rows were saved
    saved = []
    for step in _with_exceptions(uow, view, cycle):
        row = _verdict(uow, view, cycle, step, cause=f"{RUNS}{row_id}")
        last = standards.newest_verdict(uow, adoption_id=view.id, step=step.key)
        if last is None or _decides_anew(row, last):
            _carry_out(uow, view, cycle, step, row, last=last)
            saved.append((step, row))
    if saved and cycle.state is CycleState.CLOSED:
        rewrite_cycle_posts(uow, view, cycle, mark=f"{RUNS}{row_id}")
    return saved


def _decides_anew(row: StepVerdict, last: NewestVerdict) -> bool:
    return (
        not _same_window(row, last)
        or (row.decision, row.line, row.lands_on) != (last.decision, last.line, last.lands_on)
        or row.closing != last.closing
        or row.judged_at - last.judged_at >= JUDGED_AGAIN
    )


def _is_watch(row: StepVerdict | NewestVerdict) -> bool:
    return row.decision is Decision.WATCH


def _same_window(row: StepVerdict, before: NewestVerdict) -> bool:
    """Whether both verdicts count the same evidence: a restarted window begins after another exception."""
    return (row.cycle_id, row.after_exception) == (before.cycle_id, before.after_exception)


def _is_news(uow: UnitOfWork, row: StepVerdict, before: NewestVerdict | None) -> bool:
    """Whether to alert about a change of state: into a watch, in a new window, or by one more critical
    exception.

    Also for one more exception on the weekend after a close, when the earlier alerts ended with the close.
    """
    if before is None or not _is_watch(before) or not _same_window(row, before):
        return True
    if row.critical > before.critical:
        return True
    if not before.closing or row.exceptions <= before.exceptions:
        return False
    return not any(one.closing for one in standards.alerting(uow, row=row))


def _demote(uow: UnitOfWork, view: AdoptionView, step: Step, verdict: StepVerdict) -> None:
    assert verdict.lands_on is not None  # noqa: S101 - a demotion lands somewhere
    set_mode(
        uow,
        view,
        step,
        mode=verdict.lands_on,
        kind="demotion",
        reason=f"{verdict.line}: {_counted(verdict)}",
        verdict_id=verdict.id,
        on="rule",
    )


def _counted(row: StepVerdict) -> str:
    """`3 exceptions in 26 reported runs (+13 estimated)`, or `… in 19 measured runs (+7 reported)`: each exception
    counts as a run."""
    return f"{plural(row.exceptions, 'exception')}{verdict_evidence(row).in_runs}"


def _alert(uow: UnitOfWork, view: AdoptionView, row: StepVerdict, *, kind: str) -> None:
    announce(uow, view.workspace, [view.team], kind=kind, slot=row.id, subject={"verdict": row.id})


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """One verdict with its numbers, for a transcript; `title` is the step's."""

    id: int
    playbook: str
    team: str
    title: str
    decision: str
    line: str
    lands_on: str | None
    exceptions: int
    runs: int
    measured: int
    attested: int
    assumed: int
    ratio: float
    cap: float
    probability: float
    demote_at: int | None


def verdicts_after(uow: UnitOfWork, *, after: int) -> list[VerdictLine]:
    """The verdicts after an id, oldest first."""
    with uow.read():
        found = standards.verdicts_after(uow, after=after)
        adopted = sorted({row.adoption_id for row, _, _ in found})
        views = {view.id: view for view in adoption_views(uow, adoption_ids=adopted)} if found else {}
        return [
            VerdictLine(
                id=row.id or 0,
                playbook=playbook,
                team=team,
                title=step_title(views[row.adoption_id], row.step) if row.adoption_id in views else row.step,
                decision=row.decision,
                line=row.line,
                lands_on=row.lands_on,
                exceptions=row.exceptions,
                runs=runs_of(row),
                measured=row.measured,
                attested=row.attested,
                assumed=row.assumed,
                ratio=row.ratio,
                cap=row.cap,
                probability=row.probability,
                demote_at=row.demote_at,
            )
            for row, playbook, team in found
        ]
