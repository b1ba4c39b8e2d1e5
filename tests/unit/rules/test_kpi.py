"""Numbers as people write them, and what four readings say about a cycle."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadence.rules.kpi import (
    AmountError,
    Direction,
    Guardrail,
    Outcome,
    Unit,
    better,
    cycle_result,
    delta,
    format_amount,
    median_of,
    meets,
    parse_amount,
)

DURATIONS = (Unit.MINUTES, Unit.HOURS, Unit.DAYS)
LOW, HIGH = Direction.LOWER, Direction.HIGHER


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("12", Unit.MINUTES, 12),
        ("12.5", Unit.MINUTES, 12.5),
        (".5", Unit.HOURS, 0.5),
        ("5.", Unit.HOURS, 5),
        ("1,234.5", Unit.COUNT, 1234.5),
        ("1,234", Unit.COUNT, 1234),
        ("1.234", Unit.COUNT, 1.234),
        ("12,5", Unit.COUNT, 12.5),
        ("0,75", Unit.HOURS, 0.75),
        ("12,345,678", Unit.COUNT, 12_345_678),
        ("1 234,5", Unit.COUNT, 1234.5),
        ("1\u202f234\u00a0567", Unit.COUNT, 1_234_567),
        ("\u0661\u0662", Unit.MINUTES, 12),
        ("\uff11\uff12", Unit.MINUTES, 12),
        ("\u200b12\ufeff ", Unit.MINUTES, 12),
        ("92%", Unit.PERCENT, 92),
        ("92 percent", Unit.PERCENT, 92),
        ("0.92", Unit.PERCENT, 0.92),
        ("112%", Unit.PERCENT, 112),
        ("-1.5%", Unit.PERCENT, -1.5),
        ("14m", Unit.MINUTES, 14),
        ("14 min", Unit.MINUTES, 14),
        ("14 Minutes", Unit.MINUTES, 14),
        ("1h30m", Unit.MINUTES, 90),
        ("1h 30m", Unit.MINUTES, 90),
        ("1h 30", Unit.MINUTES, 90),
        ("1 hour 30 minutes", Unit.HOURS, 1.5),
        ("1h30", Unit.HOURS, 1.5),
        ("90m", Unit.HOURS, 1.5),
        ("90s", Unit.MINUTES, 1.5),
        ("2d", Unit.HOURS, 48),
        ("2d 12h", Unit.DAYS, 2.5),
        ("1w", Unit.DAYS, 7),
        ("36h", Unit.DAYS, 1.5),
        ("1.2k", Unit.COUNT, 1200),
        ("1.2M", Unit.COUNT, 1_200_000),
        ("-3", Unit.COUNT, -3),
        ("\u22123", Unit.COUNT, -3),
        ("+3", Unit.COUNT, 3),
        ("$1.2k", Unit.CURRENCY, 1200),
        ("\u20ac1,2m", Unit.CURRENCY, 1_200_000),
        ("1.2 million", Unit.CURRENCY, 1_200_000),
        ("1,200 EUR", Unit.CURRENCY, 1200),
        ("USD 5", Unit.CURRENCY, 5),
        ("-$1.2k", Unit.CURRENCY, -1200),
        ("$-5", Unit.CURRENCY, -5),
        ("4.6", Unit.SCORE, 4.6),
        ("4.6/5", Unit.SCORE, 4.6),
        ("4 / 5", Unit.SCORE, 4),
        ("4.6 out of 5", Unit.SCORE, 4.6),
        ("-12", Unit.SCORE, -12),
    ],
)
def test_reads_numbers_as_people_write_them(text: str, unit: Unit, value: float) -> None:
    assert parse_amount(text, unit) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("12 quarts", Unit.MINUTES, "`12 quarts` isn't a number of minutes. Try `14m` or `14`."),
        ("14m", Unit.COUNT, "`14m` isn't a count. Try `1,234` or `1.2k`."),
        ("14m", Unit.PERCENT, "`14m` isn't a percentage. Try `92%` or `92.5`."),
        ("$5", Unit.SCORE, "`$5` isn't a score. Try `4.6` or `4.6/5`."),
        ("$5 \u20ac", Unit.CURRENCY, "`$5 \u20ac` isn't an amount of money. Try `$1.2k` or `1,234.50`."),
        ("-3", Unit.HOURS, "`-3` is below zero. Durations can't be negative. Try `1h30m` or `1.5`."),
        ("1:30", Unit.MINUTES, "`1:30` could be hours or minutes. Try `1h30m` or `1m30s`."),
        ("1.234,5", Unit.COUNT, "`1.234,5` could mean two numbers. Try `1,234.5` or `1234.5`."),
        ("0,125", Unit.COUNT, "`0,125` could mean two numbers. Try `1,234.5` or `1234.5`."),
        ("1,23,4", Unit.COUNT, "`1,23,4` could mean two numbers. Try `1,234.5` or `1234.5`."),
        ("6/5", Unit.SCORE, "`6/5` is more than its own scale. Try `4.6` or `4.6/5`."),
        ("", Unit.DAYS, "A number is missing. Try `2d` or `2.5`."),
        (" \u200b", Unit.DAYS, "A number is missing. Try `2d` or `2.5`."),
        ("9" * 14, Unit.COUNT, "`99999999999999` is too large for this KPI. Try `1,234` or `1.2k`."),
        ("1" * 10_000, Unit.MINUTES, "That number is too long. Try `14m` or `14`."),
        ("1e400", Unit.COUNT, "`1e400` isn't a count. Try `1,234` or `1.2k`."),
    ],
)
def test_says_what_is_wrong_with_an_example_in_the_unit(text: str, unit: Unit, message: str) -> None:
    with pytest.raises(AmountError) as refused:
        parse_amount(text, unit)
    assert str(refused.value) == message


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize(
    "text",
    [
        "inf",
        "nan",
        "-inf",
        "1e3",
        "4\u00bd",
        "10\u00b2",
        "m",
        "%",
        "$",
        "/5",
        "..",
        ",",
        "1_000",
        "0x10",
        "30m 1h",
        "- -3",
        "1`2",
    ],
)
def test_refuses_what_is_no_number_in_any_unit(text: str, unit: Unit) -> None:
    with pytest.raises(AmountError):
        parse_amount(text, unit)


def test_a_long_text_is_shown_short_and_keeps_its_backticks_to_itself() -> None:
    with pytest.raises(AmountError) as refused:
        parse_amount("`" + "x" * 200, Unit.COUNT)
    assert refused.value.problem == f"`'{'x' * 38}\u2026` isn't a count."


@pytest.mark.parametrize("unit", list(Unit))
def test_every_example_can_be_read(unit: Unit) -> None:
    error = AmountError("No.", unit)
    assert all(parse_amount(example, unit) > 0 for example in error.examples)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (14, Unit.MINUTES, "14 min"),
        (1, Unit.MINUTES, "1 min"),
        (14.333, Unit.MINUTES, "14.33 min"),
        (1.5, Unit.HOURS, "1.5 h"),
        (0.025, Unit.HOURS, "0.025 h"),
        (1, Unit.DAYS, "1 day"),
        (2.5, Unit.DAYS, "2.5 days"),
        (0, Unit.DAYS, "0 days"),
        (0.999999, Unit.DAYS, "1 day"),
        (92, Unit.PERCENT, "92%"),
        (0.5, Unit.PERCENT, "0.5%"),
        (1234, Unit.COUNT, "1,234"),
        (123.456, Unit.COUNT, "123.5"),
        (12345.6, Unit.COUNT, "12,346"),
        (4.6, Unit.SCORE, "4.6"),
        (1200, Unit.CURRENCY, "1,200"),
        (-1200, Unit.CURRENCY, "-1,200"),
        (-1e-12, Unit.CURRENCY, "0"),
    ],
)
def test_writes_numbers_for_people(value: float, unit: Unit, text: str) -> None:
    assert format_amount(value, unit) == text


@settings(max_examples=400, derandomize=True)
@given(unit=st.sampled_from(list(Unit)), value=st.floats(min_value=-1e12, max_value=1e12, allow_nan=False))
def test_what_is_written_can_be_read_back(unit: Unit, value: float) -> None:
    value = abs(value) if unit in DURATIONS else value
    assert parse_amount(format_amount(value, unit), unit) == pytest.approx(value, rel=0.0051, abs=1e-8)


NUMBERISH = st.text(alphabet="0123456789.,:-+/%$ kKmMhdsbn\u20ac\u00a0\u22121eof`", max_size=24)


@settings(max_examples=1500, derandomize=True)
@given(unit=st.sampled_from(list(Unit)), text=st.text(max_size=60) | NUMBERISH)
def test_any_text_is_a_finite_number_or_an_amount_error(unit: Unit, text: str) -> None:
    try:
        value, message = parse_amount(text, unit), None
    except AmountError as refused:
        value, message = 0.0, str(refused)
    assert message is None or (message.endswith(".") and len(message) < 160)
    assert math.isfinite(value)
    assert value >= 0 or unit not in DURATIONS


@pytest.mark.parametrize(
    ("a", "b", "direction", "is_better", "met"),
    [
        (14, 15, LOW, True, True),
        (15, 15, LOW, False, True),
        (16, 15, LOW, False, False),
        (5, 4, HIGH, True, True),
        (4, 4, HIGH, False, True),
        (3, 4, HIGH, False, False),
    ],
)
def test_better_is_strict_and_a_target_reached_is_met(
    a: float, b: float, direction: Direction, is_better: bool, met: bool
) -> None:
    assert better(a, b, direction) is is_better
    assert meets(a, b, direction) is met


def test_a_delta_has_its_change_its_share_and_its_sense() -> None:
    fall = delta(14, 42, LOW)
    assert (fall.change, fall.moved) == (-28, "better")
    assert fall.share == pytest.approx(-2 / 3)
    assert delta(14, 42, HIGH).moved == "worse"
    assert delta(42, 42, LOW).moved == "same"
    assert delta(3, 0, HIGH).share is None
    assert delta(-5, -10, HIGH).share == pytest.approx(0.5)


def test_the_median_of_nothing_is_none() -> None:
    assert median_of([]) is None
    assert median_of([3, 1, 2]) == 2
    assert median_of([24, 22, 14, 12]) == 18


@pytest.mark.parametrize(
    ("readings", "outcome", "value"),
    [
        ([], Outcome.INSUFFICIENT, None),
        ([10], Outcome.INSUFFICIENT, 10),
        ([10, 11], Outcome.INSUFFICIENT, 10.5),
        ([42, 14, 12], Outcome.MET, 14),
        ([42, 30, 15, 15], Outcome.NOT_MET, 22.5),
        ([20, 15, 15, 12], Outcome.MET, 15),
    ],
)
def test_a_cycle_needs_three_of_four_readings_and_is_judged_by_their_median(
    readings: list[float], outcome: Outcome, value: float | None
) -> None:
    result = cycle_result(readings, 15, LOW)
    assert (result.outcome, result.value, result.readings) == (outcome, value, len(readings))


def test_a_guardrail_past_its_limit_keeps_a_cycle_from_being_met_and_is_named() -> None:
    held = Guardrail("CSAT", HIGH, 4.6, (4.5, 4.6, 4.7))
    broken = Guardrail("Reopen rate", LOW, 5, (6, 7))
    unread = Guardrail("NPS", HIGH, 30)
    assert cycle_result([14, 14, 14], 15, LOW, [held, unread]).outcome is Outcome.MET
    result = cycle_result([14, 14, 14], 15, LOW, [held, broken, unread])
    assert result.outcome is Outcome.NOT_MET
    assert result.broken == ("Reopen rate",)
    assert result.unread == ("NPS",)
    assert cycle_result([14, 14], 15, LOW, [broken]).outcome is Outcome.INSUFFICIENT


def test_a_cycle_has_no_fifth_reading() -> None:
    with pytest.raises(ValueError, match="4 weekly readings, not 5"):
        cycle_result([1, 2, 3, 4, 5], 15, LOW)
