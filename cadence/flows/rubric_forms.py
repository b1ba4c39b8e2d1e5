"""The forms of the rubric: a graded sample, and what changed."""

from datetime import datetime

from sqlmodel import Session

from cadence.flows.callers import Caller, is_curator, require_owner_or_curator
from cadence.flows.exception_forms import step_groups
from cadence.flows.rubrics import TO_RECORD, TO_REVISE, SampleGiven, StepMeant
from cadence.flows.runs import run_by_id, visible_runs
from storage.engine import Database
from templates.contexts.base import ChoiceGroup
from templates.contexts.rubrics import RevisionForm, RubricForm


def rubric_form(
    db: Database, caller: Caller, meant: StepMeant | None, given: SampleGiven, *, now: datetime
) -> RubricForm:
    """The form to record a graded sample, with what is already known filled in.

    Raises:
        Refusal: there is no step to choose.
        NotAllowed: the caller neither owns a playbook nor is a curator.
    """
    with db.read() as session:
        groups, selected = _choices(session, caller, meant, to=TO_RECORD, now=now)
    return RubricForm(
        groups=groups,
        selected=selected,
        samples=given.samples,
        passes=given.passes,
        risky=given.risky or None,
        note=given.note,
    )


def revision_form(db: Database, caller: Caller, meant: StepMeant | None, *, now: datetime) -> RevisionForm:
    """The form to record what changed in a step's rubric.

    Raises:
        Refusal: there is no step to choose.
        NotAllowed: the caller neither owns a playbook nor is a curator.
    """
    with db.read() as session:
        groups, selected = _choices(session, caller, meant, to=TO_REVISE, now=now)
    return RevisionForm(groups=groups, selected=selected)


def _choices(
    session: Session, caller: Caller, meant: StepMeant | None, *, to: str, now: datetime
) -> tuple[tuple[ChoiceGroup, ...], str | None]:
    """The steps the caller may grade, and the one that is meant if that is clear."""
    runs = visible_runs(session, caller, now=now)
    mine = [run for run in runs if run.playbook.owner == caller.member or is_curator(session, caller)]
    if runs and not mine:
        require_owner_or_curator(session, caller, owner=runs[0].playbook.owner, to=to)
    if meant is not None and meant.adoption_id is not None:
        run = run_by_id(session, workspace_id=caller.workspace_id, adoption_id=meant.adoption_id, now=now)
        require_owner_or_curator(session, caller, owner=run.playbook.owner, to=to)
        if meant.step:
            run.step(meant.step)
        mine = [one for one in mine if one.id == run.id] or mine
    groups = step_groups(session, caller, now=now)
    own = {str(run.id) for run in mine}
    groups = tuple(one for one in groups if one.choices[0].value.partition(":")[0] in own)
    if meant is None:
        return groups, None
    fitting = [
        f"{run.id}:{meant.step}"
        for run in mine
        if run.spec.step(meant.step)
        and meant.playbook in (None, run.playbook.slug)
        and meant.team in (None, run.team.slug)
    ]
    return groups, fitting[0] if fitting else None
