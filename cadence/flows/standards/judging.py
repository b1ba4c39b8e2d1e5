"""Judge a step: gather its evidence, decide, store the verdict, change the mode, owe the alerts."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from cadence.documents import Step
from cadence.flows.core import TeamRun, announce, current_modes, lapse_open, note_rule
from cadence.flows.standards.evidence import gather, top_reason
from cadence.flows.standards.mode_changes import go_back, set_mode, take_back
from cadence.flows.standards.watch_ends import alert_copies, close_watch, end_with_weekend, rewrite_alerts
from cadence.rules.evidence import Runs
from cadence.rules.verdicts import Decision, Policy, Rule, judge_step
from storage.outbox import ledger
from storage.queries import decisions, reports
from storage.tables import Cycle, CycleState, ModeChange, StepVerdict
from storage.work import UnitOfWork
from templates.filters import plural

CLOSE = "close:"
"""What the cause of a verdict begins with when a cycle's close made us look."""


def policy_for(run: TeamRun, step: Step) -> Policy:
    """The thresholds of a step: the adoption's rule, else the playbook's, else the workspace's."""
    rule = run.adoption.rule or run.spec.rule or run.workspace.rule
    return Policy(
        cap=step.exception_cap,
        rule=Rule(rule),
        min_runs=run.spec.min_runs or run.workspace.min_runs,
    )


def judge(uow: UnitOfWork, run: TeamRun, cycle: Cycle, step: Step, *, cause: str) -> StepVerdict:
    """Judge a step now; what it decides takes effect in this transaction.

    A cycle that has closed is judged as at its close: whoever reports on the weekend after it reports for it.
    `cause` is what made us look: `exception:ID`, `check-in:ID`, `close:CYCLE`, `undo:ID` of an exception, or
    `week:MONDAY` that began.
    """
    row = _verdict(uow, run, cycle, step, cause=cause)
    before = decisions.last_verdicts(uow, adoption_id=run.id, step=step.key, limit=1)
    uow.session.add(row)
    uow.session.flush()
    _note(uow, row)
    last = before[0] if before else None
    if row.decision is Decision.DEMOTE:
        _demote(uow, run, step, row)
        _alert(uow, run, row, kind="demoted")
    elif row.decision is Decision.WATCH and _is_news(uow, row, last):
        row.alerted = True
        uow.session.add(row)
        _alert(uow, run, row, kind="watch")
    if last is not None and _is_watch(last) and _same_window(row, last):
        rewrite_alerts(uow, row, mark=f"verdict:{row.id}")
    if row.closing and row.decision is Decision.WATCH:
        end_with_weekend(uow, run, row)
        if not cause.startswith(CLOSE):  # what was proposed at the close rests on a step under its cap
            why = f"the step went over its cap in cycle {cycle.number}"
            lapse_open(uow, run, step=step.key, why=why)
    return row


class Demotion(NamedTuple):
    """A demotion: the change of mode, the verdict it rests on, and the step's window before it.

    The window is as the trail kept it; None when it was the step's first.
    """

    change: ModeChange
    verdict: StepVerdict
    window: Mapping[str, Any] | None


def restore(
    uow: UnitOfWork, run: TeamRun, cycle: Cycle, step: Step, demotion: Demotion, *, cause: str
) -> ModeChange | None:
    """Judge a demotion's evidence again now that an exception of it is gone; take it back if it doesn't hold.

    What was counted before the demotion counts again, with what was logged since.

    Returns:
        The change that takes the demotion back; None when it holds without the exception.
    """
    change, verdict, window = demotion
    state = current_modes(uow, run)[step.key]
    as_demoted = state.model_dump()
    go_back(state, verdict, window)
    uow.session.add(state)
    uow.session.flush()
    row = _verdict(uow, run, cycle, step, cause=cause)
    if row.decision is Decision.DEMOTE:
        state.sqlmodel_update(as_demoted)
        uow.session.add(state)
        uow.session.flush()
        judge(uow, run, cycle, step, cause=cause)
        return None
    close_watch(uow, run.adoption, step=step.key, mark=cause)
    uow.session.add(row)
    uow.session.flush()
    back = take_back(uow, run, step, change, verdict_id=row.id)
    _note(uow, row)
    copies = ledger.by_prefix(uow, prefix=f"demoted:{verdict.workspace_id}:{verdict.id}")
    ledger.owe_rewrites(uow, messages=copies, mark="undone")
    if alert_copies(uow, row):
        rewrite_alerts(uow, row, mark=f"verdict:{row.id}")
    elif _is_watch(row):
        row.alerted = True
        uow.session.add(row)
        _alert(uow, run, row, kind="watch")
    return back


