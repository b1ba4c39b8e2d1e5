"""Declare by hand who leads a step."""

from dataclasses import dataclass

from cadence.documents import Step
from cadence.flows.core import (
    TeamRun,
    announce,
    current_modes,
    is_curator,
    mode_of,
    once,
    require_curator,
    require_owner_or_curator,
    step_groups,
)
from cadence.flows.numbers import pick_run
from cadence.flows.standards.drifts import found_drift
from cadence.flows.standards.mode_changes import set_mode
from cadence.flows.standards.posts import drift_counts
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from cadence.rules.modes import Mode, rank
from storage.queries import playbooks
from storage.tables import ModeChange, StepDrift
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.standards import ModeForm
from templates.filters import mode as mode_word


@dataclass(frozen=True, slots=True)
class ModeGiven:
    """A mode as someone declares it, with the reason."""

    step: str
    mode: Mode
    reason: str
    playbook: str | None = None
    team: str | None = None
    adoption_id: int | None = None


@once
def declare_mode(uow: UnitOfWork, given: ModeGiven) -> Done:
    """Declare who leads a step; evidence on it counts from now on, and the team and the curators are told.

    Lowering a step, or raising it to collaborative, is for the owner or a curator. Raising it to AI-led goes
    round the evidence a promotion needs, so only a curator may, as with a promotion (SPEC §8).

    Raises:
        Refusal: no such step, no reason, the step is in that mode already.
        NotAllowed: somebody who may not.
    """
    with uow.write():
        run = pick_run(uow, adoption_id=given.adoption_id, playbook=given.playbook, team=given.team)
        playbooks.lock_adoption(uow, adoption_id=run.id)
        step = run.step(given.step)
        _require_may(uow, run, given.mode)
        before = mode_of(current_modes(uow, run), step)
        _require_change(run, step, before, given)
        change = set_mode(
            uow,
            run,
            step,
            mode=given.mode,
            kind="declaration",
            reason=given.reason.strip(),
            verdict_id=None,
            member=uow.actor.member,
            surface=uow.actor.surface,
        )
        _announce(uow, run, change)
        return _told(run, step.title, given.mode, raised=rank(given.mode) > rank(before))


def _require_change(run: TeamRun, step: Step, before: Mode, given: ModeGiven) -> None:
    if before is given.mode:
        raise Refusal(
            say(
                "{step} is {mode} already; nothing was changed.",
                step=step.title,
                mode=mode_word(before),
            ),
            field="mode",
        )
    if not given.reason.strip():
        raise Refusal(
            say(
                "Say why in a few words, for example {example}.",
                example=code(
                    f"/cadence mode {run.playbook.slug} {step.key} {given.mode} the drafts need an editor"
                ),
            ),
            field="reason",
        )


def _require_may(uow: UnitOfWork, run: TeamRun, mode: Mode) -> None:
    require_owner_or_curator(uow, owner=run.playbook.owner, to="declare who leads a step")
    if mode is Mode.AI_LED and not is_curator(uow):
        require_curator(uow, to="declare a step AI-led")


def _told(run: TeamRun, step: str, mode: Mode, *, raised: bool = False) -> Done:
    text = say(
        "{step} of {title} is {mode} from now on, and its count starts again. "
        "The team and the curators are told.",
        step=step,
        title=run.playbook.title,
        mode=mode_word(mode),
    )
    if raised:
        text = say("{text} No graded sample stands behind it yet.", text=text)
    return Done(text=text)


def _announce(uow: UnitOfWork, run: TeamRun, change: ModeChange) -> None:
    announce(
        uow, run.workspace, [run.team], kind="mode-declared", slot=change.id, subject={"change": change.id}
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
    """The form in which somebody declares who leads a step, with what is already known filled in.

    `ref` is `{adoption_id}:{step_key}` when it is settled which step.

    Raises:
        Refusal: there is no step to choose.
        NotAllowed: a step was named that the caller may not declare.
    """
    run = None
    with uow.read():
        if ref is None and step is not None:
            run = pick_run(uow, adoption_id=None, playbook=playbook, team=team)
            ref = f"{run.id}:{run.step(step).key}"
        if ref is not None:
            adoption_id = int(ref.partition(":")[0])
            run = pick_run(uow, adoption_id=adoption_id, playbook=None, team=None)
            _require_may(uow, run, mode or Mode.HUMAN_LED)
        alone = int(ref.partition(":")[0]) if ref is not None else None
        groups = step_groups(uow, adoption_id=alone)
        found = _found(uow, run, ref) if run is not None and ref is not None else None
        if found is not None and mode is None and (found.used != Mode.AI_LED or is_curator(uow)):
            mode = found.used
        return ModeForm(
            groups=groups,
            selected=ref,
            chosen=mode,
            reason=reason,
            drift=drift_counts(found) if found is not None else None,
        )


def _found(uow: UnitOfWork, run: TeamRun, ref: str) -> StepDrift | None:
    """The drift of a form's step that waits to be settled."""
    step = run.spec.step(ref.partition(":")[2])
    return found_drift(uow, run, step) if step is not None else None
