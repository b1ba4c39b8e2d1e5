"""Public holidays, by country and region."""

from datetime import date
from functools import lru_cache


@lru_cache(maxsize=512)
def public_holidays(country: str | None, first_year: int, last_year: int) -> frozenset[date]:
    """The public holidays of a country (`DE`) or a region of it (`DE-BY`); none when it isn't known."""
    if not country:
        return frozenset()
    code, _, region = country.partition("-")
    import holidays  # noqa: PLC0415 - it takes a while to load and a workspace without countries never needs it

    try:
        years = range(first_year, last_year + 1)
        return frozenset(holidays.country_holidays(code, subdiv=region or None, years=years))
    except NotImplementedError:
        return frozenset()
