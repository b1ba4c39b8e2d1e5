"""After a pilot: the assessment, and the cutover from pilot to production."""

from typing import Final

from handlers.feature import Feature

FEATURE: Final = Feature()
