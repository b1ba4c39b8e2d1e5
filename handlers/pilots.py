"""Before a pilot: the case and the pillars, judged by a curator; which draft comes next; duties."""

from typing import Final

from handlers.feature import Feature

FEATURE: Final = Feature()
