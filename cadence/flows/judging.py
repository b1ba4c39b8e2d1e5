"""Judge a step: gather its evidence, decide, store the verdict, change the mode, owe the alerts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session

from cadence.documents import Step
from cadence.flows.announcing import announce
from cadence.flows.callers import Caller
from cadence.flows.gathering import gather, top_reason
from cadence.flows.noting import note_rule
from cadence.flows.proposals import lapse_open
from cadence.flows.runs import TeamRun, current_modes
from cadence.flows.watch_ends import alert_copies, close_watch, end_with_weekend, rewrite_alerts
from cadence.flows.windows import go_back, set_mode, take_back
from cadence.rules.evidence import Runs
from cadence.rules.verdicts import Decision, Policy, Rule, judge_step
from storage import decisions, ledger, reports
from storage.tables import Cycle, CycleState, ModeChange, StepVerdict
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


def judge(
    session: Session,
    run: TeamRun,
    cycle: Cycle,
    step: Step,
    *,
    cause: str,
    now: datetime,
    correlation_id: str = "",
) -> StepVerdict:
    """Judge a step now; what it decides takes effect in this transaction.

    A cycle that has closed is judged as at its close: whoever reports on the weekend after it reports for it.
    `cause` is what made us look: `exception:ID`, `check-in:ID`, `close:CYCLE`, `undo:ID` of an exception, or
    `week:MONDAY` that began.
    """
    row = _verdict(session, run, cycle, step, cause=cause, now=now)
    before = decisions.last_verdicts(
        session, workspace_id=run.workspace.id, adoption_id=run.id, step=step.key, limit=1
    )
    session.add(row)
    session.flush()
    _note(session, run, row, correlation_id=correlation_id)
    last = before[0] if before else None
    if row.decision is Decision.DEMOTE:
        _demote(session, run, step, row, now=now, correlation_id=correlation_id)
        _alert(session, run, row, kind="demoted", now=now, correlation_id=correlation_id)
    elif row.decision is Decision.WATCH and _is_news(session, row, last):
        row.alerted = True
        session.add(row)
        _alert(session, run, row, kind="watch", now=now, correlation_id=correlation_id)
    if last is not None and _is_watch(last) and _same_window(row, last):
        rewrite_alerts(session, row, mark=f"verdict:{row.id}", now=now)
    if row.closing and row.decision is Decision.WATCH:
        end_with_weekend(session, run, row, now=now)
        if not cause.startswith(CLOSE):  # what was proposed at the close rests on a step under its cap
            why = f"the step went over its cap in cycle {cycle.number}"
            lapse_open(session, run, step=step.key, why=why, now=now)
    return row


class Demotion(NamedTuple):
    """A demotion: the change of mode, the verdict it rests on, and the step's window before it.

    The window is as the trail kept it; None when it was the step's first.
    """

    change: ModeChange
    verdict: StepVerdict
    window: Mapping[str, Any] | None


def restore(
    session: Session,
    run: TeamRun,
    cycle: Cycle,
    step: Step,
    demotion: Demotion,
    *,
    cause: str,
    caller: Caller,
    now: datetime,
) -> ModeChange | None:
    """Judge a demotion's evidence again now that an exception of it is gone; take it back if it doesn't hold.

    What was counted before the demotion counts again, with what was logged since.

    Returns:
        The change that takes the demotion back; None when it holds without the exception.
    """
    change, verdict, window = demotion
    state = current_modes(session, run)[step.key]
    as_demoted = state.model_dump()
    go_back(state, verdict, window)
    session.add(state)
    session.flush()
    row = _verdict(session, run, cycle, step, cause=cause, now=now)
    if row.decision is Decision.DEMOTE:
        state.sqlmodel_update(as_demoted)
        session.add(state)
        session.flush()
        judge(session, run, cycle, step, cause=cause, now=now, correlation_id=caller.request)
        return None
    close_watch(session, run.adoption, step=step.key, mark=cause, now=now)
    session.add(row)
    session.flush()
    back = take_back(session, run, step, change, verdict_id=row.id, caller=caller, now=now)
    _note(session, run, row, correlation_id=caller.request)
    copies = ledger.by_prefix(
        session, workspace_id=verdict.workspace_id, prefix=f"demoted:{verdict.workspace_id}:{verdict.id}"
    )
    ledger.owe_rewrites(session, workspace_id=verdict.workspace_id, messages=copies, mark="undone", now=now)
    if alert_copies(session, row):
        rewrite_alerts(session, row, mark=f"verdict:{row.id}", now=now)
    elif _is_watch(row):
        row.alerted = True
        session.add(row)
        _alert(session, run, row, kind="watch", now=now, correlation_id=caller.request)
    return back


def _note(session: Session, run: TeamRun, row: StepVerdict, *, correlation_id: str) -> None:
    note_rule(
        session,
        run,
        action="verdict",
        subject=f"verdict:{row.id}",
        now=row.judged_at,
        after={"decision": row.decision, "line": row.line, "cause": row.cause},
        correlation_id=correlation_id,
    )


def _verdict(
    session: Session, run: TeamRun, cycle: Cycle, step: Step, *, cause: str, now: datetime
) -> StepVerdict:
    """What the rule says now, with every number it rests on; not saved yet."""
    closing = cycle.state is CycleState.CLOSED
    found = gather(session, run, cycle, step, closing=closing)
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
        through_check_in=reports.last_check_in_id(session, workspace_id=run.workspace.id, adoption_id=run.id),
        version_id=run.version.id,
        closes_on=cycle.closes_on,
        top_reason=reason,
        top_reason_count=count,
        cause=cause,
        judged_at=now,
    )


def judge_all(
    session: Session,
    run: TeamRun,
    cycle: Cycle,
    *,
    cause: str,
    now: datetime,
    correlation_id: str = "",
) -> list[StepVerdict]:
    """Judge every step that has exceptions to judge; of a cycle that has closed, every step."""
    counted = {
        step.key: gather(session, run, cycle, step, runs=Runs(0, 0)).evidence.exceptions
        for step in run.spec.steps
    }
    return [
        judge(session, run, cycle, step, cause=cause, now=now, correlation_id=correlation_id)
        for step in run.spec.steps
        if cycle.state is CycleState.CLOSED or counted[step.key]
    ]


def _is_watch(row: StepVerdict) -> bool:
    return row.decision is Decision.WATCH


def _same_window(row: StepVerdict, before: StepVerdict) -> bool:
    """Whether both count the same evidence on: a window that starts again does so after another exception."""
    return (row.cycle_id, row.after_exception) == (before.cycle_id, before.after_exception)


def _is_news(session: Session, row: StepVerdict, before: StepVerdict | None) -> bool:
    """An alert is for a change of state: into a watch, in a new window, or by one more critical exception.

    So is one more exception on the weekend after a close, when the alerts from before ended with the close.
    """
    if before is None or not _is_watch(before) or not _same_window(row, before):
        return True
    if row.critical > before.critical:
        return True
    if not before.closing or row.exceptions <= before.exceptions:
        return False
    return not any(one.closing for one in decisions.alerting(session, workspace_id=row.workspace_id, row=row))


def _demote(
    session: Session, run: TeamRun, step: Step, verdict: StepVerdict, *, now: datetime, correlation_id: str
) -> None:
    assert verdict.lands_on is not None  # noqa: S101 - a demotion lands somewhere
    set_mode(
        session,
        run,
        step,
        mode=verdict.lands_on,
        kind="demotion",
        reason=f"{verdict.line}: {_counted(verdict)}",
        verdict_id=verdict.id,
        member=None,
        now=now,
        correlation_id=correlation_id,
    )


def _counted(row: StepVerdict) -> str:
    """`3 exceptions in 26 reported runs (+13 estimated)`: each exception is a run that somebody told of."""
    reported = max(row.attested, row.exceptions - row.assumed)
    runs = f" in {plural(reported, 'reported run')}" if reported else ", no runs reported yet"
    estimated = f" (+{row.assumed:,} estimated)" if row.assumed else ""
    return f"{plural(row.exceptions, 'exception')}{runs}{estimated}"


def _alert(
    session: Session, run: TeamRun, row: StepVerdict, *, kind: str, now: datetime, correlation_id: str
) -> None:
    announce(
        session,
        run.workspace,
        [run.team],
        kind=kind,
        slot=row.id,
        subject={"verdict": row.id},
        now=now,
        correlation_id=correlation_id,
    )
