"""A champion's own training: read the lessons, grade the samples, see where the owner differs."""

from collections.abc import Mapping, Sequence
from typing import Final

from cadence.flows.core import (
    AdoptionView,
    adoption_by_id,
    adoption_views,
    champion_here,
    once,
    require_owner_or_curator,
    require_playbook,
    rewrite_setup,
    step_title,
)
from cadence.flows.lessons import recent
from cadence.flows.training.progress import (
    ChampionTraining,
    agreed_on,
    grades_of,
    in_wave,
    missing_words,
    samples_of,
    training_of,
)
from cadence.flows.training.samples import GONE, owns_any, sample_form
from cadence.flows.training.told import tell_when_trained
from cadence.mrkdwn import mention, say
from cadence.refusals import NotAllowed, Offer, Refusal
from cadence.rules.training import LEAST_SAMPLES, Lacking
from storage.queries import adoptions, people, playbooks, training
from storage.tables import LessonsRead, Member, TrainingGrade, TrainingSample
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import MessageContext, ViewContext
from templates.contexts.training import (
    ACCEPT,
    ChampionLine,
    Disagreement,
    GradeSampleForm,
    TrainingResult,
    TrainingShown,
)
from templates.ids import Action, Field

LESSONS_SHOWN: Final = 5
TO_SEE: Final = "see every champion's training"


def open_training(
    uow: UnitOfWork, *, playbook: str | None = None, team: str | None = None, adoption_id: int | None = None
) -> MessageContext | ViewContext:
    """What the caller does next: a sample to grade, their result, or the form to add a sample.

    A champion with something left comes first, then the owner or curator, then a trained champion.

    Args:
        adoption_id: only the training of this adoption, from a button.

    Raises:
        Unknown: no such playbook. NotAllowed: the caller is neither a champion, an owner nor a curator.
    """
    with uow.read():
        if adoption_id is not None:
            view = adoption_by_id(uow, adoption_id=adoption_id)
            _require_champion(uow, view)
            return _next(uow, view)
        if playbook is not None:
            require_playbook(uow, playbook)
        mine = [
            view
            for view in adoption_views(uow, member=uow.actor.member, playbook=playbook, team=team)
            if champion_here(uow, view) == uow.actor.member
        ]
        unfinished = [view for view in mine if _is_asked(uow, view) and not training_of(uow, view).trained]
        if unfinished:
            return _next(uow, unfinished[0])
        if owns_any(uow) and (playbook is None or not mine or _owns(uow, playbook)):
            return sample_form(uow, playbook=playbook)
        if mine:
            return _next(uow, mine[0])
        raise NotAllowed(
            "Only champions and owners take part in the training. See who they are with "
            "`/cadence playbook show`."
        )


def _owns(uow: UnitOfWork, slug: str) -> bool:
    return require_playbook(uow, slug).owner == uow.actor.member


def _is_asked(uow: UnitOfWork, view: AdoptionView) -> bool:
    """Whether anything is asked of the champion: there are samples, or the team is in a wave."""
    return bool(samples_of(uow, view)) or in_wave(uow, view)


def _require_champion(uow: UnitOfWork, view: AdoptionView) -> None:
    champion = champion_here(uow, view)
    if champion == uow.actor.member:
        return
    who = mention(champion) if champion else "nobody at the moment"
    raise NotAllowed(
        say(
            "Only the champion of {title} in {team} can do the training: {who}.",
            title=view.playbook.title,
            team=view.team.title,
            who=who,
        )
    )


def _next(uow: UnitOfWork, view: AdoptionView) -> GradeSampleForm | TrainingResult:
    """The champion's next ungraded sample, or the result once all are graded."""
    open_ = _ungraded(uow, view)
    return _form(uow, view, open_[0]) if open_ else result_of(uow, view)


def _ungraded(uow: UnitOfWork, view: AdoptionView) -> list[TrainingSample]:
    me = uow.actor.member
    known = grades_of(uow, view, me)
    return [one for one in samples_of(uow, view) if one.added_by != me and one.id not in known]


def _form(uow: UnitOfWork, view: AdoptionView, sample: TrainingSample) -> GradeSampleForm:
    every = samples_of(uow, view)
    return GradeSampleForm(
        adoption_id=view.id,
        sample_id=sample.id or 0,
        playbook=view.playbook.title,
        step=step_title(view, sample.step),
        text=sample.text,
        number=[one.id for one in every].index(sample.id) + 1,
        total=len(every),
        criteria=view.spec.rubric.criteria if view.spec.rubric else (),
    )


