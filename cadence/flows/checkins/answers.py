"""Answering check-ins: who can answer, which steps drifted, how many runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from cadence.flows import core
from cadence.flows.checkins import rows
from cadence.flows.checkins import rows as checkin_rows
from cadence.flows.checkins.copies import WHO_IS_MISSING
from cadence.flows.core import (
    AdoptionView,
    ReportWeek,
    current_modes,
    meant_week,
    mode_of,
    once,
    rewrite_cycle_posts,
    shown_week,
    week_starting,
)
from cadence.flows.numbers import (
    amount,
    judge_again,
    keep_reading,
    pick_adoption,
    read_guardrails,
    save_guardrails,
    tell_target_reached,
)
from cadence.flows.setup import first_run
from cadence.flows.standards import judge_all, judge_drifts
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from cadence.rules.calendar import WEEKS
from cadence.rules.kpi import Unit, far_off
from cadence.rules.modes import Mode
from storage.queries import adoptions, checkins, numbers
from storage.tables import Attestation, CheckIn, CycleState
from storage.work import UnitOfWork
from templates.contexts.checkins import Attested, AttestedRow
from templates.filters import far_from
from templates.ids import Field

FAR_ABOVE = 20
"""Reject as a typo above this multiple of the member's usual runs."""


ALWAYS_FINE = 200
"""Runs per week that are accepted from anybody."""


class DoubtfulNumber(Refusal):
    """A KPI number so far from the baseline that it is confirmed first; the next request carries it as `sure`."""

    def __init__(self, view: AdoptionView, value: float) -> None:
        self.adoption_id = view.id
        self.value = value
        kpi = view.spec.kpi
        super().__init__(
            say(
                "{far} If that's a typo, send the right number.",
                far=far_from(value, kpi.baseline, kpi.unit),
            ),
            field="value",
        )


@dataclass(frozen=True, slots=True)
class AnswerGiven:
    """One answer, as a request gave it.

    Args:
        runs: how often the workflow ran; None means the member's typical number.
        value: the KPI number as typed, None if they don't report it.
        guardrails: their numbers as typed, by name.
        complete_inputs: runs whose inputs were complete.
        sure: the KPI number that was confirmed, in the KPI's unit, if it was doubtful.
        value_events: runs that counted.
        drifts: the actual mode of each drifted step, by step key.
    """

    attestation: Attestation
    playbook: str | None = None
    team: str | None = None
    adoption_id: int | None = None
    week: int | None = None
    week_start: date | None = None
    runs: int | None = None
    value: str | None = None
    sure: float | None = None
    complete_inputs: int | None = None
    value_events: int | None = None
    drifts: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    guardrails: Mapping[str, str] = field(default_factory=dict)


def require_asked(uow: UnitOfWork, view: AdoptionView, week: ReportWeek) -> None:
    """Check that this person was expected to answer for a week.

    Raises:
        NotAllowed: they aren't a member of the team, or weren't at that time.
    """
    if not 1 <= week.week <= WEEKS or not rows.may_answer(
        uow, view, member=uow.actor.member, week_start=week.start
    ):
        raise rows.not_asked(uow, view)


def drifts_given(uow: UnitOfWork, view: AdoptionView, given: AnswerGiven) -> dict[str, Mode]:
    """The steps that were run in another mode than declared, by key.

    Raises:
        Refusal: an unknown step, no step that drifted, or drifts with another attestation.
    """
    if given.attestation is Attestation.AS_DECLARED and given.drifts:
        raise Refusal(
            "A step in another mode means something changed. Choose “Something changed”.", field="attestation"
        )
    if given.attestation is not Attestation.DRIFTED:
        return {}
    modes = current_modes(uow, view)
    drifts: dict[str, Mode] = {}
    for key, mode in given.drifts.items():
        step = view.step(key)
        if mode_of(modes, step) is not Mode(mode):
            drifts[key] = Mode(mode)
    if not drifts:
        first = view.spec.steps[0]
        if core.in_form(uow):
            raise Refusal("Pick at least one step that ran differently.", field=Field.CHANGED)
        raise Refusal(
            say(
                "Pick at least one step that ran differently, and who led it. Try {example}.",
                example=code(f"/attest {view.playbook.slug} changed {first.key}=human-led"),
            )
        )
    return drifts


