"""OpenTelemetry's logs as evidence: what each record says, and what is refused."""

import gzip
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.json_format import Parse
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from bot.api.otlp import (
    JSON,
    LARGEST,
    MOST_PARTS,
    PROTOBUF,
    Record,
    Refused,
    Unreadable,
    read,
    response,
    unpacked,
)
from tests.contexts import assert_golden

AT = 1_772_708_400_000_000_000  # 5 March 2026, 11:00 UTC
RESOURCE = {
    "cadence.playbook": "reply",
    "cadence.step": "send",
    "cadence.team": "desk",
    "service.name": "bot",
}


def attribute(name: str, value: Any) -> dict[str, Any]:
    kinds = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}
    return {"key": name, "value": {kinds[type(value)]: value}}


def logs(event: str, attributes: dict[str, Any], resource: dict[str, Any] = RESOURCE, **record: Any) -> bytes:
    """One log record, as an exporter sends it in JSON."""
    one = {"eventName": event, "attributes": [attribute(*pair) for pair in attributes.items()], **record}
    group = {
        "resource": {"attributes": [attribute(*pair) for pair in resource.items()]},
        "scopeLogs": [{"logRecords": [one]}],
    }
    return json.dumps({"resourceLogs": [group]}).encode()


def packed(*bodies: bytes) -> bytes:
    """The same in protobuf, in one request."""
    request = ExportLogsServiceRequest()
    for body in bodies:
        request.MergeFrom(Parse(body, ExportLogsServiceRequest()))
    return bytes(request.SerializeToString())


def only(body: bytes) -> Record | Refused:
    (found,) = read(body, JSON)
    return found


def evaluation(**attributes: Any) -> Record | Refused:
    named = {f"gen_ai.evaluation.{name.replace('_', '.', 1)}": value for name, value in attributes.items()}
    return only(logs("gen_ai.evaluation.result", {"gen_ai.evaluation.name": "policy-lint", **named}))


def test_an_evaluation_says_what_was_judged_and_when() -> None:
    body = logs(
        "gen_ai.evaluation.result",
        {
            "gen_ai.evaluation.name": "policy-lint",
            "gen_ai.evaluation.score.label": "pass",
            "gen_ai.evaluation.explanation": "no forbidden phrase",
            "gen_ai.response.id": "resp-7",
            "gen_ai.unknown": 4.5,
        },
        timeUnixNano=str(AT),
    )
    assert only(body) == Record(
        kind="evaluation",
        id="evaluation:resp-7:policy-lint",
        at=datetime(2026, 3, 5, 11, tzinfo=UTC),
        playbook="reply",
        step="send",
        team="desk",
        name="policy-lint",
        passed=True,
        note="no forbidden phrase",
    )


@pytest.mark.parametrize(
    ("score", "passed"),
    [
        ({"score_label": "PASS"}, True),
        ({"score_label": "correct"}, True),
        ({"score_label": "fail"}, False),
        ({"score_label": "fail", "score_value": 0.9}, False),
        ({"score_value": 0.5}, True),
        ({"score_value": 0.49}, False),
        ({"score_value": 1}, True),
        ({"score_value": True}, True),
        ({"score_label": "relevant", "score_value": 0.2}, False),
    ],
)
def test_a_label_decides_then_the_score(score: dict[str, Any], passed: bool) -> None:
    found = evaluation(**score)
    assert isinstance(found, Record)
    assert found.passed is passed


def test_the_least_score_that_passes_can_be_set() -> None:
    shared = {**RESOURCE, "cadence.pass_at": 4}
    body = logs(
        "gen_ai.evaluation.result",
        {"gen_ai.evaluation.name": "rubric", "gen_ai.evaluation.score.value": 3.5},
        shared,
    )
    found = only(body)
    assert isinstance(found, Record)
    assert not found.passed


@pytest.mark.parametrize(
    ("event", "attributes", "resource", "why"),
    [
        ("gen_ai.evaluation.result", {}, RESOURCE, "gen_ai.evaluation.name"),
        ("gen_ai.evaluation.result", {"gen_ai.evaluation.name": "rubric"}, RESOURCE, "score.label"),
        (
            "gen_ai.evaluation.result",
            {"gen_ai.evaluation.name": "rubric", "gen_ai.evaluation.score.value": "high"},
            RESOURCE,
            "score.value",
        ),
        ("cadence.runs", {"cadence.runs": 0}, RESOURCE, "whole number"),
        ("cadence.runs", {"cadence.runs": 1.5}, RESOURCE, "whole number"),
        ("cadence.runs", {"cadence.runs": True}, RESOURCE, "whole number"),
        ("cadence.runs", {}, {"cadence.step": "send"}, "cadence.playbook"),
    ],
)
def test_a_refused_record_says_what_would_be_right(
    event: str, attributes: dict[str, Any], resource: dict[str, Any], why: str
) -> None:
    found = only(logs(event, attributes, resource))
    assert isinstance(found, Refused)
    assert why in found.why


def test_a_score_that_is_no_number_is_refused() -> None:
    body = logs(
        "gen_ai.evaluation.result",
        {"gen_ai.evaluation.name": "rubric", "gen_ai.evaluation.score.value": 0.5},
    )
    found = only(body.replace(b"0.5", b'"NaN"'))
    assert isinstance(found, Refused)
    assert "score.value" in found.why


