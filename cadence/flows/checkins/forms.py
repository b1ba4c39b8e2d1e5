"""The check-in forms, for one or for every open one of a week, prefilled."""

from collections.abc import Mapping, Sequence
from datetime import date

from cadence.flows.checkins.rows import (
    latest_runs,
    may_answer,
    not_asked,
    open_adoptions,
    require_not_paused,
    require_resumed,
    step_modes,
    typical,
    week_kpi,
)
from cadence.flows.core import (
    AdoptionView,
    adoption_by_id,
    shown_week,
    week_starting,
)
from cadence.flows.numbers import asked
from cadence.refusals import Refusal
from storage.queries import checkins, numbers
from storage.tables import Attestation
from storage.work import UnitOfWork
from templates.contexts.base import StepMode
from templates.contexts.checkins import CheckinAllForm, CheckinAllRow, CheckinForm, DriftStep


def checkin_form(
    uow: UnitOfWork,
    *,
    adoption_id: int,
    week_start: date | None,
    kind: Attestation | None,
    pressed: bool = False,
) -> CheckinForm:
    """The form of a check-in; `kind` None shows the earlier answer, or else that it ran as planned.

    `pressed`: a message's button opens it, which asks for nothing while the team is paused.

    Raises:
        Refusal: the week is closed or the team paused, or the caller isn't in the team.
    """
    with uow.read():
        view = adoption_by_id(uow, adoption_id=adoption_id)
        week = week_starting(uow, view, week_start or view.week_start)
        if not may_answer(uow, view, member=uow.actor.member, week_start=week.start):
            raise not_asked(uow, view)
        if pressed:
            require_not_paused(uow, view, week_start=week.start)
        before = checkins.check_in(uow, adoption_id=view.id, week_start=week.start, member=uow.actor.member)
        drifted = {}
        if before is not None:
            modes = checkins.drifted_modes(uow, check_in=before)
            drifted = {step: str(mode) for step, mode in modes.items()}
        reading = numbers.reading(uow, adoption_id=view.id, week_start=week.start)
        shown = kind or (before.attestation if before else Attestation.AS_DECLARED)
        answered = before.runs if before else 0
        usual = latest_runs(uow, view, member=uow.actor.member)
        return CheckinForm(
            kind=shown,
            details=before is not None
            and bool(before.note or before.complete_inputs is not None or before.value_events is not None),
            answered=before is not None,
            playbook=view.playbook.title,
            team=view.team.title,
            week=shown_week(week.cycle, week.week),
            kpi=week_kpi(uow, view, week_start=week.start),
            reporter=view.team.reporter == uow.actor.member,
            runs=answered or max(1, typical(uow, view, member=uow.actor.member)),
            runs_are="answered" if answered else "usual" if usual else "expected",
            value=reading.typed if reading else "",
            inputs_complete=before.complete_inputs if before else None,
            event=_event(view),
            counted=before.value_events if before else None,
            note=before.note if before else "",
            guardrails=asked(uow, view, week_start=week.start),
            steps=_steps(step_modes(uow, view), drifted),
        )


def _event(view: AdoptionView) -> str:
    """The value event to be counted; empty if the playbook names no worth."""
    if view.spec.case.worth is None:
        return ""
    event = (view.spec.pillars.value_event or "Runs that were worth it").rstrip(". ")
    return event[:1].upper() + event[1:]


def _steps(steps: Sequence[StepMode], drifted: Mapping[str, str]) -> tuple[DriftStep, ...]:
    """The steps with the earlier answer; the only step of a playbook is the one that changed."""
    return tuple(
        DriftStep(step=step, chosen=drifted.get(step.key), changed=step.key in drifted or len(steps) == 1)
        for step in steps
    )


def checkin_all_form(uow: UnitOfWork, *, week_start: date) -> CheckinAllForm:
    """One form for every check-in the caller hasn't answered for a week.

    Raises:
        Refusal: nothing is open any more.
    """
    with uow.read():
        runs = open_adoptions(uow, week_start=week_start)
        if not runs:
            require_resumed(uow, week_start=week_start)
            raise Refusal("You've already answered every check-in.")
        return CheckinAllForm(
            rows=tuple(
                CheckinAllRow(
                    adoption_id=view.id,
                    playbook=view.playbook.title,
                    team=view.team.title,
                    kpi=week_kpi(uow, view, week_start=week_start),
                    reporter=view.team.reporter == uow.actor.member,
                    runs=max(1, typical(uow, view, member=uow.actor.member)),
                    usual=bool(latest_runs(uow, view, member=uow.actor.member)),
                    guardrails=asked(uow, view, week_start=week_start),
                )
                for view in runs
            ),
        )
