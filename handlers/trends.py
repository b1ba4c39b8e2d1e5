"""Adoptions watched for months after their last cycle: deepening, plateau, decline."""

from typing import Final

from handlers.feature import Feature

FEATURE: Final = Feature()
