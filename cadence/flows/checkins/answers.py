"""What may be answered to a check-in: by whom, which steps drifted, how many runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from cadence.flows import core
from cadence.flows.checkins import rows
from cadence.flows.checkins import rows as checkin_rows
from cadence.flows.core import (
    ReportWeek,
    TeamRun,
    current_modes,
    meant_week,
    mode_of,
    note,
    once,
    rewrite_cycle_posts,
    rewrite_missing,
    week_starting,
)
from cadence.flows.numbers import (
    amount,
    judge_again,
    keep_reading,
    pick_run,
    read_guardrails,
    save_guardrails,
)
from cadence.flows.setup import first_run
from cadence.flows.standards import judge_all, judge_drifts
from cadence.mrkdwn import code, say
from cadence.refusals import NotAllowed, Refusal
from cadence.rules.calendar import WEEKS
from cadence.rules.modes import Mode
from storage.outbox import ledger
from storage.queries import cycles, playbooks, reports
from storage.tables import Attestation, CheckIn, CycleState, DriftedStep
from storage.work import UnitOfWork
from templates.contexts.answers import Attested, AttestedRow

FAR_ABOVE = 20
"""How many times somebody's usual number of runs is taken for a slip of the finger."""


ALWAYS_FINE = 200
"""Runs in a week that are taken from anybody."""


@dataclass(frozen=True, slots=True)
class AnswerGiven:
    """One answer as someone gave it.

    Args:
        runs: how often the workflow ran; None takes the member's typical number.
        value: the KPI number as typed, None when it isn't theirs to give.
        guardrails: their numbers as typed, by name.
        complete_inputs: runs whose inputs were complete.
        drifts: the mode each drifted step was really run in, by step key.
    """

    attestation: Attestation
    playbook: str | None = None
    team: str | None = None
    adoption_id: int | None = None
    week: int | None = None
    week_start: date | None = None
    runs: int | None = None
    value: str | None = None
    complete_inputs: int | None = None
    drifts: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    guardrails: Mapping[str, str] = field(default_factory=dict)


def require_asked(uow: UnitOfWork, run: TeamRun, week: ReportWeek) -> None:
    """Let a week through that this person was asked for.

    Raises:
        NotAllowed: they are no member of the team, or weren't then.
    """
    if not 1 <= week.week <= WEEKS or not rows.may_answer(
        uow, run, member=uow.actor.member, week_start=week.start
    ):
        raise NotAllowed(
            say(
                "Only members of {team} answer its check-in. {command} puts you in the team.",
                team=run.team.title,
                command=code(f"/cadence team join {run.team.slug}"),
            )
        )


def drifts_given(uow: UnitOfWork, run: TeamRun, given: AnswerGiven) -> dict[str, Mode]:
    """Which steps were run in another mode than declared, by key.

    Raises:
        Refusal: an unknown step, no step that drifted, or drifts beside another attestation.
    """
    if given.attestation is Attestation.AS_DECLARED and given.drifts:
        raise Refusal(
            "A step in another mode means that something drifted; choose that.", field="attestation"
        )
    if given.attestation is not Attestation.DRIFTED:
        return {}
    modes = current_modes(uow, run)
    drifts: dict[str, Mode] = {}
    for key, mode in given.drifts.items():
        step = run.step(key)
        if mode_of(modes, step) is not Mode(mode):
            drifts[key] = Mode(mode)
    if not drifts:
        first = run.spec.steps[0]
        if uow.actor.surface in ("form", "shortcut"):
            raise Refusal(
                "Which step drifted? Choose who led it. A step in the mode it is declared in hasn't drifted.",
                field=f"mode:{first.key}",
            )
        raise Refusal(
            say(
                "Which step drifted, and who led it? For example {example}. "
                "A step in the mode it is declared in hasn't drifted.",
                example=code(f"/attest {run.playbook.slug} drifted {first.key}=human-led"),
            ),
            field=f"mode:{first.key}",
        )
    return drifts


