"""One rounding for all displayed numbers: counts first, no percentage below 20."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cadence.rules.percent import change_of, percent_of, set_share


@pytest.mark.parametrize(
    ("count", "total", "limit", "shown"),
    [
        (1, 3, None, ""),
        (19, 19, None, ""),
        (2, 20, None, "10%"),
        (5, 40, 0.1, "13%"),
        (7, 40, 0.1, "18%"),
        (1, 16, 0.05, ""),
        (2, 32, 0.05, "6%"),
        (25, 400, 0.05, "6.3%"),  # 6.25% half up, never to the even neighbor
        (4, 39, 0.1, "10.3%"),
        (4, 40, 0.1, "10%"),
        (4, 41, 0.1, "9.8%"),
        (5, 98, 0.05, "5.1%"),
        (51, 1019, 0.05, "5.005%"),
        (0, 40, 0.1, "0%"),
        (1, 1000, 0.1, "0.1%"),
        (1, 10000, 0.1, "under 0.1%"),
        (9999, 10000, None, "over 99%"),
        (40, 40, None, "100%"),
        (60, 40, None, "150%"),
    ],
)
def test_a_share_of_counts(count: int, total: int, limit: float | None, shown: str) -> None:
    assert percent_of(count, total, limit=limit) == shown


@given(st.integers(0, 2_000), st.integers(20, 2_000), st.integers(1, 99))
@example(41, 400, 10)
def test_rounding_never_moves_a_share_across_its_limit(count: int, total: int, percent: int) -> None:
    shown = percent_of(count, total, limit=percent / 100)
    share, limit = Fraction(count, total), Fraction(percent, 100)
    if shown.startswith(("under", "over")):
        return
    read = Fraction(shown.rstrip("%")) / 100
    assert (read > limit) == (share > limit)
    assert (read < limit) == (share < limit)


@pytest.mark.parametrize(
    ("share", "shown"), [(-0.667, "67%"), (0.643, "64%"), (0.0666, "6.7%"), (0.0, "0%"), (3.0, "300%")]
)
def test_a_change_is_whole_percent_from_ten_on(share: float, shown: str) -> None:
    assert change_of(share) == shown


@pytest.mark.parametrize(
    ("share", "shown"), [(0.1, "10%"), (0.125, "12.5%"), (0.0525, "5.25%"), (1, "100%"), (0.05, "5%")]
)
def test_a_cap_is_shown_as_it_was_set(share: float, shown: str) -> None:
    assert set_share(share) == shown
