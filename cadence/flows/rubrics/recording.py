"""Save rubric results, and notify the person responsible for risky ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from cadence.documents import Step
from cadence.flows.core import (
    AdoptionView,
    adoption_by_id,
    current_modes,
    is_curator,
    mode_of,
    once,
    require_cycle,
    require_owner_or_curator,
    rewrite_cycle_posts,
    rewrite_digest,
    step_groups,
    visible_adoptions,
)
from cadence.flows.gates import gates_due
from cadence.flows.numbers import pick_adoption
from cadence.flows.promotions import Pool, pool, rubric_in_force
from cadence.flows.standards import restart_window
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from cadence.rules.modes import LADDER, Mode, rank
from cadence.rules.samples import samples_needed
from storage.outbox.queueing import NewMessage
from storage.queries import adoptions, rubrics, standards
from storage.tables import Cycle, RubricResult, RubricRevision
from storage.work import Entry, UnitOfWork
from templates.contexts.base import ChoiceGroup
from templates.contexts.rubrics import (
    Pooled,
    RevisionForm,
    RubricForm,
    RubricNow,
    RubricRevised,
    RubricUpdate,
    SampleRecorded,
)


@dataclass(frozen=True, slots=True)
class NewResult:
    """A rubric result to save, with what it replaces and, of a spot audit, each run's grade and link."""

    row: RubricResult
    before: RubricResult | None = None
    grades: Sequence[str] | None = None
    links: Sequence[str | None] = ()


def save_results(uow: UnitOfWork, view: AdoptionView, cycle: Cycle, results: Sequence[NewResult]) -> None:
    """Save results of one cycle, at least one: rows, trail, and a message about each with more risky ones."""
    stood = gates_due(uow, view, cycle)
    uow.session.add_all([one.row for one in results])
    uow.session.flush()
    if gates_due(uow, view, cycle) != stood:
        rewrite_cycle_posts(uow, view, cycle, mark=f"graded:{results[-1].row.id}")
    uow.record_all([_entry(view, one) for one in results])
    uow.send(
        [
            NewMessage(
                "risky-grade", contact, {"adoption": view.id, "result": row.id}, about=(row.id, contact)
            )
            for row in (one.row for one in results if one.row.risky > (one.before.risky if one.before else 0))
            if (contact := escalation(view.step(row.step))) is not None
        ]
    )


def _entry(view: AdoptionView, result: NewResult) -> Entry:
    row = result.row
    return Entry(
        "rubric-result",
        f"audit:{row.audit_id}" if row.audit_id else f"adoption:{view.id}/{row.step}",
        before=_counts(result.before) if result.before else None,
        after={
            **_counts(row),
            "revision": row.revision,
            "grades": result.grades,
            "links": list(result.links),
        },
    )


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
    """The person who is told immediately about a step's risky grade; None if nobody is named."""
    return step.verify.escalate_to if step.verify else None


MOST_SAMPLES = 100_000
"""Maximum samples of one result."""
UPDATES = 5
"""Updates of a rubric that the form for the next one shows."""
TO_RECORD = "record a rubric result"
TO_REVISE = "revise a step's rubric"


@dataclass(frozen=True, slots=True)
class StepMeant:
    """The step a request is about: `adoption_id` from a form or a button, else `playbook` and `team`."""

    step: str
    playbook: str | None = None
    team: str | None = None
    adoption_id: int | None = None


@dataclass(frozen=True, slots=True)
class SampleGiven:
    """A request to record a graded sample; `risky` ones were risky, passed or not."""

    samples: int | None
    passes: int | None
    risky: int = 0
    note: str = ""


@once
def record_sample(uow: UnitOfWork, meant: StepMeant, given: SampleGiven) -> SampleRecorded:
    """Record a graded sample of a step.

    Raises:
        Refusal: invalid numbers, no such step, no running cycle, several adoptions fit. NotAllowed: the
        caller is neither the owner nor a curator.
    """
    checked_sample(given)
    with uow.write():
        view, step = _run_and_step(uow, meant, to=TO_RECORD)
        adoptions.lock_adoption(uow, adoption_id=view.id)
        cycle = require_cycle(
            adoption_by_id(uow, adoption_id=view.id)
        )  # it may have closed while this waited
        row = sample_row(uow, view, cycle, step, given)
        save_results(uow, view, cycle, [NewResult(row)])
        return _recorded(uow, view, step, row)


