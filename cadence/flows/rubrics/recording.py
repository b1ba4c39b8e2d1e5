"""Keep a rubric result, and tell who hears of risky ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from cadence.documents import Step
from cadence.flows.core import (
    TeamRun,
    current_modes,
    mode_of,
    note,
    once,
    require_cycle,
    require_owner_or_curator,
    rewrite_cycle_posts,
)
from cadence.flows.gates import gates_due
from cadence.flows.numbers import pick_run
from cadence.flows.promotions import Pool, pool, rubric_in_force
from cadence.flows.standards import restart_window
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from cadence.rules.modes import LADDER, Mode, rank
from cadence.rules.samples import samples_needed
from storage import trail
from storage.outbox import ledger
from storage.outbox.ledger import Owed
from storage.queries import decisions, playbooks
from storage.tables import RubricResult, RubricRevision
from storage.work import UnitOfWork
from templates.contexts.rubrics import Pooled, RubricRevised, SampleRecorded


def save_result(
    uow: UnitOfWork,
    run: TeamRun,
    step: Step,
    row: RubricResult,
    *,
    before: RubricResult | None = None,
    grades: Sequence[str] | None = None,
    links: Sequence[str | None] = (),
) -> RubricResult:
    """Save a rubric result, its trail and, when there are more risky ones, the message to who hears of them."""
    cycle = playbooks.cycle(uow, cycle_id=row.cycle_id)
    stood = gates_due(uow, run, cycle)
    uow.session.add(row)
    uow.session.flush()
    if gates_due(uow, run, cycle) != stood:
        rewrite_cycle_posts(uow.at(row.graded_at), run, cycle, mark=f"graded:{row.id}")
    subject = f"audit:{row.audit_id}" if row.audit_id else f"adoption:{run.id}/{step.key}"
    trail.record(
        uow,
        at=row.graded_at,
        member=uow.actor.member,
        action="rubric-result",
        subject=subject,
        surface=uow.actor.surface,
        before=_counts(before) if before else None,
        after={**_counts(row), "revision": row.revision, "grades": grades, "links": list(links)},
    )
    if row.risky > (before.risky if before else 0) and (contact := escalation(step)) is not None:
        owed = Owed(
            key=f"risky-grade:{run.workspace.id}:{row.id}:{contact}",
            kind="risky-grade",
            recipient=contact,
            subject={"adoption": run.id, "result": row.id},
            due_at=row.graded_at,
        )
        ledger.owe(uow.at(row.graded_at), owed=[owed], correlation_id=uow.actor.request)
    return row


def _counts(row: RubricResult) -> dict[str, object]:
    return {
        "id": row.id,
        "step": row.step,
        "samples": row.samples,
        "passes": row.passes,
        "risky": row.risky,
        "note": row.note,
    }


def escalation(step: Step) -> str | None:
    """Who hears at once of a risky grade of a step; None when nobody is named."""
    return step.verify.escalate_to if step.verify else None


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
def record_sample(uow: UnitOfWork, meant: StepMeant, given: SampleGiven) -> SampleRecorded:
    """Record a graded sample of a step.

    Raises:
        Refusal: numbers that can't be, no such step, no running cycle, several runs fit.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    samples, passes = _checked(given)
    with uow.write():
        run, step = _run_and_step(uow, meant, to=TO_RECORD)
        cycle = require_cycle(run)
        playbooks.lock_adoption(uow, adoption_id=run.id)
        row = save_result(
            uow,
            run,
            step,
            RubricResult(
                workspace_id=run.workspace.id,
                adoption_id=run.id,
                cycle_id=cycle.id or 0,
                step=step.key,
                revision=rubric_in_force(uow, run, step),
                samples=samples,
                passes=passes,
                risky=given.risky,
                note=given.note.strip(),
                member=uow.actor.member,
                surface=uow.actor.surface,
                source=uow.actor.request,
                graded_at=uow.now,
            ),
        )
        return _recorded(uow, run, step, row)


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


def _recorded(uow: UnitOfWork, run: TeamRun, step: Step, row: RubricResult) -> SampleRecorded:
    mode = mode_of(current_modes(uow, run), step)
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
        pooled=pooled_context(pool(uow, run, step)),
        leads_to=next_mode(mode),
        demoted=needs_revision(uow, run, step),
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


def needs_revision(uow: UnitOfWork, run: TeamRun, step: Step) -> bool:
    """Whether a step was demoted on the rubric that is still in force (SPEC §5)."""
    last = decisions.last_demotion(uow, adoption_id=run.id, step=step.key)
    return last is not None and last.rubric >= rubric_in_force(uow, run, step)


def _run_and_step(uow: UnitOfWork, meant: StepMeant, *, to: str) -> tuple[TeamRun, Step]:
    """The run and the step that are meant, for those who may.

    Raises:
        Refusal: nothing fits, or several do.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    run = pick_run(uow, adoption_id=meant.adoption_id, playbook=meant.playbook, team=meant.team)
    require_owner_or_curator(uow, owner=run.playbook.owner, to=to)
    return run, run.step(meant.step)


@once
def revise_rubric(uow: UnitOfWork, meant: StepMeant, *, change: str) -> RubricRevised:
    """Put a new rubric revision of a step in force; its evidence window starts again.

    Raises:
        Refusal: nothing was said of what changed, no such step, several runs fit.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.write():
        run, step = _run_and_step(uow, meant, to=TO_REVISE)
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
        playbooks.lock_adoption(uow, adoption_id=run.id)
        before = rubric_in_force(uow, run, step)
        row = RubricRevision(
            workspace_id=run.workspace.id,
            adoption_id=run.id,
            step=step.key,
            number=restart_window(uow, run, step, revised=True).rubric,
            change=change.strip(),
            member=uow.actor.member,
            surface=uow.actor.surface,
            source=uow.actor.request,
            revised_at=uow.now,
        )
        uow.session.add(row)
        note(
            uow,
            action="rubric-revised",
            subject=f"adoption:{run.id}/{step.key}",
            before={"revision": before},
            after={"revision": row.number, "change": row.change},
        )
        return _revised(uow, run, step, row)


def _revised(uow: UnitOfWork, run: TeamRun, step: Step, row: RubricRevision) -> RubricRevised:
    mode = mode_of(current_modes(uow, run), step)
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