def result_of(uow: UnitOfWork, view: AdoptionView) -> TrainingResult:
    """The caller's training as their adoption's champion; the owner's grades only once they graded all."""
    found = training_of(uow, view)
    return TrainingResult(
        adoption_id=view.id,
        playbook=view.playbook.title,
        team=view.team.title,
        trained=found.trained,
        checklist_done=found.checklist_done,
        lessons_read=found.lessons_read,
        samples=found.samples,
        graded=found.graded,
        agreed=found.agreed,
        least=LEAST_SAMPLES if in_wave(uow, view) else 0,
        lessons=()
        if found.lessons_read
        else recent(uow, playbook_id=view.playbook.id or 0, limit=LESSONS_SHOWN, but_of=view.id),
        left=missing_words(found),
        agrees=bool(found.samples) and not {Lacking.GRADES, Lacking.AGREEMENT}.intersection(found.missing),
        disagreements=tuple(
            Disagreement(
                step=step_title(view, one.step),
                text=one.text,
                accepted=one.passed,
                note=one.note,
                value=f"{view.id}:{one.id}",
            )
            for one in _disagreed(uow, view)
        ),
        offers=_offers(view, found),
    )


def _offers(view: AdoptionView, found: ChampionTraining) -> tuple[Offer, ...]:
    offers = []
    if Lacking.GRADES in found.missing:
        offers.append(Offer("Grade the samples", Action.TRAIN, str(view.id)))
    if Lacking.LESSONS in found.missing:
        offers.append(Offer("I've read them", Action.READ_LESSONS, str(view.id)))
    return tuple(offers)


def _disagreed(uow: UnitOfWork, view: AdoptionView) -> Sequence[TrainingSample]:
    """The samples on which the caller differs from the owner; none before all are graded."""
    if _ungraded(uow, view):
        return ()
    known = grades_of(uow, view, uow.actor.member)
    return [one for one in samples_of(uow, view) if not agreed_on(one, known.get(one.id or 0))]


def again_form(uow: UnitOfWork, *, adoption_id: int, sample_id: int) -> GradeSampleForm:
    """The form to grade a sample again, after the owner's note was shown.

    Raises:
        Refusal: no such sample, or the caller agreed on it. NotAllowed: the caller isn't the champion.
    """
    with uow.read():
        view = adoption_by_id(uow, adoption_id=adoption_id)
        _require_champion(uow, view)
        sample = next((one for one in _disagreed(uow, view) if one.id == sample_id), None)
        if sample is None:
            raise Refusal("You and the owner agree on that sample now, or it was removed.")
        return _form(uow, view, sample)


@once
def grade_sample(uow: UnitOfWork, *, adoption_id: int, sample_id: int, grade: str | None) -> Done:
    """Save the champion's grade of a sample.

    A grade can be changed only once all are graded, on samples where the owner differs: the earlier one stays in
    the records. The same grade again changes nothing.

    Raises:
        Refusal: no grade, no such sample, or the grade can't be changed any more. NotAllowed: the caller isn't
        the champion.
    """
    if grade is None:
        raise Refusal("Choose a grade.", field=Field.GRADE)
    with uow.write():
        adoptions.lock_adoption(uow, adoption_id=adoption_by_id(uow, adoption_id=adoption_id).id)
        view = adoption_by_id(uow, adoption_id=adoption_id)
        _require_champion(uow, view)
        sample = next((one for one in samples_of(uow, view) if one.id == sample_id), None)
        if sample is None:
            raise Refusal(GONE, field=Field.GRADE)
        if sample.added_by == uow.actor.member:
            raise Refusal("You added this sample yourself, so it's graded already.", field=Field.GRADE)
        passed = grade == ACCEPT
        known = grades_of(uow, view, uow.actor.member).get(sample_id)
        if known is None or known.passed != passed:
            _save(uow, view, sample, known, passed=passed)
            tell_when_trained(uow, view)
        found = training_of(uow, view)
        more = Offer("Continue", Action.TRAIN, str(view.id))
        return Done(
            text=say("Saved: {graded} of {samples} graded.", graded=found.graded, samples=found.samples),
            offers=() if found.trained else (more,),
        )