def sample_row(
    uow: UnitOfWork,
    view: AdoptionView,
    cycle: Cycle,
    step: Step,
    given: SampleGiven,
    *,
    token_id: int | None = None,
) -> RubricResult:
    """A graded sample on the rubric in force, not yet saved; the request is its source.

    Raises:
        Refusal: invalid numbers.
    """
    samples, passes = checked_sample(given)
    return RubricResult(
        workspace_id=view.workspace.id,
        adoption_id=view.id,
        cycle_id=cycle.id or 0,
        step=step.key,
        revision=rubric_in_force(uow, view, step),
        samples=samples,
        passes=passes,
        risky=given.risky,
        note=given.note.strip(),
        member=uow.actor.member,
        surface=uow.actor.surface,
        token_id=token_id,
        source=uow.actor.request,
        graded_at=uow.now,
    )


def checked_sample(given: SampleGiven) -> tuple[int, int]:
    """The samples and how many of them passed.

    Raises:
        Refusal: a number is missing, or they don't fit together.
    """
    samples, passes, risky = given.samples, given.passes, given.risky
    example = code("passes=19 samples=20")
    if samples is None:
        raise Refusal(say("How many samples were graded? Try {right}.", right=example), field="samples")
    if passes is None:
        raise Refusal(say("How many of them passed? Try {right}.", right=example), field="passes")
    if not 1 <= samples <= MOST_SAMPLES:
        raise Refusal(f"Record 1 to {MOST_SAMPLES:,} samples at a time, not {samples:,}.", field="samples")
    if not 0 <= passes <= samples:
        raise Refusal(
            f"{passes:,} of {samples:,} can't have passed. Write 0 to {samples:,}.",
            field="passes",
        )
    if not 0 <= risky <= samples:
        raise Refusal(
            f"{risky:,} of {samples:,} can't have been risky. Write 0 to {samples:,}.", field="risky"
        )
    return samples, passes


