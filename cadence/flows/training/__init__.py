"""Training of champions: lessons, graded samples, and the agreement with the owner's grades."""

from cadence.flows.core import MessageKind
from cadence.flows.training.progress import ChampionTraining, require_trained, training_of

KINDS: tuple[MessageKind, ...] = ()

__all__ = ["KINDS", "ChampionTraining", "require_trained", "training_of"]
