"""Every listener the bot has."""

from slack_bolt import App

from handlers import (
    checkins,
    commands,
    cycles,
    exceptions,
    gates,
    kpis,
    overview,
    people,
    playbooks,
    rubrics,
    settings,
    standards,
    teams,
)
from handlers.turns import Services


def register_all(app: App, services: Services) -> None:
    """Listen for everything."""
    for journey in (
        commands,
        checkins,
        cycles,
        exceptions,
        gates,
        kpis,
        overview,
        people,
        playbooks,
        rubrics,
        settings,
        standards,
        teams,
    ):
        journey.register(app, services)
