"""Training of champions: lessons, graded samples, and the agreement with the owner's grades."""

from cadence.flows.training.grading import (
    after_grading,
    again_form,
    grade_sample,
    open_training,
    read_lessons,
    show_training,
)
from cadence.flows.training.progress import (
    ChampionTraining,
    next_after_setup,
    next_offers,
    require_trained,
    training_of,
    unfinished,
    waits_for_training,
)
from cadence.flows.training.samples import SampleToAdd, add_sample, remove_form, remove_sample, sample_form
from cadence.flows.training.told import KINDS, tell_when_trained

__all__ = [
    "KINDS",
    "ChampionTraining",
    "SampleToAdd",
    "add_sample",
    "after_grading",
    "again_form",
    "grade_sample",
    "next_after_setup",
    "next_offers",
    "open_training",
    "read_lessons",
    "remove_form",
    "remove_sample",
    "require_trained",
    "sample_form",
    "show_training",
    "tell_when_trained",
    "training_of",
    "unfinished",
    "waits_for_training",
]
