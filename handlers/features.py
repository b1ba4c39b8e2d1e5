"""The features, in the order in which help lists their commands."""

from typing import Final

from handlers import (
    adoption,
    cutover,
    editor,
    exceptions,
    handoffs,
    history,
    lessons,
    nudging,
    numbers,
    pilots,
    promotions,
    rubrics,
    setup,
    standards,
    tokens,
    training,
    trends,
    waves,
    workspaces,
)
from handlers.checkins import answers
from handlers.cycles import moving, running, submitting
from handlers.overview import home, registry, status
from handlers.people import absences, teams
from handlers.playbooks import files, versions

FEATURES: Final = tuple(
    module.FEATURE
    for module in (
        *(numbers, answers, exceptions),
        *(status, home, registry),
        *(editor, files, versions),
        *(teams, running, moving, submitting),
        *(pilots, rubrics, adoption, setup, training, lessons, cutover, waves, trends, handoffs),
        *(workspaces, tokens, absences, nudging),
        *(standards, promotions, history),
    )
)
