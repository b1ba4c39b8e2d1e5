"""Every listener the bot has."""

from slack_bolt import App

from handlers import (
    adopting,
    checkins,
    commands,
    cycles,
    exceptions,
    exports,
    gates,
    handoffs,
    home,
    kpis,
    lessons,
    overview,
    pausing,
    people,
    playbook_form,
    playbooks,
    promotions,
    publishing,
    registry,
    rubrics,
    settings,
    setups,
    shortcuts,
    standards,
    teams,
)
from handlers.context import Services
from handlers.listeners import register_failures


def register_all(app: App, services: Services) -> None:
    """Listen for everything."""
    register_failures(app, services)
    for journey in (
        commands,
        checkins,
        cycles,
        exceptions,
        gates,
        home,
        kpis,
        overview,
        pausing,
        people,
        playbook_form,
        playbooks,
        promotions,
        rubrics,
        publishing,
        registry,
        settings,
        standards,
        teams,
        adopting,
        lessons,
        handoffs,
        setups,
        shortcuts,
        exports,
    ):
        journey.register(app, services)
