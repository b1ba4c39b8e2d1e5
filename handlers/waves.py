"""Waves of teams: planning, opening, requests from teams, and teams side by side."""

from typing import Final

from handlers.feature import Feature

FEATURE: Final = Feature()