def runs_given(uow: UnitOfWork, run: TeamRun, given: AnswerGiven) -> int:
    """How often the workflow ran; without a number, as often as usual.

    Raises:
        Refusal: a number that can't be, or goes ill with the attestation.
    """
    if given.attestation is Attestation.NOT_RUN:
        if given.runs:
            raise Refusal(say("“Didn't run” goes with 0 runs, not {runs}.", runs=given.runs), field="runs")
        return 0
    usual = max(1, rows.typical(uow, run, member=uow.actor.member))
    runs = usual if given.runs is None else given.runs
    if runs == 0:
        raise Refusal("With 0 runs the answer is “Didn't run”.", field="runs")
    if runs < 0:
        raise Refusal("Runs can't be fewer than 0; write a whole number such as 14.", field="runs")
    most = max(ALWAYS_FINE, FAR_ABOVE * usual)
    if runs > most:
        raise Refusal(
            f"{runs:,} runs is far above your usual {usual:,}. Up to {most:,} are taken for a week; "
            "if there really were more, write that in the note.",
            field="runs",
        )
    return runs


@once
def answer(uow: UnitOfWork, given: Sequence[AnswerGiven]) -> Attested:
    """Answer one or several check-ins, all or none.

    Raises:
        Refusal: not their check-in, a number that can't be, an unknown step, several runs or weeks fit.
    """
    with uow.write():
        rows = [_answer_of(uow, one, several=len(given) > 1) for one in given]
        return Attested(rows=tuple(rows))


@once
def answer_quietly(uow: UnitOfWork, given: Sequence[AnswerGiven]) -> None:
    """`answer` for a form that just closes: the message it was opened from shows what was answered."""
    answer(uow, given)


def _answer_of(uow: UnitOfWork, given: AnswerGiven, *, several: bool) -> AttestedRow:
    """One answer; among several, a refusal names the field of its own row."""
    try:
        return _answer_one(uow, given)
    except Refusal as refusal:
        if several and refusal.field is not None:
            refusal.field = f"{refusal.field}:{given.adoption_id}"
        raise


def _answer_one(uow: UnitOfWork, given: AnswerGiven) -> AttestedRow:
    run = pick_run(uow, adoption_id=given.adoption_id, playbook=given.playbook, team=given.team)
    playbooks.lock_adoption(uow, adoption_id=run.id)
    week = _week(uow, run, given)
    require_asked(uow, run, week)
    drifts = drifts_given(uow, run, given)
    runs = runs_given(uow, run, given)
    if given.complete_inputs is not None and not 0 <= given.complete_inputs <= runs:
        raise Refusal(
            say("Runs with complete inputs can't be more than the {runs} runs.", runs=runs), field="inputs"
        )
    value = None if given.value is None else amount(run, given.value)
    rails = read_guardrails(run, given.guardrails)
    before = reports.check_in(uow, adoption_id=run.id, week_start=week.start, member=uow.actor.member)
    previous = checkin_rows.answer_context(uow, run, before) if before else None
    known = reports.reading(uow, adoption_id=run.id, week_start=week.start)
    is_new_value = value is not None and (known is None or known.value != value)
    if value is not None and given.value is not None and is_new_value:
        keep_reading(uow, run, week, value=value, typed=given.value, note="")
    save_guardrails(uow, run, week, rails)
    if is_new_value or rails:
        judge_again(uow, run, week.cycle)
    ran = _has_run(uow, week)
    row = _save(uow, run, week, given, runs=runs, drifts=drifts, before=before)
    if (run.week or WEEKS) > 1 and _has_run(uow, week) != ran:  # the second week's gate asks for a run
        rewrite_cycle_posts(uow, run, week.cycle, mark=f"run:{row.id}")
    if runs > 0:
        first_run(uow, run)
    if row is not before and run.week is not None and run.cycle is not None and week.cycle.id == run.cycle.id:
        uow.session.refresh(week.cycle)  # it may have closed while this waited
        judge_all(uow, run, week.cycle, cause=f"check-in:{row.id}")
        judge_drifts(uow, run, week.cycle, cause=f"check-in:{row.id}")
        if week.cycle.state is CycleState.CLOSED:
            rewrite_cycle_posts(uow, run, week.cycle, mark=f"check-in:{row.id}")
    if row is not before:
        rewrite_missing(uow, run, week=week.start, mark=f"check-in:{row.id}")
    if row is not before or is_new_value:
        rewrite_messages(uow, week_start=week.start, mark=f"{row.id}:{value}")
    return AttestedRow(
        playbook=run.playbook.title,
        team=run.team.title,
        week=week.week,
        kpi=checkin_rows.week_kpi(uow, run, week_start=week.start),
        answer=checkin_rows.answer_context(uow, run, row),
        previous=previous if row is not before else None,
    )


