"""What buttons and forms carry is read in one place, and what can't be theirs is refused."""

import json

import pytest

from cadence.refusals import Refusal
from handlers.payloads import Form, read_week, split_week

TUESDAY = "2026-03-03"


def test_a_week_that_is_no_monday_is_refused() -> None:
    form = Form.of({"private_metadata": json.dumps({"a": 1, "w": TUESDAY})})
    with pytest.raises(Refusal, match="too old"):
        form.week("w")
    with pytest.raises(Refusal, match="too old"):
        split_week(f"1:{TUESDAY}")
    assert f"{read_week('2026-03-02'):%a}" == "Mon"