def runs_given(
    uow: UnitOfWork, view: AdoptionView, given: AnswerGiven, *, before: checkins.Answer | None = None
) -> int:
    """How often the workflow ran; by default, as often as the answer it corrects says, or as often as usual.

    Raises:
        Refusal: an impossible number, or one that contradicts the attestation.
    """
    if given.attestation is Attestation.NOT_RUN:
        if given.runs:
            raise Refusal(say("“Didn't run it” means 0 runs, not {runs}.", runs=given.runs), field="runs")
        return 0
    runs = given.runs
    if runs is None and before is not None and before.runs:
        return before.runs
    if runs == 0:
        raise Refusal("For 0 runs, choose “Didn't run it”.", field="runs")
    if runs is not None and runs < 0:
        raise Refusal("Runs can't be negative. Try a whole number, like 14.", field="runs")
    if runs is not None and runs <= ALWAYS_FINE:
        return runs
    usual = max(1, rows.typical(uow, view, member=uow.actor.member))
    if runs is None:
        return usual
    most = max(ALWAYS_FINE, FAR_ABOVE * usual)
    if runs > most:
        raise Refusal(
            f"{runs:,} runs is far above your usual {usual:,}. The most for a week is {most:,}. "
            "If there really were more, add a note.",
            field="runs",
        )
    return runs


@once
def answer(uow: UnitOfWork, given: Sequence[AnswerGiven]) -> Attested:
    """Answer one or several check-ins, all or none.

    Raises:
        Refusal: not their check-in, an invalid number, an unknown step, several runs or weeks fit.
        DoubtfulNumber: the KPI number has to be confirmed.
    """
    with uow.write():
        rows = [_answer_of(uow, one, several=len(given) > 1) for one in given]
        return Attested(rows=tuple(rows))


@once
def answer_quietly(uow: UnitOfWork, given: Sequence[AnswerGiven]) -> None:
    """`answer` for a form that closes without a reply: the message behind it shows the answer."""
    answer(uow, given)


def _answer_of(uow: UnitOfWork, given: AnswerGiven, *, several: bool) -> AttestedRow:
    """One answer; among several, a refusal names the field in its own row."""
    try:
        return _answer_one(uow, given)
    except Refusal as refusal:
        if several and refusal.field is not None:
            refusal.field = f"{refusal.field}:{given.adoption_id}"
        raise


def _picked(uow: UnitOfWork, given: AnswerGiven) -> AdoptionView:
    return pick_adoption(uow, adoption_id=given.adoption_id, playbook=given.playbook, team=given.team)


def _answer_one(uow: UnitOfWork, given: AnswerGiven) -> AttestedRow:
    adoptions.lock_adoption(uow, adoption_id=_picked(uow, given).id)
    view = _picked(uow, given)  # as it is now: its cycle may have closed while this waited
    week = _week(uow, view, given)
    require_asked(uow, view, week)
    drifts = drifts_given(uow, view, given)
    before = checkins.check_in(uow, adoption_id=view.id, week_start=week.start, member=uow.actor.member)
    runs = runs_given(uow, view, given, before=before)
    _require_counts(given, runs)
    value = None if given.value is None else amount(uow, view, given.value)
    rails = read_guardrails(uow, view, given.guardrails)
    previous = checkin_rows.answer_context(uow, view, before) if before else None
    known = numbers.reading(uow, adoption_id=view.id, week_start=week.start)
    is_new_value = value is not None and (known is None or known.value != value)
    if value is not None and given.value is not None and is_new_value:
        _require_sure(view, value, given)
        keep_reading(uow, view, week, value=value, typed=given.value, note="")
    save_guardrails(uow, view, week, rails)
    if is_new_value or rails:
        judge_again(uow, view, week.cycle)
        tell_target_reached(uow, view, week.cycle)
    ran = checkins.attested_runs(uow, cycle=week.cycle)
    counted = before.runs if before is not None and before.cycle_id == week.cycle.id else 0
    row = _save(uow, view, week, given, runs=runs, drifts=drifts, before=before)
    has_run = ran - counted + runs > 0
    if (view.week or WEEKS) > 1 and has_run != (ran > 0):  # the gate of week 2 asks for a run
        rewrite_cycle_posts(uow, view, week.cycle, mark=f"run:{row.id}")
    if runs > 0:
        first_run(uow, view)
    if (
        row is not before
        and view.week is not None
        and view.cycle is not None
        and week.cycle.id == view.cycle.id
    ):
        judge_all(uow, view, week.cycle, cause=f"check-in:{row.id}")
        judge_drifts(uow, view, week.cycle, cause=f"check-in:{row.id}")
        if week.cycle.state is CycleState.CLOSED:
            rewrite_cycle_posts(uow, view, week.cycle, mark=f"check-in:{row.id}")
    if row is not before or is_new_value:
        _rewrite_messages(uow, view, week.start, is_answer=row is not before, mark=f"{row.id}:{value}")
    return AttestedRow(
        playbook=view.playbook.title,
        team=view.team.title,
        week=shown_week(week.cycle, week.week),
        kpi=checkin_rows.week_kpi(uow, view, week_start=week.start),
        answer=checkin_rows.answer_context(uow, view, row),
        previous=previous if row is not before else None,
    )


