"""The forms of the rubric: a graded sample, and what changed."""

from cadence.flows.core import is_curator, require_owner_or_curator, run_by_id, step_groups, visible_runs
from cadence.flows.rubrics.recording import TO_RECORD, TO_REVISE, SampleGiven, StepMeant
from storage.work import UnitOfWork
from templates.contexts.base import ChoiceGroup
from templates.contexts.rubrics import RevisionForm, RubricForm


def rubric_form(uow: UnitOfWork, meant: StepMeant | None, given: SampleGiven) -> RubricForm:
    """The form to record a graded sample, with what is already known filled in.

    Raises:
        Refusal: there is no step to choose.
        NotAllowed: the caller neither owns a playbook nor is a curator.
    """
    with uow.read():
        groups, selected = _choices(uow, meant, to=TO_RECORD)
    return RubricForm(
        groups=groups,
        selected=selected,
        samples=given.samples,
        passes=given.passes,
        risky=given.risky or None,
        note=given.note,
    )


def revision_form(uow: UnitOfWork, meant: StepMeant | None) -> RevisionForm:
    """The form to record what changed in a step's rubric.

    Raises:
        Refusal: there is no step to choose.
        NotAllowed: the caller neither owns a playbook nor is a curator.
    """
    with uow.read():
        groups, selected = _choices(uow, meant, to=TO_REVISE)
    return RevisionForm(groups=groups, selected=selected)


def _choices(
    uow: UnitOfWork, meant: StepMeant | None, *, to: str
) -> tuple[tuple[ChoiceGroup, ...], str | None]:
    """The steps the caller may grade, and the one that is meant if that is clear."""
    runs = visible_runs(uow)
    mine = [run for run in runs if run.playbook.owner == uow.actor.member or is_curator(uow)]
    if runs and not mine:
        require_owner_or_curator(uow, owner=runs[0].playbook.owner, to=to)
    if meant is not None and meant.adoption_id is not None:
        run = run_by_id(uow, adoption_id=meant.adoption_id)
        require_owner_or_curator(uow, owner=run.playbook.owner, to=to)
        if meant.step:
            run.step(meant.step)
        mine = [one for one in mine if one.id == run.id] or mine
    groups = step_groups(uow)
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
