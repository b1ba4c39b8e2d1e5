"""The owner's assessment after a pilot: four questions, and what worked sorted into four kinds (SPEC §6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cadence.flows.core import (
    AdoptionView,
    once,
    require_not_retired,
    require_owner_or_curator,
    require_people,
    require_playbook,
    require_workspace,
    rewrite_last_closing,
    zone_of,
)
from cadence.flows.cutover.measuring import assessment_of, is_sorted, last_closed, pilot_of, practices
from cadence.mrkdwn import code, say
from cadence.refusals import FieldsRefused, Offer, Refusal
from cadence.rules.kpi import Outcome
from storage.queries import cutover, cycles, playbooks
from storage.tables import Assessment, CycleKind, CycleState, Playbook, PlaybookState, PracticeKind
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.cutover import (
    AssessmentForm,
    AssessmentShown,
    PracticeGroup,
    PracticesForm,
    PracticeToSort,
)
from templates.filters import day, plural
from templates.ids import Action, Field

TO_ASSESS: Final = "answer the assessment"
TO_SEE: Final = "see the assessment"
LONGEST: Final = 1_000
"""Characters of an answer."""
MOST_PRACTICES: Final = 10
"""Practices of a pilot: each is sorted in a menu of its own."""
LONGEST_PRACTICE: Final = 150


@dataclass(frozen=True, slots=True)
class AssessmentGiven:
    """The answers; `reviewer` reviewed every output, if one person did, and `practices` has one a line."""

    playbook: str
    manual_work: str
    changed_for_ai: str
    local_knowledge: str
    feedback: str
    reviewer: str | None = None
    practices: str = ""


@once
def assess(uow: UnitOfWork, given: AssessmentGiven) -> Done:
    """Save the assessment of a pilot. A correction is a new row; practices keep the kind they had.

    Raises:
        FieldsRefused: an empty or too long answer, or too many practices.
        Refusal: the pilot hasn't closed a cycle, or the playbook is retired.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.write():
        playbook, pilot = _assessed(uow, given.playbook, hold=True)
        before = assessment_of(uow, playbook.id or 0)
        known = {one["text"]: one.get("kind") for one in before.practices} if before else {}
        texts = _checked(given)
        if given.reviewer is not None:
            require_people(uow, [given.reviewer], field=Field.REVIEWER, in_team=True)
        row = _keep(
            uow,
            before,
            Assessment(
                workspace_id=uow.workspace_id,
                playbook_id=playbook.id or 0,
                adoption_id=pilot.id,
                manual_work=given.manual_work.strip(),
                changed_for_ai=given.changed_for_ai.strip(),
                local_knowledge=given.local_knowledge.strip(),
                feedback=given.feedback.strip(),
                reviewer=given.reviewer,
                practices=[{"text": text, "kind": known.get(text)} for text in texts],
                member=uow.actor.member,
                surface=uow.actor.surface,
                source=uow.actor.request,
                assessed_at=uow.now,
            ),
        )
        _record(uow, playbook, "assessed", before, row)
        rewrite_last_closing(uow, pilot, mark=f"assessed:{row.id}")
        return _answer(playbook, row)