def _note(uow: UnitOfWork, row: StepVerdict) -> None:
    note_rule(
        uow.at(row.judged_at),
        action="verdict",
        subject=f"verdict:{row.id}",
        after={"decision": row.decision, "line": row.line, "cause": row.cause},
    )


def _verdict(uow: UnitOfWork, run: TeamRun, cycle: Cycle, step: Step, *, cause: str) -> StepVerdict:
    """What the rule says now, with every number it rests on; not saved yet."""
    closing = cycle.state is CycleState.CLOSED
    found = gather(uow, run, cycle, step, closing=closing)
    decided = judge_step(
        evidence=found.evidence, policy=policy_for(run, step), mode=found.mode, fallback=found.fallback
    )
    reason, count = top_reason(found.exceptions)
    return StepVerdict(
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        cycle_id=cycle.id or 0,
        step=step.key,
        decision=decided.decision,
        line=decided.line,
        mode=decided.mode,
        fallback=found.fallback,
        lands_on=decided.lands_on,
        exceptions=found.evidence.exceptions,
        critical=found.evidence.critical,
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
        through_exception=found.exceptions[-1].id or 0 if found.exceptions else found.after_exception,
        through_check_in=reports.last_check_in_id(uow, adoption_id=run.id),
        version_id=run.version.id,
        closes_on=cycle.closes_on,
        top_reason=reason,
        top_reason_count=count,
        cause=cause,
        judged_at=uow.now,
    )


def judge_all(uow: UnitOfWork, run: TeamRun, cycle: Cycle, *, cause: str) -> list[StepVerdict]:
    """Judge every step that has exceptions to judge; of a cycle that has closed, every step."""
    counted = {
        step.key: gather(uow, run, cycle, step, runs=Runs(0, 0)).evidence.exceptions
        for step in run.spec.steps
    }
    return [
        judge(uow, run, cycle, step, cause=cause)
        for step in run.spec.steps
        if cycle.state is CycleState.CLOSED or counted[step.key]
    ]


def _is_watch(row: StepVerdict) -> bool:
    return row.decision is Decision.WATCH


def _same_window(row: StepVerdict, before: StepVerdict) -> bool:
    """Whether both count the same evidence on: a window that starts again does so after another exception."""
    return (row.cycle_id, row.after_exception) == (before.cycle_id, before.after_exception)


def _is_news(uow: UnitOfWork, row: StepVerdict, before: StepVerdict | None) -> bool:
    """An alert is for a change of state: into a watch, in a new window, or by one more critical exception.

    So is one more exception on the weekend after a close, when the alerts from before ended with the close.
    """
    if before is None or not _is_watch(before) or not _same_window(row, before):
        return True
    if row.critical > before.critical:
        return True
    if not before.closing or row.exceptions <= before.exceptions:
        return False
    return not any(one.closing for one in decisions.alerting(uow, row=row))


def _demote(uow: UnitOfWork, run: TeamRun, step: Step, verdict: StepVerdict) -> None:
    assert verdict.lands_on is not None  # noqa: S101 - a demotion lands somewhere
    set_mode(
        uow,
        run,
        step,
        mode=verdict.lands_on,
        kind="demotion",
        reason=f"{verdict.line}: {_counted(verdict)}",
        verdict_id=verdict.id,
        member=None,
    )


def _counted(row: StepVerdict) -> str:
    """`3 exceptions in 26 reported runs (+13 estimated)`: each exception is a run that somebody told of."""
    reported = max(row.attested, row.exceptions - row.assumed)
    runs = f" in {plural(reported, 'reported run')}" if reported else ", no runs reported yet"
    estimated = f" (+{row.assumed:,} estimated)" if row.assumed else ""
    return f"{plural(row.exceptions, 'exception')}{runs}{estimated}"


def _alert(uow: UnitOfWork, run: TeamRun, row: StepVerdict, *, kind: str) -> None:
    announce(uow, run.workspace, [run.team], kind=kind, slot=row.id, subject={"verdict": row.id})
