"""What is typed into the guided form's fields, as the file's values."""

import pytest

from cadence.flows.editor.fields import STEP, filled, shown
from tests.contexts import assert_golden


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("8", 0.08),
        ("8%", 0.08),
        ("8 %", 0.08),
        ("0.08", 0.08),
        ("0,08", 0.08),
        (".08", 0.08),
        ("8.5", 0.085),
        ("1", 0.01),
        ("1%", 0.01),
        ("0.99", 0.99),
        ("100", 1.0),
        ("0", 0),
        ("", None),
        ("-8", "-8"),
        ("eight", "eight"),
    ],
)
def test_a_cap_is_read_as_people_write_it(typed: str, value: float | str | None) -> None:
    data, errors = filled({}, STEP, {"exception_cap": typed})
    assert (data.get("exception_cap"), errors) == (value, {})


@pytest.mark.parametrize("typed", ["101", "150%", "1000"])
def test_more_than_all_is_refused(typed: str) -> None:
    assert_golden(filled({}, STEP, {"exception_cap": typed})[1]["exception_cap"], f"more-than-all:{typed}")


@pytest.mark.parametrize(
    ("typed", "value"), [("90", 0.9), ("90%", 0.9), ("0.9", 0.9), ("100", 1.0), ("1%", 0.01)]
)
def test_an_accuracy_too_but_a_bare_1_is_asked_about(typed: str, value: float) -> None:
    assert filled({}, STEP, {"accuracy": typed}) == ({"promote": {"accuracy": value}}, {})
    assert_golden(filled({}, STEP, {"accuracy": "1"})[1]["accuracy"], "bare-1")


@pytest.mark.parametrize("typed", ["8", "0.08", "8%"])
def test_what_was_typed_is_shown_in_percent(typed: str) -> None:
    data, _ = filled({}, STEP, {"exception_cap": typed})
    assert shown(data, STEP)["exception_cap"] == "8%"