def _has_run(uow: UnitOfWork, week: ReportWeek) -> bool:
    cycle = week.cycle
    return cycles.attested_runs(uow, cycle_id=cycle.id or 0) > 0


def _week(uow: UnitOfWork, run: TeamRun, given: AnswerGiven) -> ReportWeek:
    if given.week_start is not None:
        return week_starting(uow, run, given.week_start)

    def is_missing(before: ReportWeek) -> bool:
        if run.week is None:  # paused, so nobody is asked; an answer can only be for the week before
            known = reports.check_in(
                uow, adoption_id=run.id, week_start=before.start, member=uow.actor.member
            )
            return known is None
        return checkin_rows.missed_last_week(uow, run, member=uow.actor.member)

    return meant_week(uow, run, week=given.week, is_missing=is_missing)


def _save(
    uow: UnitOfWork,
    run: TeamRun,
    week: ReportWeek,
    given: AnswerGiven,
    *,
    runs: int,
    drifts: Mapping[str, Mode],
    before: CheckIn | None,
) -> CheckIn:
    after = {
        "attestation": given.attestation.value,
        "runs": runs,
        "complete_inputs": given.complete_inputs,
        "drifts": {step: mode.value for step, mode in drifts.items()},
        "note": given.note,
    }
    known = _as_data(uow, before) if before else None
    if before is not None and known == after:
        return before
    if before is not None:
        before.replaced_at = uow.now
        uow.session.add(before)
        uow.session.flush()
    row = CheckIn(
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        cycle_id=week.cycle.id or 0,
        week=week.week,
        week_start=week.start,
        member=uow.actor.member,
        attestation=given.attestation,
        runs=runs,
        complete_inputs=given.complete_inputs,
        note=given.note,
        surface=uow.actor.surface,
        answered_at=uow.now,
    )
    uow.session.add(row)
    uow.session.flush()
    uow.session.add_all(
        DriftedStep(workspace_id=run.workspace.id, check_in_id=row.id or 0, step=step, mode=mode)
        for step, mode in drifts.items()
    )
    note(
        uow,
        action="check-in-corrected" if before else "check-in",
        subject=f"adoption:{run.id}/week:{week.start}",
        before=known,
        after=after,
    )
    uow.session.flush()
    return row


def _as_data(uow: UnitOfWork, row: CheckIn) -> dict[str, object]:
    drifted = reports.drifted_steps(uow, check_in_id=row.id or 0)
    return {
        "attestation": row.attestation.value,
        "runs": row.runs,
        "complete_inputs": row.complete_inputs,
        "drifts": {one.step: one.mode.value for one in drifted},
        "note": row.note,
    }


def rewrite_messages(uow: UnitOfWork, *, week_start: date, mark: str) -> None:
    """Owe a rewrite of the check-in messages this person already has for a week."""
    prefixes = [
        core.key(kind, uow.actor.workspace_id, uow.actor.member, week_start) for kind in core.CHECKIN_KINDS
    ]
    ledger.owe_rewrites(
        uow,
        messages=[sent for prefix in prefixes for sent in ledger.by_prefix(uow, prefix=prefix)],
        mark=f"{mark}:{uow.now.timestamp()}",
    )
