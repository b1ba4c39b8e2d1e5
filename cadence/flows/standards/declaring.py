"""Declare a step's mode by hand."""

from dataclasses import dataclass, replace

from cadence.documents import Step
from cadence.flows.core import (
    AdoptionView,
    announce,
    current_modes,
    is_curator,
    mode_of,
    once,
    require_curator,
    require_owner_or_curator,
    step_groups,
)
from cadence.flows.numbers import pick_adoption
from cadence.flows.standards.drifts import found_drift
from cadence.flows.standards.mode_changes import set_mode
from cadence.flows.standards.posts import drift_counts, samples_behind
from cadence.mrkdwn import Mrkdwn, code, say
from cadence.refusals import NotAllowed, Offer, Refusal
from cadence.rules.modes import Mode, rank
from storage.queries import adoptions
from storage.tables import ModeChange, StepDrift
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.standards import ModeForm
from templates.filters import mode as mode_word
from templates.ids import Action


@dataclass(frozen=True, slots=True)
class ModeGiven:
    """A request to declare a mode, with the reason."""

    step: str
    mode: Mode
    reason: str
    playbook: str | None = None
    team: str | None = None
    adoption_id: int | None = None


@once
def declare_mode(uow: UnitOfWork, given: ModeGiven) -> Done:
    """Declare a step's mode, which restarts its evidence; the team and the curators are told.

    The owner or a curator can lower a step, or raise it to collaborative. Raising it to AI-led skips the
    evidence that a promotion needs, so only a curator can, as with a promotion (SPEC §8).

    Raises:
        Refusal: no such step, no reason, the step is already in that mode. NotAllowed: neither the owner nor
        a curator; to AI-led only a curator.
    """
    with uow.write():
        view = pick_adoption(uow, adoption_id=given.adoption_id, playbook=given.playbook, team=given.team)
        adoptions.lock_adoption(uow, adoption_id=view.id)
        step = view.step(given.step)
        _require_may(uow, view, given.mode)
        before = mode_of(current_modes(uow, view), step)
        _require_change(view, step, before, given)
        change = set_mode(
            uow,
            view,
            step,
            mode=given.mode,
            kind="declaration",
            reason=given.reason.strip(),
        )
        _announce(uow, view, change)
        told = _told(uow, view, step, change, raised=rank(given.mode) > rank(before))
        return replace(told, offers=change_back(uow, view, step, before))


def change_back(uow: UnitOfWork, view: AdoptionView, step: Step, before: Mode) -> tuple[Offer, ...]:
    """The button back to a step's earlier mode, if the caller can declare that."""
    try:
        _require_may(uow, view, before)
    except NotAllowed:
        return ()
    return (Offer("Change back", Action.DECLARE_MODE, f"{view.id}:{step.key}:{before}"),)


def _require_change(view: AdoptionView, step: Step, before: Mode, given: ModeGiven) -> None:
    if before is given.mode:
        raise Refusal(
            say(
                "“{step}” is already {mode}. Nothing changed.",
                step=step.title,
                mode=mode_word(before),
            ),
            field="mode",
        )
    if not given.reason.strip():
        raise Refusal(
            say(
                "Add a short reason, like {example}.",
                example=code(
                    f"/cadence mode {view.playbook.slug} {step.key} {given.mode} the drafts need an editor"
                ),
            ),
            field="reason",
        )


def _require_may(uow: UnitOfWork, view: AdoptionView, mode: Mode) -> None:
    require_owner_or_curator(uow, playbook=view.playbook, to="change who leads a step")
    if mode is Mode.AI_LED and not is_curator(uow):
        require_curator(uow, to="switch a step to AI-led")


def _told(uow: UnitOfWork, view: AdoptionView, step: Step, change: ModeChange, *, raised: bool) -> Done:
    text = say(
        "“{step}” in {title} is now {mode}. Counters have been reset. Team and curators notified.",
        step=step.title,
        title=view.playbook.title,
        mode=mode_word(change.after),
    )
    if raised:
        found = samples_behind(uow, view, step=step.key, rubric=change.rubric)
        backed = f"{found.words}." if found else "No graded samples back this up yet."
        text = say("{text} {backed}", text=text, backed=backed)
    return Done(text=text)


def _announce(uow: UnitOfWork, view: AdoptionView, change: ModeChange) -> None:
    announce(
        uow, view.workspace, [view.team], kind="mode-declared", slot=change.id, subject={"change": change.id}
    )


def mode_form(
    uow: UnitOfWork,
    *,
    ref: str | None = None,
    playbook: str | None = None,
    team: str | None = None,
    step: str | None = None,
    mode: Mode | None = None,
    reason: str = "",
) -> ModeForm:
    """The form to declare a step's mode, prefilled.

    `ref` is `{adoption_id}:{step_key}` if the step is known.

    Raises:
        Refusal: there is no step to choose. NotAllowed: the caller can't declare the named step.
    """
    view = None
    with uow.read():
        if ref is None and step is not None:
            view = pick_adoption(uow, adoption_id=None, playbook=playbook, team=team)
            ref = f"{view.id}:{view.step(step).key}"
        if ref is not None:
            adoption_id = int(ref.partition(":")[0])
            view = pick_adoption(uow, adoption_id=adoption_id, playbook=None, team=None)
            _require_may(uow, view, mode or Mode.HUMAN_LED)
        alone = int(ref.partition(":")[0]) if ref is not None else None
        groups = step_groups(uow, adoption_id=alone)
        found = _found(uow, view, ref) if view is not None and ref is not None else None
        if found is not None and mode is None and (found.used != Mode.AI_LED or is_curator(uow)):
            mode = found.used
        return ModeForm(
            groups=groups,
            selected=ref,
            chosen=mode,
            reason=reason,
            drift=drift_counts(found) if found is not None else None,
            plan=_plan(view, ref) if view is not None and ref is not None else None,
        )


def _plan(view: AdoptionView, ref: str) -> Mrkdwn | None:
    """Why the playbook gives the form's step its mode."""
    step = view.spec.step(ref.partition(":")[2])
    if step is None or not step.why:
        return None
    return say(
        "The plan for “{step}” is {mode}: {why}",
        step=step.title,
        mode=mode_word(step.mode),
        why=step.why,
    )


def _found(uow: UnitOfWork, view: AdoptionView, ref: str) -> StepDrift | None:
    """The unsettled drift of a form's step."""
    step = view.spec.step(ref.partition(":")[2])
    return found_drift(uow, view, step) if step is not None else None
