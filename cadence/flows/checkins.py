"""Answer a check-in: attestation, runs, the KPI number, drift. A second answer corrects the first."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlmodel import Session

from cadence.flows import checkin_rows
from cadence.flows.callers import Caller
from cadence.flows.checkin_checks import AnswerGiven, drifts_given, require_asked, runs_given
from cadence.flows.cycle_rewrites import rewrite_cycle_posts, rewrite_missing
from cadence.flows.drifting import judge_drifts
from cadence.flows.guardrails import read_guardrails, save_guardrails
from cadence.flows.judging import judge_all
from cadence.flows.kpis import amount, pick_run
from cadence.flows.noting import note
from cadence.flows.readings import keep_reading
from cadence.flows.repeats import once
from cadence.flows.results import judge_again
from cadence.flows.runs import TeamRun
from cadence.flows.setups import first_run
from cadence.flows.weeks import ReportWeek, meant_week, week_starting
from cadence.mrkdwn import say
from cadence.refusals import Refusal
from cadence.rules.calendar import WEEKS
from cadence.rules.modes import Mode
from storage import cycles, ledger, playbooks, reports
from storage.engine import Database
from storage.tables import CheckIn, CycleState, DriftedStep
from templates.contexts.answers import Attested, AttestedRow


@once
def answer(db: Database, caller: Caller, given: Sequence[AnswerGiven], *, now: datetime) -> Attested:
    """Answer one or several check-ins, all or none.

    Raises:
        Refusal: not their check-in, a number that can't be, an unknown step, several runs or weeks fit.
    """
    with db.write() as session:
        rows = [_answer_of(session, caller, one, several=len(given) > 1, now=now) for one in given]
        return Attested(rows=tuple(rows))


@once
def answer_quietly(db: Database, caller: Caller, given: Sequence[AnswerGiven], *, now: datetime) -> None:
    """`answer` for a form that just closes: the message it was opened from shows what was answered."""
    answer(db, caller, given, now=now)


def _answer_of(
    session: Session, caller: Caller, given: AnswerGiven, *, several: bool, now: datetime
) -> AttestedRow:
    """One answer; among several, a refusal names the field of its own row."""
    try:
        return _answer_one(session, caller, given, now=now)
    except Refusal as refusal:
        if several and refusal.field is not None:
            refusal.field = f"{refusal.field}:{given.adoption_id}"
        raise


def _answer_one(session: Session, caller: Caller, given: AnswerGiven, *, now: datetime) -> AttestedRow:
    run = pick_run(
        session, caller, now=now, adoption_id=given.adoption_id, playbook=given.playbook, team=given.team
    )
    playbooks.lock_adoption(session, workspace_id=caller.workspace_id, adoption_id=run.id)
    week = _week(session, caller, run, given)
    require_asked(session, caller, run, week)
    drifts = drifts_given(session, caller, run, given)
    runs = runs_given(session, caller, run, given)
    if given.complete_inputs is not None and not 0 <= given.complete_inputs <= runs:
        raise Refusal(
            say("Runs with complete inputs can't be more than the {runs} runs.", runs=runs), field="inputs"
        )
    value = None if given.value is None else amount(run, given.value)
    rails = read_guardrails(run, given.guardrails)
    before = reports.check_in(
        session,
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        week_start=week.start,
        member=caller.member,
    )
    previous = checkin_rows.answer_context(session, run, before) if before else None
    known = reports.reading(session, workspace_id=run.workspace.id, adoption_id=run.id, week_start=week.start)
    is_new_value = value is not None and (known is None or known.value != value)
    if value is not None and given.value is not None and is_new_value:
        keep_reading(session, caller, run, week, value=value, typed=given.value, note="", now=now)
    save_guardrails(session, caller, run, week, rails, now=now)
    if is_new_value or rails:
        judge_again(session, caller, run, week.cycle, now=now)
    ran = _has_run(session, week)
    row = _save(session, caller, run, week, given, runs=runs, drifts=drifts, before=before, now=now)
    if (run.week or WEEKS) > 1 and _has_run(session, week) != ran:  # the second week's gate asks for a run
        rewrite_cycle_posts(session, caller, run, week.cycle, mark=f"run:{row.id}", now=now)
    if runs > 0:
        first_run(session, run, now)
    if row is not before and run.week is not None and run.cycle is not None and week.cycle.id == run.cycle.id:
        session.refresh(week.cycle)  # it may have closed while this waited
        judge_all(
            session, run, week.cycle, cause=f"check-in:{row.id}", now=now, correlation_id=caller.request
        )
        judge_drifts(
            session, run, week.cycle, cause=f"check-in:{row.id}", now=now, correlation_id=caller.request
        )
        if week.cycle.state is CycleState.CLOSED:
            rewrite_cycle_posts(session, caller, run, week.cycle, mark=f"check-in:{row.id}", now=now)
    if row is not before:
        rewrite_missing(session, caller, run, week=week.start, mark=f"check-in:{row.id}", now=now)
    if row is not before or is_new_value:
        rewrite_messages(session, caller, week_start=week.start, now=now, mark=f"{row.id}:{value}")
    return AttestedRow(
        playbook=run.playbook.title,
        team=run.team.title,
        week=week.week,
        kpi=checkin_rows.week_kpi(session, run, week_start=week.start),
        answer=checkin_rows.answer_context(session, run, row),
        previous=previous if row is not before else None,
    )


def _has_run(session: Session, week: ReportWeek) -> bool:
    cycle = week.cycle
    return cycles.attested_runs(session, workspace_id=cycle.workspace_id, cycle_id=cycle.id or 0) > 0


def _week(session: Session, caller: Caller, run: TeamRun, given: AnswerGiven) -> ReportWeek:
    if given.week_start is not None:
        return week_starting(session, run, given.week_start)

    def is_missing(before: ReportWeek) -> bool:
        if run.week is None:  # paused, so nobody is asked; an answer can only be for the week before
            known = reports.check_in(
                session,
                workspace_id=run.workspace.id,
                adoption_id=run.id,
                week_start=before.start,
                member=caller.member,
            )
            return known is None
        return checkin_rows.missed_last_week(session, run, member=caller.member)

    return meant_week(session, run, week=given.week, is_missing=is_missing)


def _save(
    session: Session,
    caller: Caller,
    run: TeamRun,
    week: ReportWeek,
    given: AnswerGiven,
    *,
    runs: int,
    drifts: Mapping[str, Mode],
    before: CheckIn | None,
    now: datetime,
) -> CheckIn:
    after = {
        "attestation": given.attestation.value,
        "runs": runs,
        "complete_inputs": given.complete_inputs,
        "drifts": {step: mode.value for step, mode in drifts.items()},
        "note": given.note,
    }
    known = _as_data(session, run, before) if before else None
    if before is not None and known == after:
        return before
    if before is not None:
        before.replaced_at = now
        session.add(before)
        session.flush()
    row = CheckIn(
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        cycle_id=week.cycle.id or 0,
        week=week.week,
        week_start=week.start,
        member=caller.member,
        attestation=given.attestation,
        runs=runs,
        complete_inputs=given.complete_inputs,
        note=given.note,
        surface=caller.surface,
        answered_at=now,
    )
    session.add(row)
    session.flush()
    session.add_all(
        DriftedStep(workspace_id=run.workspace.id, check_in_id=row.id or 0, step=step, mode=mode)
        for step, mode in drifts.items()
    )
    note(
        session,
        caller,
        action="check-in-corrected" if before else "check-in",
        subject=f"adoption:{run.id}/week:{week.start}",
        before=known,
        after=after,
        now=now,
    )
    session.flush()
    return row


def _as_data(session: Session, run: TeamRun, row: CheckIn) -> dict[str, object]:
    drifted = reports.drifted_steps(session, workspace_id=run.workspace.id, check_in_id=row.id or 0)
    return {
        "attestation": row.attestation.value,
        "runs": row.runs,
        "complete_inputs": row.complete_inputs,
        "drifts": {one.step: one.mode.value for one in drifted},
        "note": row.note,
    }


def rewrite_messages(session: Session, caller: Caller, *, week_start: date, now: datetime, mark: str) -> None:
    """Owe a rewrite of the check-in messages this person already has for a week."""
    prefixes = [
        checkin_rows.key(kind, caller.workspace_id, caller.member, week_start)
        for kind in checkin_rows.CHECKIN_KINDS
    ]
    ledger.owe_rewrites(
        session,
        workspace_id=caller.workspace_id,
        messages=[
            sent
            for prefix in prefixes
            for sent in ledger.by_prefix(session, workspace_id=caller.workspace_id, prefix=prefix)
        ],
        mark=f"{mark}:{now.timestamp()}",
        now=now,
        correlation_id=caller.request,
    )