def test_runs_are_counted_one_a_record_unless_it_says_more() -> None:
    one = only(logs("cadence.runs", {}))
    many = only(logs("cadence.runs", {"cadence.runs": 12, "cadence.member": "U01AGENT1"}))
    assert isinstance(one, Record)
    assert isinstance(many, Record)
    assert (one.runs, many.runs, many.member) == (1, 12, "U01AGENT1")


def test_a_record_says_its_own_playbook_over_its_resource() -> None:
    found = only(logs("cadence.runs", {"cadence.playbook": "triage"}))
    assert isinstance(found, Record)
    assert found.playbook == "triage"


def test_the_event_s_name_may_be_an_attribute() -> None:
    assert isinstance(only(logs("", {"event.name": "cadence.runs"})), Record)


def test_other_logs_are_left_out() -> None:
    assert read(logs("http.request", {"http.method": "GET"}), JSON) == []


def ids(*bodies: bytes) -> list[str]:
    return [one.id for body in bodies for one in read(body, JSON) if isinstance(one, Record)]


def test_the_same_record_keeps_its_id_and_another_has_its_own() -> None:
    body = logs("cadence.runs", {}, timeUnixNano=str(AT), traceId="0af7651916cd43dd8448eb211c80319c")
    other = logs("cadence.runs", {}, timeUnixNano=str(AT + 1), traceId="0af7651916cd43dd8448eb211c80319c")
    named = logs("cadence.runs", {"cadence.id": "nightly-7"})
    first, second, third, fourth = ids(body, body, other, named)
    assert first == second != third
    assert fourth == "nightly-7"


def test_a_time_out_of_bounds_is_in_the_future_not_an_error() -> None:
    found = only(logs("cadence.runs", {}, timeUnixNano=str(2**64 - 1)))
    assert isinstance(found, Record)
    assert found.at is not None


@pytest.mark.parametrize("body", [b"{", b'{"resourceLogs": 7}', b"\xff", b'{"resourceLogs":' + b"[" * 5_000])
def test_what_is_not_otlp_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read(body, JSON)


@given(st.binary(max_size=400))
def test_no_bytes_break_the_protobuf_reader(body: bytes) -> None:
    with suppress(Unreadable):
        assert all(isinstance(one, Record | Refused) for one in read(body, PROTOBUF))


def test_a_packed_body_is_unpacked_within_limits() -> None:
    assert unpacked(gzip.compress(b"x" * 100), "gzip") == b"x" * 100
    assert unpacked(b"x", "") == b"x"
    bomb = gzip.compress(b"x" * (LARGEST + 1))
    cut, trailing = gzip.compress(b"x")[:-4], gzip.compress(b"x") + b"rubbish"
    for body, encoding in (
        (b"x", "gzip"),
        (cut, "gzip"),
        (trailing, "gzip"),
        (b"x", "zstd"),
        (b"x", "gzip, gzip"),
        (bomb, "gzip"),
    ):
        with pytest.raises(Unreadable):
            unpacked(body, encoding)


def field(number: int, content: bytes) -> bytes:
    """A field of protobuf: its tag, its length, its bytes."""
    length, rest = b"", len(content)
    while rest > 0x7F:
        length, rest = length + bytes([rest & 0x7F | 0x80]), rest >> 7
    return bytes([number << 3 | 2]) + length + bytes([rest]) + content


MANY = MOST_PARTS + 1


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (field(1, b"") * MANY, PROTOBUF),
        (field(1, field(2, b"") * MANY), PROTOBUF),
        (field(1, field(2, field(2, b"") * MANY)), PROTOBUF),
        (field(1, field(1, field(1, b"") * MANY)), PROTOBUF),
        (field(1, field(2, field(2, field(6, b"") * MANY))), PROTOBUF),
        (b'{"resourceLogs": [' + b"{}," * 2 * MANY + b"{}]}", JSON),
        (b'{"other": ' + b"[" * 2 * MANY, JSON),
    ],
    ids=["resources", "scopes", "records", "shared attributes", "attributes", "JSON", "JSON, nested"],
)
def test_a_body_of_many_empty_parts_is_refused_before_each_is_read(body: bytes, content_type: str) -> None:
    """Packed, they are a few kilobytes; they took up to 16 seconds and 450 MB."""
    with pytest.raises(Unreadable) as refused:
        read(body, content_type)
    assert_golden(str(refused.value), f"many-parts:{content_type}")


@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
def test_the_answer_says_how_many_were_refused(content_type: str) -> None:
    body = response(content_type, refused=2, why="no playbook")
    if content_type == JSON:
        assert json.loads(body)["partialSuccess"] == {
            "rejectedLogRecords": "2",
            "errorMessage": "no playbook",
        }
    else:
        answer = ExportLogsServiceResponse.FromString(body)
        assert (answer.partial_success.rejected_log_records, answer.partial_success.error_message) == (
            2,
            "no playbook",
        )
    assert response(content_type, refused=0, why="") in {b"", b"{}"}