@once
def sort_practices(uow: UnitOfWork, *, assessment_id: int, kinds: Mapping[int, str]) -> Done:
    """Sort the practices of the current assessment, as a new row.

    Args:
        kinds: a `PracticeKind` by the place of each practice.

    Raises:
        Refusal: the assessment was changed meanwhile, or a practice has no kind.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.write():
        found = _by_id(uow, assessment_id)
        playbook, _ = _assessed(uow, found[0].slug, hold=True)
        before = assessment_of(uow, playbook.id or 0)
        if before is None or before.id != assessment_id:
            raise Refusal(
                "The assessment changed in the meantime. Close this and open it again.",
                field=f"{Field.PRACTICE}:0",
            )
        known = {kind.value for kind in PracticeKind}
        missing = {
            f"{Field.PRACTICE}:{place}": "Choose one."
            for place in range(len(before.practices))
            if kinds.get(place) not in known
        }
        if missing:
            raise FieldsRefused(missing)
        sorted_ = [{"text": one["text"], "kind": kinds[place]} for place, one in enumerate(before.practices)]
        row = before
        if sorted_ != before.practices:
            values = before.model_dump(exclude={"id", "replaced_at"}) | {
                "practices": sorted_,
                "member": uow.actor.member,
                "surface": uow.actor.surface,
                "source": uow.actor.request,
                "assessed_at": uow.now,
            }
            row = _keep(uow, before, Assessment(**values))
            _record(uow, playbook, "practices-sorted", before, row)
        return _answer(playbook, row)


def _keep(uow: UnitOfWork, before: Assessment | None, row: Assessment) -> Assessment:
    if before is not None:
        before.replaced_at = uow.now
        uow.session.add(before)
        uow.session.flush()
    uow.session.add(row)
    uow.session.flush()
    return row


def _record(
    uow: UnitOfWork, playbook: Playbook, action: str, before: Assessment | None, row: Assessment
) -> None:
    uow.record(
        action=action,
        subject=f"playbook:{playbook.slug}",
        before=_told(before) if before else None,
        after=_told(row),
    )


def _told(row: Assessment) -> dict[str, Any]:
    return {
        "manual_work": row.manual_work,
        "changed_for_ai": row.changed_for_ai,
        "local_knowledge": row.local_knowledge,
        "feedback": row.feedback,
        "reviewer": row.reviewer,
        "practices": [f"{one['text']}: {one.get('kind') or 'not sorted'}" for one in row.practices],
    }


def _answer(playbook: Playbook, row: Assessment) -> Done:
    open_ = practices(row, None)
    sort = Offer("Sort the practices", Action.SORT_PRACTICES, playbook.slug)
    show = Offer("Show the assessment", Action.SHOW_ASSESSMENT, playbook.slug)
    if open_:
        text = say(
            "Assessment of {title} saved. {open} left to sort.",
            title=playbook.title,
            open=plural(len(open_), "practice"),
        )
        return Done(text=text, offers=(sort, show))
    return Done(
        text=say(
            "Assessment of {title} saved. Next: compare the pilot with what production needs.",
            title=playbook.title,
        ),
        offers=(Offer("Show the cutover", Action.SHOW_CUTOVER, playbook.slug), show),
    )


def _checked(given: AssessmentGiven) -> tuple[str, ...]:
    """The practices, one each, without repetitions; every answer is there.

    Raises:
        FieldsRefused: with what is wrong on each field.
    """
    wrong: dict[str, str] = {}
    for field, text in (
        (Field.MANUAL_WORK, given.manual_work),
        (Field.CHANGED_FOR_AI, given.changed_for_ai),
        (Field.LOCAL_KNOWLEDGE, given.local_knowledge),
        (Field.FEEDBACK, given.feedback),
    ):
        if not text.strip():
            wrong[field] = "Answer in a sentence, or write “none”."
        elif len(text) > LONGEST:
            wrong[field] = f"Keep it to {LONGEST:,} characters. This one has {len(text):,}."
    texts = tuple(dict.fromkeys(filter(None, (line.strip(" •-\t") for line in given.practices.splitlines()))))
    if len(texts) > MOST_PRACTICES:
        wrong[Field.PRACTICES] = f"List up to {MOST_PRACTICES} practices. These are {len(texts)}."
    elif any(len(one) > LONGEST_PRACTICE for one in texts):
        wrong[Field.PRACTICES] = f"Keep each practice to {LONGEST_PRACTICE} characters, one a line."
    if wrong:
        raise FieldsRefused(wrong)
    return texts


def assessment_form(uow: UnitOfWork, slug: str) -> AssessmentForm:
    """The form with the current answers.

    Raises:
        Refusal: the pilot hasn't closed a cycle, or the playbook is retired.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.read():
        playbook, pilot = _assessed(uow, slug)
        row = assessment_of(uow, playbook.id or 0)
        empty = AssessmentForm(playbook=playbook.title, team=pilot.team.title)
        if row is None:
            return empty
        return replace(
            empty,
            manual_work=row.manual_work,
            changed_for_ai=row.changed_for_ai,
            local_knowledge=row.local_knowledge,
            feedback=row.feedback,
            reviewer=row.reviewer,
            practices="\n".join(one["text"] for one in row.practices),
        )


