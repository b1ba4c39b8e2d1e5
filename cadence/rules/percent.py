"""How shares are rounded for display: one place, so that two surfaces never show different numbers."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Final

FEWEST: Final = 20
"""Below this count there is no percentage: 1 of 3 says more than 33%."""
MANY: Final = 200
"""From this count on, a share below 10% has a decimal."""
_MOST_DIGITS: Final = 6


def percent_of(count: int, total: int, *, limit: float | None = None) -> str:
    """`13%` for 5 of 40; empty below 20, where the counts speak for themselves.

    Whole percent below 200, one decimal below 10% above that. More decimals where rounding would put the share
    on the other side of its limit, or on it: 10.3% for 4 of 39 against a cap of 10%.
    """
    if total < FEWEST:
        return ""
    share = Fraction(count, total)
    return _beside(share, 1 if total >= MANY and share < Fraction(1, 10) else 0, limit)


def percent(share: float, *, limit: float | None = None) -> str:
    """A share whose counts are shown elsewhere, or that has none: one decimal below 10%, and on the right
    side of its limit."""
    found = exact(share)
    return _beside(found, 1 if found < Fraction(1, 10) else 0, limit)


def _beside(share: Fraction, digits: int, limit: float | None) -> str:
    """Round to as many decimals as it takes to show the share on its own side of a limit."""
    bound = None if limit is None else exact(limit)
    shown = _rounded(share, digits)
    while bound is not None and _side(shown, bound) != _side(share, bound) and digits < _MOST_DIGITS:
        digits += 1
        shown = _rounded(share, digits)
    if share > 0 and shown == 0:
        return f"under {_written(Fraction(1, 100 * 10**digits))}"
    if share < 1 and shown == 1:
        return f"over {_written(1 - Fraction(1, 100 * 10**digits))}"
    return _written(shown)


def probability(share: float, digits: int = 0) -> str:
    """`72%`, rounded down, so that a value below a threshold is never shown as equal to it."""
    step = Fraction(1, 100 * 10**digits)
    found = exact(share)
    return f"under {_written(step)}" if 0 < found < step else _written(found // step * step)


def change_of(share: float) -> str:
    """A change as a share of the earlier value: `64%`, `6.7%`; one decimal below 10%."""
    return percent(abs(share))


def set_share(share: float) -> str:
    """A configured cap or threshold: `10%`, `12.5%`, `5.25%`."""
    return _written(_rounded(exact(share), 4))


def exact(share: float) -> Fraction:
    """The exact decimal of a float: 0.1 is a tenth."""
    return Fraction(Decimal(repr(float(share))))


def _side(share: Fraction, bound: Fraction) -> int:
    return (share > bound) - (share < bound)


def _rounded(share: Fraction, digits: int) -> Fraction:
    """Half up, to so many decimals of a percent."""
    scale = 100 * 10**digits
    return Fraction((2 * share.numerator * scale + share.denominator) // (2 * share.denominator), scale)


def _written(share: Fraction) -> str:
    percent = share * 100
    number = Decimal(percent.numerator) / Decimal(percent.denominator)
    return f"{number.quantize(Decimal(1).scaleb(-_MOST_DIGITS), ROUND_HALF_UP).normalize():f}%"
