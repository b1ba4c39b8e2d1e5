"""Champions' training: samples to add and to grade, the result, and where every champion is."""

from dataclasses import dataclass
from typing import ClassVar, Final

from cadence.refusals import Offer
from templates.contexts import ask
from templates.contexts.ask import FIELD, PlainForm
from templates.contexts.base import Choice, ChoiceGroup, Id, MessageContext
from templates.ids import Callback, Field

ACCEPT, REJECT = "accept", "reject"
GRADES: Final = (Choice(label="Accept", value=ACCEPT), Choice(label="Reject", value=REJECT))
"""The grades of an output by the rubric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddSampleForm(
    PlainForm,
    callback=Callback.ADD_SAMPLE,
    title="Add a training sample",
    submit="Add",
    intro=(
        "Champions grade it too, and don't see your grade or note before they did. Use real outputs, good and bad."
    ),
):
    """A real output of a step in at least one group, with the owner's grade."""

    groups: tuple[ChoiceGroup, ...]
    selected: str | None = ask.choice("Which step is it from?", among="groups", name=Field.STEP)
    text: str = ask.lines(
        "Output", "Paste it as it was. Leave out names and numbers of customers.", most=FIELD
    )
    grade: str | None = ask.radio("By the rubric, you would", among=GRADES, needed="Choose a grade.")
    note: str = ask.lines("Why?", "Shown to champions after they graded it.", optional=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveSampleForm(
    PlainForm,
    callback=Callback.REMOVE_SAMPLE,
    title="Remove a sample",
    submit="Remove",
    intro="Champions no longer grade it, and its grades no longer count. They stay in the records.",
):
    """The samples to choose from, at least one."""

    samples: tuple[Choice, ...]
    sample: str | None = ask.choice(
        "Which sample?",
        among="samples",
        cut="Showing the first 100 samples.",
        needed="Choose a sample.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeSampleForm(PlainForm, callback=Callback.GRADE_SAMPLE, title="Champion training", submit="Grade"):
    """One output for a champion to grade; the owner's grade isn't shown.

    Args:
        number: of this sample, of `total`.
        criteria: the rubric's.
    """

    TEMPLATE: ClassVar[str] = "modals/training/grade.json.j2"

    adoption_id: Id
    sample_id: Id
    playbook: str
    step: str
    text: str
    number: int
    total: int
    criteria: tuple[str, ...] = ()
    grade: str | None = ask.radio("By the rubric, you would", among=GRADES, needed="Choose a grade.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A sample on which champion and owner differ: `accepted` by the owner, who says why in `note`.

    `value` is that of [Grade again].
    """

    step: str
    text: str
    accepted: bool
    note: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult(MessageContext):
    """A champion's own training: what is done, what is left, and on what they disagree with the owner.

    Args:
        agreed: of `graded` samples; `samples` are there to grade.
        least: the fewest samples needed; 0 if none are.
        lessons: of other teams, newest first; shown until they are read.
        agrees: all samples are graded, and enough of them like the owner.
        left: what is missing, in words; empty once trained.
        disagreements: shown once every sample is graded.
        offers: buttons for what is left.
    """

    TEMPLATE: ClassVar[str] = "answers/training/training_result.json.j2"

    adoption_id: Id
    playbook: str
    team: str
    trained: bool
    checklist_done: bool
    lessons_read: bool
    samples: int
    graded: int
    agreed: int
    least: int = 0
    lessons: tuple[str, ...] = ()
    left: str = ""
    agrees: bool = False
    disagreements: tuple[Disagreement, ...] = ()
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChampionLine:
    """One champion in the table; `champion` is a name, empty without one."""

    team: str
    champion: str
    checklist_done: bool
    lessons_read: bool
    graded: int
    agreed: int
    trained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingShown(MessageContext):
    """The champions of every team that runs a playbook; `samples` are there to grade."""

    TEMPLATE: ClassVar[str] = "answers/training/training_shown.json.j2"

    slug: str
    playbook: str
    samples: int
    champions: tuple[ChampionLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChampionTrained(MessageContext):
    """A champion is trained: told to them and to the owner, who can start the first cycle.

    Args:
        champion: Slack ID.
        lessons: whether there were lessons to read.
        started: the team has had a cycle.
    """

    TEMPLATE: ClassVar[str] = "messages/training/champion_trained.json.j2"

    playbook: str
    team: str
    champion: str
    owner: str
    samples: int
    agreed: int
    lessons: bool
    started: bool = False
    offers: tuple[Offer, ...] = ()
