"""Training of champions: lessons, graded samples, and the agreement with the owner's grades."""

from typing import Final

from handlers.feature import Feature

FEATURE: Final = Feature()