def _recorded(uow: UnitOfWork, view: AdoptionView, step: Step, row: RubricResult) -> SampleRecorded:
    mode = mode_of(current_modes(uow, view), step)
    return SampleRecorded(
        adoption_id=view.id,
        step_key=step.key,
        playbook=view.playbook.title,
        team=view.team.title,
        step=step.title,
        mode=mode,
        samples=row.samples,
        passes=row.passes,
        risky=row.risky,
        revision=row.revision,
        pooled=pooled_context(pool(uow, view, step)),
        leads_to=next_mode(mode),
        demoted=needs_revision(uow, view, step),
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
    """The mode after a promotion; None if AI already leads."""
    return None if mode is LADDER[-1] else LADDER[rank(mode) + 1]


def needs_revision(uow: UnitOfWork, view: AdoptionView, step: Step) -> bool:
    """Whether a step was demoted on the rubric that is still in force (SPEC §5)."""
    last = standards.last_demotion(uow, adoption_id=view.id, step=step.key)
    return last is not None and last.rubric >= rubric_in_force(uow, view, step)


def _run_and_step(uow: UnitOfWork, meant: StepMeant, *, to: str) -> tuple[AdoptionView, Step]:
    """The adoption and the step in question, for authorized callers.

    Raises:
        Refusal: nothing fits, or several do. NotAllowed: the caller is neither the owner nor a curator.
    """
    view = pick_adoption(uow, adoption_id=meant.adoption_id, playbook=meant.playbook, team=meant.team)
    require_owner_or_curator(uow, playbook=view.playbook, to=to)
    return view, view.step(meant.step)


@once
def revise_rubric(uow: UnitOfWork, meant: StepMeant, *, change: str) -> RubricRevised:
    """Put a new rubric revision of a step in force, which restarts its evidence window.

    Raises:
        Refusal: the description of the change is empty, no such step, several adoptions fit. NotAllowed: the
        caller is neither the owner nor a curator.
    """
    with uow.write():
        view, step = _run_and_step(uow, meant, to=TO_REVISE)
        if not change.strip():
            raise Refusal(
                say(
                    "Add what changed, like {example}.",
                    example=code(
                        f"/cadence rubric {view.playbook.slug} {step.key} revise refunds name their case"
                    ),
                ),
                field="reason",
            )
        adoptions.lock_adoption(uow, adoption_id=view.id)
        before = rubric_in_force(uow, view, step)
        row = RubricRevision(
            workspace_id=view.workspace.id,
            adoption_id=view.id,
            step=step.key,
            number=restart_window(uow, view, step, revised=True).rubric,
            change=change.strip(),
            member=uow.actor.member,
            surface=uow.actor.surface,
            source=uow.actor.request,
            revised_at=uow.now,
        )
        uow.session.add(row)
        uow.record(
            action="rubric-revised",
            subject=f"adoption:{view.id}/{step.key}",
            before={"revision": before},
            after={"revision": row.number, "change": row.change},
        )
        if (last := standards.last_demotion(uow, adoption_id=view.id, step=step.key)) is not None:
            uow.rewrite("demoted", last.verdict_id, mark=f"revised:{row.number}")
            rewrite_digest(uow, mark=f"revised:{view.id}:{step.key}:{row.number}")
        return _revised(uow, view, step, row)


def _revised(uow: UnitOfWork, view: AdoptionView, step: Step, row: RubricRevision) -> RubricRevised:
    mode = mode_of(current_modes(uow, view), step)
    return RubricRevised(
        playbook=view.playbook.title,
        team=view.team.title,
        step=step.title,
        mode=mode,
        revision=row.number,
        change=row.change,
        leads_to=next_mode(mode),
        needed=samples_needed(0, step.promote.accuracy),
        cycles=step.promote.cycles,
    )


def rubric_form(uow: UnitOfWork, meant: StepMeant | None, given: SampleGiven) -> RubricForm:
    """The form to record a graded sample, prefilled.

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
        return RevisionForm(
            groups=groups, selected=selected, now=_rubric_now(uow, selected) if selected else None
        )


def _rubric_now(uow: UnitOfWork, selected: str) -> RubricNow:
    """The rubric of a choice of the form: its playbook's criteria, and the step's newest updates."""
    adoption_id, _, key = selected.partition(":")
    view = adoption_by_id(uow, adoption_id=int(adoption_id))
    step, rubric = view.step(key), view.spec.rubric
    rows = rubrics.revisions(uow, adoption_id=view.id, step=key, limit=UPDATES)
    return RubricNow(
        step=step.title,
        threshold=rubric.threshold if rubric else None,
        criteria=rubric.criteria if rubric else (),
        updates=tuple(
            RubricUpdate(on=row.revised_at.astimezone(view.zone).date(), change=row.change) for row in rows
        ),
    )


def _choices(
    uow: UnitOfWork, meant: StepMeant | None, *, to: str
) -> tuple[tuple[ChoiceGroup, ...], str | None]:
    """The steps the caller can grade, and the one in question if that is clear."""
    runs = visible_adoptions(uow)
    mine = [view for view in runs if view.playbook.owner == uow.actor.member or is_curator(uow)]
    if runs and not mine:
        require_owner_or_curator(uow, playbook=runs[0].playbook, to=to)
    if meant is not None and meant.adoption_id is not None:
        view = adoption_by_id(uow, adoption_id=meant.adoption_id)
        require_owner_or_curator(uow, playbook=view.playbook, to=to)
        if meant.step:
            view.step(meant.step)
        mine = [one for one in mine if one.id == view.id] or mine
    groups = step_groups(uow)
    own = {str(view.id) for view in mine}
    groups = tuple(one for one in groups if one.choices[0].value.partition(":")[0] in own)
    if meant is None:
        return groups, None
    fitting = [
        f"{view.id}:{meant.step}"
        for view in mine
        if view.spec.step(meant.step)
        and meant.playbook in (None, view.playbook.slug)
        and meant.team in (None, view.team.slug)
    ]
    return groups, fitting[0] if fitting else None
