"""Suggest the word a person most likely meant."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

_SIMILAR_ENOUGH = 0.6
_VERY_SIMILAR = 0.7
"""What is similar enough with another first letter: few people mistype that."""
_CLOSE = 3
_SHORTEST_PREFIX = 2


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate most similar to `word`, ignoring case; None if none is similar.

    A word that begins exactly one candidate selects that one ("supp" selects "support-reply"), before any
    similarity is computed; one that is a part of exactly one ("reply") selects it if nothing is similar.
    Among equals the first wins.
    """
    wanted = word.strip().casefold()
    if not wanted:
        return None
    by_fold: dict[str, str] = {}
    for candidate in candidates:
        by_fold.setdefault(candidate.casefold(), candidate)
    if wanted in by_fold:
        return by_fold[wanted]
    begun = [fold for fold in by_fold if fold.startswith(wanted)]
    if len(begun) == 1 and len(wanted) >= _SHORTEST_PREFIX:
        return by_fold[begun[0]]
    for close in get_close_matches(wanted, by_fold, n=_CLOSE, cutoff=_SIMILAR_ENOUGH):
        if close[0] == wanted[0] or SequenceMatcher(None, close, wanted).ratio() >= _VERY_SIMILAR:
            return by_fold[close]
    holding = [fold for fold in by_fold if wanted in re.split("[-_ ]", fold)]
    return by_fold[holding[0]] if len(holding) == 1 else None
