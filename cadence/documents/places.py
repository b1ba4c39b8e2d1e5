"""Time zones and countries: whether they exist, and suggestions for unknown ones."""

import re
from functools import cache
from zoneinfo import available_timezones

from cadence.nearest import nearest

_NOT_A_PLACE = frozenset({"Factory", "localtime"})


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones()) - _NOT_A_PLACE


def is_timezone(name: str) -> bool:
    """Whether a name is in the IANA time zone database."""
    return name in _timezones()


def timezone_hint(name: str) -> str:
    """What to write instead: the zone of that city, else the nearest name, else an example."""
    word = re.sub(r"\s+", "_", name.strip()).casefold()
    zones = sorted(zone for zone in _timezones() if "/" in zone)  # unlike "EST", a place has summer time
    meant = next((zone for zone in zones if zone.casefold().endswith(f"/{word}")), None)
    meant = meant or nearest(word, zones)
    return f"did you mean `{meant}`?" if meant else "write an IANA name such as `Europe/Berlin`"


@cache
def _countries() -> dict[str, str]:
    """Two-letter codes, by themselves, by their three letters, and by the country's English name."""
    # Imported here: holidays takes a tenth of a second, and most commands need no country.
    from holidays.registry import COUNTRIES  # noqa: PLC0415

    names = {
        word.casefold(): entry[1]
        for module, entry in COUNTRIES.items()
        for word in (module.replace("_", " "), entry[1], entry[2])
    }
    return {**names, "uk": "GB", "usa": "US", "england": "GB", "bavaria": "DE-BY", "bayern": "DE-BY"}


def is_country(code: str) -> bool:
    """Whether a code is an ISO 3166 country (`DE`), or a region of one (`DE-BY`), with known public
    holidays."""
    country, dash, region = code.partition("-")
    known = country.isupper() and _countries().get(country.casefold()) == country
    return known and (not dash or region in _regions(country))


@cache
def _regions(country: str) -> tuple[str, ...]:
    from holidays import list_supported_countries  # noqa: PLC0415 - as above

    return tuple(list_supported_countries(include_aliases=False).get(country, ()))


def country_kind(word: str) -> str:
    """What a code that isn't known should have been: a country, or a region of one that is known."""
    country, dash, _ = word.strip().upper().partition("-")
    if dash and is_country(country):
        return f"a region of {country} known here"
    return (
        "a country known here"
        if country.isalpha() and len(word) == len("DE")
        else "a two-letter country code"
    )


def country_hint(word: str) -> str:
    """What to write instead of a name, three letters or lower-case letters."""
    known = _countries()
    country, dash, region = word.strip().upper().partition("-")
    if dash and is_country(country):
        if is_country(word.strip().upper()):
            return f"did you mean `{word.strip().upper()}`?"
        if not _regions(country):
            return f"write `{country}` alone"
        near = nearest(region, _regions(country)) or _regions(country)[0]
        return f"write a region of {country} such as `{country}-{near}`, or `{country}` alone"
    meant = known.get(word.strip().casefold()) or known.get(nearest(word, known) or "")
    return (
        f"did you mean `{meant}`?"
        if meant
        else "write a country's two letters such as `DE`, or with a region `DE-BY`"
    )