def practices_form(uow: UnitOfWork, slug: str) -> PracticesForm:
    """The form to sort the practices, each with its current kind.

    Raises:
        Refusal: there is no assessment, or it lists no practices.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.read():
        playbook, _ = _assessed(uow, slug)
        row = assessment_of(uow, playbook.id or 0)
        if row is None or not row.practices:
            raise Refusal(
                "There are no practices to sort. List them in the assessment first.",
                offer=Offer("Answer the assessment", Action.ASSESS, playbook.slug),
            )
        return PracticesForm(
            assessment_id=row.id or 0,
            playbook=playbook.title,
            practices=tuple(PracticeToSort(text=one["text"], kind=one.get("kind")) for one in row.practices),
        )


def left_to_sort(uow: UnitOfWork, slug: str) -> bool:
    """Whether the current assessment has practices without a kind."""
    with uow.read():
        row = assessment_of(uow, require_playbook(uow, slug).id or 0)
        return row is not None and not is_sorted(row)


def show_assessment(uow: UnitOfWork, slug: str) -> AssessmentShown:
    """The current assessment, its practices by kind.

    Raises:
        Refusal: it hasn't been answered yet. NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.read():
        workspace = require_workspace(uow)
        playbook = require_playbook(uow, slug)
        require_owner_or_curator(uow, playbook=playbook, to=TO_SEE)
        row = assessment_of(uow, playbook.id or 0)
        if row is None:
            raise Refusal(
                say("The assessment of {title} isn't answered yet.", title=playbook.title),
                offer=Offer("Answer the assessment", Action.ASSESS, playbook.slug),
            )
        return AssessmentShown(
            slug=playbook.slug,
            playbook=playbook.title,
            manual_work=row.manual_work,
            changed_for_ai=row.changed_for_ai,
            local_knowledge=row.local_knowledge,
            feedback=row.feedback,
            reviewer=row.reviewer,
            practices=tuple(
                PracticeGroup(kind=kind.value, texts=practices(row, kind)) for kind in PracticeKind
            ),
            unsorted=practices(row, None),
            member=row.member,
            assessed_at=row.assessed_at.astimezone(zone_of(uow, workspace, uow.actor.member)),
        )


def _by_id(uow: UnitOfWork, assessment_id: int) -> tuple[Playbook, Assessment]:
    row = cutover.by_id(uow, assessment_id=assessment_id)
    if row is None:
        raise Refusal("That assessment no longer exists.")
    return playbooks.by_id(uow, playbook_id=row.playbook_id), row


def _assessed(uow: UnitOfWork, slug: str, *, hold: bool = False) -> tuple[Playbook, AdoptionView]:
    """A playbook whose pilot has closed a cycle, held until the transaction ends if asked, with its pilot."""
    require_workspace(uow)
    playbook = require_playbook(uow, slug)
    require_owner_or_curator(uow, playbook=playbook, to=TO_ASSESS)
    if hold:
        playbook = playbooks.lock_playbook(uow, playbook_id=playbook.id or 0)
    require_not_retired(playbook)
    return playbook, require_pilot(uow, playbook)


def require_pilot(uow: UnitOfWork, playbook: Playbook) -> AdoptionView:
    """The pilot of a playbook, with a closed cycle.

    Raises:
        Refusal: nobody runs it, or no cycle has closed yet.
    """
    pilot = pilot_of(uow, playbook.id or 0)
    if pilot is None or pilot.cycle is None:
        raise Refusal(
            say(
                "{title} hasn't been piloted yet. Start its first cycle with {command}.",
                title=playbook.title,
                command=code(f"/cadence cycle start {playbook.slug}"),
            )
        )
    if last_closed(uow, pilot) is None:
        raise Refusal(
            say(
                "{team} hasn't finished a cycle of {title} yet. The first one closes {day}.",
                team=pilot.team.title,
                title=playbook.title,
                day=day(pilot.cycle.closes_on),
            )
        )
    return pilot


def waits_for_assessment(uow: UnitOfWork, views: Sequence[AdoptionView]) -> list[AdoptionView]:
    """The pilots among some adoptions that met their target often enough in a row, without an assessment."""
    pilots = {
        view.id: view
        for view in views
        if view.id == view.first_id and view.playbook.state is not PlaybookState.RETIRED
    }
    if not pilots:
        return []
    known = cutover.assessed(uow, playbook_ids=sorted(view.playbook.id or 0 for view in pilots.values()))
    open_ = {id_: view for id_, view in pilots.items() if not is_sorted(known.get(view.playbook.id or 0))}
    if not open_:
        return []
    streaks: dict[int, list[bool]] = {}
    for cycle in cycles.cycles(uow, adoption_ids=sorted(open_)):
        if cycle.state is CycleState.CLOSED and cycle.kind is CycleKind.ROLLOUT:
            streaks.setdefault(cycle.adoption_id, []).append(cycle.result == Outcome.MET)
    return [view for id_, view in open_.items() if _is_streak(streaks.get(id_, []), view.spec.scale_cycles)]


def _is_streak(newest_first: Sequence[bool], needed: int) -> bool:
    return len(newest_first) >= needed and all(newest_first[:needed])


def asks_assessment(uow: UnitOfWork, view: AdoptionView) -> bool | None:
    """Whether the closing post of a pilot's cycle asks for the assessment: at once, or with False in its menu.

    None if it isn't a pilot, or the assessment is answered.
    """
    answered = is_sorted(assessment_of(uow, view.playbook.id or 0))
    if view.id != view.first_id or answered or view.playbook.state is PlaybookState.RETIRED:
        return None
    return bool(waits_for_assessment(uow, [view]))
