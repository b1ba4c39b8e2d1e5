"""Record how good a step's work is: graded samples, and revisions of its rubric."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from cadence.documents import Step
from cadence.flows.callers import Caller, require_owner_or_curator
from cadence.flows.kpis import pick_run
from cadence.flows.noting import note
from cadence.flows.promotion_evidence import Pool, pool, rubric_in_force
from cadence.flows.repeats import once
from cadence.flows.rubric_results import escalation, save_result
from cadence.flows.runs import TeamRun, current_modes, mode_of, require_cycle
from cadence.flows.windows import restart_window
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from cadence.rules.modes import LADDER, Mode, rank
from cadence.rules.samples import samples_needed
from storage import decisions, playbooks
from storage.engine import Database
from storage.tables import RubricResult, RubricRevision
from templates.contexts.rubrics import Pooled, RubricRevised, SampleRecorded

MOST_SAMPLES = 100_000
"""Samples one result may hold."""
TO_RECORD = "record a rubric result"
TO_REVISE = "revise a step's rubric"


@dataclass(frozen=True, slots=True)
class StepMeant:
    """The step something is about: `adoption_id` from a form or a button, else `playbook` and `team` say which."""

    step: str
    playbook: str | None = None
    team: str | None = None
    adoption_id: int | None = None


@dataclass(frozen=True, slots=True)
class SampleGiven:
    """A graded sample as someone gave it; `risky` are risky whether they passed or not."""

    samples: int | None
    passes: int | None
    risky: int = 0
    note: str = ""


@once
def record_sample(
    db: Database, caller: Caller, meant: StepMeant, given: SampleGiven, *, now: datetime
) -> SampleRecorded:
    """Record a graded sample of a step.

    Raises:
        Refusal: numbers that can't be, no such step, no running cycle, several runs fit.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    samples, passes = _checked(given)
    with db.write() as session:
        run, step = _run_and_step(session, caller, meant, to=TO_RECORD, now=now)
        cycle = require_cycle(run)
        playbooks.lock_adoption(session, workspace_id=run.workspace.id, adoption_id=run.id)
        row = save_result(
            session,
            caller,
            run,
            step,
            RubricResult(
                workspace_id=run.workspace.id,
                adoption_id=run.id,
                cycle_id=cycle.id or 0,
                step=step.key,
                revision=rubric_in_force(session, run, step),
                samples=samples,
                passes=passes,
                risky=given.risky,
                note=given.note.strip(),
                member=caller.member,
                surface=caller.surface,
                source=caller.request,
                graded_at=now,
            ),
        )
        return _recorded(session, run, step, row)


def _checked(given: SampleGiven) -> tuple[int, int]:
    samples, passes, risky = given.samples, given.passes, given.risky
    example = code("passes=19 samples=20")
    if samples is None:
        raise Refusal(
            say("How many samples were graded? For example {right}.", right=example), field="samples"
        )
    if passes is None:
        raise Refusal(say("How many of them passed? For example {right}.", right=example), field="passes")
    if not 1 <= samples <= MOST_SAMPLES:
        raise Refusal(
            f"A result holds 1 to {MOST_SAMPLES:,} samples, and this one {samples:,}.", field="samples"
        )
    if not 0 <= passes <= samples:
        raise Refusal(
            f"{passes:,} can't have passed of {samples:,}. Write the passes first: 0 to {samples:,}.",
            field="passes",
        )
    if not 0 <= risky <= samples:
        raise Refusal(
            f"{risky:,} can't have been risky of {samples:,}. Write 0 to {samples:,}.", field="risky"
        )
    return samples, passes


def _recorded(session: Session, run: TeamRun, step: Step, row: RubricResult) -> SampleRecorded:
    mode = mode_of(current_modes(session, run), step)
    return SampleRecorded(
        adoption_id=run.id,
        step_key=step.key,
        playbook=run.playbook.title,
        team=run.team.title,
        step=step.title,
        mode=mode,
        samples=row.samples,
        passes=row.passes,
        risky=row.risky,
        revision=row.revision,
        pooled=pooled_context(pool(session, run, step)),
        leads_to=next_mode(mode),
        demoted=needs_revision(session, run, step),
        note=row.note,
        escalated_to=escalation(step) if row.risky else None,
    )


def pooled_context(found: Pool) -> Pooled:
    """Pooled samples for a template."""
    return Pooled(
        samples=found.samples,
        passes=found.passes,
        risky=found.risky,
        bound=found.bound,
        accuracy=found.accuracy,
        max_risk=found.max_risk,
        needed=found.needed,
        more=found.more,
        counted=found.counted,
        cycle=found.cycle,
        spoiled=found.spoiled,
        earliest=found.earliest,
    )


def next_mode(mode: Mode) -> Mode | None:
    """The mode a promotion leads to; None when AI leads already."""
    return None if mode is LADDER[-1] else LADDER[rank(mode) + 1]


def needs_revision(session: Session, run: TeamRun, step: Step) -> bool:
    """Whether a step was demoted on the rubric that is still in force (SPEC §5)."""
    last = decisions.last_demotion(session, workspace_id=run.workspace.id, adoption_id=run.id, step=step.key)
    return last is not None and last.rubric >= rubric_in_force(session, run, step)


def _run_and_step(
    session: Session, caller: Caller, meant: StepMeant, *, to: str, now: datetime
) -> tuple[TeamRun, Step]:
    """The run and the step that are meant, for those who may.

    Raises:
        Refusal: nothing fits, or several do.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    run = pick_run(
        session,
        caller,
        now=now,
        adoption_id=meant.adoption_id,
        playbook=meant.playbook,
        team=meant.team,
    )
    require_owner_or_curator(session, caller, owner=run.playbook.owner, to=to)
    return run, run.step(meant.step)


@once
def revise_rubric(
    db: Database, caller: Caller, meant: StepMeant, *, change: str, now: datetime
) -> RubricRevised:
    """Put a new rubric revision of a step in force; its evidence window starts again.

    Raises:
        Refusal: nothing was said of what changed, no such step, several runs fit.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with db.write() as session:
        run, step = _run_and_step(session, caller, meant, to=TO_REVISE, now=now)
        if not change.strip():
            raise Refusal(
                say(
                    "Say what changed, for example {example}.",
                    example=code(
                        f"/cadence rubric {run.playbook.slug} {step.key} revise refunds name their case"
                    ),
                ),
                field="reason",
            )
        playbooks.lock_adoption(session, workspace_id=run.workspace.id, adoption_id=run.id)
        before = rubric_in_force(session, run, step)
        row = RubricRevision(
            workspace_id=run.workspace.id,
            adoption_id=run.id,
            step=step.key,
            number=restart_window(session, run, step, now=now, revised=True).rubric,
            change=change.strip(),
            member=caller.member,
            surface=caller.surface,
            source=caller.request,
            revised_at=now,
        )
        session.add(row)
        note(
            session,
            caller,
            action="rubric-revised",
            subject=f"adoption:{run.id}/{step.key}",
            before={"revision": before},
            after={"revision": row.number, "change": row.change},
            now=now,
        )
        return _revised(session, run, step, row)


def _revised(session: Session, run: TeamRun, step: Step, row: RubricRevision) -> RubricRevised:
    mode = mode_of(current_modes(session, run), step)
    return RubricRevised(
        playbook=run.playbook.title,
        team=run.team.title,
        step=step.title,
        mode=mode,
        revision=row.number,
        change=row.change,
        leads_to=next_mode(mode),
        needed=samples_needed(0, step.promote.accuracy),
        cycles=step.promote.cycles,
    )
