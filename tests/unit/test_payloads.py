"""Values of buttons and forms are parsed in one place, and forged ones are refused."""

import json

import pytest

from cadence.refusals import Refusal
from handlers.payloads import Form, read_week, split_week
from templates.contexts.checkins import ChooseCheckinForm
from templates.contexts.exceptions import ExceptionForm
from templates.contexts.people import TeamForm
from templates.contexts.rubrics import RubricForm
from tests.contexts import assert_golden

TUESDAY = "2026-03-03"


def test_a_week_that_is_no_monday_is_refused() -> None:
    form = Form.of({"private_metadata": json.dumps({"a": 1, "w": TUESDAY})})
    with pytest.raises(Refusal) as refused:
        form.week("w")
    assert_golden(refused.value.plain, "no-monday:form")
    with pytest.raises(Refusal) as refused:
        split_week(f"1:{TUESDAY}")
    assert_golden(refused.value.plain, "no-monday:button")
    assert f"{read_week('2026-03-02'):%a}" == "Mon"


def submitted(**values: dict[str, object]) -> Form:
    return Form.of({"state": {"values": {name: {name: value} for name, value in values.items()}}})


def test_a_plain_form_is_read_by_its_declaration() -> None:
    form = submitted(
        title={"type": "plain_text_input", "value": " Support EMEA "},
        function={"selected_option": {"value": "support"}},
        channel={"selected_channel": "C01SUPEMEA"},
        members={"selected_users": ["U01LEAD", "U01AGENT1"]},
        reporter={"selected_user": None},
    )
    typed = form.read(TeamForm)
    assert (typed.title, typed.slug, typed.function) == ("Support EMEA", "", "support")
    assert (typed.channel, typed.members, typed.reporter) == ("C01SUPEMEA", ("U01LEAD", "U01AGENT1"), None)
    with pytest.raises(AttributeError):
        _ = typed.new  # the form's ids aren't submitted
    typed_exception = submitted(
        step={"selected_option": {"value": "7:send"}}, critical={"selected_options": [{"value": "critical"}]}
    ).read(ExceptionForm)
    assert (typed_exception.selected, typed_exception.critical, typed_exception.reason) == (
        "7:send",
        True,
        "",
    )


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("14", 14),
        ("1,400", 1400),
        ("12,345,678", 12345678),
        ("1\u202f400", 1400),
        ("14.0", 14),
        ("-1", -1),
        ("+2", 2),
    ],
)
def test_a_whole_number_is_digits(typed: str, number: int) -> None:
    assert submitted(samples={"value": typed}).whole("samples") == number


@pytest.mark.parametrize(
    "typed",
    [
        "1e3",
        "1_000",
        "²",
        "14.5",
        "inf",
        "9" * 10,
        "1,4",
        "1,,400",
        "0,125",
        ",14",
        "1,4000",
        "1.000",
        "1\u202f4",
    ],
)
def test_anything_else_is_no_whole_number(typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        submitted(samples={"value": typed}).whole("samples")
    assert refused.value.field == "samples"


def test_a_plain_form_refuses_on_the_field_what_its_input_cannot_hold() -> None:
    with pytest.raises(Refusal) as refused:
        submitted(samples={"value": "many"}).read(RubricForm)
    assert refused.value.field == "samples"
    with pytest.raises(Refusal) as refused:
        submitted().read(ChooseCheckinForm)
    assert_golden(refused.value.plain, "nothing-chosen")
    assert refused.value.field == "checkin"
