"""When a champion is trained, at each boundary (SPEC §6)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadence.rules.training import AGREEMENT, Lacking, Progress, agrees, lacking

TRAINED = Progress(checklist_done=True, lessons_read=True, samples=10, graded=10, agreed=8, least=5)


def test_eight_of_ten_is_enough() -> None:
    assert lacking(TRAINED) == ()


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"agreed": 7}, (Lacking.AGREEMENT,)),
        ({"graded": 9}, (Lacking.GRADES,)),
        ({"graded": 0, "agreed": 0}, (Lacking.GRADES,)),
        ({"samples": 4, "graded": 4, "agreed": 4}, (Lacking.SAMPLES,)),
        ({"samples": 0, "graded": 0, "agreed": 0}, (Lacking.SAMPLES,)),
        ({"samples": 0, "graded": 0, "agreed": 0, "least": 0}, ()),
        ({"samples": 5, "graded": 5, "agreed": 4}, ()),
        ({"samples": 5, "graded": 5, "agreed": 3}, (Lacking.AGREEMENT,)),
        ({"checklist_done": False, "lessons_read": False}, (Lacking.CHECKLIST, Lacking.LESSONS)),
        ({"has_champion": False}, (Lacking.CHAMPION,)),
    ],
)
def test_what_is_missing(change: dict[str, int | bool], missing: tuple[Lacking, ...]) -> None:
    assert lacking(replace(TRAINED, **change)) == missing  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("agreed", "samples", "enough"),
    [(0, 0, True), (4, 5, True), (3, 5, False), (799, 1_000, False), (800, 1_000, True), (0, 1, False)],
)
def test_the_share_is_compared_exactly(agreed: int, samples: int, enough: bool) -> None:
    assert agrees(agreed, samples) is enough


@given(st.integers(1, 500), st.data())
def test_agreement_is_a_share_of_all_samples(samples: int, data: st.DataObject) -> None:
    agreed = data.draw(st.integers(0, samples))
    assert agrees(agreed, samples) == (agreed * 100 >= samples * round(AGREEMENT * 100))
    assert agrees(samples, samples)
