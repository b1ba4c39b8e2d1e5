"""How far a champion's training is, and whether a team in a wave can start its first cycle."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cadence.flows.core import AdoptionView, champion_here
from cadence.flows.lessons import recent
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.refusals import Offer, Refusal
from cadence.rules.training import LEAST_SAMPLES, Lacking, Progress, lacking
from storage.queries import cycles, setup, training
from storage.tables import TrainingGrade, TrainingSample
from storage.work import UnitOfWork
from templates.filters import plural
from templates.ids import Action


@dataclass(frozen=True, slots=True)
class ChampionTraining:
    """A champion's training in one adoption.

    Args:
        champion: Slack ID; None if the team has no champion.
        lessons_read: also true if there are no lessons of other teams.
        samples: current training samples of the playbook; `graded` of them by the champion, `agreed` like the
            owner. A sample that the champion added counts as both.
        missing: what is left until they are trained.
    """

    champion: str | None
    checklist_done: bool
    lessons_read: bool
    samples: int
    graded: int
    agreed: int
    missing: tuple[Lacking, ...]

    @property
    def trained(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


def training_of(uow: UnitOfWork, view: AdoptionView) -> ChampionTraining:
    """The training of an adoption's current champion; a new champion starts again."""
    champion = champion_here(uow, view)
    row = setup.of_adoption(uow, adoption_id=view.id)
    current = samples_of(uow, view)
    known = grades_of(uow, view, champion)
    graded = [one for one in current if one.added_by == champion or one.id in known]
    progress = Progress(
        has_champion=champion is not None,
        checklist_done=row is not None and row.done_at is not None,
        lessons_read=has_read(uow, view, champion),
        samples=len(current),
        graded=len(graded),
        agreed=sum(1 for one in graded if agreed_on(one, known.get(one.id or 0))),
        least=LEAST_SAMPLES if in_wave(uow, view) else 0,
    )
    return ChampionTraining(
        champion=champion,
        checklist_done=progress.checklist_done,
        lessons_read=progress.lessons_read,
        samples=progress.samples,
        graded=progress.graded,
        agreed=progress.agreed,
        missing=lacking(progress),
    )


def samples_of(uow: UnitOfWork, view: AdoptionView) -> Sequence[TrainingSample]:
    """The current training samples of an adoption's playbook, oldest first."""
    playbook_id = view.playbook.id or 0
    return training.samples(uow, playbook_ids=[playbook_id]).get(playbook_id, [])


def grades_of(uow: UnitOfWork, view: AdoptionView, member: str | None) -> dict[int, TrainingGrade]:
    """A member's current grades in an adoption, by sample."""
    rows = training.grades(uow, adoption_ids=[view.id])
    return {row.sample_id: row for row in rows if row.member == member}


def agreed_on(sample: TrainingSample, grade: TrainingGrade | None) -> bool:
    """Whether a champion's grade equals the owner's; True for a sample the champion added."""
    return grade is None or grade.passed == sample.passed


def has_read(uow: UnitOfWork, view: AdoptionView, member: str | None) -> bool:
    """Whether a member read the lessons of the other teams, or there are none."""
    return (view.id, member) in training.readers(uow, adoption_ids=[view.id]) or not recent(
        uow, playbook_id=view.playbook.id or 0, limit=1, but_of=view.id
    )


def in_wave(uow: UnitOfWork, view: AdoptionView) -> bool:
    """Whether the adoption's team is in an open wave of its playbook."""
    playbook_id = view.playbook.id or 0
    return (playbook_id, view.team.id) in training.in_open_waves(uow, playbook_ids=[playbook_id])


def unfinished(
    uow: UnitOfWork, views: Sequence[AdoptionView]
) -> Iterator[tuple[AdoptionView, ChampionTraining]]:
    """The caller's training as champion of some adoptions, where something is asked of them and is left.

    It is asked of the champion of a team in a wave, and before a first cycle once there are samples.
    """
    led = [view for view in views if view.adoption.champion == uow.actor.member]
    if not led:
        return
    ids = sorted({view.playbook.id or 0 for view in led})
    sampled, waves = training.samples(uow, playbook_ids=ids), training.in_open_waves(uow, playbook_ids=ids)
    for view in led:
        waits = view.cycle is None and bool(sampled.get(view.playbook.id or 0))
        if waits or (view.playbook.id, view.team.id) in waves:
            found = training_of(uow, view)
            if found.missing:
                yield view, found


