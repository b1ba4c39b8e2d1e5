"""Read `settings` and `team holidays`."""

import re
from typing import Final

from handlers.grammar import commands
from handlers.grammar.request import Request
from handlers.grammar.teach import unknown_playbook

_LOOKS_LIKE_COUNTRY: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,3})?")


def settings(request: Request) -> commands.Settings:
    """`/cadence settings [playbook] [team=slug]`; nothing means the workspace, however many playbooks there are."""
    named = request.playbook()
    if named is None and request.typed:
        word = request.typed.take()[0].text
        known = (*request.vocabulary.playbooks, *request.vocabulary.others)
        raise unknown_playbook(word, known, request.command, request.typed.rest())
    team = request.team
    return commands.Settings(playbook=named or (request.the_playbook(None) if team else None), team=team)


def holidays(request: Request) -> commands.TeamHolidays:
    """`/cadence team holidays [team] [country]`: a word that is no team, at the end, is a country."""
    option = request.team
    slugs = {team.casefold() for team in request.vocabulary.teams}
    words = [word.text for word in request.typed.words]
    country = None
    behind_a_team = len(words) == 2 and words[0].casefold() in slugs
    if (
        words
        and words[-1].casefold() not in slugs
        and (behind_a_team or _LOOKS_LIKE_COUNTRY.fullmatch(words[-1]))
    ):
        country = words[-1].upper()
        request.typed.words = request.typed.words[:-1]
    team = request.take_team() if request.typed else option
    return commands.TeamHolidays(team=team, country=country)