def _require_sure(view: AdoptionView, value: float, given: AnswerGiven) -> None:
    """Require that a number far from the baseline was confirmed.

    Raises:
        DoubtfulNumber: it wasn't.
    """
    kpi = view.spec.kpi
    if value != given.sure and far_off(value, kpi.baseline, Unit(kpi.unit)) is not None:
        raise DoubtfulNumber(view, value)


def _require_counts(given: AnswerGiven, runs: int) -> None:
    """Check that no part of the runs is more than all of them."""
    if given.complete_inputs is not None and not 0 <= given.complete_inputs <= runs:
        raise Refusal(
            say("Runs with complete inputs can't be more than the {runs} runs.", runs=runs), field="inputs"
        )
    if given.value_events is not None and not 0 <= given.value_events <= runs:
        raise Refusal(
            say("Runs that counted can't be more than the {runs} runs.", runs=runs), field=Field.COUNTED
        )


def _week(uow: UnitOfWork, view: AdoptionView, given: AnswerGiven) -> ReportWeek:
    if given.week_start is not None:
        return week_starting(uow, view, given.week_start)
    return meant_week(
        uow, view, week=given.week, is_missing=lambda before: checkin_rows.is_missing(uow, view, before)
    )


def _save(
    uow: UnitOfWork,
    view: AdoptionView,
    week: ReportWeek,
    given: AnswerGiven,
    *,
    runs: int,
    drifts: Mapping[str, Mode],
    before: checkins.Answer | None,
) -> checkins.Answer:
    after = {
        "attestation": given.attestation.value,
        "runs": runs,
        "complete_inputs": given.complete_inputs,
        "value_events": given.value_events,
        "drifts": {step: mode.value for step, mode in drifts.items()},
        "note": given.note,
    }
    known = _as_data(uow, before) if before else None
    if before is not None and known == after:
        return before
    row = CheckIn(
        workspace_id=view.workspace.id,
        adoption_id=view.id,
        cycle_id=week.cycle.id or 0,
        week=week.week,
        week_start=week.start,
        member=uow.actor.member,
        attestation=given.attestation,
        runs=runs,
        complete_inputs=given.complete_inputs,
        value_events=given.value_events,
        note=given.note,
        surface=uow.actor.surface,
        answered_at=uow.now,
    )
    kept = checkins.keep(uow, row=row, drifts=drifts, replaces=before)
    uow.record(
        action="check-in-corrected" if before else "check-in",
        subject=f"adoption:{view.id}/week:{week.start}",
        before=known,
        after=after,
    )
    return kept


def _as_data(uow: UnitOfWork, row: checkins.Answer) -> dict[str, object]:
    drifted = checkins.drifted_modes(uow, check_in=row)
    return {
        "attestation": row.attestation.value,
        "runs": row.runs,
        "complete_inputs": row.complete_inputs,
        "value_events": row.value_events,
        "drifts": {step: mode.value for step, mode in drifted.items()},
        "note": row.note,
    }


def _rewrite_messages(
    uow: UnitOfWork, view: AdoptionView, week_start: date, *, is_answer: bool, mark: str
) -> None:
    """Rewrite the check-in messages that this person got for a week.

    After an answer, the owner's message on that week's missing members is rewritten too.
    """
    mark = f"{mark}:{uow.now.timestamp()}"
    uow.rewrite(core.CHECKIN_KINDS, uow.actor.member, week_start, mark=mark)
    if is_answer:
        uow.rewrite(WHO_IS_MISSING, view.id, mark=mark, week=week_start)
