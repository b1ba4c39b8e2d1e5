"""After a pilot: the assessment, and the cutover from pilot to production."""

from cadence.flows.core import MessageKind
from cadence.flows.cutover.measuring import CutoverView, assessment_of, cutover_of

KINDS: tuple[MessageKind, ...] = ()

__all__ = ["KINDS", "CutoverView", "assessment_of", "cutover_of"]
