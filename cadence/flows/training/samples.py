"""Training samples: real outputs with the owner's grade, which champions grade too."""

from dataclasses import dataclass
from typing import Final

from cadence.flows.core import (
    adoption_views,
    is_curator,
    once,
    require_owner_or_curator,
    require_playbook,
    rewrite_setup,
    spec_of,
)
from cadence.flows.training.told import tell_when_trained
from cadence.mrkdwn import say
from cadence.refusals import NotAllowed, Offer, Refusal
from cadence.rules.training import LEAST_SAMPLES
from storage.queries import adoptions, playbooks, training
from storage.query_cache import hold
from storage.tables import Playbook, PlaybookState, TrainingSample
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Choice, ChoiceGroup
from templates.contexts.training import ACCEPT, AddSampleForm, RemoveSampleForm
from templates.filters import clip, plural
from templates.ids import Action, Field

MOST: Final = 100
"""Training samples of a playbook: as many as a menu can show."""
LONGEST: Final = 3_000
"""Characters of an output, Slack's limit of a field."""
TO_ADD: Final = "add training samples"
TO_REMOVE: Final = "remove training samples"
GONE: Final = "That training sample no longer exists."


@dataclass(frozen=True, slots=True)
class SampleToAdd:
    """A request to add a sample: an output of a step, graded by the owner (`accept` or `reject`)."""

    playbook_id: int
    step: str
    text: str
    grade: str | None
    note: str = ""


@once
def add_sample(uow: UnitOfWork, given: SampleToAdd) -> Done:
    """Add a training sample with the caller's grade.

    Raises:
        Refusal: no such playbook or step, an empty or too long output, no grade, or too many samples.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.write():
        playbook = _playbook(uow, given.playbook_id)
        require_owner_or_curator(uow, playbook=playbook, to=TO_ADD)
        playbooks.lock_playbook(uow, playbook_id=given.playbook_id)
        if given.step not in _steps(uow, playbook):
            raise Refusal("The newest revision doesn't have that step. Choose another one.", field=Field.STEP)
        text = given.text.strip()
        if not text:
            raise Refusal("Paste the output to grade.", field=Field.TEXT)
        if len(text) > LONGEST:
            raise Refusal(f"Keep it to {LONGEST:,} characters. This one has {len(text):,}.", field=Field.TEXT)
        if given.grade is None:
            raise Refusal("Choose a grade.", field=Field.GRADE)
        known = _samples(uow, playbook)
        if len(known) >= MOST:
            raise Refusal(f"{playbook.title} already has {MOST} samples. Remove one first.", field=Field.TEXT)
        row = TrainingSample(
            workspace_id=uow.workspace_id,
            playbook_id=given.playbook_id,
            step=given.step,
            text=text,
            passed=given.grade == ACCEPT,
            note=given.note.strip(),
            added_by=uow.actor.member,
            added_at=uow.now,
        )
        uow.session.add(row)
        uow.session.flush()
        # without its grade: champions can read the trail before they grade it
        after = {"sample": row.id, "step": row.step}
        uow.record(action="training-sample-added", subject=f"playbook:{playbook.slug}", after=after)
        _rewrite(uow, playbook, mark=f"sample:{row.id}")
        count = len(known) + 1
        enough = count >= LEAST_SAMPLES
        return Done(
            text=say(
                "Sample added. {title} has {count}{rest}.",
                title=playbook.title,
                count=plural(count, "training sample"),
                rest="" if enough else f"; a wave needs at least {LEAST_SAMPLES}",
            ),
            offers=(
                Offer("Add another", Action.ADD_SAMPLE, playbook.slug),
                Offer("Show the training", Action.SHOW_TRAINING, playbook.slug),
            ),
        )


@once
def remove_sample(uow: UnitOfWork, *, sample_id: int) -> Done:
    """Remove a sample: champions no longer grade it, and its grades no longer count.

    Raises:
        Refusal: no such sample. NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.write():
        row = training.sample(uow, sample_id=sample_id)
        if row is None:
            raise Refusal(GONE)
        playbook = _playbook(uow, row.playbook_id)
        require_owner_or_curator(uow, playbook=playbook, to=TO_REMOVE)
        playbooks.lock_playbook(uow, playbook_id=row.playbook_id)
        ids = [view.id for view in adoption_views(uow, playbook_id=playbook.id)]
        adoptions.lock_adoptions(uow, adoption_ids=ids)  # a champion may be grading
        hold(uow, row)
        if row.removed_at is None:
            row.removed_at = uow.now
            uow.session.add(row)
            uow.session.flush()
            before = {"sample": row.id, "step": row.step}
            uow.record(action="training-sample-removed", subject=f"playbook:{playbook.slug}", before=before)
            _rewrite(uow, playbook, mark=f"removed:{row.id}")
            for view in adoption_views(uow, playbook_id=playbook.id):
                tell_when_trained(uow, view)
        left = len(_samples(uow, playbook))
        return Done(
            text=say(
                "Sample removed. {title} has {count}.",
                title=playbook.title,
                count=plural(left, "training sample"),
            ),
            offers=(Offer("Show the training", Action.SHOW_TRAINING, playbook.slug),),
        )