def waits_for_training(uow: UnitOfWork, view: AdoptionView) -> ChampionTraining | None:
    """The champion's training if a team's first cycle can't start before it is done (SPEC §6); else None.

    It is asked of teams in an open wave that haven't had a cycle.
    """
    if not in_wave(uow, view) or cycles.cycles_of(uow, adoption_id=view.id):
        return None
    found = training_of(uow, view)
    return None if found.trained else found


def next_after_setup(uow: UnitOfWork, view: AdoptionView, *, reader: str | None = None) -> Mrkdwn:
    """What a team that is set up waits for, as a sentence: its champion's training, or its first cycle.

    Args:
        reader: a Slack ID, called “you”; None for several people.
    """
    found = waits_for_training(uow, view)
    if found is None:
        owner = view.playbook.owner
        who = say("you") if reader == owner else mention(owner)
        return say("Next, {who} or a curator can start the first cycle.", who=who)
    return say(
        "The first cycle can start once {who} is trained. Left: {missing}.",
        who=mention(found.champion) if found.champion else "a champion",
        missing=missing_words(found),
    )


def next_offers(uow: UnitOfWork, view: AdoptionView, *, reader: str | None = None) -> tuple[Offer, ...]:
    """The button for what a team that is set up waits for; none for a `reader` who can't do it.

    Args:
        reader: a Slack ID; the caller if left out.
    """
    member = uow.actor.member if reader is None else reader
    found = waits_for_training(uow, view)
    if found is not None:
        return (_offer(view, found, member),) if member in (found.champion, view.playbook.owner) else ()
    return (start_offer(view),) if member == view.playbook.owner else ()


def start_offer(view: AdoptionView) -> Offer:
    """The button that starts a team's first cycle."""
    return Offer("Start the first cycle", Action.START_CYCLE, f"{view.playbook.slug}:{view.team.slug}")


def require_trained(uow: UnitOfWork, view: AdoptionView) -> None:
    """Check that a team in an open wave has a trained champion before its first cycle (SPEC §6).

    Teams outside waves, and teams that have had a cycle, aren't held to it.

    Raises:
        Refusal: the champion isn't trained yet; the sentence says what is missing, with the button for it.
    """
    found = waits_for_training(uow, view)
    if found is None:
        return
    raise Refusal(
        say(
            "{title} can't start in {team} before its champion is trained. {who}: {missing}.",
            title=view.playbook.title,
            team=view.team.title,
            who=mention(found.champion) if found.champion else "No champion",
            missing=missing_words(found),
        ),
        field="team",
        offer=_offer(view, found, uow.actor.member),
    )


def missing_words(found: ChampionTraining) -> Mrkdwn:
    """What is left to do, as words: `finish the checklist; grade 3 of 5 samples`."""
    left = found.samples - found.graded
    words = {
        Lacking.CHAMPION: "name one in the settings",
        Lacking.CHECKLIST: "finish the setup checklist",
        Lacking.LESSONS: "read the lessons of earlier teams",
        Lacking.SAMPLES: f"the owner adds {plural(LEAST_SAMPLES - found.samples, 'more training sample')}",
        Lacking.GRADES: f"grade {plural(left, 'training sample')}",
        Lacking.AGREEMENT: f"agreed with the owner on {found.agreed} of {found.samples} samples (needs 80%)",
    }
    return Mrkdwn("; ".join(words[one] for one in found.missing))


def _offer(view: AdoptionView, found: ChampionTraining, member: str) -> Offer:
    """A member's button for what is missing: their own training, the samples to add, or where every champion is."""
    if member == found.champion:
        return Offer("Continue the training", Action.TRAIN, str(view.id))
    if Lacking.SAMPLES in found.missing:
        return Offer("Add a training sample", Action.ADD_SAMPLE, view.playbook.slug)
    return Offer("Show the training", Action.SHOW_TRAINING, view.playbook.slug)