def _save(
    uow: UnitOfWork, view: AdoptionView, sample: TrainingSample, known: TrainingGrade | None, *, passed: bool
) -> None:
    if known is not None:
        if sample not in _disagreed(uow, view):
            raise Refusal("You graded this sample already.", field=Field.GRADE)
        known.replaced_at = uow.now
        uow.session.add(known)
        uow.session.flush()
    uow.session.add(
        TrainingGrade(
            workspace_id=uow.workspace_id,
            adoption_id=view.id,
            sample_id=sample.id or 0,
            member=uow.actor.member,
            passed=passed,
            graded_at=uow.now,
        )
    )
    uow.session.flush()
    uow.record(
        action="training-graded",
        subject=f"adoption:{view.id}",
        before={"passed": known.passed} if known else None,
        after={"sample": sample.id, "step": sample.step, "passed": passed},
    )


def after_grading(uow: UnitOfWork, *, adoption_id: int) -> GradeSampleForm | TrainingResult:
    """What follows a saved grade: the next sample, or the result."""
    with uow.read():
        return _next(uow, adoption_by_id(uow, adoption_id=adoption_id))


@once
def read_lessons(uow: UnitOfWork, *, adoption_id: int) -> Done:
    """Record that the champion read the lessons of earlier teams; a second click changes nothing.

    Raises:
        NotAllowed: the caller isn't the champion.
    """
    with uow.write():
        adoptions.lock_adoption(uow, adoption_id=adoption_by_id(uow, adoption_id=adoption_id).id)
        view = adoption_by_id(uow, adoption_id=adoption_id)
        _require_champion(uow, view)
        if not training_of(uow, view).lessons_read:
            uow.session.add(
                LessonsRead(
                    workspace_id=uow.workspace_id,
                    adoption_id=view.id,
                    member=uow.actor.member,
                    read_at=uow.now,
                )
            )
            uow.session.flush()
            uow.record(action="lessons-read", subject=f"adoption:{view.id}")
            rewrite_setup(uow, view, mark=f"lessons:{uow.actor.member}")
            tell_when_trained(uow, view)
        found = training_of(uow, view)
        asked = _is_asked(uow, view)
        return Done(
            text=say(
                "Noted: you've read the lessons.{rest}",
                rest=say(" Left: {missing}.", missing=missing_words(found))
                if asked and found.missing
                else "",
            ),
            offers=(Offer("Continue the training", Action.TRAIN, str(view.id)),)
            if Lacking.GRADES in found.missing
            else (),
        )


def show_training(uow: UnitOfWork, *, playbook: str | None) -> MessageContext:
    """Every champion of a playbook for its owner and curators; for a champion, their own training.

    Raises:
        Refusal: no such playbook, or it isn't clear which one. NotAllowed: neither of them.
    """
    with uow.read():
        slug = playbook or _only(uow)
        row = require_playbook(uow, slug)
        views = adoption_views(uow, playbook_id=row.id)
        mine = [view for view in views if champion_here(uow, view) == uow.actor.member]
        if mine and row.owner != uow.actor.member:
            return result_of(uow, mine[0])
        require_owner_or_curator(uow, playbook=row, to=TO_SEE)
        found = [(view, training_of(uow, view)) for view in views]
        names = people.members(uow, member_ids={one.champion for _, one in found if one.champion})
        return TrainingShown(
            slug=row.slug,
            playbook=row.title,
            samples=len(training.samples(uow, playbook_ids=[row.id or 0]).get(row.id or 0, [])),
            champions=tuple(
                ChampionLine(
                    team=view.team.title,
                    champion=_name(one.champion, names),
                    checklist_done=one.checklist_done,
                    lessons_read=one.lessons_read,
                    graded=one.graded,
                    agreed=one.agreed,
                    trained=one.trained,
                )
                for view, one in found
            ),
        )


def _name(member: str | None, names: Mapping[str, Member]) -> str:
    """A champion's name, else their ID; empty without one."""
    if member is None:
        return ""
    return (names[member].name if member in names else "") or member


def _only(uow: UnitOfWork) -> str:
    """The playbook of a caller who has only one: as champion, else as its owner.

    Raises:
        Refusal: none, or several.
    """
    views = adoption_views(uow, member=uow.actor.member)
    champion = {view.playbook.slug for view in views if champion_here(uow, view) == uow.actor.member}
    for slugs in (champion, set(playbooks.owned_slugs(uow, owner=uow.actor.member))):
        if len(slugs) == 1:
            return next(iter(slugs))
    raise Refusal("Which playbook? Add it, like `/cadence train support-reply show`.", field=Field.PLAYBOOK)