def sample_form(uow: UnitOfWork, *, playbook: str | None = None) -> AddSampleForm:
    """The form to add a sample to one playbook, or to one of the caller's.

    Raises:
        Unknown: no such playbook. Refusal: the caller owns none. NotAllowed: neither owner nor curator.
    """
    with uow.read():
        groups = tuple(
            ChoiceGroup(
                label=row.title,
                choices=tuple(
                    Choice(label=title, value=f"{row.id}:{key}") for key, title in _steps(uow, row).items()
                ),
            )
            for row in _own(uow, playbook, to=TO_ADD)
        )
        only = groups[0].choices[0].value if len(groups) == 1 and len(groups[0].choices) == 1 else None
        return AddSampleForm(groups=groups, selected=only)


def remove_form(uow: UnitOfWork, *, playbook: str | None) -> RemoveSampleForm:
    """The form to choose a sample to remove.

    Raises:
        Unknown: no such playbook. Refusal: there are no samples. NotAllowed: neither owner nor curator.
    """
    with uow.read():
        rows = _own(uow, playbook, to=TO_REMOVE)
        samples = training.samples(uow, playbook_ids=[row.id or 0 for row in rows])
        choices = [
            Choice(label=clip(f"{one.step}: {one.text}", 75), value=str(one.id))
            for row in rows
            for one in samples.get(row.id or 0, [])
        ]
        if not choices:
            raise Refusal(
                "There are no training samples yet.",
                offer=Offer("Add a training sample", Action.ADD_SAMPLE, rows[0].slug),
            )
        return RemoveSampleForm(samples=tuple(choices))


def owns_any(uow: UnitOfWork) -> bool:
    """Whether the caller can add samples to a playbook."""
    return is_curator(uow) or bool(playbooks.owned_slugs(uow, owner=uow.actor.member))


def _own(uow: UnitOfWork, slug: str | None, *, to: str) -> list[Playbook]:
    """The named playbook, or all of the caller's that aren't retired; every playbook for a curator."""
    if slug is not None:
        row = require_playbook(uow, slug)
        require_owner_or_curator(uow, playbook=row, to=to)
        return [row]
    every = [row for row in playbooks.playbooks(uow) if row.state is not PlaybookState.RETIRED]
    mine = [row for row in every if row.owner == uow.actor.member]
    if is_curator(uow):
        mine += [row for row in every if row not in mine]
    if not mine and every:
        raise NotAllowed("Only a playbook's owner or a curator can add training samples.")
    if not mine:
        raise Refusal("There are no playbooks yet. Add the first one with `/cadence playbook new`.")
    return mine


def _playbook(uow: UnitOfWork, playbook_id: int) -> Playbook:
    found = next((row for row in playbooks.playbooks(uow) if row.id == playbook_id), None)
    if found is None:
        raise Refusal("That playbook no longer exists.", field=Field.STEP)
    return found


def _steps(uow: UnitOfWork, playbook: Playbook) -> dict[str, str]:
    """The titles of the steps of a playbook's newest revision, by key."""
    version = playbooks.newest_version(uow, playbook_id=playbook.id or 0)
    return {step.key: step.title for step in spec_of(uow, version).steps} if version else {}


def _samples(uow: UnitOfWork, playbook: Playbook) -> list[TrainingSample]:
    return training.samples(uow, playbook_ids=[playbook.id or 0]).get(playbook.id or 0, [])


def _rewrite(uow: UnitOfWork, playbook: Playbook, *, mark: str) -> None:
    """Show the change in the messages of teams that haven't begun their first cycle."""
    for view in adoption_views(uow, playbook_id=playbook.id):
        if view.cycle is None:
            rewrite_setup(uow, view, mark=mark)
