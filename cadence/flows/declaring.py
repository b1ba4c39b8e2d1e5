"""Declare by hand who leads a step."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from cadence.documents import Step
from cadence.flows.announcing import announce
from cadence.flows.callers import Caller, is_curator, require_curator, require_owner_or_curator
from cadence.flows.drift_state import found_drift
from cadence.flows.drift_words import drift_counts
from cadence.flows.exception_forms import step_groups
from cadence.flows.kpis import pick_run
from cadence.flows.repeats import once
from cadence.flows.runs import TeamRun, current_modes, mode_of
from cadence.flows.windows import set_mode
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from cadence.rules.modes import Mode, rank
from storage import playbooks
from storage.engine import Database
from storage.tables import ModeChange, StepDrift
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
def declare_mode(db: Database, caller: Caller, given: ModeGiven, *, now: datetime) -> Done:
    """Declare who leads a step; evidence on it counts from now on, and the team and the curators are told.

    Lowering a step, or raising it to collaborative, is for the owner or a curator. Raising it to AI-led goes
    round the evidence a promotion needs, so only a curator may, as with a promotion (SPEC §8).

    Raises:
        Refusal: no such step, no reason, the step is in that mode already.
        NotAllowed: somebody who may not.
    """
    with db.write() as session:
        run = pick_run(
            session,
            caller,
            now=now,
            adoption_id=given.adoption_id,
            playbook=given.playbook,
            team=given.team,
        )
        playbooks.lock_adoption(session, workspace_id=run.workspace.id, adoption_id=run.id)
        step = run.step(given.step)
        _require_may(session, caller, run, given.mode)
        before = mode_of(current_modes(session, run), step)
        _require_change(run, step, before, given)
        change = set_mode(
            session,
            run,
            step,
            mode=given.mode,
            kind="declaration",
            reason=given.reason.strip(),
            verdict_id=None,
            member=caller.member,
            now=now,
            surface=caller.surface,
            correlation_id=caller.request,
        )
        _announce(session, caller, run, change, now=now)
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


def _require_may(session: Session, caller: Caller, run: TeamRun, mode: Mode) -> None:
    require_owner_or_curator(session, caller, owner=run.playbook.owner, to="declare who leads a step")
    if mode is Mode.AI_LED and not is_curator(session, caller):
        require_curator(session, caller, to="declare a step AI-led")


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


def _announce(session: Session, caller: Caller, run: TeamRun, change: ModeChange, *, now: datetime) -> None:
    announce(
        session,
        run.workspace,
        [run.team],
        kind="mode-declared",
        slot=change.id,
        subject={"change": change.id},
        now=now,
        correlation_id=caller.request,
    )


def mode_form(
    db: Database,
    caller: Caller,
    *,
    now: datetime,
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
    with db.read() as session:
        if ref is None and step is not None:
            run = pick_run(session, caller, now=now, adoption_id=None, playbook=playbook, team=team)
            ref = f"{run.id}:{run.step(step).key}"
        if ref is not None:
            adoption_id = int(ref.partition(":")[0])
            run = pick_run(session, caller, now=now, adoption_id=adoption_id, playbook=None, team=None)
            _require_may(session, caller, run, mode or Mode.HUMAN_LED)
        alone = int(ref.partition(":")[0]) if ref is not None else None
        groups = step_groups(session, caller, now=now, adoption_id=alone)
        found = _found(session, run, ref) if run is not None and ref is not None else None
        if found is not None and mode is None and (found.used != Mode.AI_LED or is_curator(session, caller)):
            mode = found.used
        return ModeForm(
            groups=groups,
            selected=ref,
            chosen=mode,
            reason=reason,
            drift=drift_counts(found) if found is not None else None,
        )


def _found(session: Session, run: TeamRun, ref: str) -> StepDrift | None:
    """The drift of a form's step that waits to be settled."""
    step = run.spec.step(ref.partition(":")[2])
    return found_drift(session, run, step) if step is not None else None
